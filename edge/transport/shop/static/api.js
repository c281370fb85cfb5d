// The public API of Recomesh. The shop calls nothing else.

import { announce } from "./announce.js";

/** JSON of an answer. Throws an Error with the problem's detail. */
async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.detail ?? `status ${answer.status}`);
  if (value.recommendation_id !== undefined) announce("answer", value);
  return value;
}

const id = encodeURIComponent;
const query = (parameters) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
};

export const product = (productId) => call("GET", `/v1/products/${id(productId)}`);
export const products = (parameters) => call("GET", `/v1/products${query(parameters)}`);
export const categories = () => call("GET", "/v1/categories");
export const search = (q, limit) => call("GET", `/v1/search${query({ q, limit })}`);
export const similar = (productId, limit) => call("GET", `/v1/products/${id(productId)}/similar${query({ limit })}`);
export const boughtTogether = (productId, limit) =>
  call("GET", `/v1/products/${id(productId)}/bought-together${query({ limit })}`);
export const leaderboard = (name, parameters) => call("GET", `/v1/${name}${query(parameters)}`);
export const recommend = (question) => call("POST", "/v1/recommendations", question);
export const profile = (visitorId) => call("GET", `/v1/profiles/${id(visitorId)}`);
export const changeProfile = (visitorId, change) => call("PATCH", `/v1/profiles/${id(visitorId)}`, change);
export const forget = (visitorId) => call("DELETE", `/v1/profiles/${id(visitorId)}`);
export const freshness = () => call("GET", "/v1/freshness");

/** Sends events; `keepalive` lets them outlive the page. */
export async function events(list, keepalive = false) {
  const answer = await fetch("/v1/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ events: list }),
    keepalive,
  });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.detail ?? `status ${answer.status}`);
  return value.verdicts;
}
