// "What the mesh knows about you": the id, what was sent, stated preferences, and the way to be forgotten.

import { listen } from "./announce.js";
import * as api from "./api.js";
import { el, say } from "./dom.js";
import { forgetMe, steps, visitorId } from "./visitor.js";

const panel = document.getElementById("panel");
const button = document.getElementById("panel-button");
const title = document.getElementById("panel-title");
const body = document.getElementById("panel-body");
let answer = null;
let receipt = null;

const VERBS = {
  view_item: "Viewed", select_item: "Clicked", add_to_cart: "Put into the basket", remove_from_cart: "Took out",
  purchase: "Bought", search: "Searched",
};

function stepsList() {
  const sent = steps();
  if (!sent.length) return el("p", { class: "empty" }, "Nothing yet. Open a product.");
  return el("ol", { id: "steps" }, sent.map((step) => el("li", {},
    `${VERBS[step.type] ?? step.type} ${step.title || step.product_id || step.query} `,
    el("span", { class: "verdict" }, step.verdict))));
}

function preferencesList(held) {
  const said = [
    ["Likes", [...held.categories, ...held.brands].join(", ")],
    ["Never shows", held.excluded_categories.join(", ")],
    ["Segments", held.segments.join(", ")],
  ].filter(([, value]) => value);
  const box = el("input", { type: "checkbox", id: "opt-out", checked: held.opted_out, onchange: optOut });
  return el("div", {},
    said.length ? el("ul", {}, said.map(([name, value]) => el("li", {}, `${name}: ${value}`))) : el("p", { class: "empty" }, "No stated preferences."),
    el("label", {}, box, " Recommend without looking at what I do"));
}

async function optOut(event) {
  try {
    await api.changeProfile(visitorId(), { opted_out: event.target.checked });
    say(event.target.checked ? "Answers no longer depend on you" : "Answers may follow you again");
  } catch (error) {
    say(`Not changed: ${error.message}`);
  }
}

async function forget() {
  try {
    receipt = await forgetMe();
    say("Forgotten. You are a new visitor now.");
  } catch (error) {
    say(`Not forgotten: ${error.message}`);
  }
  await draw();
  title.focus();
}

function lastAnswer() {
  if (!answer) return el("p", { class: "empty" }, "None yet.");
  const facts = [
    `model ${answer.model_version || "none trained yet"}`,
    `rules ${answer.rules_version}`,
    `fallback level ${answer.fallback_level}`,
    answer.degraded ? "degraded" : "not degraded",
  ];
  return el("p", {}, facts.join(" · "), el("br"), el("code", {}, answer.recommendation_id));
}

function receiptText() {
  const parts = receipt.parts.map((part) => el("li", {}, `${part.store}: ${part.count} ${part.what} ${part.state}`));
  return el("div", { id: "receipt" }, el("h3", {}, "Receipt of the erasure"), el("code", {}, receipt.receipt_id), el("ul", {}, parts));
}

async function draw() {
  if (panel.hidden) return;
  let preferences;
  try {
    preferences = preferencesList(await api.profile(visitorId()));
  } catch (error) {
    preferences = el("p", { class: "notice" }, `The profiles do not answer: ${error.message}`);
  }
  body.replaceChildren(
    el("p", {}, "You are ", el("code", { id: "visitor" }, visitorId()), ", a random id in this browser."),
    receipt ? receiptText() : "",
    el("h3", {}, "What you did, newest first"), stepsList(),
    el("h3", {}, "What you said"), preferences,
    el("h3", {}, "The last answer"), lastAnswer(),
    el("div", { class: "actions" }, el("button", { type: "button", id: "forget", onclick: forget }, "Forget me")),
  );
}

function toggle(open) {
  panel.hidden = !open;
  button.setAttribute("aria-expanded", String(open));
  if (open) draw().then(() => title.focus());
  else button.focus();
}

/** Wires the panel to the page. */
export function installPanel() {
  button.addEventListener("click", () => toggle(panel.hidden));
  document.getElementById("panel-close").addEventListener("click", () => toggle(false));
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") toggle(false); });
  listen("answer", (detail) => { answer = detail; });
  listen("events", draw);
}
