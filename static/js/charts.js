// Charts that can be explored: the programs for it are fetched only when somebody asks.
// Without scripts the drawing of the server stands, with its table.
(() => {
  "use strict";

  const loaded = new Map();

  const load = (address) => {
    if (!loaded.has(address)) {
      loaded.set(address, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = address;
        script.onload = resolve;
        script.onerror = () => reject(new Error(address));
        document.head.append(script);
      }));
    }
    return loaded.get(address);
  };

  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };

  // What a mark says, in words below the chart instead of a box above it.
  const teller = (said) => (_handler, _event, _item, value) => {
    said.textContent = value
      ? Object.entries(value).map(([name, words]) => `${name}: ${words}`).join(", ")
      : "";
  };

  const explore = async (figure) => {
    const { chart, vega, vegaLite, vegaEmbed } = figure.dataset;
    await load(vega);
    await load(vegaLite);
    await load(vegaEmbed);
    const answer = await fetch(isDark() ? `${chart}?theme=dark` : chart);
    if (!answer.ok) throw new Error(String(answer.status));
    const frame = figure.querySelector(".drawn-chart-frame");
    const place = document.createElement("div");
    place.className = "explored-chart";
    await globalThis.vegaEmbed(place, await answer.json(), {
      actions: false,
      ast: true, // The page's policy lets nothing compile text into code.
      defaultStyle: false,
      renderer: "canvas",
      tooltip: teller(figure.querySelector("[data-chart-said]")),
    });
    frame.replaceChildren(place);
  };

  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-quiet button-small";
    button.textContent = figure.dataset.explore;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await explore(figure);
        button.remove();
      } catch {
        figure.querySelector("[data-chart-said]").textContent = figure.dataset.failed;
      }
    });
    figure.append(button);
  }
})();
