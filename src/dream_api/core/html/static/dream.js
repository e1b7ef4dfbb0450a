// What scripts add to pages that work without them: copying, revealing, and numbers that move.
"use strict";

const showCopying = (page) => {
  for (const button of page.querySelectorAll("[data-copy]")) button.hidden = false;
};
showCopying(document);
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || button.textContent === "Copied") return;
  const label = button.textContent;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
});

// An element with data-live="seconds" is fetched again with its page, and put in place where it changed.
const live = document.querySelectorAll("[data-live]");
const refresh = async () => {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  showCopying(page);
  for (const old of document.querySelectorAll("[data-live][id]")) {
    const fresh = page.getElementById(old.id);
    if (fresh && fresh.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) {
      old.replaceChildren(...fresh.childNodes);
      old.classList.remove("pulse");
      void old.offsetWidth;
      old.classList.add("pulse");
    }
  }
};
if (live.length) {
  const seconds = Math.max(2, ...[...live].map((one) => Number(one.dataset.live) || 5));
  setInterval(() => { refresh().catch(() => {}); }, seconds * 1000);
}

// Where the navigation is a row that scrolls, the page one is on is in sight.
const row = document.querySelector(".side nav");
const here = row && row.querySelector("[aria-current]");
if (here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;

// The list of projects closes when one goes elsewhere.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.switch[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.switch[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
