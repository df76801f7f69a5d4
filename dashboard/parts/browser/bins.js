// A reliability diagram: a column a bin, each a button that opens its digits.
// data: { title, still, height, bins: [{ bin, count, shown, right, sure, words, chosen }] }

const made = (name, className, text) => {
  const element = document.createElement(name);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

function column(bin, still, pick) {
  const whole = made(still ? "div" : "button", "bin");
  if (!still) {
    whole.type = "button";
    whole.disabled = !bin.count;
    whole.setAttribute("aria-pressed", bin.chosen);
    whole.setAttribute("aria-label", bin.words);
    whole.dataset.bin = bin.bin;
    whole.onclick = () => pick(bin.bin);
  }
  whole.title = bin.words;
  if (bin.count) {
    const [low, high] = [Math.min(bin.right, bin.sure), Math.max(bin.right, bin.sure)];
    const parts = [["right", 0, bin.right], ["gap", low, high - low], ["sure", bin.sure, 0]];
    for (const [name, bottom, height] of parts) {
      const part = made("span", name);
      part.style.bottom = `${100 * bottom}%`;
      if (name !== "sure") part.style.height = `${100 * height}%`;
      whole.append(part);
    }
  }
  return whole;
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".diagram");
  const pick = (bin) => setTriggerValue("pick", bin);
  const plot = made("div", "plot");
  if (data.height) plot.style.height = `${data.height}px`;
  const diagonal = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  diagonal.setAttribute("aria-hidden", "true");
  diagonal.innerHTML = '<line x1="0" y1="100%" x2="100%" y2="0" />';
  plot.append(...data.bins.map((bin) => column(bin, data.still, pick)), diagonal);
  if (data.still) {
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", data.words);
  } else {
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", data.title);
  }
  const heights = made("div", "heights");
  heights.setAttribute("aria-hidden", "true");
  heights.append(...["100 %", "50 %", "0 %"].map((text) => made("span", "", text)));
  const widths = made("div", "widths");
  widths.setAttribute("aria-hidden", "true");
  widths.append(...["0 %", "how sure", "100 %"].map((text) => made("span", "", text)));
  const counts = made("div", "counts");
  counts.setAttribute("aria-hidden", "true");
  counts.append(...data.bins.map((bin) => made("span", bin.chosen ? "chosen" : "", bin.shown)));
  const digits = made("div", "name", "digits");
  digits.setAttribute("aria-hidden", "true");
  root.replaceChildren(made("div", "title", data.title), heights, plot, digits, counts, widths);
}
