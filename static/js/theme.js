// Applies the reader's remembered choice of light or dark before the first paint.
"use strict";

try {
  const choice = localStorage.getItem("theme");
  if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
} catch {
  // Storage is off: the page follows the system.
}
