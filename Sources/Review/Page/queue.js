// The classes to verify next, and why.

import * as api from "./api.js";
import { h, imageURL, percent, plural } from "./dom.js";
import { outlookChart } from "./progress.js";

const reasons = {
  begun: "begun", typical: "a good start", diverse: "unlike the others", doubtful: "many close decisions", disagreeing: "the model is unsure", contradictory: "the model contradicts itself",
};

/// Plans how to spend one's time, and compares the last plan with what came of it.
function planSection() {
  const kinds = {
    again: (one) => ["#/mend", `Look again at ${plural(one.images, "answer")}`],
    measure: (one, first) => [first ? `#/class/${first.label}` : "#/queue", `Verify ${plural(one.images, "image")}, first in ${first?.name ?? "the classes below"}`],
    mend: (one) => ["#/mend", `Mend ${plural(one.images, "label")} in doubt`],
  };
  let first;
  const pick = (label, values, chosen, unit) => h("select", { "aria-label": label }, values.map((one) => h("option", { value: one, selected: one === chosen }, `${one} ${unit}`)));
  const minutes = pick("Minutes", [2, 5, 10, 20, 30, 60], 5, "minutes");
  const wrong = pick("Wrong labels at most", [1, 2, 3, 5, 10], 3, "% wrong");
  const words = h("p", { role: "status" });
  const steps = h("ol", { class: "steps" });
  const ask = (body) => async () => show(await api.post("plan", body()));
  const element = h("section", { class: "plan", "aria-label": "Plan" },
    h("div", { class: "tools" }, h("span", {}, "I have"), minutes,
      h("button", { type: "button", "aria-label": "Plan for these minutes", onclick: ask(() => ({ minutes: Number(minutes.value) })) }, "Plan"),
      h("span", {}, "or until at most"), wrong,
      h("button", { type: "button", "aria-label": "Plan for this share of wrong labels", onclick: ask(() => ({ wrong: Number(wrong.value) / 100 })) }, "Plan")), words, steps);

  function show({ plan, standing }) {
    const now = plan ?? standing?.plan;
    words.textContent = plan?.text ?? standing?.text ?? "";
    words.hidden = words.textContent === "";
    const isDone = !plan && standing && standing.looked >= standing.plan.images;
    steps.replaceChildren(...(now && !isDone ? now.steps.map((one) => {
      const [href, text] = kinds[one.kind](one, first);
      return h("li", {}, h("a", { href }, text));
    }) : []));
  }

  return { element, async load(entries) { [first] = entries; show(await api.get("plan")); } };
}

export function queueView(app) {
  const advice = h("section", { class: "advice", "aria-label": "How things stand" });
  const plan = planSection();
  const second = h("p", { hidden: true });
  const entries = h("ol", { class: "cards", "aria-label": "Classes to verify next" });
  const all = h("ul", { class: "class-list" });
  const hidden = h("p", { class: "faint", role: "status" });
  const filter = h("input", { type: "search", placeholder: "Find a class", "aria-label": "Find a class", oninput: drawAll });
  const element = h("div", { class: "page" },
    h("h1", { tabIndex: -1 }, "What to verify next"), advice, plan.element, second, entries,
    h("section", { class: "all" }, h("header", {}, h("h2", {}, "All classes"), filter), all, hidden));

  function drawAdvice(outlook) {
    const measured = outlook.measured;
    advice.classList.toggle("enough", outlook.isEnough);
    advice.replaceChildren(
      h("div", { class: "words" },
        h("p", { class: "lead" }, outlook.advice),
        measured ? h("p", { class: "faint" },
          `On ${plural(measured.images, "random image")} you and the model disagree about ${measured.wrong} (${percent(measured.error)}; `
          + `95 % interval, whenever you stop: ${percent(measured.low)} to ${percent(measured.high)}). Some may be slips: look again.`) : null,
        outlook.kept ? h("p", { class: "faint" },
          `Of the ${outlook.kept.labels.toLocaleString("en")} labels that look right in ${plural(outlook.kept.classes, "verified class", "verified classes")}, at most `
          + `${percent(outlook.kept.upper)} are wrong, with 95 % confidence, whenever you stop (${outlook.kept.wrong} of ${outlook.kept.sample} random images).`) : null,
        outlook.expectedUnverified !== undefined ? h("p", { class: "faint" },
          `In classes that nobody has verified, the model probably misjudges ${percent(outlook.expectedUnverified)} of the labels.`) : null),
      outlook.history.length > 1 ? outlookChart(outlook) : "");
  }

  function card(entry) {
    const tally = app.classes.get(entry.label)?.tally;
    const done = tally ? tally.right + tally.wrong : entry.verified;
    const strip = h("div", { class: "strip", "aria-hidden": "true" });
    api.get(`classes/${entry.label}/references`).then(({ images }) => strip.replaceChildren(
      ...images.slice(0, 4).map((one) => h("img", { src: imageURL(one.image, 256), alt: "", loading: "lazy" })))).catch(() => {});
    return h("li", { class: "card" },
      strip,
      h("div", { class: "what" },
        h("h2", {}, entry.name, h("span", { class: `tag ${entry.reason}` }, reasons[entry.reason])),
        h("p", {}, `${entry.why[0].toUpperCase()}${entry.why.slice(1)}.`)),
      h("div", { class: "amount" },
        h("progress", { max: entry.target, value: done, "aria-label": `${done} of ${entry.target} verified` }),
        h("span", { class: "faint" }, `${done} of ${entry.target}`)),
      h("div", { class: "acts" },
        h("a", { class: "button primary", href: `#/class/${entry.label}` }, "Verify"),
        h("a", { class: "button quiet", href: `#/class/${entry.label}/one`, "aria-label": `Verify ${entry.name} one by one` }, "One by one")));
  }

  function drawAll() {
    const words = filter.value.trim().toLowerCase();
    const found = [...app.classes.values()].filter((one) => one.name.toLowerCase().includes(words));
    const shown = found.slice(0, 300);
    hidden.textContent = found.length > shown.length ? `${shown.length} of ${found.length.toLocaleString("en")} classes; type a part of the name to find others.` : "";
    all.replaceChildren(...shown.map((one) => {
      const verified = one.tally.right + one.tally.wrong;
      return h("li", {}, h("a", { href: `#/class/${one.label}` }, h("span", {}, one.name),
        h("span", { class: "faint" }, verified > 0 ? `${verified} of ${one.images.toLocaleString("en")}` : one.images.toLocaleString("en"))));
    }));
  }

  async function enter() {
    const reply = await api.get("queue");
    drawAdvice(reply.outlook);
    entries.replaceChildren(...reply.entries.map(card));
    if (reply.entries.length === 0) entries.replaceChildren(h("li", { class: "message" }, h("p", {}, "Every image is verified.")));
    drawAll();
    second.hidden = reply.shared === 0;
    second.replaceChildren(h("a", { class: "button", href: "#/mend" }, `${plural(reply.shared, "image")} for a second opinion`));
    await plan.load(reply.entries);
    element.querySelector("h1").focus();
  }

  return { element, enter, changed: drawAll, scored: enter };
}
