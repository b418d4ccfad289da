// Names for what the theme adds by script, so that a screen reader can tell the copy buttons apart.
{
  const name = () => {
    const unnamed = document.querySelectorAll(".md-code__nav:not([aria-label])");
    for (const nav of unnamed) nav.setAttribute("aria-label", `Tools of ${nav.closest("pre").id.replace("__code_", "code block ")}`);
  };
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();
}
