// The visitor: a random id in this browser's local storage (no cookie), and what was sent about them.

import { announce } from "./announce.js";
import * as api from "./api.js";

const ID = "recomesh.visitor";
const STEPS = "recomesh.steps";
const KEPT_STEPS = 30;
const SEND_AFTER_MS = 250;

/** 32 random hexadecimal digits; works without a secure context too. */
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export function visitorId() {
  let held = localStorage.getItem(ID);
  if (!held) {
    held = `v-${randomId()}`;
    localStorage.setItem(ID, held);
  }
  return held;
}

/** What was sent, newest first: {type, product_id, title, query, verdict}. Impressions are not kept. */
export const steps = () => JSON.parse(localStorage.getItem(STEPS) ?? "[]");

let waiting = [];
let timer;
let sending = Promise.resolve();

/** Puts an event on the way; `title` is for the panel only. */
export function track(type, fields = {}, title = "") {
  const event = { event_id: randomId(), type, visitor_id: visitorId(), at: new Date().toISOString(), ...fields };
  waiting.push({ event, title });
  clearTimeout(timer);
  timer = setTimeout(flush, SEND_AFTER_MS);
}

/** Sends what waits; resolves when the mesh has it, so that the next answer knows. */
export function flush(keepalive = false) {
  clearTimeout(timer);
  const batch = waiting.splice(0, 1000);
  if (batch.length) sending = sending.then(() => send(batch, keepalive === true));
  return sending;
}

async function send(batch, keepalive) {
  let verdicts;
  try {
    verdicts = await api.events(batch.map((one) => one.event), keepalive);
  } catch {
    verdicts = batch.map(() => ({ verdict: "not sent" }));
  }
  const shown = batch
    .map(({ event, title }, i) => ({ ...event, title, verdict: verdicts[i].verdict }))
    .filter((step) => step.type !== "impression" && step.visitor_id === visitorId());
  localStorage.setItem(STEPS, JSON.stringify([...shown.reverse(), ...steps()].slice(0, KEPT_STEPS)));
  announce("events", batch.length);
}

/** Asks the mesh to forget this visitor, then becomes a new one. Returns the receipt. */
export async function forgetMe() {
  await flush();
  const receipt = await api.forget(visitorId());
  localStorage.removeItem(ID);
  localStorage.removeItem(STEPS);
  announce("visitor", visitorId());
  return receipt;
}

addEventListener("pagehide", () => flush(true));
