// Progressive help: the pages work without it.
"use strict";

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}

for (const area of document.querySelectorAll("textarea[data-check]")) {
  const verdict = document.getElementById("verdict");
  let timer = 0;
  let latest = 0;
  const check = async () => {
    const turn = ++latest;
    if (!area.value.trim()) { verdict.textContent = ""; return; }
    const answer = await fetch(`${area.dataset.check}?filter=${encodeURIComponent(area.value)}`).then((r) => r.json());
    if (turn !== latest) return;
    verdict.textContent = answer.ok ? `Matches ${answer.matches} of the first 5,000 visitors.` : answer.error;
    verdict.className = answer.ok ? "ok" : "error";
  };
  area.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, 250); });
  if (area.value && !verdict.textContent) check();
}
