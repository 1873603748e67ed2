// The most useful second looks: first one's own verdicts that the model contradicts, then the labels it is least sure of, of
// all classes, grouped by label and by likely class.

import * as api from "./api.js";
import { h, imageURL, whole, isUnreadable, toast, say, plural } from "./dom.js";
import { lookCloser } from "./closer.js";
import { action, keyOf } from "./keys.js";
import { Likely } from "./likely.js";
import { undoLast } from "./parts.js";

const size = () => (innerWidth < 560 ? 12 : 24);

export function mendView(app) {
  // All tiles of the page, in the order in which they stand.
  let tiles = [];
  let focused = 0;
  let since = 0;
  let isBusy = false;
  let left = { again: 0, shared: 0, doubtful: 0 };

  const likely = new Likely(app, (label) => name(tiles[focused], label));
  const title = h("h1", { tabIndex: -1 });
  const hint = h("p", { class: "faint" });
  const groups = h("div", { class: "groups" });
  const count = h("span", { class: "faint" });
  const saveButton = h("button", { type: "button", class: "primary commit", onclick: save });
  const element = h("div", { class: "verify many" },
    h("header", { class: "asking" }, h("div", {}, title, hint)), groups, likely.element,
    h("footer", { class: "actions" },
      h("button", { type: "button", class: "quiet", onclick: undo }, "Undo ", h("kbd", {}, keyOf("undo"))), count, saveButton));

  /// The states that a click gives a tile, in turn.
  const turns = (tile) => (tile.suggestion === undefined ? ["right", "wrong"] : ["right", "other", "wrong"]);

  function draw(reply) {
    since = performance.now();
    focused = 0;
    left = { again: reply.again, shared: reply.shared, doubtful: reply.doubtful };
    tiles = [];
    const kind = reply.groups.length > 0 ? reply.kind : "doubtful";
    [title.textContent, hint.textContent] = {
      again: ["Please look again", "Some of these answers may be slips. Mark the images that do not belong to the class."],
      shared: ["What do you say?", "Somebody else has answered these images, too. Mark the images that do not belong to the class."],
      doubtful: ["Labels the model is least sure of", "Touch an image once if it is the other class, twice if it is neither."],
    }[kind];
    groups.replaceChildren(...reply.groups.map((group) => {
      const strip = h("div", { class: "row-of-tiles", role: "listbox", "aria-multiselectable": "true", "aria-label": `Images labelled ${app.name(group.label)}` });
      strip.append(...group.images.map((item) => tileOf(item, group.suggestion)));
      return h("section", { class: "group" }, h("h2", {}, group.suggestion === undefined
        ? ["Which of these are ", h("em", {}, "not"), " ", h("strong", {}, app.name(group.label)), "?"]
        : ["Labelled ", h("strong", {}, app.name(group.label)), ". Or is it ", h("strong", {}, app.name(group.suggestion)), "?"]), strip);
    }));
    if (tiles.length === 0) {
      groups.replaceChildren(h("div", { class: "message" },
        h("p", {}, app.overview.isScored ? "Nothing is in doubt here. Verify random images, so that the bound on wrong labels gets tighter." : "Labels are judged after the first training: verify some images, then press Train."),
        h("a", { class: "button primary", href: "#/queue" }, "Back to the queue")));
    } else tiles[0].element.focus();
    status();
  }

  function tileOf(item, suggestion) {
    const index = tiles.length;
    const picture = whole(h("img", { src: imageURL(item.image, devicePixelRatio > 1.5 ? 512 : 256), alt: "", draggable: false }));
    const tile = { item, suggestion, state: "right", picture, isUnreadable: false };
    picture.addEventListener("error", async () => { tile.element.classList.add("broken"); tile.isUnreadable = await isUnreadable(item.image); mark(tile); status(); });
    tile.element = h("button", {
      type: "button", class: "tile", role: "option", tabIndex: index === 0 ? 0 : -1,
      onclick: () => { turn(tile); focus(index); }, onfocus: () => { focused = index; likely.show(item.label, suggestion); },
    }, picture, h("span", { class: "mark", "aria-hidden": "true" }), h("span", { class: "is", "aria-hidden": "true" }));
    tile.element.dataset.image = item.image;
    tiles.push(tile);
    mark(tile);
    return tile.element;
  }

  const words = (tile) => ({ right: "right", wrong: "wrong", unsure: "not sure", other: `is ${app.name(tile.other ?? tile.suggestion)}` })[tile.state];

  function mark(tile) {
    const { element: button, state } = tile;
    button.classList.toggle("wrong", state === "wrong");
    button.classList.toggle("other", state === "other");
    button.classList.toggle("unsure", state === "unsure");
    button.querySelector(".is").textContent = state === "other" ? app.name(tile.other ?? tile.suggestion) : "";
    button.setAttribute("aria-selected", String(state === "wrong" || state === "other"));
    button.setAttribute("aria-label", `Image ${tiles.indexOf(tile) + 1}, ${tile.isUnreadable ? "cannot be shown" : words(tile)}`);
  }

  function turn(tile) {
    const all = turns(tile);
    tile.state = all[(all.indexOf(tile.state) + 1) % all.length];
    tile.other = undefined;
    mark(tile);
    status();
    say(`Image ${tiles.indexOf(tile) + 1} ${words(tile)}`);
  }

  /// Says which class an image shows, by its digit; the same digit takes it back.
  function name(tile, label) {
    if (!tile) return;
    const isAgain = tile.state === "other" && tile.other === label;
    tile.state = isAgain ? "right" : "other";
    tile.other = isAgain ? undefined : label;
    mark(tile);
    status();
    say(`Image ${tiles.indexOf(tile) + 1} ${words(tile)}`);
  }

  const asked = () => tiles.filter((tile) => !tile.isUnreadable);

  function status() {
    const shown = asked();
    const wrong = shown.filter((tile) => tile.state === "wrong" || tile.state === "other").length;
    const unsure = shown.filter((tile) => tile.state === "unsure").length;
    saveButton.hidden = tiles.length === 0;
    saveButton.replaceChildren(wrong === 0 && unsure === 0 ? `All ${shown.length} are right ` : `${shown.length - wrong - unsure} right, ${wrong} wrong${unsure ? `, ${unsure} not sure` : ""} `, h("kbd", {}, keyOf("commit")));
    count.textContent = left.again > 0 ? `${plural(left.again, "answer")} to look at again`
      : left.shared > 0 ? `${plural(left.shared, "image")} for a second opinion` : `${plural(left.doubtful, "label")} in doubt`;
  }

  const load = () => api.get(`mend?count=${size()}`);

  function focus(index) {
    if (index < 0 || index >= tiles.length) return;
    tiles[focused].element.tabIndex = -1;
    focused = index;
    tiles[index].element.tabIndex = 0;
    tiles[index].element.focus();
  }

  async function save() {
    if (isBusy || tiles.length === 0 || api.isOffline()) return;
    const shown = asked();
    const waiting = shown.filter(({ picture }) => !(picture.complete && picture.naturalWidth > 0)).length;
    if (waiting > 0) return toast(`${plural(waiting, "image")} not loaded yet.`);
    if (performance.now() - since < app.overview.glance * 1000 * shown.length) return toast("That was very fast. Look at all images, then save the page.");
    isBusy = true;
    element.classList.add("busy");
    const dwell = Math.round((performance.now() - since) / tiles.length);
    try {
      if (shown.length > 0) {
        await app.verdicts(shown.map(({ item, state, suggestion, other }) => ({
          client: api.name(), image: item.image, label: item.label, dwell,
          answer: state === "other" ? "wrong" : state, correction: state === "other" ? other ?? suggestion : undefined,
        })));
      }
      draw(await load());
    } catch (error) { toast(error.message); }
    element.classList.remove("busy");
    isBusy = false;
  }

  function undo() { return undoLast(app, async () => draw(await load())); }

  return {
    element,
    async enter() { draw(await load()); title.focus(); },
    async scored() { draw(await load()); },
    online() { for (const { picture, item } of tiles) if (picture.naturalWidth === 0) picture.src = imageURL(item.image, 256); },
    key(event) {
      const steps = { ArrowRight: 1, ArrowLeft: -1 };
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        return focus(below(event.key === "ArrowDown" ? 1 : -1));
      }
      if (steps[event.key]) { event.preventDefault(); return focus(Math.min(Math.max(focused + steps[event.key], 0), tiles.length - 1)); }
      if (event.repeat) return;
      const chosen = likely.labelOf(event);
      if (chosen !== undefined) { event.preventDefault(); name(tiles[focused], chosen); return; }
      const act = action(event, ["toggle", "unsure", "commit", "undo", "zoom", "similar"]);
      if (!act) return;
      event.preventDefault();
      const tile = tiles[focused];
      if (act === "commit") save();
      else if (act === "undo") undo();
      else if (!tile) return;
      else if (act === "toggle") turn(tile);
      else if (act === "similar") location.hash = `#/similar/${tile.item.image}`;
      else if (act === "unsure") { tile.state = tile.state === "unsure" ? "right" : "unsure"; mark(tile); status(); }
      else lookCloser(app.name(tile.item.label), tile, (state) => { tile.state = state; mark(tile); status(); });
    },
  };

  /// The tile above or below the focused one: the nearest in the next row.
  function below(direction) {
    const box = tiles[focused].element.getBoundingClientRect();
    const rows = tiles.map((tile, index) => ({ index, box: tile.element.getBoundingClientRect() }))
      .filter((one) => (one.box.top - box.top) * direction > 1);
    if (rows.length === 0) return focused;
    const top = direction > 0 ? Math.min(...rows.map((one) => one.box.top)) : Math.max(...rows.map((one) => one.box.top));
    return rows.filter((one) => Math.abs(one.box.top - top) < 2).sort((a, b) => Math.abs(a.box.left - box.left) - Math.abs(b.box.left - box.left))[0].index;
  }
}
