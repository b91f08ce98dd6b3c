// What pages gain from JavaScript; each works without it. Nothing here evaluates or injects code.
"use strict";

const once = (element, name) => {
  const fresh = !element.dataset[name];
  element.dataset[name] = "1";
  return fresh;
};

// What is said stands in the page, in its language; an error page without it is English.
const say = (name, english) => document.getElementById("script-words")?.dataset[name] ?? english;

// -- Light and dark --------------------------------------------------------------------------

function showTheme(choice) {
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
  }
}

function chooseTheme(choice) {
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  try {
    if (choice === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", choice);
  } catch {
    // Storage is off: the choice holds for this page only.
  }
  showTheme(choice);
}

// -- Times -----------------------------------------------------------------------------------

const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
  [Infinity, 86400, ""],
];

// The same words as the `ago` filter on the server.
function ago(seconds) {
  const [, size, unit] = STEPS.find(([limit]) => Math.abs(seconds) < limit);
  const count = seconds < 0 ? Math.round(-seconds / size) : Math.floor(seconds / size);
  const days = count === 1 ? say("day", "# day") : say("days", "# days");
  const figure = count.toLocaleString(document.documentElement.lang || "en");
  const amount = unit ? `${figure} ${unit}` : days.replace("#", figure);
  return (seconds < 0 ? say("ahead", "in #") : say("ago", "# ago")).replace("#", amount);
}

function refreshAgo() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}

// A page names the body's zone; the reader's own time is one hover away.
function addLocalTimes(root) {
  const local = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { dateStyle: "full", timeStyle: "long" });
  for (const time of root.querySelectorAll("time[datetime*='T']")) {
    if (!time.title) time.title = `${local.format(new Date(time.dateTime))} (${say("yourTime", "your time")})`;
  }
}

// -- Tables ----------------------------------------------------------------------------------

// On a phone these tables are laid out as blocks, which makes some readers forget that they are
// tables; the roles say it again.
function keepTableRoles(root) {
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
  for (const table of root.querySelectorAll("table.table-stacked")) {
    for (const part of [table, ...table.querySelectorAll("thead, tbody, tr, td, th")]) {
      const heading = part.closest("thead") ? "columnheader" : "rowheader";
      part.setAttribute("role", roles[part.tagName] ?? heading);
    }
  }
}

// -- Copy ------------------------------------------------------------------------------------

function addCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const holder of root.querySelectorAll("[data-copy]:not(template)")) {
    if (!once(holder, "copyReady")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-quiet button-small copy";
    button.textContent = say("wordCopy", "Copy");
    button.setAttribute("aria-label", holder.dataset.copyLabel || say("wordCopy", "Copy"));
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(holder.dataset.copy || holder.textContent.trim());
      button.textContent = say("wordCopied", "Copied");
      announce(`${say("wordCopied", "Copied")}.`);
      setTimeout(() => (button.textContent = say("wordCopy", "Copy")), 2000);
    });
    holder.after(button);
  }
}

// -- Swaps: say what changed and go there ----------------------------------------------------

function announce(text, { shown = false } = {}) {
  const region = document.getElementById("status");
  if (!region) return;
  region.classList.toggle("is-shown", shown);
  region.classList.toggle("visually-hidden", !shown);
  region.textContent = text;
}

// Only an act of the reader moves focus; a part that refreshes itself stays quiet.
function followSwap(event) {
  const part = event.detail.elt;
  // What is only renewed beside the part that was asked for.
  if (part.matches("[data-beside]")) return;
  const spoken = part.matches("[data-announce]") ? part : part.querySelector("[data-announce]");
  if (spoken && spoken.dataset.announce !== followSwap.last) {
    followSwap.last = spoken.dataset.announce;
    announce(spoken.dataset.announce);
  }
  const cause = event.detail.requestConfig?.triggeringEvent?.type;
  if (cause !== "submit" && cause !== "click") return;
  const goals = [".error-summary", "[data-focus]", "h1, h2, h3"];
  const goal = goals.map((name) => part.querySelector(name)).find((found) => found);
  if (!goal) return;
  // A heading can take the focus only so; a button must stay on the way of the Tab key.
  if (goal.tabIndex < 0) goal.tabIndex = -1;
  goal.focus();
}

// A refusal may answer with its part (swap it) or with a whole page (say what it says instead).
function judgeAnswer(event) {
  const { xhr } = event.detail;
  if (xhr.status < 400) return;
  const whole = /^\s*<!doctype/i.test(xhr.responseText);
  const isPart = !whole && /html/.test(xhr.getResponseHeader("Content-Type") || "");
  event.detail.shouldSwap = isPart && xhr.responseText.trim() !== "";
  if (event.detail.shouldSwap) {
    event.detail.isError = false;
    return;
  }
  const page = new DOMParser().parseFromString(whole ? xhr.responseText : "", "text/html");
  const words = [...page.querySelectorAll("main h1, main .lede")].map((e) => e.textContent.trim());
  announce(words.join(" ") || say("answered", "The server answered #. Nothing was changed.").replace("#", xhr.status), { shown: true });
}

function dismiss() {
  if (document.querySelector("#status.is-shown")) announce("");
}

function addToken(event) {
  const token = document.querySelector("meta[name='csrf-token']");
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
}

// -- Start -----------------------------------------------------------------------------------

function enhance(root) {
  addLocalTimes(root);
  addCopyButtons(root);
  keepTableRoles(root);
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const escaped = event.key === "Escape";
    if (escaped || (event.type === "click" && !menu.contains(event.target))) {
      menu.open = false;
      if (escaped && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const choices = document.querySelector(".theme-choice");
  if (choices) {
    choices.hidden = false;
    choices.addEventListener("click", (event) => {
      const choice = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
      if (choice) chooseTheme(choice);
    });
    showTheme(document.documentElement.dataset.theme || "system");
  }
  enhance(document);
  refreshAgo();
  setInterval(refreshAgo, 10_000);
  document.querySelector("main .error-summary:not([data-specimen] *)")?.focus();
});
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
document.addEventListener("keydown", (event) => event.key === "Escape" && dismiss());
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("main details:not([open])")) part.open = true;
});
document.addEventListener("htmx:configRequest", addToken);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.triggeringEvent) dismiss();
});
document.addEventListener("htmx:beforeSwap", judgeAnswer);
document.addEventListener("htmx:afterSettle", followSwap);
document.addEventListener("htmx:load", (event) => enhance(event.detail.elt.parentElement || document));
document.addEventListener("htmx:sendError", () => {
  announce(say("unreachable", "The server could not be reached. Nothing was changed; please try again."), { shown: true });
});
// A passkey or security key that was refused, timed out or is not known here.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  announce(say("key", "The key could not be used. Nothing was changed; please try again or choose another way."), { shown: true });
});
