// The playground's page: controls on the left hand, what the instruments say on the other.
{
  const $ = (id) => document.getElementById(`play-${id}`);
  const root = document.querySelector(".playground"), told = root.querySelector(".play-told");
  const guess = root.querySelector(".play-guess"), status = root.querySelector(".play-status");
  const { features, presets, days } = window.TIFFIN;
  const from = days.first + days.quiet;
  const NONE = { kind: "none", amount: 0 };
  const span = (low, high, step) => Array.from({ length: Math.round((high - low) / step) + 1 }, (_, at) => +(low + at * step).toFixed(6));
  const times = (value) => `× ${value.toLocaleString("en")}`;
  const percent = (value) => `${Math.round(100 * value)} %`;

  // What can happen: a name, its amounts, where it begins, and how an amount is said.
  const COLUMN = {
    none: { says: "stays as it is" },
    shift: { says: "moves, in the city", stops: ({ step }) => span(-20 * step, 40 * step, step), start: ({ step }) => 10 * step,
      said: (value, { unit }) => `${value < 0 ? "−" : "+"} ${Math.abs(value)} ${unit}` },
    scale: { says: "is scaled, in the city", stops: () => [...span(0, 2, 0.05), 2.5, 3, 4, 5, 7, 10], start: () => 1.5, said: times },
    nulls: { says: "arrives empty", stops: () => span(0.05, 1, 0.05), start: () => 0.4, said: (value) => `${percent(value)} of the rows` },
    unit: { says: "arrives multiplied", stops: () => [0.001, 0.01, 0.1, 0.25, 0.5, 0.62, 0.8, 0.9, 1.1, 1.25, 1.6, 2, 4, 10, 100, 1000], start: () => 1000, said: times },
    stuck: { says: "arrives stuck at one value", stops: ({ stuck }) => stuck, start: ({ stuck }) => stuck[1], said: (value, { unit }) => `${value} ${unit}` },
  };
  const BEHIND = {
    none: { says: "nothing" },
    rides: { says: "rides by the river take longer or shorter", stops: () => span(0.4, 1.8, 0.05), start: () => 0.55, said: times },
    wait: { says: "every order waits for another one", stops: () => span(0, 20, 1), start: () => 6, said: (value) => `+ ${value} minutes` },
    labels: { says: "labels come multiplied", stops: () => [0.5, 0.9, 1.1, 2, 60], start: () => 60, said: times },
    answers: { says: "answers are multiplied by a deploy", stops: () => span(0.5, 1.5, 0.05), start: () => 0.75, said: times },
  };
  const setting = { changes: {}, behind: { ...NONE } };
  let preset = presets[0];

  const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
  const feature = () => features.find(({ name }) => name === $("feature").value);
  const changeOf = (name) => setting.changes[name] ?? NONE;
  const nearest = (stops, amount) => stops.reduce((best, stop, at) => (Math.abs(stop - amount) < Math.abs(stops[best] - amount) ? at : best), 0);

  // One slider over the stops of what is chosen; it says its value, also to a screen reader.
  const slide = (slider, output, kind, amount, about) => {
    const off = !kind.stops, stops = off ? [0] : kind.stops(about), at = nearest(stops, amount);
    slider.disabled = off;
    slider.max = stops.length - 1;
    slider.value = at;
    output.textContent = off ? "" : kind.said(stops[at], about);
    slider.setAttribute("aria-valuetext", output.textContent || "not used");
  };
  const inForce = () => [
    ...Object.entries(setting.changes).map(([name, { kind, amount }]) =>
      `${name} ${COLUMN[kind].says}: ${COLUMN[kind].said(amount, features.find((each) => each.name === name))}`),
    ...(setting.behind.kind === "none" ? [] : [`${BEHIND[setting.behind.kind].says}: ${BEHIND[setting.behind.kind].said(setting.behind.amount)}`]),
  ];
  const show = () => {
    const change = changeOf($("feature").value), { behind } = setting, force = inForce();
    $("kind").value = change.kind;
    $("behind").value = behind.kind;
    slide($("amount"), $("amount-said"), COLUMN[change.kind], change.amount, feature());
    slide($("behind-amount"), $("behind-said"), BEHIND[behind.kind], behind.amount);
    $("force").textContent = force.length ? `From day ${from} on: ${force.join("; ")}.` : `From day ${from} on: nothing new.`;
  };

  const ask = () => {
    guess.reset();
    guess.hidden = false;
    told.hidden = true;
    status.textContent = "";
  };
  const choose = (name) => {
    preset = presets.find((each) => each.name === name);
    setting.changes = structuredClone(preset.changes);
    setting.behind = { ...preset.behind };
    const [touched] = Object.keys(setting.changes);
    if (touched) $("feature").value = touched;
    show();
    ask();
  };

  let waiting = 0;
  const changed = () => {
    preset = null;
    show();
    clearTimeout(waiting);
    if (!told.hidden) waiting = setTimeout(() => tell(null), 120); // while a slider moves, say nothing
  };
  const WATCHERS = ["contract", "inputs", "error"];
  const when = (day) => (day === null ? "does not ring" : `rings on day ${day}, ${day < from ? "before anything began: a false alarm" : `on evening ${day - from + 1}`}`);
  const tell = (expected) => {
    const found = window.drift.measure(setting);
    const right = expected && WATCHERS.filter((name, at) => expected.has(name) === (found.alarms[at] !== null)).length;
    const first = found.alarms.every((day) => day === null) ? "No watcher rings in twenty days."
      : `${WATCHERS.map((name, at) => [name, found.alarms[at]]).filter(([, day]) => day !== null).map(([name, day]) => `The ${name === "inputs" ? "watcher of inputs" : name === "error" ? "watcher of errors" : name} ${when(day)}`).join(". ")}.`;
    status.textContent = [
      expected ? `You said ${right} of 3 right.` : "", first,
      `Error ${number(found.error.after)} minutes, before ${number(found.error.before)}; floor ${number(found.floor.after)}.`,
      preset ? preset.lesson : "",
    ].filter(Boolean).join(" ");
    root.querySelector(".play-alarms").innerHTML = WATCHERS.map((name, at) =>
      `<li class="${found.alarms[at] === null ? "calm" : "rings"}"><strong>${name}</strong> ${when(found.alarms[at])}</li>`).join("");
    root.querySelector(".play-days").innerHTML = daysPicture(found);
    root.querySelector(".play-bars").innerHTML = barsPicture(feature(), window.drift.bars(setting, feature()));
    root.querySelector(".play-minutes").innerHTML = minutes(found);
    root.querySelector(".play-table").innerHTML = tables(found);
  };

  const number = (value) => (value === null ? "–" : Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : `${+value.toPrecision(3)}`);
  const WIDE = 480, LEFT = 52, HIGH = 84;
  const panel = (title, values, limit, top) => {
    const high = Math.max(limit * 1.3, ...values), low = Math.min(0, ...values);
    const x = (at) => (LEFT + (WIDE - LEFT - 6) * (at + 0.5) / values.length).toFixed(1);
    const y = (value) => (top + HIGH * (1 - (value - low) / (high - low))).toFixed(1);
    const begin = LEFT + (WIDE - LEFT - 6) * days.quiet / days.count;
    return `<text x="0" y="${top - 10}">${title}</text><text x="${WIDE - 6}" y="${top - 10}" text-anchor="end">dashed: limit</text>`
      + `<rect class="incident" x="${begin.toFixed(1)}" y="${top}" width="${(WIDE - 6 - begin).toFixed(1)}" height="${HIGH}"/>`
      + [low, high].map((mark) => `<path class="grid" d="M${LEFT} ${y(mark)}H${WIDE - 6}"/><text x="${LEFT - 5}" y="${+y(mark) + 4}" text-anchor="end">${number(mark)}</text>`).join("")
      + `<path class="floor" d="M${LEFT} ${y(limit)}H${WIDE - 6}"/>`
      + `<path class="line" d="${values.map((value, at) => `${at ? "L" : "M"}${x(at)} ${y(value)}`).join("")}"/>`;
  };
  const finite = (values) => values.map((value) => (Number.isFinite(value) ? value : 0));
  const daysPicture = ({ series, limits }) => {
    const words = series.map((values, at) => `${["Inputs", "Error"][at]}: ${values.filter((value) => value > limits[at]).length} of ${days.count} days over the limit.`).join(" ");
    const x = (at) => LEFT + (WIDE - LEFT - 6) * (at + 0.5) / days.count;
    const axis = [0, 10, 20, 29].map((at) => `<text x="${x(at).toFixed(1)}" y="262" text-anchor="middle">${at ? "" : "day "}${days.first + at}</text>`).join("");
    return `<svg viewBox="0 0 ${WIDE} 268" role="img" aria-label="Thirty days. ${words} The numbers are in the table of days below.">`
      + panel("Largest input index, in deviations", finite(series[0]), limits[0], 26)
      + panel("Error beyond the expected, share", finite(series[1]), limits[1], 158) + `${axis}</svg>`;
  };
  const barsPicture = ({ name, unit }, { low, size, reference, current }) => {
    const high = Math.max(...reference, ...current), wide = (WIDE - 12) / reference.length;
    const bar = (kind) => (share, at) => `<rect class="${kind}" x="${(6 + at * wide + 0.6).toFixed(1)}" y="${(150 - 120 * share / high).toFixed(1)}" width="${(wide - 1.2).toFixed(1)}" height="${(120 * share / high).toFixed(1)}"/>`;
    const most = (shares) => low + size * shares.indexOf(Math.max(...shares));
    const words = `${name}: most of the reference lies from ${number(most(reference))}, most of what came after from ${number(most(current))} ${unit}. The numbers are in the table below.`;
    return `<svg viewBox="0 0 ${WIDE} 172" role="img" aria-label="${words}"><text x="0" y="14">${name}, ${unit}</text>`
      + `<rect class="was" x="238" y="4" width="12" height="11"/><text x="256" y="14">quiet days</text><rect class="now" x="352" y="4" width="12" height="11"/><text x="370" y="14">from day ${from}</text>`
      + reference.map(bar("was")).join("") + current.map(bar("now")).join("")
      + `<path class="grid" d="M6 150H${WIDE - 6}"/><text x="6" y="168">${number(low)}</text><text x="${WIDE - 6}" y="168" text-anchor="end">${number(low + size * reference.length)}</text></svg>`;
  };
  const table = (caption, head, rows) => `<table class="play-numbers"><caption>${caption}</caption><thead><tr>${head.map((name) => (name ? `<th scope="col">${name}</th>` : "<td></td>")).join("")}</tr></thead><tbody>${
    rows.map(([first, ...rest]) => `<tr><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("")}</tbody></table>`;
  const minutes = ({ error, expected, floor }) => {
    const both = ({ before, after }) => [number(before), number(after)];
    return table("Minutes off", ["", "quiet", `from day ${from}`], [["error, with labels", ...both(error)], ["expected, without", ...both(expected)], ["floor", ...both(floor)]]);
  };
  const tables = ({ features: found, series }) => {
    const byDay = series[0].map((_, at) => [days.first + at, number(finite(series[0])[at]), series[1][at].toFixed(3)]);
    return table("The columns, as they reach the model", ["", "PSI", "KS", "Wasserstein", "empty"], found.map((each) => [each.name.replaceAll("_", "_<wbr>"), number(each.psi), number(each.ks), number(each.wasserstein), percent(each.nulls)]))
      + `<details><summary>Each day</summary>${table("What the two lower watchers read", ["day", "inputs", "error"], byDay)}</details>`;
  };

  const list = (id, kinds) => $(id).append(...Object.entries(kinds).map(([name, { says }]) => option(name, says)));
  $("preset").append(...presets.map(({ name, title }) => option(name, title)));
  $("feature").append(...features.map(({ name }) => option(name, name)));
  list("kind", COLUMN);
  list("behind", BEHIND);
  $("preset").addEventListener("change", () => choose($("preset").value));
  $("feature").addEventListener("change", () => { show(); if (!told.hidden) tell(null); });
  $("kind").addEventListener("change", () => {
    const kind = $("kind").value, { name } = feature();
    if (kind === "none") delete setting.changes[name];
    else setting.changes[name] = { kind, amount: COLUMN[kind].start(feature()) };
    changed();
  });
  $("amount").addEventListener("input", () => {
    const { name } = feature(), { kind } = changeOf(name);
    setting.changes[name] = { kind, amount: COLUMN[kind].stops(feature())[$("amount").value] };
    changed();
  });
  $("behind").addEventListener("change", () => {
    const kind = $("behind").value;
    setting.behind = kind === "none" ? { ...NONE } : { kind, amount: BEHIND[kind].start() };
    changed();
  });
  $("behind-amount").addEventListener("input", () => {
    const { kind } = setting.behind;
    setting.behind = { kind, amount: BEHIND[kind].stops()[$("behind-amount").value] };
    changed();
  });
  root.querySelector(".play-form").addEventListener("submit", (event) => event.preventDefault());
  guess.addEventListener("submit", (event) => {
    event.preventDefault();
    const expected = new Set(new FormData(guess).keys());
    guess.hidden = true;
    told.hidden = false;
    tell(expected);
  });
  choose(presets[0].name);
}
