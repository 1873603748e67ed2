// Choosing a class by typing a part of its name.

import { h, dialog } from "./dom.js";

/// Asks for the right class of an image.
///
/// Returns the class's number, or undefined if none was chosen.
export function chooseClass(app, { except, suggestion }) {
  return new Promise((resolve) => {
    let chosen;
    let active = 0;
    let shown = [];
    const all = [...app.classes.values()].filter((one) => one.label !== except)
      .sort((a, b) => (b.label === suggestion) - (a.label === suggestion) || a.name.localeCompare(b.name));
    const list = h("ul", { role: "listbox", id: "class-list", "aria-label": "Classes" });
    const field = h("input", {
      type: "search", role: "combobox", "aria-expanded": "true", "aria-controls": "class-list", "aria-label": "Class",
      placeholder: "Type a part of the name", autocomplete: "off", oninput: () => { active = 0; draw(); }, onkeydown: move,
    });

    function draw() {
      const words = field.value.trim().toLowerCase().split(/\s+/);
      shown = all.filter((one) => words.every((word) => one.name.toLowerCase().includes(word))).slice(0, 50);
      active = Math.max(0, Math.min(active, shown.length - 1));
      list.replaceChildren(...shown.map((one, index) => h("li", {
        role: "option", id: `class-option-${index}`, "aria-selected": String(index === active), onclick: () => take(one),
      }, one.name, one.label === suggestion ? h("span", { class: "tag" }, "suggested") : null)));
      if (shown.length > 0) field.setAttribute("aria-activedescendant", `class-option-${active}`);
      list.children[active]?.scrollIntoView({ block: "nearest" });
    }

    function move(event) {
      if (event.key === "ArrowDown") active += 1;
      else if (event.key === "ArrowUp") active -= 1;
      else if (event.key === "Enter") { event.preventDefault(); if (shown[active]) take(shown[active]); return; }
      else return;
      event.preventDefault();
      draw();
    }

    function take(one) {
      chosen = one.label;
      box.close();
    }

    const box = dialog("Which class is right?", h("div", { class: "stack" }, field, list), { className: "narrow" });
    box.addEventListener("close", () => resolve(chosen));
    draw();
    field.focus();
  });
}
