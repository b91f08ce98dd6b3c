// A remark on selected words: the paragraph's link then leads to them. Without it, or without a
// selection, the link leads to the paragraph, whose page offers its sentences.
"use strict";

const LONGEST = 600;

// The words selected inside one paragraph, as one line; nothing when they reach beyond it.
function selectedIn(passage) {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || !selection.rangeCount) return "";
  const range = selection.getRangeAt(0);
  if (!passage.contains(range.startContainer) || !passage.contains(range.endContainer)) return "";
  const words = selection.toString().trim().replace(/\s+/g, " ");
  return words.length <= LONGEST ? words : "";
}

function followSelection() {
  const said = document.getElementById("words")?.dataset.selected ?? "Remark on the selected words in this";
  for (const link of document.querySelectorAll("[data-passage-link]")) {
    const words = selectedIn(link.closest("[data-passage]"));
    const address = new URL(link.href);
    if (words) address.searchParams.set("quote", words);
    else address.searchParams.delete("quote");
    if (link.href === address.href) continue;
    link.href = address.href;
    link.dataset.words ??= link.firstChild.textContent;
    link.firstChild.textContent = words ? said : link.dataset.words;
  }
}

document.addEventListener("selectionchange", followSelection);
