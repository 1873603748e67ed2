// Images on which reviewers disagree; whoever decides here settles it.

import * as api from "./api.js";
import { h } from "./dom.js";
import { singleView } from "./single.js";

export function disputesView(app) {
  const opinions = new Map();
  return singleView(app, {
    name: "disputes",
    async load(without) {
      const reply = await api.get("disputes");
      for (const { item, opinions: said } of reply.disputes) opinions.set(item.image, said);
      return { images: reply.disputes.map((one) => one.item).filter((one) => !without.includes(one.image)), left: reply.count };
    },
    facts: (item) => [h("ul", { class: "opinions" }, (opinions.get(item.image) ?? []).map((one) =>
      h("li", { class: one.isRight ? "yes" : "no" }, h("strong", {}, one.person), one.isRight ? " says right" : " says wrong")))],
    empty: "Nobody disagrees.",
  });
}
