// Images on which reviewers disagree; whoever decides here settles it, without knowing who said what.

import * as api from "./api.js";
import { h, plural } from "./dom.js";
import { singleView } from "./single.js";

export function disputesView(app) {
  const voices = new Map();
  return singleView(app, {
    name: "disputes",
    async load(without) {
      const reply = await api.get("disputes");
      for (const one of reply.disputes) voices.set(one.item.image, one.voices);
      return { images: reply.disputes.map((one) => one.item).filter((one) => !without.includes(one.image)), left: reply.count };
    },
    facts: (item) => [h("p", { class: "opinions" }, `${plural(voices.get(item.image) ?? 2, "reviewer")} disagree. You decide.`)],
    empty: "No disagreements.",
  });
}
