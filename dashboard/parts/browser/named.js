// Says what a canvas shows to those who can't see it: the drawing component gives its canvases no names.
// data: { key, words }

const canvases = (root) => {
  const found = [...root.querySelectorAll("canvas")];
  for (const each of root.querySelectorAll("*")) if (each.shadowRoot) found.push(...canvases(each.shadowRoot));
  return found;
};

export default function ({ data }) {
  let tries = 50;
  const name = () => {
    const place = document.querySelector(`.st-key-${data.key}`);
    const found = place ? canvases(place) : [];
    for (const each of found) {
      const top = each.classList.contains("upper-canvas");
      each.setAttribute("role", top ? "img" : "presentation");
      if (top) each.setAttribute("aria-label", data.words);
      else each.setAttribute("aria-hidden", "true");
    }
    if (!found.length && tries--) timer = setTimeout(name, 200);
  };
  let timer = setTimeout(name, 0);
  return () => clearTimeout(timer);
}
