// Progressive help: the pages work without it.
"use strict";

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}

for (const part of document.querySelectorAll("[data-refresh]")) {
  const refresh = async () => {
    if (!document.hidden) {
      const answer = await fetch(part.dataset.refresh).catch(() => null);
      if (answer && answer.ok) part.innerHTML = await answer.text();
    }
    if (!part.querySelector("[data-final]")) setTimeout(refresh, 2000);
  };
  if (!part.querySelector("[data-final]")) setTimeout(refresh, 2000);
}
