// Search when the site is opened as files: a browser starts no worker from a file, so an iframe plays one.
if (location.protocol === "file:") {
  window.Worker = window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "Search";
      document.body.append(frame);
      this.room = frame.contentWindow;
      this.waiting = [];
      this.room.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const script = this.room.document.createElement("script");
      script.src = url;
      script.onload = () => this.#open();
      this.room.document.body.append(script);
    }

    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.room.dispatchEvent(new MessageEvent("message", { data }));
    }

    #open() {
      const waiting = this.waiting;
      this.waiting = null;
      for (const data of waiting) this.postMessage(data);
    }
  };
}
