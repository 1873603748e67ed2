// One's own answers, the last first; each can be taken back.

import * as api from "./api.js";
import { h, toast } from "./dom.js";
import { actionText } from "./parts.js";

export function historyView(app) {
  const list = h("ol", { class: "history" });
  const element = h("div", { class: "page" }, h("h1", { tabIndex: -1 }, "Your answers"),
    h("p", { class: "faint" }, "Taking an answer back brings back what you had said about the image before, if anything. Nothing is ever deleted."), list);

  function row(one) {
    return h("li", {},
      h("time", { class: "faint", dateTime: new Date(one.at * 1000).toISOString() }, new Date(one.at * 1000).toLocaleString()),
      h("span", {}, actionText(app, one)),
      h("button", {
        type: "button", "aria-label": `Take back: ${actionText(app, one)}`,
        onclick: async () => {
          const undone = await app.undo(one);
          toast(undone.count > 0 ? `${actionText(app, one)}: taken back.` : "You have answered these images again since; nothing was taken back.");
          await load();
        },
      }, "Take back"));
  }

  async function load() {
    const { actions } = await api.get("history?limit=100");
    list.replaceChildren(...actions.map(row));
    if (actions.length === 0) list.replaceChildren(h("li", { class: "faint" }, "You have not answered anything yet."));
  }

  return { element, changed: load, async enter() { await load(); element.querySelector("h1").focus(); } };
}
