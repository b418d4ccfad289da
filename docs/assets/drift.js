// The playground's numbers: what would have been measured, had this happened to a column or behind it.
// tests/docs/drift.py computes the same with NumPy and SciPy; tests/browser/test_playground.py compares.
window.drift = (() => {
  const GOLDEN = 0.6180339887498949; // its multiples, modulo 1, fall evenly: which rows a break hits
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (values) => (values.length ? sum(values) / values.length : null);
  const spread = (values) => {
    const middle = mean(values);
    return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
  };
  const known = (values) => values.filter((value) => !Number.isNaN(value));
  const sorted = (values) => Float64Array.from(values).sort();
  const only = (values, where) => values.filter((_, at) => where[at]);

  // How many of the sorted values are below `value`, or at most `value`.
  const below = (values, value, orEqual = false) => {
    let low = 0, high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < value || (orEqual && values[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  // The deciles between which a bin lies; equal ones count once.
  const edges = (reference) => {
    const values = sorted(reference);
    const cuts = Array.from({ length: 9 }, (_, at) => {
      const place = (at + 1) * 0.1 * (values.length - 1), whole = Math.floor(place);
      return values[whole] + (values[Math.min(whole + 1, values.length - 1)] - values[whole]) * (place - whole);
    });
    return cuts.filter((cut, at) => at === 0 || cut !== cuts[at - 1]);
  };
  const counts = (cuts, values) => {
    const found = new Array(cuts.length + 1).fill(0);
    for (const value of values) found[below(cuts, value)] += 1;
    return found;
  };

  // Lab 09's formula: a bin that is empty counts as half a row; null without any row.
  const stabilityIndex = (reference, current) => {
    const before = sum(reference), now = sum(current);
    if (!now) return null;
    return sum(reference.map((count, at) => {
      const r = Math.max(count, 0.5) / before, c = Math.max(current[at], 0.5) / now;
      return (c - r) * Math.log(c / r);
    }));
  };

  // Kolmogorov-Smirnov: the largest gap between the two cumulative curves. Wasserstein: the area between them.
  const curves = (reference, current) => {
    const one = sorted(reference), two = sorted(current), all = sorted([...reference, ...current]);
    let ks = 0, wasserstein = 0;
    for (let at = 0; at < all.length; at += 1) {
      const gap = Math.abs(below(one, all[at], true) / one.length - below(two, all[at], true) / two.length);
      ks = Math.max(ks, gap);
      if (at + 1 < all.length) wasserstein += gap * (all[at + 1] - all[at]);
    }
    return { ks, wasserstein };
  };

  // The chance that a standard normal lies within `sigma` of 0, by the series of the error function.
  const within = (sigma) => {
    const z = sigma / Math.SQRT2;
    let term = z, total = z;
    for (let n = 1; Math.abs(term) > 1e-17; n += 1) {
      term *= -z * z / n;
      total += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * total;
  };

  const moved = (feature, change, value, at) => {
    const { kind, amount } = change;
    if (kind === "nulls") return (at * GOLDEN) % 1 < amount ? NaN : value;
    if (kind === "unit") return value * amount;
    if (kind === "stuck") return amount;
    const least = kind === "scale" && feature.name === "items" ? 1 : 0;
    const city = Math.max(kind === "shift" ? value + amount : least + (value - least) * amount, feature.low);
    return feature.whole ? Math.floor(city + 0.5) : city;
  };

  // The law of an order's minutes, and what the model says: the same with rain as far as it has seen any.
  const sigmaOf = (city, rain, queue) =>
    Math.hypot(city.luck, 0.15 + 0.02 * Math.min(rain, 8) + 0.004 * Math.min(queue, 15));
  const typical = (city, row, rain, ride, wait) => {
    const streets = 1 + city.slows * Math.min(rain, 5) + city.floods * Math.max(rain - 8, 0);
    const kitchen = row.handling + city.item * (row.items - 1) + city.queue * row.kitchen_queue;
    return kitchen + city.courier / (1 + row.couriers_free) + row.distance_km * row.pace * streets * ride + wait;
  };
  const lived = ({ city }, row, behind) => {
    const sigma = sigmaOf(city, row.rain_mm, row.kitchen_queue);
    const ride = behind.kind === "rides" && row.crossed ? behind.amount : 1;
    const middle = typical(city, row, row.rain_mm, ride, behind.kind === "wait" ? behind.amount : 0);
    const best = middle * Math.exp(-city.loss * sigma ** 2);
    return { best, minutes: best * Math.exp(sigma * row.luck) };
  };
  const answered = ({ city, model }, row) => {
    const rain = Math.min(row.rain_mm, model.rain), sigma = sigmaOf(city, rain, row.kitchen_queue);
    const said = typical(city, row, rain, 1, 0) * Math.exp(-city.loss * sigma ** 2);
    if (Number.isNaN(said)) return { answer: model.default, expected: NaN };
    const answer = Math.min(Math.max(said, model.least), model.most);
    return { answer, expected: answer * Math.exp(sigma ** 2 / 2) * within(sigma) };
  };

  // Every order as the city lived it and as the model read it, with its label and its answer.
  const replayed = (data, setting) => {
    const start = data.days.first + data.days.quiet, names = Object.keys(data.rows);
    return data.rows.day.map((day, at) => {
      const city = Object.fromEntries(names.map((name) => [name, data.rows[name][at]]));
      const read = { ...city }, late = day >= start;
      for (const feature of late ? data.features : []) {
        const change = setting.changes[feature.name];
        if (!change) continue;
        read[feature.name] = moved(feature, change, city[feature.name], at);
        if (["shift", "scale"].includes(change.kind)) city[feature.name] = read[feature.name];
      }
      const behind = late ? setting.behind : { kind: "none", amount: 0 };
      const truth = lived(data, city, behind), said = answered(data, read);
      return {
        day, late, read, ...truth, ...said,
        label: behind.kind === "labels" ? truth.minutes * behind.amount : truth.minutes,
        answer: behind.kind === "answers" ? said.answer * behind.amount : said.answer,
      };
    });
  };

  // The first day on which `wanted` of the last three days are over; of one alone when one is wanted.
  const rings = (over, wanted, firstDay) => {
    const at = over.findIndex((now, day) =>
      now && over.slice(Math.max(0, day - (wanted === 1 ? 0 : 2)), day + 1).filter(Boolean).length >= wanted);
    return at < 0 ? null : firstDay + at;
  };

  const measure = (setting, data = window.TIFFIN) => {
    const orders = replayed(data, setting), { first, reference, count } = data.days, quiet = first - reference;
    const numbers = Array.from({ length: quiet + count }, (_, at) => reference + at);
    const byDay = numbers.map((day) => orders.filter((order) => order.day === day));
    const before = orders.filter((order) => order.day < first), after = orders.filter((order) => order.late);
    const both = (of) => ({ before: of(before), after: of(after) });
    const column = (rows, name) => rows.map((order) => order.read[name]);

    const tables = [], features = data.features.map(({ name }) => {
      const past = column(before, name), now = column(after, name), there = known(now);
      const cuts = edges(past), bins = counts(cuts, past);
      const index = byDay.map((rows) => stabilityIndex(bins, counts(cuts, known(column(rows, name)))));
      const middle = mean(index.slice(0, quiet)), wide = spread(index.slice(0, quiet));
      tables.push(index.map((value) => (value === null ? -Infinity : (value - middle) / wide)));
      return {
        name,
        psi: stabilityIndex(bins, counts(cuts, there)),
        ...(there.length ? curves(past, there) : { ks: null, wasserstein: null }),
        nulls: 1 - there.length / now.length,
        mean: [mean(past), mean(there)],
      };
    });

    const usual = mean(known(before.map((order) => order.expected / order.answer)));
    const excess = (order) => Math.abs(order.label - order.answer) / order.answer
      - (Number.isNaN(order.expected) ? usual : order.expected / order.answer);
    const inputs = numbers.map((_, at) => Math.max(...tables.map((table) => table[at])));
    const errors = byDay.map((rows) => mean(rows.map(excess)));
    const limits = [inputs, errors].map((series) => {
      const calm = series.slice(0, quiet);
      return mean(calm) + 3 * spread(calm);
    });
    const longest = 3 * Math.max(...before.map((order) => order.label));
    const cannotBe = [
      ...data.features.map(({ name, low, high }) => ({ read }) => !(read[name] >= low && read[name] <= high)),
      ({ label }) => label > longest,
    ];
    const contract = byDay.map((rows) => cannotBe.some((is) => rows.filter(is).length > 0.05 * rows.length));
    const late = (series) => series.slice(quiet);
    return {
      features,
      error: both((rows) => mean(rows.map((order) => Math.abs(order.label - order.answer)))),
      expected: both((rows) => mean(known(rows.map((order) => order.expected)))),
      floor: both((rows) => mean(rows.map((order) => Math.abs(order.minutes - order.best)))),
      limits,
      series: [late(inputs), late(errors)],
      alarms: [
        rings(late(contract), 1, first),
        rings(late(inputs).map((value) => value > limits[0]), 2, first),
        rings(late(errors).map((value) => value > limits[1]), 2, first),
      ],
    };
  };

  // The column's values in like bins, for the picture: shares of the reference and of what came after.
  const bars = (setting, feature, data = window.TIFFIN) => {
    const start = data.days.first + data.days.quiet, change = setting.changes[feature.name];
    const past = [], now = [];
    data.rows[feature.name].forEach((value, at) => {
      const day = data.rows.day[at];
      if (day < data.days.first) past.push(value);
      else if (day >= start) now.push(change ? moved(feature, change, value, at) : value);
    });
    const there = known(now), all = [...past, ...there];
    const low = Math.min(...all), high = Math.max(...all), few = feature.whole && high - low < 24;
    const size = few ? 1 : (high - low || 1) / 24, many = few ? high - low + 1 : 24;
    const shares = (values, of) => {
      const found = new Array(many).fill(0);
      for (const value of values) found[Math.min(Math.floor((value - low) / size), many - 1)] += 1 / of;
      return found;
    };
    return { low, size, reference: shares(past, past.length), current: shares(there, now.length) };
  };

  return { measure, bars };
})();
