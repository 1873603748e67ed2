// Labels that look wrong, the most suspicious first.

import * as api from "./api.js";
import { h, toast, percent, plural, dialog } from "./dom.js";
import { singleView } from "./single.js";

export function suspectsView(app, label) {
  const picker = h("select", {
    "aria-label": "Class", onchange: () => { location.hash = picker.value === "" ? "#/suspects" : `#/suspects/${picker.value}`; },
  }, h("option", { value: "" }, "All classes"),
  [...app.classes.values()].sort((a, b) => (b.noise ?? 0) - (a.noise ?? 0)).map((one) => h("option", { value: one.label, selected: one.label === label },
    `${one.name}${one.noise === undefined ? "" : ` (${percent(one.noise)} expected wrong)`}`)));
  const tools = h("div", { class: "tools" }, picker,
    h("button", { type: "button", onclick: acceptMany }, "Accept many suggestions…"));

  const view = singleView(app, {
    name: `suspects-${label ?? "all"}`,
    tools,
    showsSuggestion: true,
    load: (without) => api.get(`suspects?count=12${label === undefined ? "" : `&class=${label}`}&without=${without.join(",")}`),
    question: (item) => ["Labelled ", h("strong", {}, app.name(item.label)), ". Is it?"],
    empty: app.overview.isScored
      ? "No label looks wrong here that was not looked at."
      : "Labels are judged after the first training: verify some images, then press Train.",
  });

  function acceptMany() {
    const field = h("input", { type: "range", min: 50, max: 100, step: 1, value: 95, id: "above", oninput: show });
    const shown = h("output", { htmlFor: "above" });
    function show() { shown.textContent = `${field.value} %`; }
    show();
    const form = h("form", { method: "dialog", class: "stack" },
      h("p", {}, `Accepts the suggested class of every label ${label === undefined ? "" : `in ${app.name(label)} `}that is wrong with at least this probability and that nobody has judged. It cleans the exported data set; training learns nothing from labels that nobody looked at.`),
      h("label", { htmlFor: "above" }, "Wrong with at least "), h("div", { class: "row" }, field, shown),
      h("button", { class: "primary" }, "Accept"));
    const box = dialog("Accept suggestions", form, { className: "narrow" });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      box.close();
      const batch = api.name();
      const { accepted } = await api.change("suspects/accept", { batch, label, above: Number(field.value) / 100 });
      if (accepted > 0) view.remember({ batch, count: accepted });
      toast(`${plural(accepted, "suggestion")} accepted.${accepted > 0 ? " Undo takes them back." : ""}`);
      await app.refresh();
      await view.again();
    });
  }

  return view;
}
