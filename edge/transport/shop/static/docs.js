// Shows openapi.json, with every operation to try. Nothing comes from outside.

import { el } from "./dom.js";

const main = document.getElementById("main");
let schemas = {};

const resolve = (schema) => (schema?.$ref ? schemas[schema.$ref.split("/").at(-1)] : schema) ?? {};

/** Descriptions are Markdown with code marks at most. */
const plain = (text) => (text ?? "").replaceAll("`", "");

/** "list of SessionStepIn", "string, at most 128", "one of a, b" */
function typeText(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.anyOf) return schema.anyOf.map(typeText).join(" or ");
  if (schema.enum) return `one of ${schema.enum.join(", ")}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${typeText(schema.items)}${schema.maxItems ? `, at most ${schema.maxItems}` : ""}`;
  const bounds = [
    schema.minimum !== undefined ? `from ${schema.minimum}` : "",
    schema.maximum !== undefined ? `to ${schema.maximum}` : "",
    schema.maxLength !== undefined ? `at most ${schema.maxLength} characters` : "",
  ].filter(Boolean);
  return [schema.format ?? schema.type ?? "any", ...bounds].join(", ");
}

function schemaTable(name, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  const schema = schemas[name];
  const rows = Object.entries(schema.properties ?? {}).map(([field, one]) => el("tr", {},
    el("th", {}, field, schema.required?.includes(field) ? " *" : ""), el("td", {}, typeText(one)),
    el("td", {}, one.description ?? (one.default !== undefined ? `default ${JSON.stringify(one.default)}` : ""))));
  const inner = Object.values(schema.properties ?? {}).flatMap(namesIn).flatMap((other) => schemaTable(other, seen));
  return [el("details", {}, el("summary", {}, name), el("p", { class: "about" }, schema.description ?? ""), el("table", {}, rows)), ...inner];
}

function namesIn(schema) {
  if (schema.$ref) return [schema.$ref.split("/").at(-1)];
  return [...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])].flatMap(namesIn);
}

function parameterInput(parameter) {
  const schema = resolve(parameter.schema);
  const example = schema.examples?.[0] ?? Object.values(parameter.examples ?? {})[0]?.value ?? parameter.example;
  const start = parameter.required ? example : "";
  const input = el("input", {
    name: parameter.name, value: start ?? "", placeholder: schema.default ? String(schema.default) : "",
    "data-in": parameter.in, required: parameter.required,
  });
  const about = [typeText(parameter.schema), plain(parameter.description ?? schema.description)].filter(Boolean).join(" · ");
  return el("label", {}, el("code", {}, parameter.name), input, el("small", {}, about));
}

function bodyInput(body) {
  const examples = Object.entries(body.content["application/json"].examples ?? {});
  const text = el("textarea", { name: "body", spellcheck: "false", "aria-label": "JSON body" });
  const show = (i) => { text.value = JSON.stringify(examples[i]?.[1].value ?? {}, null, 2); };
  const choice = el("select", { "aria-label": "Example", onchange: (event) => show(event.target.selectedIndex) },
    examples.map(([name, example]) => el("option", {}, example.summary ?? name)));
  show(0);
  return [choice, text];
}

/** Path with parameters in place, and the query string. */
function target(path, form) {
  const inputs = [...form.querySelectorAll("input[data-in]")];
  let filled = path;
  for (const input of inputs.filter((one) => one.dataset.in === "path")) {
    filled = filled.replace(`{${input.name}}`, encodeURIComponent(input.value));
  }
  const given = inputs.filter((one) => one.dataset.in === "query" && one.value !== "").map((one) => [one.name, one.value]);
  return filled + (given.length ? `?${new URLSearchParams(given)}` : "");
}

function curl(method, url, body) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = ["curl", method === "GET" ? "" : `-X ${method}`, quote(location.origin + url)];
  if (body !== undefined) parts.push("-H 'content-type: application/json'", `-d ${quote(body)}`);
  return parts.filter(Boolean).join(" ");
}

async function send(method, path, form, output) {
  const text = form.querySelector("textarea");
  let body = text?.value;
  if (text) {
    try {
      body = JSON.stringify(JSON.parse(text.value));
    } catch { /* sent as it stands: the answer says what is wrong with it */ }
  }
  const url = target(path, form);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const started = performance.now();
  try {
    const answer = await fetch(url, { method, headers, body });
    const took = Math.round(performance.now() - started);
    const raw = await answer.text();
    let shown = raw;
    try {
      shown = JSON.stringify(JSON.parse(raw), null, 2);
    } catch { /* not JSON: shown as it is */ }
    output.replaceChildren(el("pre", {}, curl(method, url, body)),
      el("p", {}, el("strong", {}, `${answer.status} ${answer.statusText}`), ` in ${took} ms`), el("pre", {}, shown));
  } catch (error) {
    output.replaceChildren(el("p", { class: "notice" }, `No answer: ${error.message}`));
  }
}

function operationNode(path, method, operation) {
  const output = el("div", { "aria-live": "polite" });
  const upper = method.toUpperCase();
  const form = el("form", { class: "inputs" }, (operation.parameters ?? []).map(parameterInput),
    operation.requestBody ? bodyInput(operation.requestBody) : [],
    el("div", {}, el("button", { type: "submit" }, "Send")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(upper, path, form, output);
  });
  const answers = Object.entries(operation.responses).map(([status, answer]) => el("tr", {},
    el("th", {}, status), el("td", {}, answer.description)));
  const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((one) => Object.values(one?.content ?? {}));
  const seen = new Set();
  const tables = contents.flatMap((content) => namesIn(content.schema ?? {})).flatMap((name) => schemaTable(name, seen));
  return el("details", { class: "operation", id: operation.operationId },
    el("summary", {}, el("span", { class: "method" }, upper), el("span", { class: "path" }, path), el("span", { class: "about" }, operation.summary ?? "")),
    el("div", {}, el("p", {}, plain(operation.description)), form, output, el("table", {}, answers), tables));
}

async function draw() {
  const document_ = await (await fetch("/openapi.json")).json();
  schemas = document_.components.schemas;
  const groups = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "Other";
      groups.set(tag, [...(groups.get(tag) ?? []), operationNode(path, method, operation)]);
    }
  }
  const about = document_.info.description.split("\n\n").map((text) => el("p", { class: "lead" }, plain(text)));
  main.replaceChildren(el("div", {}, el("h1", {}, document_.info.title), about),
    ...[...groups].flatMap(([tag, operations]) => [el("h2", {}, tag), ...operations]));
}

draw().catch((error) => main.replaceChildren(el("p", { class: "notice" }, `openapi.json could not be read: ${error.message}`)));
