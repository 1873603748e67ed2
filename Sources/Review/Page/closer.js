// One of many images, large, to be answered there.

import { h, imageURL, bound, dialog } from "./dom.js";
import { action, keyOf } from "./keys.js";

/// Shows an image; `give` is called with what it is found to be: right, wrong or unsure. Without it nothing is asked.
export function lookCloser(name, { item, state }, give) {
  const answer = (word, style, text) => h("button", {
    type: "button", class: style, "aria-pressed": String(state === word), onclick: () => { box.close(); give(word); },
  }, text);
  const picture = bound(h("img", { src: imageURL(item.image, 1024), alt: `Image labelled ${name}` }));
  const box = dialog(give ? `Is this ${name}?` : `Labelled ${name}`, h("div", { class: "stack" }, picture, item.path ? h("p", { class: "faint path" }, item.path) : null,
    give ? h("div", { class: "answers three" }, answer("right", "yes", "Right"), answer("wrong", "no", "Wrong"), answer("unsure", "", "Not sure")) : null,
    h("a", { class: "button quiet", href: `#/similar/${item.image}`, onclick: () => box.close() }, "Find similar images", h("kbd", {}, keyOf("similar")))),
  { className: "picture" });
  box.addEventListener("keydown", (event) => {
    const name = action(event, [...(give ? ["right", "wrong", "skip"] : []), "zoom", "similar"]);
    const word = { right: "right", wrong: "wrong", skip: "unsure", zoom: "", similar: "" }[name];
    if (word === undefined) return;
    event.preventDefault();
    box.close();
    if (word) give(word);
    if (name === "similar") location.hash = `#/similar/${item.image}`;
  });
}
