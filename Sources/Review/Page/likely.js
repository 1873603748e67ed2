// The classes that images with a label most likely show instead, each with a digit. They follow from the label alone, and
// say nothing of the image on the screen.

import * as api from "./api.js";
import { h } from "./dom.js";
import { action, keyOf } from "./keys.js";

/// The actions that stand for the classes, in order.
export const digits = ["class1", "class2", "class3", "class4", "class5", "class6", "class7", "class8"];

export class Likely {
  #app;
  #take;
  #key;
  #labels = [];
  element = h("div", { class: "likely", role: "group", "aria-label": "Classes that are often meant instead", hidden: true });

  /// - Parameter take: Called with the class that was chosen.
  constructor(app, take) {
    this.#app = app;
    this.#take = take;
  }

  /// - Parameter label: The label that is asked about; undefined: none.
  /// - Parameter without: A class that has a button of its own.
  async show(label, without) {
    const key = `${label} ${without}`;
    if (key === this.#key) return;
    this.#key = key;
    this.#labels = [];
    this.element.hidden = true;
    if (label === undefined) return;
    try {
      const { labels } = await api.get(`classes/${label}/likely`);
      // Another label may have been asked about meanwhile.
      if (key !== this.#key) return;
      this.#labels = labels.filter((one) => one !== without).slice(0, digits.length);
      this.element.replaceChildren(...this.#labels.map((one, index) => h("button", {
        type: "button", class: "chip", title: this.#app.name(one), onclick: () => this.#take(one),
      }, h("span", {}, this.#app.name(one)), h("kbd", {}, keyOf(digits[index])))));
      this.element.hidden = this.#labels.length === 0;
    } catch { /* Without them classes are chosen by their names. */ }
  }

  /// The class that a key stands for; undefined if none of those on the screen.
  labelOf(event) {
    const place = digits.indexOf(action(event, digits));
    return this.element.children[place]?.checkVisibility() ? this.#labels[place] : undefined;
  }
}
