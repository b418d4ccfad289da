// The index of the search is larger than any page, so it is asked for when somebody turns to the search.
if (location.protocol !== "file:") {
  const wanted = new Promise((done) => {
    if (new URLSearchParams(location.search).has("h")) done(); // a page whose found words are to be marked
    document.addEventListener("focusin", ({ target }) => target.closest(".md-search") && done());
  });
  window.XMLHttpRequest = class extends XMLHttpRequest {
    open(method, url, ...rest) {
      this.waits = `${url}`.endsWith("/search_index.json");
      super.open(method, url, ...rest);
    }

    async send(body) {
      if (this.waits) await wanted;
      super.send(body);
    }
  };
}
