// Parts that several views share.

import * as api from "./api.js";
import { h, imageURL } from "./dom.js";

/// Shows what a class looks like.
export async function referenceStrip(place, app, label) {
  place.dataset.label = label;
  try {
    const { images } = await api.get(`classes/${label}/references`);
    // Another class may have been asked for meanwhile.
    if (place.dataset.label !== String(label)) return;
    place.replaceChildren(...images.map((one) => h("img", { src: imageURL(one.image, 256), alt: "" })));
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", images.length > 0 ? `Typical images of ${app.name(label)}` : "");
    place.hidden = images.length === 0;
  } catch { place.hidden = true; }
}

/// What a class looks like, under its name.
export class Likeness {
  #app;
  #label;
  #title = h("h2", { class: "quiet-title" });
  #strip = h("div", { class: "references" });
  element = h("section", { class: "likeness", hidden: true }, this.#title, this.#strip);

  constructor(app) { this.#app = app; }

  /// - Parameter label: Undefined: nothing.
  show(label) {
    if (label === this.#label) return;
    this.#label = label;
    this.element.hidden = true;
    if (label === undefined) return;
    this.#title.textContent = `Typical ${this.#app.name(label)}`;
    referenceStrip(this.#strip, this.#app, label).then(() => {
      if (this.#label === label) this.element.hidden = this.#strip.hidden;
    });
  }
}

/// What can be undone, the last first. Survives a reload of the page.
export class Undoing {
  #key;
  #steps;

  constructor(name) {
    this.#key = api.kept(`undo-${name}`);
    try { this.#steps = JSON.parse(sessionStorage.getItem(this.#key)) ?? []; } catch { this.#steps = []; }
  }

  push(step) {
    this.#steps = [...this.#steps, step].slice(-50);
    this.#save();
  }

  pop() {
    const step = this.#steps.pop();
    this.#save();
    return step;
  }

  #save() {
    try { sessionStorage.setItem(this.#key, JSON.stringify(this.#steps)); } catch { /* Only a reload forgets it. */ }
  }
}
