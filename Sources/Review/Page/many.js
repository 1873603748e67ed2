// One verdict for many images: the ones chosen on the screen. Each button says how many images it concerns.

import * as api from "./api.js";
import { h, imageURL, whole, isUnreadable, toast, say, plural } from "./dom.js";
import { chooseClass } from "./chooser.js";
import { lookCloser } from "./closer.js";
import { follow } from "./gestures.js";
import { action, keyOf } from "./keys.js";
import { Likely } from "./likely.js";
import { undoLast } from "./parts.js";

const sizes = [12, 24, 48, 96];
const sizeKey = "cleannet-many";
/// Tiles of a phone's width are too small for many.
const usual = () => (innerWidth < 560 ? 12 : 24);

/// `source` says which images. `load(count, without)` gives `{images, left}`. `title` and `hint` stand above them.
/// `suggestion` is the class that they seem to belong to; `label` is their common label, if any. `counts` says that
/// the number left means something. `empty` is shown when none is left.
export function manyView(app, source) {
  let size = Number(localStorage.getItem(sizeKey)) || usual();
  let tiles = [];
  let left = 0;
  let focused = 0;
  let anchor = 0;
  let since = 0;
  let before = [];
  let isBusy = false;

  const likely = new Likely(app, (label) => give({ label }));
  const count = h("span", { class: "faint", role: "status" });
  const grid = h("div", { class: "row-of-tiles", role: "listbox", "aria-multiselectable": "true", "aria-label": "Images; the verdict is given on the chosen ones" });
  const all = h("button", { type: "button", class: "quiet", onclick: chooseAll });
  const button = (name, style, act) => h("button", { type: "button", class: style, onclick: act, "data-name": name });
  const right = button("right", "yes", () => give({ answer: "right" }));
  const accept = button("accept", "accept", () => give({ label: source.suggestion }));
  const others = [
    ["choose", choose, () => "Choose class"], ["none", () => give({ answer: "wrong", remark: "none" }), () => "No class fits"],
    ["skip", () => give({ answer: "unsure" }), () => "Not sure"], ["bad", () => give({ answer: "unsure", remark: "bad" }), () => "Bad images"],
    ["exclude", () => give({ answer: "unsure", remark: "exclude" }), () => "Leave out"],
  ].map(([name, act, text]) => ({ name, act, text, element: button(name, "", act) }));
  const picker = h("select", {
    "aria-label": "Images per page",
    onchange: async () => { size = Number(picker.value); localStorage.setItem(sizeKey, size); await show(); },
  }, sizes.map((one) => h("option", { value: one, selected: one === size }, `${one} per page`)));
  const body = h("div", { class: "groups" }, grid);
  const verdicts = h("div", { class: "verdicts", role: "group", "aria-label": "Verdict on the chosen images" }, right, accept, others.map((one) => one.element));
  const element = h("div", { class: "verify many" },
    h("header", { class: "asking" }, h("div", {}, h("h1", { tabIndex: -1 }, source.title), source.hint ? h("p", { class: "faint" }, source.hint) : null)),
    body, likely.element, verdicts,
    h("footer", { class: "actions" },
      h("button", { type: "button", class: "quiet", onclick: () => history.back() }, "Back"),
      h("button", { type: "button", class: "quiet", onclick: undo }, "Undo ", h("kbd", {}, keyOf("undo"))), all, picker, count));

  const chosen = () => tiles.filter((tile) => tile.isChosen && !tile.isUnreadable);

  /// Asks for images. Images that the last verdict left over stay as they were.
  async function show() {
    const { images, left: rest } = await source.load(size, []);
    left = rest;
    focused = anchor = 0;
    since = performance.now();
    const isMixed = new Set(images.map((one) => one.label)).size > 1;
    tiles = images.map((item, index) => tileOf(item, index, isMixed));
    grid.replaceChildren(...tiles.map((tile) => tile.element));
    if (tiles.length === 0) {
      body.replaceChildren(h("div", { class: "message" }, h("p", {}, source.empty ?? "Nothing is left here."),
        h("button", { type: "button", class: "primary", onclick: () => history.back() }, "Back")));
    } else {
      body.replaceChildren(grid);
      tiles[0].element.focus();
    }
    verdicts.hidden = tiles.length === 0;
    status();
  }

  function tileOf(item, index, isMixed) {
    const picture = whole(h("img", { src: imageURL(item.image, 256), alt: "", draggable: false }));
    const tile = { item, picture, isChosen: true, isUnreadable: false };
    picture.addEventListener("error", async () => { tile.element.classList.add("broken"); tile.isUnreadable = await isUnreadable(item.image); mark(index); status(); });
    tile.element = h("button", {
      type: "button", class: "tile", role: "option", tabIndex: index === 0 ? 0 : -1,
      onclick: (event) => { if (event.shiftKey) range(index); else turn(index); focus(index); }, onfocus: () => { focused = index; },
    }, picture, h("span", { class: "mark", "aria-hidden": "true" }), isMixed ? h("span", { class: "caption", "aria-hidden": "true" }, app.name(item.label)) : null);
    tile.element.dataset.image = item.image;
    draw(tile, index);
    return tile;
  }

  function draw({ element: box, item, isChosen, isUnreadable: isLost }, index) {
    box.classList.toggle("chosen", isChosen && !isLost);
    box.setAttribute("aria-selected", String(isChosen && !isLost));
    box.setAttribute("aria-label", `Image ${index + 1}, labelled ${app.name(item.label)}${isLost ? ", cannot be shown" : ""}`);
  }

  const mark = (index) => draw(tiles[index], index);

  function set(index, isChosen) {
    tiles[index].isChosen = isChosen;
    mark(index);
    status();
  }

  function turn(index) {
    set(index, !tiles[index].isChosen);
    anchor = index;
    say(`Image ${index + 1} ${tiles[index].isChosen ? "chosen" : "not chosen"}`);
  }

  function range(index) {
    for (let i = Math.min(anchor, index); i <= Math.max(anchor, index); i += 1) set(i, tiles[anchor].isChosen);
  }

  function stroke(from, to, isFirst) {
    if (isFirst) before = tiles.map((tile) => tile.isChosen);
    tiles.forEach((_, index) => set(index, index >= Math.min(from, to) && index <= Math.max(from, to) ? !before[from] : before[index]));
    anchor = from;
    focus(to);
  }

  function chooseAll() {
    const isAll = tiles.every((tile) => tile.isChosen);
    tiles.forEach((_, index) => set(index, !isAll));
    tiles[focused]?.element.focus();
  }

  function focus(index) {
    if (index < 0 || index >= tiles.length) return;
    tiles[focused].element.tabIndex = -1;
    focused = index;
    tiles[index].element.tabIndex = 0;
    tiles[index].element.focus();
  }

  function status() {
    const now = chosen();
    const labels = new Set(now.map((tile) => tile.item.label));
    const [only] = labels;
    const one = labels.size === 1 ? app.name(only) : undefined;
    const set = (box, text, name) => { box.replaceChildren(h("span", {}, text), h("kbd", {}, keyOf(name))); box.disabled = now.length === 0; };
    set(right, one ? `${now.length} are ${one}` : `${plural(now.length, "label is", "labels are")} right`, "right");
    accept.hidden = source.suggestion === undefined;
    if (source.suggestion !== undefined) set(accept, `${now.length} are ${app.name(source.suggestion)}`, "accept");
    for (const other of others) set(other.element, other.text(), other.name);
    all.replaceChildren(tiles.every((tile) => tile.isChosen) ? "Choose none " : "Choose all ", h("kbd", {}, keyOf("all")));
    all.hidden = tiles.length === 0;
    count.textContent = tiles.length === 0 ? "" : `${now.length} of ${tiles.length} chosen${source.counts ? `, ${left.toLocaleString("en")} left` : ""}`;
    likely.show(now.length === 0 ? undefined : source.label ?? only, source.suggestion);
  }

  async function choose() {
    const first = chosen()[0];
    if (!first) return;
    const label = await chooseClass(app, { suggestion: source.suggestion });
    if (label !== undefined) await give({ label });
  }

  /// One verdict on all that are chosen: an answer, or the class that all of them show.
  async function give({ answer, label, remark }) {
    const asked = chosen();
    if (isBusy || asked.length === 0 || api.isOffline()) return;
    const waiting = asked.filter(({ picture }) => !(picture.complete && picture.naturalWidth > 0)).length;
    if (waiting > 0) return toast(`${plural(waiting, "image")} still to come.`);
    const seconds = (performance.now() - since) / 1000;
    if (seconds < app.overview.glance * asked.length) return toast("That was fast: look at all images, then answer.");
    isBusy = true;
    element.classList.add("busy");
    const dwell = Math.round((seconds * 1000) / asked.length);
    try {
      await app.verdicts(asked.map(({ item }) => {
        const one = { client: api.name(), image: item.image, label: item.label, dwell };
        if (label === undefined) return { ...one, answer, remark };
        return label === item.label ? { ...one, answer: "right" } : { ...one, answer: "wrong", correction: label };
      }));
      toast(`${plural(asked.length, "verdict")} saved. Undo takes them back.`);
      const rest = tiles.filter((tile) => !asked.includes(tile) && !tile.isUnreadable).map((tile) => tile.item.image);
      await show();
      // Images that were not chosen were meant for another verdict.
      if (rest.length > 0) tiles.forEach((tile, index) => set(index, rest.includes(tile.item.image)));
    } catch (error) { toast(error.message); }
    element.classList.remove("busy");
    isBusy = false;
  }

  function undo() { return undoLast(app, show); }

  /// How many tiles stand beside each other.
  const columns = () => Math.max(1, tiles.filter((tile) => tile.element.offsetTop === tiles[0].element.offsetTop).length);

  const unfollow = follow(grid, {
    hold: (index) => look(index), stroke, cancel: () => before.forEach((isChosen, index) => set(index, isChosen)),
  });

  const look = (index) => tiles[index] && lookCloser(app.name(tiles[index].item.label), tiles[index]);

  return {
    element,
    async enter() { await show(); element.querySelector("h1").focus(); },
    leave() { unfollow(); },
    online() { for (const { picture, item } of tiles) if (picture.naturalWidth === 0) picture.src = imageURL(item.image, 256); },
    key(event) {
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
      if (steps[event.key] !== undefined && tiles.length > 0) {
        event.preventDefault();
        const next = Math.min(Math.max(focused + steps[event.key], 0), tiles.length - 1);
        if (event.shiftKey) range(next); else anchor = next;
        return focus(next);
      }
      if (event.repeat) return;
      const chosenClass = likely.labelOf(event);
      if (chosenClass !== undefined) { event.preventDefault(); give({ label: chosenClass }); return; }
      if (source.suggestion !== undefined && action(event, ["commit"])) { event.preventDefault(); give({ label: source.suggestion }); return; }
      const name = action(event, ["toggle", "all", "undo", "zoom", "similar", "right", "accept", ...others.map((one) => one.name)]);
      if (!name) return;
      event.preventDefault();
      if (name === "toggle") { if (tiles[focused]) turn(focused); }
      else if (name === "all") chooseAll();
      else if (name === "undo") undo();
      else if (name === "zoom") look(focused);
      else if (name === "similar") { if (tiles[focused]) location.hash = `#/similar/${tiles[focused].item.image}`; }
      else if (name === "right") give({ answer: "right" });
      else if (name === "accept") { if (source.suggestion !== undefined) give({ label: source.suggestion }); }
      else others.find((one) => one.name === name).act();
    },
  };
}

/// Images that look like one.
export function similarView(app, image) {
  return manyView(app, {
    title: "Images that look alike",
    hint: "The first is the one you asked about. Leave out what does not belong to the others, then say once what they all are.",
    load: (count, without) => api.get(`similar/${image}?count=${count}&without=${without.join(",")}`),
    empty: "You have answered every image that looks like this one.",
  });
}

/// The suspects of one label that look like another class.
export function pairView(app, label, suggestion) {
  return manyView(app, {
    title: ["Labelled ", h("strong", {}, app.name(label)), ". Do they show ", h("strong", {}, app.name(suggestion)), "?"],
    hint: "Leave out what is something else. Images that you leave out stay here for another verdict.",
    label, suggestion, counts: true,
    load: (count, without) => api.get(`suspects?class=${label}&suggestion=${suggestion}&count=${count}&without=${without.join(",")}`),
    empty: "You have checked every label here that looks wrong.",
  });
}

/// The suspects by label and suggested class.
export function pairsView(app) {
  const list = h("ol", { class: "pairs" });
  const more = h("p", { class: "faint" });
  const element = h("div", { class: "page" },
    h("h1", { tabIndex: -1 }, "Labels that look wrong, by class"),
    h("p", { class: "faint" }, "Each row opens the images of one confusion, to be answered together. ", h("a", { href: "#/suspects" }, "One by one"), " instead."),
    list, more);

  async function enter() {
    const { pairs, count } = await api.get("suspects/pairs");
    list.replaceChildren(...pairs.map((one) => h("li", {}, h("a", { class: "pair", href: `#/suspects/pair/${one.label}/${one.suggestion}` },
      h("div", { class: "strip", "aria-hidden": "true" }, one.images.map((image) => h("img", { src: imageURL(image, 256), alt: "", loading: "lazy" }))),
      h("span", {}, h("strong", {}, app.name(one.label)), " → ", h("strong", {}, app.name(one.suggestion))),
      h("span", { class: "faint" }, plural(one.count, "image"))))));
    more.textContent = count > pairs.length ? `${pairs.length} of ${count.toLocaleString("en")} pairs; the others have fewer images.` : "";
    if (pairs.length === 0) {
      list.replaceChildren(h("li", { class: "faint" }, app.overview.isScored
        ? "You have checked every label that looks wrong."
        : "Labels are judged after the first training: verify some images, then press Train."));
    }
    element.querySelector("h1").focus();
  }

  return { element, enter, scored: enter };
}
