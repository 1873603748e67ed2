// How far the work is, how fast it goes, and what more of it would bring.

import * as api from "./api.js";
import { h, svg, percent, plural } from "./dom.js";

export function progressView(app) {
  const element = h("div", { class: "page" });

  function figure(value, text) {
    return h("div", { class: "figure" }, h("strong", {}, value), h("span", {}, text));
  }

  function bar(one) {
    const total = Math.max(1, one.tally.right + one.tally.wrong + one.tally.unsure);
    const part = (kind) => h("span", { class: kind, vars: { "--share": one.tally[kind] / total } });
    return h("div", { class: "parts", "aria-hidden": "true" }, part("right"), part("wrong"), part("unsure"));
  }

  function quality(one) {
    if (!one) return ["–", "–"];
    const trials = one.trials > 0 ? `${one.trials - one.missed} of ${one.trials}` : "–";
    const agreed = one.shared > 0 ? `${one.agreed} of ${one.shared}${one.kappa === undefined ? "" : ` (kappa ${one.kappa.toFixed(2)})`}` : "–";
    return [trials, agreed];
  }

  function draw(outlook, people) {
    const classes = [...app.classes.values()];
    const sum = (of) => classes.reduce((total, one) => total + of(one), 0);
    const verified = sum((one) => one.tally.right + one.tally.wrong);
    const touched = classes.filter((one) => one.tally.right + one.tally.wrong + one.tally.unsure + one.tally.accepted > 0)
      .sort((a, b) => b.tally.right + b.tally.wrong - a.tally.right - a.tally.wrong);
    element.replaceChildren(
      h("h1", { tabIndex: -1 }, "Progress"),
      h("div", { class: "figures" },
        figure(verified.toLocaleString("en"), `of ${plural(sum((one) => one.images), "image")} verified`),
        figure(touched.length, `of ${plural(classes.length, "class", "classes")} begun`),
        figure(verified ? percent(sum((one) => one.tally.wrong) / verified) : "–", app.overview.isScored ? "of the labels you checked were wrong (includes suspects, so not typical)" : "of the labels you checked were wrong"),
        figure(percent(outlook.expected), "expected error of the model"),
        sum((one) => one.tally.accepted) > 0 ? figure(sum((one) => one.tally.accepted).toLocaleString("en"), "suggestions accepted without a look") : null),
      outlook.history.length > 1 ? h("section", { class: "panel" }, h("h2", {}, "Expected error of the model, by verified images"), outlookChart(outlook)) : "",
      h("section", { class: "panel" }, h("h2", {}, "Reviewers"),
        people.length === 0 ? h("p", { class: "faint" }, "Nobody has answered yet.") : h("table", {},
          h("thead", {}, h("tr", {}, ["Name", "Images", "Per minute", "Trials passed", "Agrees with others"].map((text) => h("th", { scope: "col" }, text)))),
          h("tbody", {}, people.map((one) => h("tr", {}, h("th", { scope: "row" }, one.name),
            h("td", {}, one.answers.toLocaleString("en")), h("td", {}, one.perMinute ? one.perMinute.toFixed(0) : "–"),
            quality(one.quality).map((text) => h("td", {}, text))))))),
      h("section", { class: "panel" }, h("h2", {}, "Classes"),
        touched.length === 0 ? h("p", { class: "faint" }, "No class has been begun.") : h("table", {},
          h("thead", {}, h("tr", {}, ["Class", "", "Right", "Wrong", "Not sure", "Accepted", "Left", "Expected wrong"].map((text) =>
            h(text ? "th" : "td", text ? { scope: "col" } : {}, text)))),
          h("tbody", {}, touched.map((one) => h("tr", {},
            h("th", { scope: "row" }, h("a", { href: `#/class/${one.label}` }, one.name)), h("td", {}, bar(one)),
            h("td", {}, one.tally.right), h("td", {}, one.tally.wrong), h("td", {}, one.tally.unsure), h("td", {}, one.tally.accepted),
            h("td", {}, (one.images - one.tally.right - one.tally.wrong).toLocaleString("en")), h("td", {}, percent(one.noise))))))));
  }

  async function load() {
    const [{ outlook }, { people }] = await Promise.all([api.get("queue"), api.get("reviewers/quality")]);
    draw(outlook, people);
  }

  return { element, changed: load, scored: load, async enter() { await load(); element.querySelector("h1").focus(); } };
}

/// The expected error at each training, and where it is going.
export function outlookChart(outlook) {
  const points = outlook.history.map((one) => [one.verified, one.expected]);
  const last = points[points.length - 1];
  const next = outlook.after === undefined ? [] : [[last[0] + outlook.more, outlook.after]];
  const all = [...points, ...next];
  const [width, height, margin] = [320, 120, { left: 40, right: 12, top: 10, bottom: 24 }];
  // From below the lowest to above the highest, so that a change can be seen; the axis says so.
  const values = all.map((one) => one[1]);
  const span = Math.max(Math.max(...values) - Math.min(...values), 0.002);
  const [bottom, highest] = [Math.max(0, Math.min(...values) - span * 0.25), Math.max(...values) + span * 0.15];
  const [low, high] = [Math.min(...all.map((one) => one[0])), Math.max(...all.map((one) => one[0]))];
  const x = (value) => margin.left + ((value - low) / Math.max(1, high - low)) * (width - margin.left - margin.right);
  const y = (value) => height - margin.bottom - ((value - bottom) / (highest - bottom)) * (height - margin.top - margin.bottom);
  const path = (list) => list.map(([a, b], index) => `${index ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");
  const text = (content, attributes) => svg("text", attributes, content);
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": `Expected error by verified images: ${points.map(([a, b]) => `${a}: ${percent(b)}`).join(", ")}` },
    svg("path", { d: `M${margin.left} ${height - margin.bottom}H${width - margin.right}`, class: "axis" }),
    text(percent(Math.max(...values)), { x: margin.left - 6, y: y(Math.max(...values)) + 4, "text-anchor": "end" }),
    text(bottom === 0 ? "0" : percent(bottom), { x: margin.left - 6, y: height - margin.bottom + 4, "text-anchor": "end" }),
    text(`${low}`, { x: x(low), y: height - 6, "text-anchor": "middle" }),
    text(`${high} verified`, { x: width - margin.right, y: height - 6, "text-anchor": "end" }),
    svg("path", { d: path(points), class: "line" }),
    ...(next.length ? [svg("path", { d: path([last, ...next]), class: "line guess" })] : []),
    ...points.map(([a, b]) => svg("circle", { cx: x(a), cy: y(b), r: 3, class: "dot" })));
}
