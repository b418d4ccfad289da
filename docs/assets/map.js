// The map's filter: a word, a part of the loop, a module. Without this script all rows are there.
for (const form of document.querySelectorAll("form.map-filter")) {
  const map = form.parentElement.querySelector("[data-map]");
  const rows = [...map.querySelectorAll(".map-row")];
  const status = form.querySelector("[role=status]");
  const texts = rows.map((row) => row.textContent.toLowerCase());

  const filter = () => {
    const { word, stage, module } = form.elements;
    const words = word.value.toLowerCase().split(/\s+/);
    rows.forEach((row, at) => {
      const kept = words.every((each) => texts[at].includes(each))
        && (!stage.value || row.parentElement.dataset.stage === stage.value)
        && (!module.value || row.dataset.modules.split(" ").includes(module.value));
      row.hidden = !kept;
    });
    for (const section of map.children) section.hidden = !section.querySelector(".map-row:not([hidden])");
    const left = rows.filter((row) => !row.hidden).length;
    status.textContent = left ? `${left} of ${rows.length} rows` : "No row has all of this. Take a word away.";
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
