// For a screen reader and a keyboard: names for the copy buttons, which the theme adds by script without
// any, and a stop at tables that are wider than the page.
{
  const name = () => {
    for (const nav of document.querySelectorAll(".md-code__nav:not([aria-label])")) {
      const block = nav.closest("pre").id.replace("__code_", "");
      nav.setAttribute("aria-label", `Tools of code block ${block}`);
    }
    for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
      else table.removeAttribute("tabindex");
    }
  };
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  addEventListener("resize", name);
  name();
}
// On paper nobody unfolds: whatever is folded is open while it is printed.
{
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll(".md-content details:not([open])")];
    for (const each of folded) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of folded) each.open = false; });
}
