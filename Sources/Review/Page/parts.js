// Parts that several views share.

import * as api from "./api.js";
import { h, imageURL, plural, toast } from "./dom.js";

/// Shows typical images of a class.
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

/// Typical images of a class, under its name.
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

/// An action in words.
export function actionText(app, one) {
  if (one.isAccepted) return `${plural(one.answers, "suggestion")} accepted`;
  const place = one.label === undefined ? "" : ` on ${app.name(one.label)}`;
  const parts = [one.right && `${one.right} right`, one.wrong && `${one.wrong} wrong`, one.unsure && `${one.unsure} not sure`].filter(Boolean);
  return `${plural(one.answers, "verdict")}${place} (${parts.join(", ")})`;
}

/// Takes the last action back, shows what is there then, and says what was undone.
export async function undoLast(app, show) {
  const undone = await app.undoLast();
  if (!undone) return toast("There is nothing to undo.");
  await show();
  toast(`${actionText(app, undone.action)}: taken back.`);
}
