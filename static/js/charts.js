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

  const narrow = (figure) => matchMedia(figure.dataset.narrow);

  // The specification for the colours of the page and for the room that there is.
  const fitting = async (figure, chart) => {
    const asked = new URL(chart, location.href);
    if (narrow(figure).matches) asked.searchParams.set("width", "narrow");
    if (isDark()) asked.searchParams.set("theme", "dark");
    const answer = await fetch(asked);
    if (!answer.ok) throw new Error(String(answer.status));
    const spec = await answer.json();
    // Less the border. A canvas cannot be scaled as an image is: it would not know what is pointed at.
    spec.width = Math.min(narrow(figure).matches ? 416 : spec.width, figure.clientWidth - 2);
    spec.config.title.limit = spec.width - 2 * spec.config.padding;
    return spec;
  };

  const explore = async (figure) => {
    const { chart, vega, vegaLite, vegaEmbed } = figure.dataset;
    await load(vega);
    await load(vegaLite);
    await load(vegaEmbed);
    const frame = figure.querySelector(".drawn-chart-frame");
    const place = document.createElement("div");
    place.className = "explored-chart";
    await globalThis.vegaEmbed(place, await fitting(figure, chart), {
      actions: false,
      ast: true, // The page's policy lets nothing compile text into code.
      defaultStyle: false,
      renderer: "canvas",
      tooltip: teller(figure.querySelector("[data-chart-said]")),
    });
    frame.replaceChildren(place);
  };

  // Draw it anew once its room has changed, as when a phone is turned.
  const follow = (figure) => {
    let width = figure.clientWidth;
    let waiting;
    new ResizeObserver(() => {
      if (figure.clientWidth === width) return;
      width = figure.clientWidth;
      clearTimeout(waiting);
      waiting = setTimeout(() => explore(figure).catch(() => {}), 200);
    }).observe(figure);
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
        follow(figure);
      } catch {
        figure.querySelector("[data-chart-said]").textContent = figure.dataset.failed;
      }
    });
    figure.append(button);
  }
})();
