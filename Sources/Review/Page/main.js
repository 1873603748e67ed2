// The frame of the page: who reviews, which view is shown, how training goes.

import * as api from "./api.js";
import { h, usePictures, toast, say, dialog, plural } from "./dom.js";
import { setBindings, keysOf, action, isElsewhere } from "./keys.js";
import { queueView } from "./queue.js";
import { gridView } from "./grid.js";
import { classView } from "./single.js";
import { suspectsView } from "./suspects.js";
import { disputesView } from "./disputes.js";
import { progressView } from "./progress.js";
import { historyView } from "./history.js";
import { mendView } from "./mend.js";
import { pairsView, pairView, similarView } from "./many.js";
import { mapView, chosenView } from "./map.js";
import { copiesView } from "./copies.js";

/// The state that all views share.
const app = {
  person: "",
  overview: undefined,
  classes: new Map(),
  name: (label) => app.classes.get(label)?.name ?? `class ${label}`,

  async refresh() {
    app.overview = await api.get("overview");
    usePictures(app.overview.pictures);
    app.classes = new Map(app.overview.classes.map((one) => [one.label, one]));
    frame();
    view?.changed?.();
  },

  /// Adopts the counts that come with an answer.
  standings(list) {
    for (const { label, tally } of list ?? []) if (app.classes.has(label)) app.classes.get(label).tally = tally;
    frame();
  },

  /// Keeps answers; the promise is kept when they are on the server's disk.
  async verdicts(answers) {
    const reply = await api.change("verdicts", { answers });
    app.standings(reply.classes);
  },

  /// Takes an action back that the history names.
  async undo(one) {
    const reply = await api.change("undo", { at: one.at });
    app.standings(reply.classes);
    return { action: one, count: reply.undone.count, images: reply.undone.images };
  },

  /// Takes back what one did last, in whatever view, tab or browser; undefined if there is nothing.
  async undoLast() {
    const { actions } = await api.get("history?limit=1");
    return actions.length > 0 ? app.undo(actions[0]) : undefined;
  },
};

let view;
const place = document.getElementById("view");

const routes = [
  [/^#\/queue$/, () => queueView(app)],
  [/^#\/class\/(\d+)$/, (label) => gridView(app, Number(label))],
  [/^#\/class\/(\d+)\/one$/, (label) => classView(app, Number(label))],
  [/^#\/suspects(?:\/(\d+))?$/, (label) => suspectsView(app, label === undefined ? undefined : Number(label))],
  [/^#\/suspects\/pairs$/, () => pairsView(app)],
  [/^#\/suspects\/pair\/(\d+)\/(\d+)$/, (label, suggestion) => pairView(app, Number(label), Number(suggestion))],
  [/^#\/similar\/(\d+)$/, (image) => similarView(app, Number(image))],
  [/^#\/map(?:\/(\d+))?$/, (label) => mapView(app, label === undefined ? undefined : Number(label))],
  [/^#\/map\/chosen$/, () => chosenView(app)],
  [/^#\/copies$/, () => copiesView(app)],
  [/^#\/disputes$/, () => disputesView(app)],
  [/^#\/progress$/, () => progressView(app)],
  [/^#\/mend$/, () => mendView(app)],
  [/^#\/history$/, () => historyView(app)],
];

async function route() {
  const hash = location.hash || "#/queue";
  for (const [pattern, make] of routes) {
    const match = hash.match(pattern);
    if (!match) continue;
    view?.leave?.();
    place.setAttribute("aria-busy", "true");
    view = make(...match.slice(1));
    const own = view;
    for (const link of document.querySelectorAll("#tabs a")) {
      const isHere = hash.startsWith(link.getAttribute("href")) || (link.hash === "#/queue" && hash.startsWith("#/class"));
      if (isHere) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    }
    place.replaceChildren(view.element);
    try {
      await view.enter();
    } catch (error) {
      if (error.status === 401) return ended();
      if (view === own) place.replaceChildren(problem(error.message));
    }
    if (view === own) place.removeAttribute("aria-busy");
    return;
  }
  location.replace("#/queue");
}

const problem = (text) => h("section", { class: "message" }, h("h1", {}, "That did not work"), h("p", {}, text),
  h("button", { type: "button", class: "primary", onclick: route }, "Try again"));

function frame() {
  document.getElementById("bar").hidden = false;
  document.getElementById("workspace").textContent = app.overview.workspace;
  document.title = `${app.overview.workspace} – CleanNet review`;
  document.getElementById("me").textContent = app.person;
  const disputed = [...app.classes.values()].reduce((sum, one) => sum + one.tally.disputed, 0);
  const badge = document.getElementById("dispute-count");
  badge.hidden = disputed === 0;
  badge.textContent = disputed;
  training(app.overview.retraining);
}

// Training

function training(status) {
  app.overview.retraining = status;
  const corner = document.getElementById("training");
  if (status.phase === "running") {
    const step = status.step;
    const bar = h("progress", { "aria-label": "Progress of training" });
    if (step?.total) { bar.max = step.total; bar.value = step.done; }
    corner.replaceChildren(h("span", { class: "step" }, step?.name ?? "Training"), bar);
    return;
  }
  const verified = [...app.classes.values()].reduce((sum, one) => sum + one.tally.right + one.tally.wrong, 0);
  const fresh = app.overview.sinceTraining ?? verified;
  // All answers count already: another training would find the same.
  const isLive = app.overview.isLive;
  const cannot = !app.overview.hasFeatures ? "Run cleannet embed first" : verified === 0 ? "Verify some images first" : undefined;
  corner.replaceChildren(h("button", {
    type: "button", class: "retrain", disabled: cannot !== undefined, title: cannot ?? (isLive ? "Every verdict counts at once. Train again when images, labels or features have changed" : "Learn from the verdicts and score every label again"),
    onclick: retrain,
  }, app.overview.isScored ? "Retrain" : "Train", fresh > 0 && !isLive ? h("span", { class: "badge" }, `+${fresh}`) : null));
  if (isLive) corner.prepend(h("span", { class: "step", title: "Every verdict counts at once" }, "Up to date"));
}

async function retrain() {
  try {
    await api.post("retrain");
  } catch (error) {
    toast(error.message);
  }
}

api.on("retraining", async (status) => {
  const was = app.overview.retraining.phase;
  training(status);
  if (status.phase === was) return;
  if (status.phase === "running") say("Training has begun.");
  if (status.phase === "failed") dialog("Training failed", h("p", {}, status.problem));
  if (status.phase === "done") {
    toast(`Training finished in ${status.seconds.toFixed(0)} s; all labels were re-scored.`);
    await app.refresh();
    await view?.scored?.();
  }
});

let pending;
api.on("changed", () => {
  clearTimeout(pending);
  pending = setTimeout(() => app.refresh().catch(() => {}), 300);
});
api.on("refused", (message) => toast(message));
api.on("ended", () => ended());
api.on("connection", ({ offline }) => {
  const bar = document.getElementById("offline");
  bar.hidden = !offline;
  bar.textContent = "No connection to the server. Your answers are safe in this browser and will be sent when the server is back.";
  if (!offline) { toast("The connection is back; all answers are saved."); view?.online?.(); app.refresh().catch(() => {}); }
});

// Your name

function ended(text) {
  document.getElementById("bar").hidden = true;
  place.replaceChildren(h("section", { class: "message" }, h("h1", {}, "A link is needed"), h("p", {}, text ?? [
    "Open the link that ", h("code", {}, "cleannet review"), " prints in the terminal. Each link works once; after that this browser stays signed in."])));
  place.removeAttribute("aria-busy");
}

function askName() {
  return new Promise((resolve) => {
    const field = h("input", { name: "person", required: true, maxLength: 64, value: app.person, autocomplete: "name", id: "person" });
    const form = h("form", { method: "dialog" },
      h("p", {}, "Your name is saved with your verdicts, and stays once you have answered."),
      h("label", { htmlFor: "person" }, "Your name"), field,
      h("button", { class: "primary" }, "Begin"));
    const box = dialog("Who are you?", form, { className: "narrow", isLocked: !app.person });
    box.addEventListener("close", () => resolve());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        app.person = (await api.post("me", { person: field.value })).person;
        box.close();
      } catch (error) {
        field.setCustomValidity(error.message);
        field.reportValidity();
        field.setCustomValidity("");
      }
    });
    field.focus();
  });
}

document.getElementById("me").addEventListener("click", () => {
  const own = app.overview.people.find((one) => one.name === app.person);
  const box = dialog(app.person, h("div", { class: "stack" },
    h("p", {}, own ? `${plural(own.answers, "image")} answered${own.perMinute ? `, ${own.perMinute.toFixed(0)} per minute now` : ""}.` : "No image answered yet."),
    h("a", { class: "button", href: "#/history", onclick: () => box.close() }, "Your answers"),
    app.me.isNamed || own ? null : h("button", { type: "button", onclick: async () => { box.close(); await askName(); await app.refresh(); } }, "Change the name"),
    app.me.isHost ? hosting() : null,
    h("button", { type: "button", class: "quiet", onclick: async () => { await api.post("leave"); box.close(); location.reload(); } }, "Sign out of this browser")),
  { className: "narrow" });
});

/// Only the person who started the review may let people in and end their sessions.
function hosting() {
  const link = h("output", { class: "link-box" });
  const name = h("input", { placeholder: "Their name (or they choose one)", "aria-label": "Name of the reviewer", maxLength: 64 });
  const sessions = h("ul", { class: "sessions" });
  const list = ({ reviewers }) => sessions.replaceChildren(...reviewers.map((one) => h("li", {},
    h("span", {}, `${one.person || "no name yet"}, since ${new Date(one.since * 1000).toLocaleDateString()}${one.isSelf ? " (you)" : ""}`),
    one.isSelf ? null : h("button", { type: "button", "aria-label": `End the session of ${one.person || "no name yet"}`,
      onclick: async () => list(await api.post("reviewers/end", { tag: one.tag })) }, "End"))));
  api.get("reviewers").then(list).catch(() => {});
  return h("div", { class: "stack" }, name, h("button", {
    type: "button",
    onclick: async () => {
      try {
        const { token } = await api.post("invitations", { person: name.value });
        link.textContent = `${location.origin}/#token=${token}`;
        navigator.clipboard?.writeText(link.textContent).then(() => toast("Link copied; it works once."), () => {});
      } catch (error) { toast(error.message); }
    },
  }, "Invite another reviewer"), link, h("h3", {}, "Signed in"), sessions);
}

// Help

const helpTexts = {
  "One by one": { right: "the label is right", wrong: "the label is wrong", skip: "not sure", choose: "choose the right class", accept: "accept the suggested class", none: "no class fits", several: "several classes fit", bad: "bad image", exclude: "leave the image out", later: "ask again later", zoom: "zoom" },
  "Classes": { class1: "it is the class with this digit", class2: "and so on", choose: "choose the class by its name" },
  "Many at once": { toggle: "mark as wrong (again: unmark)", unsure: "mark as not sure (again: unmark)", commit: "save this page, show the next", single: "one by one", next: "back to many at once" },
  "Everywhere": { similar: "find images that look alike", all: "choose all, or none", undo: "take back what you did last", help: "this help" },
};

function help() {
  const lists = Object.entries(helpTexts).map(([title, entries]) => h("section", {}, h("h3", {}, title),
    h("dl", {}, Object.entries(entries).map(([name, text]) => [
      h("dt", {}, keysOf(name).map((key) => h("kbd", {}, key))), h("dd", {}, text),
    ]))));
  const fingers = h("p", {}, "Fingers: touch an image to mark it, hold it to see it large, swipe across several to mark them all.");
  const isTouch = matchMedia("(pointer: coarse)").matches;
  dialog(isTouch ? "Help" : "Keys", h("div", {}, isTouch ? fingers : null, h("div", { class: "key-lists" }, lists),
    h("p", { class: "faint" }, "Many at once: arrow keys move; Shift with an arrow key or a click marks a range, and so does dragging across the images. Hold a finger on an image, or press ", h("kbd", {}, keysOf("zoom")[0] ?? ""), ", to see it large. Other keys: a file ",
      h("code", {}, "review/keys.json"), " in the workspace, such as ", h("code", {}, "{\"right\": [\"j\"], \"wrong\": [\"f\"]}"), "."),
    app.keyProblem ? h("p", { class: "warning" }, app.keyProblem) : null), { className: "wide" });
}

// An address after # would be taken for a view's.
document.querySelector(".skip-link").addEventListener("click", (event) => { event.preventDefault(); place.focus(); });
document.getElementById("help").addEventListener("click", help);
addEventListener("keydown", (event) => {
  if (isElsewhere(event)) return;
  if (action(event, ["help"])) { event.preventDefault(); help(); return; }
  view?.key?.(event);
});

// Start

async function start() {
  const token = location.hash.match(/^#token=([0-9a-f]+)/)?.[1];
  try {
    if (token) {
      history.replaceState(null, "", "/#/queue");
      await api.post("enter", { token });
    }
    const me = await api.get("me");
    app.person = me.person;
    app.me = me;
    usePictures(me.pictures);
    api.begin(me.workspace);
    const keys = await api.get("keys");
    setBindings(keys.keys);
    app.keyProblem = keys.problem;
    if (keys.problem) toast(keys.problem);
  } catch (error) {
    return ended(error.status === 401 && token ? error.message : undefined);
  }
  if (!app.person) await askName();
  api.drain();
  await app.refresh();
  api.listen();
  addEventListener("hashchange", route);
  await route();
}

start();
