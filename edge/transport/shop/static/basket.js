// The basket, in local storage: [{product_id, title, price, currency, quantity, image}].

import { announce } from "./announce.js";
import { track } from "./visitor.js";

const KEY = "recomesh.basket";

export const lines = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");
export const ids = () => lines().map((line) => line.product_id);
export const count = () => lines().reduce((sum, line) => sum + line.quantity, 0);
export const payNow = (card) => card.sale_price ?? card.price;

function keep(changed) {
  localStorage.setItem(KEY, JSON.stringify(changed));
  announce("basket", changed);
}

function money(line) {
  return line.price === null || line.price === undefined ? {} : { price: line.price, currency: line.currency };
}

/** `from` is {recommendation_id, position, placement} when the product came out of a list. */
export function add(card, image, from = {}) {
  const held = lines();
  const line = held.find((one) => one.product_id === card.product_id);
  if (line) line.quantity += 1;
  else {
    const { product_id, title, currency } = card;
    held.push({ product_id, title, currency, price: payNow(card), quantity: 1, image });
  }
  const priced = money({ price: payNow(card), currency: card.currency });
  track("add_to_cart", { product_id: card.product_id, quantity: 1, ...priced, ...from }, card.title);
  keep(held);
}

export function remove(productId) {
  const line = lines().find((one) => one.product_id === productId);
  if (!line) return;
  track("remove_from_cart", { product_id: productId, quantity: line.quantity }, line.title);
  keep(lines().filter((one) => one.product_id !== productId));
}

/** Buys everything: one purchase event per line of one order. */
export function checkout(orderId) {
  for (const line of lines()) {
    const bought = { product_id: line.product_id, quantity: line.quantity, order_id: orderId, ...money(line) };
    track("purchase", bought, line.title);
  }
  keep([]);
}
