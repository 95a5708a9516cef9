// Replaces each static picture by one that answers to the mouse; where that fails, it stays.
for (const figure of document.querySelectorAll("figure[data-chart]")) {
  const place = figure.querySelector(".moving");
  const spec = JSON.parse(figure.querySelector("script").textContent);
  vegaEmbed(place, spec, {ast: true, actions: false, defaultStyle: false, renderer: "svg", logLevel: 1})
    .then(() => { figure.dataset.chart = "live"; })
    .catch((error) => { place.replaceChildren(); figure.dataset.chart = "still: " + error; });
}

// A closed part of the page would be missing on paper.
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});

for (const instant of document.querySelectorAll("time")) {
  instant.title = new Date(instant.dateTime).toLocaleString() + " where you are";
}
