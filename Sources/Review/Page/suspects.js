// Labels that look wrong, the most suspicious first.

import * as api from "./api.js";
import { h, imageURL, toast, percent, plural, dialog } from "./dom.js";
import { singleView } from "./single.js";

export function suspectsView(app, label) {
  const picker = h("select", {
    "aria-label": "Class", onchange: () => { location.hash = picker.value === "" ? "#/suspects" : `#/suspects/${picker.value}`; },
  }, h("option", { value: "" }, "All classes"),
  [...app.classes.values()].sort((a, b) => (b.noise ?? 0) - (a.noise ?? 0)).map((one) => h("option", { value: one.label, selected: one.label === label },
    `${one.name}${one.noise === undefined ? "" : ` (${percent(one.noise)} expected wrong)`}`)));
  const tools = h("div", { class: "tools" }, picker,
    h("a", { class: "button", href: "#/suspects/pairs" }, "Many at once"),
    h("button", { type: "button", onclick: acceptMany, disabled: !app.overview.isScored }, "Accept many suggestions…"));

  const view = singleView(app, {
    name: `suspects-${label ?? "all"}`,
    tools,
    showsSuggestion: true,
    belongs: (item) => item.suggestion !== undefined && (label === undefined || item.label === label),
    load: (without) => api.get(`suspects?count=12${label === undefined ? "" : `&class=${label}`}&without=${without.join(",")}`),
    question: (item) => ["Labelled “", h("strong", {}, app.name(item.label)), "”. Is that right?"],
    empty: app.overview.isScored
      ? "You have checked every label here that looks wrong."
      : "Labels are judged after the first training: verify some images, then press Train.",
  });

  /// Shows how many labels a threshold would change, and which, before it does.
  function acceptMany() {
    let asked = 0;
    const field = h("input", { type: "range", min: 50, max: 100, step: 1, value: 95, id: "above", oninput: show });
    const shown = h("output", { htmlFor: "above" });
    const what = h("p", { role: "status" });
    const pictures = h("div", { class: "sample" });
    const button = h("button", { class: "primary", disabled: true }, "Accept");
    async function show() {
      shown.textContent = `${field.value} %`;
      button.disabled = true;
      const own = asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (own !== asked) return;
      const found = await api.get(`suspects/acceptable?above=${Number(field.value) / 100}${label === undefined ? "" : `&class=${label}`}`);
      if (own !== asked) return;
      what.textContent = found.count === 0 ? "No unchecked label is that likely to be wrong."
        : `Changes ${plural(found.count, "unchecked label")} to the suggested class. This affects the export only; training does not use it.`;
      pictures.replaceChildren(...found.images.map((one) => h("figure", {}, h("img", { src: imageURL(one.image, 256), alt: "" }),
        h("figcaption", {}, `${app.name(one.label)} → ${app.name(one.suggestion)}`))));
      button.disabled = found.count === 0;
      button.textContent = found.count === 0 ? "Accept" : `Accept ${found.count.toLocaleString("en")}`;
    }

    const form = h("form", { method: "dialog", class: "stack" },
      h("label", { htmlFor: "above" }, `Labels ${label === undefined ? "" : `in ${app.name(label)} `}that are wrong with a probability of at least`),
      h("div", { class: "row" }, field, shown), what, pictures, button);
    const box = dialog("Accept suggestions", form, { className: "wide" });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      box.close();
      const { accepted } = await api.change("suspects/accept", { batch: api.name(), label, above: Number(field.value) / 100 });
      toast(`${plural(accepted, "suggestion")} accepted.${accepted > 0 ? " Undo, here or in any view, takes them back." : ""}`);
      await app.refresh();
      await view.again();
    });
    show().catch((error) => { what.textContent = error.message; });
  }

  return view;
}
