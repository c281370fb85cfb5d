// The demo shop: routes by hash, draws the page, keeps the header true.

import { listen } from "./announce.js";
import * as api from "./api.js";
import * as basket from "./basket.js";
import { el, say } from "./dom.js";
import { installPanel } from "./panel.js";
import * as views from "./views.js";
import { flush } from "./visitor.js";

const main = document.getElementById("main");
let drawing = 0;

function viewOf(hash) {
  const [, name = "", rest = ""] = /^#\/([^/]*)\/?(.*)$/.exec(hash) ?? [];
  const what = decodeURIComponent(rest);
  if (name === "product" && what) return () => views.product(what);
  if (name === "category" && what) return () => views.category(what);
  if (name === "search" && what) return () => views.search(what);
  if (name === "basket") return () => views.basketPage();
  return () => views.home();
}

async function draw({ focus = true } = {}) {
  const turn = ++drawing;
  await flush(); // answers should know the click that led here
  let view;
  try {
    view = await viewOf(location.hash)();
  } catch (error) {
    view = { title: "Not here", nodes: [el("h1", { tabindex: "-1" }, "This page is not here"), el("p", { class: "notice" }, error.message)] };
  }
  if (turn !== drawing) return; // a later click won
  document.title = view.title;
  main.replaceChildren(...view.nodes);
  markCategory();
  scrollTo(0, 0);
  if (focus) main.querySelector("h1")?.focus();
}

function markCategory() {
  for (const link of document.querySelectorAll("#categories a")) {
    if (link.getAttribute("href") === location.hash) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function drawCategories() {
  try {
    const all = (await api.categories()).categories;
    const top = all.filter((one) => !one.path.includes(" > ") && one.product_count);
    document.getElementById("categories").replaceChildren(...top.map((one) =>
      el("a", { href: `#/category/${encodeURIComponent(one.path)}` }, `${one.path} `, el("small", {}, String(one.product_count)))));
    markCategory();
  } catch (error) {
    say(`The categories do not answer: ${error.message}`);
  }
}

function drawCount() {
  document.getElementById("basket-count").textContent = String(basket.count());
  if (location.hash === "#/basket") draw({ focus: false });
}

document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = document.getElementById("query").value.trim();
  if (text) location.hash = `#/search/${encodeURIComponent(text)}`;
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash is the route
  main.focus();
});
addEventListener("hashchange", () => draw());
listen("basket", drawCount);
listen("visitor", () => {
  history.pushState(null, "", "#/"); // what the former visitor looked at is nobody's business now
  draw({ focus: false });
});
installPanel();
drawCategories();
drawCount();
if (location.hash !== "#/basket") draw({ focus: false });
