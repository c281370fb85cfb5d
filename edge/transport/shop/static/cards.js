// Product cards and lists of them, with the reason for each and the events they cause.

import * as basket from "./basket.js";
import { el, money, say } from "./dom.js";
import { steps, track } from "./visitor.js";

const titles = new Map(steps().map((step) => [step.product_id, step.title]));
/** Reason → words with what it names, and words without. */
const REASONS = {
  similar_to: ["Similar to", "Similar"], bought_with: ["Bought with", "Bought together"],
  viewed_with: ["Viewed with", "Viewed together"], session_after: ["Often next after", "Fits your visit"],
  fits_history: ["Fits your interest in", "Fits your history"], fits_taste: ["Fits your taste for", "Fits your taste"],
  popular_in: ["Popular in", "Popular"], trending_in: ["Trending in", "Trending"], new_in: ["New in", "New"],
  pinned_by: [null, "Chosen by the shop"], boosted_by: [null, "Promoted by the shop"],
  matches_query: [null, "Matches your words"],
};

/** Remembers titles, so that a reason can name the product it speaks of. */
export const learn = (card) => titles.set(card.product_id, card.title);

export function imageOf(card) {
  const drawn = `/shop/images/${encodeURIComponent(card.product_id)}.svg`;
  const own = /^https?:\/\//.test(card.image_url ?? "");
  const image = el("img", { src: own ? card.image_url : drawn, alt: "", loading: "lazy", width: 400, height: 400 });
  if (own) image.addEventListener("error", () => { image.src = drawn; }, { once: true });
  return image;
}

export function priceOf(card) {
  if (card.price === null || card.price === undefined) return el("p", { class: "price" }, "Price on request");
  const before = card.sale_price !== undefined ? el("s", {}, money(card.price, card.currency)) : null;
  return el("p", { class: "price" }, before, money(card.sale_price ?? card.price, card.currency));
}

/** "similar_to:85123A" → "Similar to White Heart T-Light Holder" */
export function reasonText(reason) {
  const [kind, ...rest] = reason.split(":");
  const what = rest.join(":");
  const [named, alone] = REASONS[kind] ?? [kind.replaceAll("_", " "), kind.replaceAll("_", " ")];
  return what && named ? `${named} ${titles.get(what) ?? what}` : alone;
}

function availability(card) {
  if (card.availability === "in_stock") return null;
  return el("span", { class: "badge sold" }, card.availability.replaceAll("_", " "));
}

/** One card. `from` says which answer and position it came from. */
function cardItem(card, item, from) {
  learn(card);
  const why = item
    ? el("p", { class: "why" }, el("span", { class: "badge", title: "source" }, item.source.replaceAll("_", " ")),
        item.reasons.length ? reasonText(item.reasons[0]) : "")
    : el("p", { class: "why" }, card.brand);
  const select = () => track("select_item", { product_id: card.product_id, ...from }, card.title);
  const add = () => {
    basket.add(card, card.image_url, from);
    say(`${card.title} is in your basket`);
  };
  const link = el("a", { href: `#/product/${encodeURIComponent(card.product_id)}`, onclick: select },
    imageOf(card), el("div", { class: "card-body" }, el("h3", {}, card.title), priceOf(card)));
  const button = el("button", { type: "button", onclick: add, disabled: card.availability === "out_of_stock" },
    "Add", el("span", { class: "hidden" }, ` ${card.title} to the basket`));
  return el("li", {}, el("article", { class: "card", "data-product": card.product_id }, link,
    availability(card), why, button));
}

/** A list of plain products. */
export function productGrid(cards) {
  return el("ul", { class: "cards" }, cards.map((card) => cardItem(card, null, {})));
}

/** The items of a recommendation, as a row or a grid; tells the mesh what was shown. */
export function recommendedList(answer, placement, { row = true } = {}) {
  const shown = answer.items.filter((item) => item.product);
  shown.forEach((item) => learn(item.product));
  const items = shown.map((item) => {
    const from = { recommendation_id: answer.recommendation_id, position: item.position, placement };
    return cardItem(item.product, item, from);
  });
  const list = el("ul", { class: row ? "cards row" : "cards" }, items);
  watchImpressions(list, shown, answer, placement);
  return list;
}

/** Sends one impression per product once it was really on the screen; they leave in one batch. */
function watchImpressions(list, shown, answer, placement) {
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      watcher.unobserve(entry.target);
      const item = shown[[...list.children].indexOf(entry.target)];
      const { recommendation_id } = answer;
      track("impression", { product_id: item.product_id, recommendation_id, position: item.position, placement });
    }
  }, { threshold: 0.5 });
  [...list.children].forEach((child) => watcher.observe(child));
}

/** A titled list that fills itself; it disappears when there is nothing to show. */
export function section(title, about, load, { placement, row = true } = {}) {
  const body = el("div", { "aria-busy": "true" });
  const node = el("section", { "data-list": placement },
    el("div", { class: "row-head" }, el("h2", {}, title), about ? el("p", {}, about) : null), body);
  load().then((answer) => {
    if (!answer.items.some((item) => item.product)) return node.remove();
    if (answer.degraded) node.querySelector(".row-head").append(el("p", {}, "· from memory, a part of the mesh is away"));
    return body.replaceChildren(recommendedList(answer, placement, { row }));
  }).catch((error) => {
    body.replaceChildren(el("p", { class: "notice" }, `No recommendations now: ${error.message}`));
  }).finally(() => body.removeAttribute("aria-busy"));
  return node;
}
