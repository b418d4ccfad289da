// The index of the search is larger than any page, so it is asked for when somebody turns to the search.
{
  const wanted = new Promise((done) => {
    if (new URLSearchParams(location.search).has("h")) done(); // a page whose found words are to be marked
    document.addEventListener("focusin", ({ target }) => target.closest(".md-search") && done());
  });
  // From a folder the theme asks for it by a script element, from a server by a request.
  document.head.appendChild = (node) => {
    const add = () => HTMLHeadElement.prototype.appendChild.call(document.head, node);
    if (`${node.src}`.endsWith("/search_index.js")) wanted.then(add);
    else add();
    return node;
  };
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
