// Three cards at the top of a module, those that are due: what was known comes back later each time.
// All it keeps is this browser's: for each card how often in a row it was known, and the day it is due.
window.recall = (() => {
  const KEY = "tiffin-recall", WAITS = [1, 3, 7, 21, 60]; // days
  const today = () => Math.floor(Date.now() / 86400000);

  // Due ones first, the longest due before all; then new ones, the page's own choice before all; then the rest.
  const pick = (pool, first, state, day) => {
    const rank = ({ id }) => {
      const known = state[id];
      if (!known) return [1, first.includes(id) ? first.indexOf(id) : 3];
      return known.due <= day ? [0, known.due] : [2, known.due];
    };
    return pool.map((card) => [rank(card), card])
      .sort(([[a, b]], [[c, d]]) => a - c || b - d).slice(0, 3).map(([, card]) => card);
  };
  const graded = (state, id, knew, day) => {
    const times = knew ? Math.min((state[id]?.times ?? 0) + 1, WAITS.length) : 0;
    return { ...state, [id]: { times, due: day + (times ? WAITS[times - 1] : 1) } };
  };
  const load = () => {
    try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; }
  };
  const save = (state) => {
    try { localStorage.setItem(KEY, JSON.stringify(state)); return true; } catch { return false; }
  };
  return { KEY, WAITS, pick, graded, load, save, today };
})();

for (const box of document.querySelectorAll(".recall")) {
  const { pick, graded, load, save, today, KEY } = window.recall;
  const pool = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
  const bar = box.querySelector(".recall-bar"), status = bar.querySelector("[role=status]");
  const tell = () => {
    const known = Object.keys(load()).length;
    status.textContent = known
      ? `This browser remembers ${known} of your answers, under “${KEY}”, to choose what to ask. They never leave it.`
      : "Say whether you knew it, and this browser remembers when to ask again. Nothing leaves it.";
  };
  const button = (text, knew) => Object.assign(document.createElement("button"), { type: "button", textContent: text, className: knew ? "knew" : "not-yet" });
  const card = ({ id, ask, answer }) => {
    const details = document.createElement("details");
    details.className = "question";
    details.dataset.card = id;
    details.innerHTML = `<summary>${ask}</summary><p>${answer}</p>`;
    const choice = document.createElement("p"), said = document.createElement("span");
    choice.className = "recall-choice";
    said.setAttribute("role", "status");
    for (const knew of [true, false]) {
      const one = button(knew ? "I knew it" : "Not yet", knew);
      one.addEventListener("click", () => {
        const state = graded(load(), id, knew, today()), kept = save(state), days = state[id].due - today();
        said.textContent = kept ? `Comes back in ${days} ${days === 1 ? "day" : "days"}.` : "This browser keeps nothing, so it will not come back.";
        tell();
      });
      choice.append(one, " ");
    }
    choice.append(said);
    details.append(choice);
    return details;
  };

  for (const old of box.querySelectorAll("details")) old.remove();
  box.prepend(...pick(pool, box.dataset.first.split(" "), load(), today()).map(card));
  bar.querySelector("[data-do=export]").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(load(), null, 1)], { type: "application/json" }));
    link.download = `${KEY}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  bar.querySelector("[data-do=clear]").addEventListener("click", () => {
    try { localStorage.removeItem(KEY); } catch { /* there was nothing */ }
    tell();
  });
  tell();
}

// Steps to put in order: two buttons a step, the focus stays with the step, and Check says how far it is right.
for (const form of document.querySelectorAll("form.parsons")) {
  const list = form.querySelector(".parsons-steps"), status = form.querySelector("[role=status]");
  const reasons = [...form.querySelectorAll(".parsons-key li > span")];
  const wholeName = (step) => step.querySelector(".parsons-step").textContent;

  list.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-move]");
    if (!button) return;
    const step = button.closest("li"), steps = [...list.children], to = steps.indexOf(step) + Number(button.dataset.move);
    if (to < 0 || to >= steps.length) status.textContent = `It is the ${to < 0 ? "first" : "last"} step already.`;
    else {
      if (button.dataset.move === "-1") steps[to].before(step); else steps[to].after(step);
      status.textContent = `Step ${to + 1} of ${steps.length}: ${wholeName(step)}`;
    }
    for (const why of list.querySelectorAll(".quiz-why")) why.remove();
    button.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const steps = [...list.children], wrong = steps.findIndex((step, at) => Number(step.dataset.place) !== at);
    if (wrong >= 0) {
      status.textContent = `${wrong} of ${steps.length} are right from the top. Something else has to come before “${wholeName(steps[wrong])}”`;
      return;
    }
    status.textContent = "Right.";
    for (const why of list.querySelectorAll(".quiz-why")) why.remove();
    steps.forEach((step, at) => {
      const why = document.createElement("div");
      why.className = "quiz-why";
      why.append(...[...reasons[at].childNodes].map((node) => node.cloneNode(true)));
      step.append(why);
    });
  });
}

// The self-test of skills: says where to start; ticks are not kept.
for (const form of document.querySelectorAll("form.skills")) {
  const areas = [...form.querySelectorAll("fieldset")], result = form.querySelector(".skills-result");
  const enough = Number(form.dataset.enough);
  const say = () => {
    const ticks = Object.fromEntries(areas.map((area) => [area.dataset.area, area.querySelectorAll("input:checked").length]));
    for (const area of areas) area.dataset.state = ticks[area.dataset.area] >= enough ? "enough" : "";
    if (!form.querySelector("input:checked")) {
      result.textContent = "Tick what you could do, and this line says where to start.";
      return;
    }
    const [linux, network, git, script, cloud, ml] = areas.map((area) => area.dataset.area);
    const short = (names) => names.filter((name) => ticks[name] < enough);
    const first = short([linux, git, script]), later = short([network, cloud]);
    const begin = ticks[ml] === 3 ? "module 02, Version data like code" : "module 01, Train a first model";
    result.textContent = [
      first.length ? `First ${first.join(", ")}: an afternoon each, see the line under it. Then ${begin}.` : `Start with ${begin}.`,
      later.length ? `Before module 08: ${later.join(", ")}.` : "",
    ].join(" ");
  };
  form.addEventListener("change", say);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.reset();
  say();
}
