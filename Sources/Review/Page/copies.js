// Images that show the same, side by side: one of them stays in what is exported.

import * as api from "./api.js";
import { h, imageURL, whole, toast, say, plural } from "./dom.js";
import { lookCloser } from "./closer.js";
import { action, keyOf } from "./keys.js";

export function copiesView(app) {
  let groups = [];
  let isDecided = false;
  let from = 0;
  let timer;
  let hasLeft = false;
  // Images whose groups were decided here, the last one last.
  const decisions = [];

  const body = h("div", { class: "copies" });
  const words = h("p", { class: "faint", role: "status" });
  const choice = h("select", { "aria-label": "Which groups", onchange: () => { isDecided = choice.value === "yes"; from = 0; load(); } },
    h("option", { value: "no" }, "To be decided"), h("option", { value: "yes" }, "Decided"));
  const firsts = h("button", { type: "button", onclick: keepFirsts, hidden: true });
  const undoButton = h("button", { type: "button", class: "quiet", onclick: undo }, "Undo ", h("kbd", {}, keyOf("undo")));
  const tools = h("div", { class: "tools", hidden: true }, choice, firsts, undoButton);
  const element = h("div", { class: "page" }, h("h1", { tabIndex: -1 }, "Images that show the same"),
    h("p", { class: "faint" }, "Choose the image that stays. Its copies are left out of ", h("code", {}, "cleannet export dataset"), "; nothing is deleted, and labels are not judged here."),
    tools, words, body);

  async function load() {
    clearTimeout(timer);
    const reply = await api.get(`copies?from=${from}${isDecided ? "&decided=yes" : ""}`);
    if (hasLeft) return;
    tools.hidden = !reply.groups;
    if (!reply.groups) {
      if (reply.step) {
        words.textContent = `${reply.step.name}${reply.step.total ? `: ${reply.step.done.toLocaleString("en")} of ${reply.step.total.toLocaleString("en")}` : "…"}`;
        body.replaceChildren();
        timer = setTimeout(() => load().catch(() => {}), 700);
        return;
      }
      words.textContent = reply.problem ?? "Pixels and features of all images are compared. That takes a minute or more with many images; you can go on meanwhile.";
      body.replaceChildren(h("button", { type: "button", class: "primary", onclick: search }, "Look for copies"));
      return;
    }
    groups = reply.groups;
    words.textContent = reply.count === 0 ? "No image shows the same as another one."
      : `${plural(reply.count, "group")}, ${reply.open.toLocaleString("en")} to be decided. ${plural(reply.leftOut, "image")} left out.`;
    draw(isDecided ? reply.count - reply.open : reply.open);
  }

  async function search() {
    await api.post("copies/search");
    await load();
  }

  const isAlike = (group) => new Set(group.images.map((one) => one.label)).size === 1;

  function draw(count) {
    const simple = groups.filter((group) => group.kept === undefined && isAlike(group));
    firsts.hidden = simple.length === 0;
    firsts.textContent = `Keep the first of each: ${plural(simple.length, "group")} with one label`;
    body.replaceChildren(...groups.map(section));
    if (groups.length === 0 && from > 0) { from = 0; load(); return; }
    const pages = h("div", { class: "tools" },
      from > 0 ? h("button", { type: "button", onclick: () => { from = Math.max(0, from - 24); load(); } }, "Previous groups") : null,
      from + groups.length < count ? h("button", { type: "button", onclick: () => { from += groups.length; load(); } }, "More groups") : null);
    body.append(pages);
  }

  function section(group) {
    const labels = new Set(group.images.map((one) => one.label));
    const [only] = labels;
    const title = labels.size === 1 ? `${plural(group.count, "image")} labelled ${app.name(only)}` : `${plural(group.count, "image")} with different labels`;
    const row = h("div", { class: "row-of-tiles", role: "group", "aria-label": `${title}: choose the one that stays` }, group.images.map((item, index) => {
      const isKept = group.kept === item.image;
      const tile = h("button", {
        type: "button", class: `tile${isKept ? " chosen" : group.kept === undefined ? "" : " gone"}`, "aria-pressed": String(isKept),
        "aria-label": `Image ${index + 1}, labelled ${app.name(item.label)}${isKept ? ", stays" : group.kept === undefined ? "" : ", left out"}`,
        onclick: () => decide({ keep: item.image }, group),
      }, whole(h("img", { src: imageURL(item.image, 256), alt: "", draggable: false })), h("span", { class: "mark", "aria-hidden": "true" }),
      h("span", { class: "caption", "aria-hidden": "true" }, group.kept === undefined || isKept ? app.name(item.label) : "left out"));
      tile.dataset.image = item.image;
      return tile;
    }));
    return h("section", { class: "group" }, h("h2", {}, title,
      group.count > group.images.length ? h("span", { class: "faint" }, ` (${group.images.length} shown; all but one are left out)`) : null), row,
    group.kept === undefined ? null : h("div", {}, h("button", { type: "button", onclick: () => decide({ all: group.kept }, group) }, "Keep all of them")));
  }

  async function decide(decision, group, isUndo = false) {
    try {
      await api.change("copies", decision);
      if (!isUndo) decisions.push(group.images[0].image);
      group.kept = decision.keep;
      say(decision.keep === undefined ? "All stay" : `One stays, ${group.count - 1} left out`);
      // The group stays where it is, so that a slip can be seen and mended.
      const old = [...body.children][groups.indexOf(group)];
      old?.replaceWith(section(group));
      body.children[groups.indexOf(group)]?.querySelector(decision.keep === undefined ? ".tile" : `[data-image="${decision.keep}"]`)?.focus();
    } catch (error) { toast(error.message); }
  }

  async function keepFirsts() {
    const simple = groups.filter((group) => group.kept === undefined && isAlike(group));
    for (const group of simple) {
      await api.change("copies", { keep: group.images[0].image });
      decisions.push(group.images[0].image);
    }
    toast(`One image stays of each of ${plural(simple.length, "group")}. Undo takes them back one by one.`);
    await load();
  }

  async function undo() {
    const image = decisions.pop();
    if (image === undefined) return toast("Nothing was decided here. Choose “Decided” to see what was decided before.");
    await api.change("copies", { all: image });
    toast("All images of the group stay.");
    await load();
  }

  return {
    element,
    async enter() { await load(); element.querySelector("h1").focus(); },
    leave() { hasLeft = true; clearTimeout(timer); },
    key(event) {
      const tiles = [...body.querySelectorAll(".tile")];
      const place = tiles.indexOf(document.activeElement);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step && tiles.length > 0) { event.preventDefault(); tiles[Math.min(Math.max(place + step, 0), tiles.length - 1)].focus(); return; }
      const name = action(event, ["undo", "zoom"]);
      if (!name) return;
      event.preventDefault();
      if (name === "undo") { undo(); return; }
      const item = groups.flatMap((group) => group.images)[place];
      if (item) lookCloser(app.name(item.label), { item });
    },
  };
}
