// Says what a canvas shows to those who can't see it: the drawing component gives its canvases no names.
// data: { key, words }

const canvases = (root) => {
  const found = [...root.querySelectorAll("canvas")];
  for (const each of root.querySelectorAll("*")) if (each.shadowRoot) found.push(...canvases(each.shadowRoot));
  return found;
};

const set = (element, name, value) => {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
};

// Looks again and again: the canvas comes late on a slow machine, and anew after Undo.
export default function ({ data }) {
  let timer;
  const name = () => {
    const place = document.querySelector(`.st-key-${data.key}`);
    const found = place ? canvases(place) : [];
    for (const each of found) {
      const top = each.classList.contains("upper-canvas");
      set(each, "role", top ? "img" : "presentation");
      if (top) set(each, "aria-label", data.words);
      else set(each, "aria-hidden", "true");
    }
    timer = setTimeout(name, found.length ? 1000 : 200);
  };
  name();
  return () => clearTimeout(timer);
}
