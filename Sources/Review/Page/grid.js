// Many images of one class at once: mark the wrong ones, save the page. The fastest way.

import * as api from "./api.js";
import { h, imageURL, preload, whole, isUnreadable, toast, say, plural } from "./dom.js";
import { lookCloser } from "./closer.js";
import { follow } from "./gestures.js";
import { action, keyOf } from "./keys.js";
import { Likely } from "./likely.js";
import { actionText, referenceStrip } from "./parts.js";

const sizes = [12, 24, 36, 48, 60];
const sizeKey = "cleannet-grid";
const states = { right: "right", wrong: "wrong", unsure: "unsure" };
/// Tiles of a phone's width are too small for 24 images.
const usual = () => (innerWidth < 560 ? 12 : 24);

/// Whether a picture is on the screen. Images that cannot be seen are not answered.
const isShown = (picture) => picture.complete && picture.naturalWidth > 0;

export function gridView(app, label) {
  let size = Number(localStorage.getItem(sizeKey)) || usual();
  let page = [];
  let upcoming;
  let left = 0;
  let focused = 0;
  let anchor = 0;
  let since = 0;
  let side = 256;
  let isBusy = false;
  // When the reviewer was told that the page was saved very fast.
  let warned;
  // How many more verdicts are worth giving here now, and how many were given.
  let wished = Infinity;
  let given = 0;
  let before = [];

  const likely = new Likely(app, (chosen) => name(focused, chosen));
  const references = h("div", { class: "references" });
  const count = h("span", { class: "faint" });
  const tally = h("p", { class: "tally" });
  const onward = h("p", { class: "onward", hidden: true });
  const grid = h("div", { class: "grid", role: "listbox", "aria-multiselectable": "true", "aria-label": `Images labelled ${app.name(label)}; the selected ones are wrong` });
  const commitButton = h("button", { type: "button", class: "primary commit", onclick: commit });
  const picker = h("select", {
    "aria-label": "Images per page",
    onchange: async () => { size = Number(picker.value); localStorage.setItem(sizeKey, size); upcoming = undefined; await show(load([])); },
  }, sizes.map((one) => h("option", { value: one, selected: one === size }, `${one} per page`)));
  const element = h("div", { class: "verify many" },
    h("header", { class: "asking" },
      h("div", {}, h("h1", { tabIndex: -1 }, "Which of these are ", h("em", {}, "not"), " ", h("strong", {}, app.name(label)), "?"), tally, onward),
      references),
    grid, likely.element,
    h("footer", { class: "actions" },
      h("button", { type: "button", class: "quiet", onclick: undo }, "Undo ", h("kbd", {}, keyOf("undo"))),
      h("a", { class: "button quiet", href: `#/class/${label}/one` }, "One by one ", h("kbd", {}, keyOf("single"))),
      picker, count, commitButton));

  const load = (without) => api.get(`classes/${label}/images?count=${size}&without=${without.join(",")}`);

  /// Shows a page that is on its way, and fetches the one after it.
  async function show(coming, known) {
    const batch = await coming;
    left = known ?? batch.left;
    page = batch.images.map((item) => ({ item, state: states.right }));
    draw();
    ahead();
  }

  function ahead() {
    if (page.length === 0) return;
    upcoming = load(page.map((one) => one.item.image));
    upcoming.then((batch) => batch.images.forEach((item) => preload(item.image, side))).catch(() => { upcoming = undefined; });
  }

  function draw() {
    focused = anchor = 0;
    since = performance.now();
    warned = undefined;
    fit();
    grid.replaceChildren(...page.map((one, index) => {
      one.picture = whole(h("img", { src: imageURL(one.item.image, side), alt: "", draggable: false }));
      one.picture.addEventListener("error", () => lost(one));
      one.tile = h("button", {
        type: "button", class: "tile", role: "option", tabIndex: index === 0 ? 0 : -1,
        onclick: (event) => { if (event.shiftKey) range(index); else toggle(index); focus(index); },
        onfocus: () => { focused = index; },
      }, one.picture, h("span", { class: "mark", "aria-hidden": "true" }), h("span", { class: "is", "aria-hidden": "true" }));
      one.tile.dataset.image = one.item.image;
      return one.tile;
    }));
    page.forEach((_, index) => mark(index));
    status();
    if (page.length === 0) {
      grid.replaceChildren(h("div", { class: "message" },
        h("p", {}, left > 0 ? "The last images of this class are with other reviewers." : "Every image of this class is verified."),
        h("a", { class: "button primary", href: "#/queue" }, "Back to the queue")));
    } else page[0].tile.focus();
  }

  /// An image did not come: it cannot be shown, or the server is away.
  async function lost(one) {
    one.tile.classList.add("broken");
    one.isUnreadable = await isUnreadable(one.item.image);
    if (page.includes(one)) { mark(page.indexOf(one)); status(); }
  }

  /// Makes tiles as large as the window allows without scrolling.
  function fit() {
    const { width, height } = grid.getBoundingClientRect();
    const gap = 8;
    let best = 0;
    for (let columns = 1; columns <= page.length; columns += 1) {
      const rows = Math.ceil(page.length / columns);
      const length = Math.min((width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows);
      if (length > best) { best = length; grid.style.setProperty("--columns", columns); }
    }
    const tile = Math.floor(Math.max(best, 64));
    grid.style.setProperty("--tile", `${tile}px`);
    side = tile * devicePixelRatio > 320 ? 512 : 256;
  }

  function mark(index) {
    const { tile, state, isUnreadable: isLost } = page[index];
    const correction = state === states.wrong ? page[index].correction : undefined;
    tile.classList.toggle("wrong", !isLost && state === states.wrong && correction === undefined);
    tile.classList.toggle("other", !isLost && correction !== undefined);
    tile.querySelector(".is").textContent = correction === undefined ? "" : app.name(correction);
    tile.classList.toggle("unsure", !isLost && state === states.unsure);
    tile.setAttribute("aria-selected", String(!isLost && state === states.wrong));
    tile.setAttribute("aria-label", `Image ${index + 1}, ${isLost ? "cannot be shown" : correction === undefined ? state : `is ${app.name(correction)}`}`);
  }

  /// The images that can be answered.
  const readable = () => page.filter((one) => !one.isUnreadable);

  function status() {
    const asked = readable();
    const wrong = asked.filter((one) => one.state === states.wrong).length;
    const unsure = asked.filter((one) => one.state === states.unsure).length;
    const lostOnes = page.length - asked.length;
    commitButton.hidden = page.length === 0;
    const text = asked.length === 0 ? "Next page " : wrong === 0 && unsure === 0
      ? `All ${asked.length} are right ` : `${asked.length - wrong - unsure} right, ${wrong} wrong${unsure ? `, ${unsure} not sure` : ""} `;
    commitButton.replaceChildren(text, h("kbd", {}, keyOf("commit")));
    count.textContent = `${left.toLocaleString("en")} left${lostOnes > 0 ? `, ${lostOnes} cannot be shown` : ""}`;
    const now = app.classes.get(label)?.tally;
    const verified = now ? now.right + now.wrong : 0;
    tally.textContent = verified > 0 ? `${verified} verified so far, ${now.wrong} of them wrong` : "None verified so far";
  }

  function set(index, state, correction) {
    page[index].state = state;
    page[index].correction = correction;
    mark(index);
    status();
  }

  function toggle(index, state = states.wrong) {
    set(index, page[index].state === state ? states.right : state);
    anchor = index;
    say(`Image ${index + 1} ${page[index].state}`);
  }

  /// Says which class an image shows instead, by its digit; the same digit takes it back.
  function name(index, chosen) {
    const one = page[index];
    if (!one) return;
    const isAgain = one.state === states.wrong && one.correction === chosen;
    set(index, isAgain ? states.right : states.wrong, isAgain ? undefined : chosen);
    anchor = index;
    say(`Image ${index + 1} ${isAgain ? "right" : `is ${app.name(chosen)}`}`);
  }

  /// Marks the tiles that a pointer has passed as the first of them; those it has left again are as they were.
  function stroke(from, to, isFirst) {
    if (isFirst) before = page.map((one) => one.state);
    const state = before[from] === states.right ? states.wrong : states.right;
    page.forEach((_, index) => set(index, index >= Math.min(from, to) && index <= Math.max(from, to) ? state : before[index]));
    anchor = from;
    focus(to);
  }

  const look = (index) => lookCloser(app.name(label), page[index], (state) => set(index, state));

  /// Says where to go on once this class has what it needs for now.
  async function advise() {
    if (given < wished) { onward.hidden = true; return; }
    if (!onward.hidden) return;
    const next = (await api.get("queue")).entries.find((one) => one.label !== label);
    onward.hidden = next === undefined;
    if (next) onward.replaceChildren("Enough here for now. ", h("a", { href: `#/class/${next.label}` }, `Go on with ${next.name}`));
  }

  /// Gives all from the last one that was marked the same mark.
  function range(index) {
    const state = page[anchor].state === states.right && anchor === index ? states.wrong : page[anchor].state;
    for (let i = Math.min(anchor, index); i <= Math.max(anchor, index); i += 1) set(i, state);
  }

  function focus(index) {
    if (index < 0 || index >= page.length) return;
    page[focused].tile.tabIndex = -1;
    focused = index;
    page[index].tile.tabIndex = 0;
    page[index].tile.focus();
  }

  /// Whether the page is saved faster than anybody can have looked at it: a key pressed twice. Asked once a page; a second
  /// press saves it, unless it follows at once, too.
  function isHasty(asked) {
    const now = performance.now();
    const shortest = app.overview.glance * 1000 * asked.length;
    if (now - since >= shortest) return false;
    if (warned !== undefined && now - warned > 600) return false;
    warned ??= now;
    toast(`You have seen these ${asked.length} images for ${((now - since) / 1000).toFixed(1)} s. Press again to save it anyway.`);
    return true;
  }

  async function commit() {
    if (isBusy || page.length === 0 || api.isOffline()) return;
    const asked = readable();
    const waiting = asked.filter((one) => !isShown(one.picture)).length;
    if (waiting > 0) return toast(`${plural(waiting, "image")} not loaded yet.`);
    if (asked.length > 0 && isHasty(asked)) return;
    isBusy = true;
    element.classList.add("busy");
    const dwell = Math.round((performance.now() - since) / page.length);
    const answers = asked.map(({ item, state, correction }) => ({
      client: api.name(), image: item.image, label: item.label, answer: state, dwell, correction: state === states.wrong ? correction : undefined,
    }));
    try {
      if (answers.length > 0) await app.verdicts(answers);
      say(`${plural(answers.length, "verdict")} saved.`);
      given += answers.length;
      advise().catch(() => {});
      // A page fetched ahead does not know yet that this one is done.
      await (upcoming ? show(upcoming, left - page.length) : show(load([])));
    } catch (error) {
      toast(error.message);
    }
    element.classList.remove("busy");
    isBusy = false;
  }

  /// Takes the last action back, wherever it was made. A page of this class comes back with its marks.
  async function undo() {
    const undone = await app.undoLast();
    if (!undone) return toast("There is nothing to undo.");
    upcoming = undefined;
    const own = undone.images.filter(({ item }) => item.label === label);
    if (own.length === 0 || own.length !== undone.count) {
      await show(load([]));
    } else {
      page = own.map(({ item, answer }) => ({ item, state: answer }));
      left += page.length;
      given -= page.length;
      draw();
      ahead();
    }
    advise().catch(() => {});
    toast(`${actionText(app, undone.action)}: taken back.`);
  }

  function key(event) {
    const columns = Number(grid.style.getPropertyValue("--columns")) || 1;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (steps[event.key] !== undefined && page.length > 0) {
      event.preventDefault();
      const next = Math.min(Math.max(focused + steps[event.key], 0), page.length - 1);
      if (event.shiftKey) {
        if (page[anchor].state === states.right) set(anchor, states.wrong);
        range(next);
      } else anchor = next;
      return focus(next);
    }
    if (event.repeat) return;
    const chosen = likely.labelOf(event);
    if (chosen !== undefined) { event.preventDefault(); name(focused, chosen); return; }
    const act = action(event, ["toggle", "unsure", "commit", "undo", "single", "zoom", "similar"]);
    if (!act) return;
    event.preventDefault();
    switch (act) {
      case "toggle": if (page[focused]) toggle(focused); break;
      case "unsure": if (page[focused]) toggle(focused, states.unsure); break;
      case "commit": commit(); break;
      case "undo": undo(); break;
      case "single": location.hash = `#/class/${label}/one`; break;
      case "zoom": if (page[focused]) look(focused); break;
      case "similar": if (page[focused]) location.hash = `#/similar/${page[focused].item.image}`; break;
    }
  }

  const unfollow = follow(grid, {
    hold: look, stroke, cancel: () => before.forEach((state, index) => set(index, state)),
  });
  const resized = new ResizeObserver(() => { if (page.length > 0) fit(); });

  return {
    element, key, changed: status,
    async enter() {
      resized.observe(grid);
      referenceStrip(references, app, label);
      likely.show(label);
      api.get("queue").then(({ entries }) => {
        const own = entries.find((one) => one.label === label);
        wished = own ? own.target - own.verified : page.length;
      }).catch(() => {});
      await show(load([]));
    },
    leave() { resized.disconnect(); unfollow(); },
    async scored() { upcoming = undefined; ahead(); },
    /// Images that did not come while the server was away are asked for again.
    online() {
      for (const one of page) if (!one.isUnreadable && !isShown(one.picture)) { one.tile.classList.remove("broken"); one.picture.src = imageURL(one.item.image, side); }
    },
  };
}
