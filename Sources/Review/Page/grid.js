// Many images of one class at once: mark those that are wrong, commit the page. The fastest way.

import * as api from "./api.js";
import { h, imageURL, preload, toast, say, plural } from "./dom.js";
import { lookCloser } from "./closer.js";
import { follow } from "./gestures.js";
import { action, keyOf } from "./keys.js";
import { referenceStrip, Undoing } from "./parts.js";

const sizes = [12, 24, 36, 48, 60];
const sizeKey = "cleannet-grid";
const states = { right: "right", wrong: "wrong", unsure: "unsure" };

export function gridView(app, label) {
  let size = Number(localStorage.getItem(sizeKey)) || 24;
  let page = [];
  let upcoming;
  let left = 0;
  let focused = 0;
  let anchor = 0;
  let since = 0;
  let isBusy = false;
  // How many more verdicts are worth giving here now, and how many were given.
  let wished = Infinity;
  let given = 0;
  let before = [];
  const undoing = new Undoing(`grid-${label}`);

  const references = h("div", { class: "references" });
  const count = h("span", { class: "faint" });
  const tally = h("p", { class: "tally" });
  const onward = h("p", { class: "onward", hidden: true });
  const grid = h("div", { class: "grid", role: "listbox", "aria-multiselectable": "true", "aria-label": `Images labelled ${app.name(label)}; the selected ones are wrong` });
  const commitButton = h("button", { type: "button", class: "primary commit", onclick: commit });
  const picker = h("select", {
    "aria-label": "Images on a page",
    onchange: async () => { size = Number(picker.value); localStorage.setItem(sizeKey, size); upcoming = undefined; await show(load([])); },
  }, sizes.map((one) => h("option", { value: one, selected: one === size }, `${one} a page`)));
  const element = h("div", { class: "verify many" },
    h("header", { class: "asking" },
      h("div", {}, h("h1", { tabIndex: -1 }, "Which of these are ", h("em", {}, "not"), " ", h("strong", {}, app.name(label)), "?"), tally, onward),
      references),
    grid,
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
    upcoming.then((batch) => batch.images.forEach((item) => preload(item.image, 256))).catch(() => { upcoming = undefined; });
  }

  function draw() {
    focused = anchor = 0;
    since = performance.now();
    grid.replaceChildren(...page.map((one, index) => {
      const picture = h("img", { src: imageURL(one.item.image, 256), alt: "", draggable: false });
      picture.addEventListener("error", () => one.tile.classList.add("broken"));
      one.tile = h("button", {
        type: "button", class: "tile", role: "option", title: one.item.path, tabIndex: index === 0 ? 0 : -1,
        onclick: (event) => { if (event.shiftKey) range(index); else toggle(index); focus(index); },
        onfocus: () => { focused = index; },
      }, picture, h("span", { class: "mark", "aria-hidden": "true" }));
      return one.tile;
    }));
    page.forEach((_, index) => mark(index));
    fit();
    status();
    if (page.length === 0) {
      grid.replaceChildren(h("div", { class: "message" },
        h("p", {}, left > 0 ? "The last images of this class are with other reviewers." : "Every image of this class is verified."),
        h("a", { class: "button primary", href: "#/queue" }, "What next?")));
    } else page[0].tile.focus();
  }

  /// Makes tiles as large as the window allows without scrolling.
  function fit() {
    const { width, height } = grid.getBoundingClientRect();
    const gap = 8;
    let best = 0;
    for (let columns = 1; columns <= page.length; columns += 1) {
      const rows = Math.ceil(page.length / columns);
      const side = Math.min((width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows);
      if (side > best) { best = side; grid.style.setProperty("--columns", columns); }
    }
    grid.style.setProperty("--tile", `${Math.floor(Math.max(best, 64))}px`);
  }

  function mark(index) {
    const { tile, state } = page[index];
    tile.classList.toggle("wrong", state === states.wrong);
    tile.classList.toggle("unsure", state === states.unsure);
    tile.setAttribute("aria-selected", String(state === states.wrong));
    tile.setAttribute("aria-label", `Image ${index + 1}, ${state}`);
  }

  function status() {
    const wrong = page.filter((one) => one.state === states.wrong).length;
    const unsure = page.filter((one) => one.state === states.unsure).length;
    commitButton.hidden = page.length === 0;
    commitButton.replaceChildren(
      wrong === 0 && unsure === 0 ? `All ${page.length} are right ` : `${page.length - wrong - unsure} right, ${wrong} wrong${unsure ? `, ${unsure} unsure` : ""} `,
      h("kbd", {}, keyOf("commit")));
    count.textContent = `${left.toLocaleString("en")} left`;
    const now = app.classes.get(label)?.tally;
    const verified = now ? now.right + now.wrong : 0;
    tally.textContent = verified > 0 ? `${verified} verified so far, ${now.wrong} of them wrong` : "None verified so far";
  }

  function set(index, state) {
    page[index].state = state;
    mark(index);
    status();
  }

  function toggle(index, state = states.wrong) {
    set(index, page[index].state === state ? states.right : state);
    anchor = index;
    say(`Image ${index + 1} ${page[index].state}`);
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
    if (given < wished || !onward.hidden) return;
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

  async function commit() {
    if (isBusy || page.length === 0 || api.isOffline()) return;
    isBusy = true;
    element.classList.add("busy");
    const dwell = Math.round((performance.now() - since) / page.length);
    const answers = page.map(({ item, state }) => ({
      client: api.name(), image: item.image, label: item.label, answer: state, dwell,
    }));
    try {
      await app.verdicts(answers);
      undoing.push({ clients: answers.map((one) => one.client), images: page.map(({ item, state }) => ({ item, state })) });
      say(`${plural(page.length, "verdict")} kept.`);
      given += page.length;
      advise().catch(() => {});
      // A page fetched ahead does not know yet that this one is done.
      await (upcoming ? show(upcoming, left - page.length) : show(load([])));
    } catch (error) {
      toast(error.message);
    }
    element.classList.remove("busy");
    isBusy = false;
  }

  async function undo() {
    const step = undoing.pop();
    if (!step) return toast("There is nothing to undo here.");
    await app.undo(step);
    page = step.images.map(({ item, state }) => ({ item, state }));
    left += page.length;
    given -= page.length;
    draw();
    ahead();
    toast(`${plural(page.length, "verdict")} taken back.`);
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
    const name = action(event, ["toggle", "unsure", "commit", "undo", "single", "zoom"]);
    if (!name) return;
    event.preventDefault();
    switch (name) {
      case "toggle": if (page[focused]) toggle(focused); break;
      case "unsure": if (page[focused]) toggle(focused, states.unsure); break;
      case "commit": commit(); break;
      case "undo": undo(); break;
      case "single": location.hash = `#/class/${label}/one`; break;
      case "zoom": if (page[focused]) look(focused); break;
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
      api.get("queue").then(({ entries }) => {
        const own = entries.find((one) => one.label === label);
        wished = own ? own.target - own.verified : page.length;
      }).catch(() => {});
      await show(load([]));
    },
    leave() { resized.disconnect(); unfollow(); },
    async scored() { upcoming = undefined; ahead(); },
  };
}
