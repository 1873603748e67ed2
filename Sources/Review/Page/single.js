// One image after the other, large.

import * as api from "./api.js";
import { h, imageURL, preload, bound, isUnreadable, toast, say, percent } from "./dom.js";
import { action, keyOf } from "./keys.js";
import { chooseClass } from "./chooser.js";
import { Likely } from "./likely.js";
import { Likeness, actionText } from "./parts.js";

const ahead = 6;

/// Further remarks about an image: the answer that goes with each, and its words.
const remarks = {
  none: ["wrong", "No class fits"], several: ["unsure", "Several fit"], bad: ["unsure", "Bad image"], exclude: ["unsure", "Leave out"],
};

/// Goes through images.
///
/// `source` says where they come from. `load(without)` gives `{images, left}`. `belongs(item)` says whether an image whose
/// answer was taken back is asked again here. `question(item)` and `facts(item)` are optional. `tools` stands at the top.
/// `showsSuggestion` also shows typical images of the suggested class.
export function singleView(app, source) {
  let line = [];
  // Images that are to come again when all others are done.
  const later = new Set();
  let left = 0;
  let since = 0;
  let seen;
  let loading;
  let work = Promise.resolve();

  // Each image is an element of its own: what is on the screen is never another image than the one asked about.
  let picture;
  const stage = h("div", { class: "stage" });
  const question = h("h1", { tabIndex: -1 });
  const facts = h("div", { class: "facts" });
  const likenesses = [new Likeness(app), new Likeness(app)];
  const count = h("p", { class: "faint" });
  const film = h("div", { class: "film", "aria-hidden": "true" });
  const accept = h("button", { type: "button", class: "accept", onclick: () => act("accept") });
  const likely = new Likely(app, (label) => act("class", label));
  const buttons = h("div", { class: "answers", role: "group", "aria-label": "Verdict" },
    h("button", { type: "button", class: "yes", onclick: () => act("right") }, "Right", h("kbd", {}, keyOf("right"))),
    h("button", { type: "button", class: "no", onclick: () => act("wrong") }, "Wrong", h("kbd", {}, keyOf("wrong"))),
    accept, likely.element,
    h("button", { type: "button", onclick: () => act("skip") }, "Not sure", h("kbd", {}, keyOf("skip"))),
    h("button", { type: "button", onclick: () => act("choose") }, "Choose class", h("kbd", {}, keyOf("choose"))),
    Object.entries(remarks).map(([name, [, words]]) => h("button", { type: "button", class: "remark", onclick: () => act(name) }, words, h("kbd", {}, keyOf(name)))),
    h("button", { type: "button", class: "quiet", onclick: () => act("later") }, "Later", h("kbd", {}, keyOf("later"))),
    h("button", { type: "button", class: "quiet", onclick: () => act("undo") }, "Undo", h("kbd", {}, keyOf("undo"))),
    h("button", { type: "button", class: "quiet", onclick: () => act("zoom") }, "Zoom", h("kbd", {}, keyOf("zoom"))),
    h("button", { type: "button", class: "quiet", onclick: () => act("similar") }, "Similar", h("kbd", {}, keyOf("similar"))));
  const side = h("aside", { class: "side" }, question, facts, buttons, likenesses.map((one) => one.element), count);
  const element = h("div", { class: "verify one" }, source.tools ?? null, h("div", { class: "halves" }, stage, side), film);
  const done = h("div", { class: "message", hidden: true }, h("h1", {}, source.empty ?? "Nothing is left here."),
    h("a", { class: "button primary", href: "#/queue" }, "Back to the queue"));
  element.append(done);

  async function load() {
    const shown = line.map((one) => one.image);
    let batch = await source.load([...shown, ...later]);
    if (batch.images.length === 0 && shown.length === 0 && later.size > 0) {
      later.clear();
      batch = await source.load([]);
    }
    left = batch.left;
    const known = new Set(line.map((one) => one.image));
    line.push(...batch.images.filter((one) => !known.has(one.image)));
  }

  const fill = () => loading ??= load().finally(() => { loading = undefined; });

  const warm = () => line.slice(1, 1 + ahead).forEach((item) => { item.picture ??= preload(item.image, 1024); });

  function draw() {
    const item = line[0];
    const isEmpty = item === undefined;
    done.hidden = !isEmpty;
    stage.hidden = side.hidden = film.hidden = isEmpty;
    if (isEmpty) return;
    stage.classList.remove("zoomed");
    stage.removeAttribute("style");
    picture = item.picture ?? preload(item.image, 1024);
    item.picture = undefined;
    picture.className = "large";
    picture.draggable = false;
    picture.alt = `Image labelled ${app.name(item.label)}`;
    picture.title = item.path ?? "";
    picture.dataset.image = item.image;
    stage.replaceChildren(bound(picture));
    picture.addEventListener("error", () => lost(item));
    since = performance.now();
    question.replaceChildren(...(source.question?.(item) ?? ["Is this ", h("strong", {}, app.name(item.label)), "?"]));
    facts.replaceChildren(...(source.facts?.(item) ?? probabilityFact(app, item)));
    accept.hidden = item.suggestion === undefined;
    if (item.suggestion !== undefined) accept.replaceChildren(`It is ${app.name(item.suggestion)}`, h("kbd", {}, keyOf("accept")));
    likely.show(item.label, item.suggestion);
    likenesses[0].show(item.label);
    likenesses[1].show(source.showsSuggestion ? item.suggestion : undefined);
    warm();
    film.replaceChildren(...line.slice(1, 1 + ahead).map((one) => h("img", { src: imageURL(one.image, 256), alt: "" })));
    status();
  }

  /// An image that cannot be shown is left out; one that did not come because the server is away is asked for again later.
  async function lost(item) {
    if (line[0] !== item || !await isUnreadable(item.image) || line[0] !== item) return;
    toast("An image cannot be shown; it is left out.");
    line.shift();
    left = Math.max(0, left - 1);
    if (line.length === 0) await fill();
    draw();
  }

  function status() {
    count.textContent = `${left.toLocaleString("en")} left${source.remark?.() ?? ""}`;
  }

  /// Answers come one after the other, however fast the keys are.
  function act(name, label) {
    if (api.isOffline()) return toast("No connection; the last answer is being sent.");
    const asked = performance.now();
    work = work.then(() => perform(name, asked, label)).catch((error) => toast(error.message));
    return work;
  }

  async function perform(name, asked, label) {
    if (name === "undo") return undo();
    const item = line[0];
    // A key that was pressed before this image appeared was not meant for it.
    if (!item || asked < since) return;
    // Nobody has seen what has not come yet. An image that was there stays seen while its larger copy is on its way.
    if (picture.complete && picture.naturalWidth > 0) seen = item;
    if (seen !== item) return toast("The image has not loaded yet.");
    if (name === "zoom") return zoom(item);
    if (name === "similar") { location.hash = `#/similar/${item.image}`; return undefined; }
    if (name === "class") return answer(item, "wrong", label);
    if (name === "right") return answer(item, "right");
    if (name === "wrong") return answer(item, "wrong");
    if (name === "skip") return answer(item, "unsure");
    if (name === "later") return putOff(item);
    if (remarks[name]) return answer(item, remarks[name][0], undefined, name);
    if (name === "accept" && item.suggestion !== undefined) return answer(item, "wrong", item.suggestion);
    if (name === "choose") {
      const chosen = await chooseClass(app, { except: item.label, suggestion: item.suggestion });
      if (chosen !== undefined) return answer(item, "wrong", chosen);
    }
  }

  /// Without an answer: the image comes again when no other is left.
  async function putOff(item) {
    later.add(item.image);
    say("Later");
    line.shift();
    if (line.length === 0) await fill();
    draw();
    if (line.length <= ahead) fill().then(warm).catch(() => {});
  }

  async function answer(item, word, correction, remark) {
    const client = api.name();
    const dwell = Math.round(performance.now() - since);
    stage.dataset.flash = word;
    try {
      await app.verdicts([{
        client, image: item.image, label: item.label, answer: word, dwell, correction, remark,
      }]);
    } finally { delete stage.dataset.flash; }
    say(remark ? remarks[remark][1] : correction === undefined ? word : `It is ${app.name(correction)}`);
    line.shift();
    left = Math.max(0, left - 1);
    if (line.length === 0) await fill();
    draw();
    if (line.length <= ahead) fill().then(warm).catch(() => {});
  }

  async function undo() {
    const undone = await app.undoLast();
    if (!undone) return toast("There is nothing to undo.");
    toast(`${actionText(app, undone.action)}: taken back.`);
    const own = undone.images.map((one) => one.item).filter((item) => !source.belongs || source.belongs(item));
    if (own.length === 0 || own.length !== undone.count) return again(false);
    line = [...own, ...line.filter((one) => !own.some((item) => item.image === one.image))];
    left += own.length;
    draw();
  }

  /// Asks for the images anew; the one that is being looked at may stay.
  async function again(keepsFirst) {
    line = keepsFirst ? line.slice(0, 1) : [];
    await fill();
    draw();
  }

  function zoom(item) {
    const isZoomed = stage.classList.toggle("zoomed");
    if (isZoomed) picture.src = imageURL(item.image, 2560);
  }

  /// Looks at the part of the image under the mouse or finger.
  function look(event) {
    const box = stage.getBoundingClientRect();
    const share = (value, size) => `${Math.min(100, Math.max(0, (value / size) * 100))}%`;
    stage.style.setProperty("--x", share(event.clientX - box.left, box.width));
    stage.style.setProperty("--y", share(event.clientY - box.top, box.height));
  }

  stage.addEventListener("click", (event) => { look(event); act("zoom"); });
  stage.addEventListener("pointermove", (event) => { if (stage.classList.contains("zoomed")) look(event); });

  return {
    element, changed: status,
    async enter() {
      await fill();
      draw();
      question.focus();
    },
    key(event) {
      if (event.repeat) return;
      const chosen = likely.labelOf(event);
      if (chosen !== undefined) { event.preventDefault(); act("class", chosen); return; }
      const name = action(event, ["right", "wrong", "skip", "undo", "zoom", "similar", "choose", "accept", "later", ...Object.keys(remarks), ...(source.keys ?? [])]);
      if (!name) return;
      event.preventDefault();
      if (source.act?.(name)) return;
      act(name);
    },
    scored: () => again(true),
    again: () => again(false),
    online() { if (line[0] && picture?.naturalWidth === 0) { line[0].picture = undefined; draw(); } },
  };
}

export function probabilityFact(app, item) {
  if (item.probability === undefined) return [];
  return [h("p", {}, "Probability of a right label:  ", h("strong", {}, percent(item.probability)),
    item.suggestion !== undefined ? [". More likely: ", h("strong", {}, app.name(item.suggestion))] : "")];
}

/// One class, image by image.
export function classView(app, label) {
  return singleView(app, {
    name: `class-${label}`,
    belongs: (item) => item.label === label,
    load: (without) => api.get(`classes/${label}/images?count=12&without=${without.join(",")}`),
    empty: "Every image of this class is verified, or with other reviewers.",
    remark: () => {
      const tally = app.classes.get(label)?.tally;
      return tally ? `, ${tally.right + tally.wrong} verified` : "";
    },
    keys: ["next"],
    act: (name) => { if (name !== "next") return false; location.hash = `#/class/${label}`; return true; },
  });
}
