// Puts the check of verify-inclusion.js on an act's page: a button, a list of steps, a verdict.
import { filled, verifyAct } from "./verify-inclusion.js";

// The page's own words for what the check says in English.
const words = JSON.parse(document.getElementById("check-words")?.textContent ?? "{}");
const say = (text, values = {}) => filled(words[text] ?? text, values);

const memory = (() => {
  try {
    localStorage.setItem("can keep", "1");
    localStorage.removeItem("can keep");
    return localStorage;
  } catch {
    // Without storage each visit is a first one.
    const kept = new Map();
    return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  }
})();

const chip = (template, holds) => {
  const found = template.content.querySelector(`[data-tone="${holds ? "good" : "bad"}"]`);
  return found.firstElementChild.cloneNode(true);
};

for (const box of document.querySelectorAll("[data-verify]")) {
  const [button, list, verdict, chips] = ["button", "ol", "[role=status]", "template"].map((part) => box.querySelector(part));
  box.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    list.replaceChildren();
    verdict.textContent = say("Checking in this browser …");
    const show = (title, holds, why, values) => {
      const item = document.createElement("li");
      const said = document.createElement("div");
      const [strong, p] = [document.createElement("strong"), document.createElement("p")];
      strong.textContent = say(title);
      p.textContent = say(why, values);
      p.className = "muted";
      said.append(strong, p);
      item.append(chip(chips, holds), said);
      list.append(item);
    };
    const holds = await verifyAct(
      {
        log: box.dataset.log,
        leafAddress: box.dataset.leaf,
        receiptText: document.querySelector(box.dataset.receipt).textContent,
        memory,
      },
      show,
    );
    verdict.textContent = holds
      ? say("Verified in your browser: the act is on the record under a signed root.")
      : say("Not verified: the step marked above does not hold.");
    button.disabled = false;
  });
}
