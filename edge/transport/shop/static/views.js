// The pages of the shop. Each returns a title and the nodes of the main area.

import * as api from "./api.js";
import * as basket from "./basket.js";
import { imageOf, learn, priceOf, productGrid, section } from "./cards.js";
import { el, money, say } from "./dom.js";
import { flush, randomId, track, visitorId } from "./visitor.js";

const PAGE = 24;
const heading = (text, lead) => el("div", {}, el("h1", { tabindex: "-1" }, text), lead ? el("p", { class: "lead" }, lead) : null);
const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

export function home() {
  const personal = { placement: "home", visitor_id: visitorId(), limit: 12 };
  return {
    title: "Recomesh demo shop",
    nodes: [
      heading("What fits you, from your very first click", "Open a few products: the first row follows you."),
      section("For you", "changes with every click", () => api.recommend(personal), { placement: "home" }),
      section("Popular", "over the last weeks", () => api.leaderboard("popular", { limit: 12 }), { placement: "popular" }),
      section("Trending", "rising now", () => api.leaderboard("trending", { limit: 12 }), { placement: "trending" }),
      section("New", "just arrived", () => api.leaderboard("new", { limit: 12 }), { placement: "new" }),
      assortment("All products", {}),
    ],
  };
}

export function category(path) {
  const popular = () => api.leaderboard("popular", { category: path, limit: 12 });
  return {
    title: path,
    nodes: [
      heading(path.split(" > ").at(-1), path),
      section("Most wanted here", "", popular, { placement: "category" }),
      assortment("All in this category", { filter: `category:${quoted(path)}` }),
    ],
  };
}

export async function search(text) {
  track("search", { query: text }, text);
  const found = await api.search(text, 40);
  const lead = found.products.length ? `${found.products.length} products, by words and by meaning` : "";
  return {
    title: `Search: ${text}`,
    nodes: [
      heading(`“${text}”`, lead),
      found.products.length ? productGrid(found.products) : el("p", { class: "empty" }, "Nothing found. Try another word."),
    ],
  };
}

export async function product(productId) {
  const card = await api.product(productId);
  learn(card);
  track("view_item", { product_id: productId }, card.title);
  await flush(); // the rows below should know of this view
  const viewed = { visitor_id: visitorId(), context: { product_id: productId }, placement: "viewed", limit: 12 };
  return {
    title: card.title,
    nodes: [
      details(card),
      section("Similar", "", () => api.similar(productId, 12), { placement: "similar" }),
      section("Bought together", "", () => api.boughtTogether(productId, 12), { placement: "bought" }),
      section("Because you viewed this", "from your session", () => api.recommend(viewed), { placement: "viewed" }),
    ],
  };
}

function details(card) {
  const add = () => {
    basket.add(card, card.image_url);
    say(`${card.title} is in your basket`);
  };
  const facts = [["Brand", card.brand], ...Object.entries(card.attributes), ["Tags", card.tags.join(", ")]];
  const rows = facts.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]);
  const path = card.categories[0] ?? "";
  const sold = card.availability === "out_of_stock";
  return el("article", { class: "product" }, imageOf(card), el("div", {},
    path ? el("p", { class: "crumbs" }, el("a", { href: `#/category/${encodeURIComponent(path)}` }, path)) : null,
    el("h1", { tabindex: "-1" }, card.title),
    priceOf(card),
    card.availability === "in_stock" ? null : el("span", { class: "badge sold" }, card.availability.replaceAll("_", " ")),
    el("p", {}, card.description),
    el("dl", { class: "facts" }, rows),
    el("button", { type: "button", onclick: add, disabled: sold, id: "add" }, sold ? "Sold out" : "Add to basket")));
}

export function basketPage() {
  const lines = basket.lines();
  if (!lines.length) {
    return { title: "Basket", nodes: [heading("Your basket is empty"), el("p", {}, el("a", { class: "button", href: "#/" }, "To the shop"))] };
  }
  const question = { strategy: "bought_together", context: { basket: basket.ids() }, placement: "basket", limit: 12 };
  const total = lines.reduce((sum, line) => sum + (line.price ?? 0) * line.quantity, 0);
  const buy = async () => {
    const order = `order-${randomId()}`;
    basket.checkout(order);
    await flush();
    say("Thank you. The order was sent as purchase events.");
    location.hash = "#/";
  };
  return {
    title: "Basket",
    nodes: [
      heading("Your basket"),
      el("div", {}, el("ul", { class: "lines" }, lines.map(basketLine)),
        el("div", { class: "total" }, el("strong", {}, `Total ${money(total, lines[0].currency)}`),
          el("button", { type: "button", onclick: buy, id: "checkout" }, "Check out"))),
      section("Goes well with your basket", "", () => api.recommend(question), { placement: "basket" }),
    ],
  };
}

function basketLine(line) {
  const card = { product_id: line.product_id, image_url: line.image };
  return el("li", {}, imageOf(card),
    el("div", { class: "grow" }, el("a", { href: `#/product/${encodeURIComponent(line.product_id)}` }, line.title),
      el("div", { class: "verdict" }, `${line.quantity} × ${money(line.price, line.currency)}`)),
    el("button", { type: "button", class: "quiet", onclick: () => basket.remove(line.product_id) },
      "Remove", el("span", { class: "hidden" }, ` ${line.title}`)));
}

/** The catalog itself, page by page. */
function assortment(title, parameters) {
  const grid = el("div", {});
  const more = el("button", { type: "button", class: "more quiet", onclick: () => load() }, "Show more");
  const node = el("section", {}, el("div", { class: "row-head" }, el("h2", {}, title)), grid, more);
  let token = "";
  const load = async () => {
    more.disabled = true;
    try {
      const page = await api.products({ ...parameters, page_size: PAGE, page_token: token });
      const added = productGrid(page.products);
      if (grid.firstChild) grid.firstChild.append(...added.children);
      else grid.append(page.products.length ? added : el("p", { class: "empty" }, "No products yet."));
      token = page.next_page_token;
      more.hidden = !token;
    } catch (error) {
      say(`The catalog does not answer: ${error.message}`);
    }
    more.disabled = false;
  };
  load();
  return node;
}
