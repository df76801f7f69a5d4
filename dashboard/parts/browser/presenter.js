// The steps of a story: numbered, with back and next, and the keys that presenters' remotes send.
// data: { step, titles }

const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
const CORNERS = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M1 5V1h4M11 1h4v4M15 11v4h-4M5 15H1v-4"/></svg>';
const PATIENCE = 5000; // ms: then the server has lost a step, and what it says holds again

// Where a key has a meaning of its own it keeps it. A remote's page keys lead on, whatever was clicked last.
function keepsKey(target, key) {
  if (target?.closest?.('textarea, [contenteditable="true"], [role="dialog"]')) return true;
  if (key.startsWith("Page") || key === "Escape") return false;
  const list = target?.closest?.('[role="combobox"]');
  if (list) return list.getAttribute("aria-expanded") === "true";
  return Boolean(target?.closest?.('input, select, [role="slider"], [role="radiogroup"], [role="listbox"]'));
}

function button(words, sign, act, name) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = sign;
  made.title = words;
  made.setAttribute("aria-label", words);
  made.onclick = act;
  return made;
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  // Where the browser lets it go (Chromium), Esc leaves the story at once; elsewhere the first leaves full screen.
  else document.documentElement.requestFullscreen?.().then(() => navigator.keyboard?.lock?.(["Escape"])).catch(() => {});
}

export default function ({ parentElement, data, setTriggerValue }) {
  const nav = parentElement.querySelector("nav");
  const last = data.titles.length;
  // The step that was asked for, while the server is on its way there: of two quick presses the second
  // starts where the first one led.
  if (nav.asked?.step === data.step) nav.asked = null; // it is there
  const current = () => (nav.asked && Date.now() - nav.asked.at < PATIENCE ? nav.asked.step : data.step);
  const go = (step) => {
    if (step < 0 || step > last || step === current()) return;
    nav.asked = { step, at: Date.now() };
    if (step === 0 && document.fullscreenElement) document.exitFullscreen();
    mark();
    setTriggerValue("go", step);
  };

  const numbers = data.titles.map((title, place) =>
    button(`Step ${place + 1} of ${last}: ${title}`, place + 1, () => go(place + 1), "number"));
  const back = button("Back (arrow left, page up)", "‹", () => go(Math.max(1, current() - 1)), "turn");
  const next = button("Next (arrow right, page down)", "›", () => go(Math.min(last, current() + 1)), "turn");
  const whole = button("Full screen (F)", "", fullScreen, "whole");
  whole.innerHTML = CORNERS;
  const leave = button("Leave the story (Esc)", "✕", () => go(0), "leave");
  const dots = document.createElement("span");
  dots.className = "numbers";
  dots.append(...numbers);
  const said = document.createElement("span");
  said.className = "said";
  said.setAttribute("role", "status");
  nav.replaceChildren(leave, back, dots, next, whole, said);

  function mark() {
    const step = current();
    numbers.forEach((number, place) => {
      number.classList.toggle("past", place + 1 < step);
      if (place + 1 === step) number.setAttribute("aria-current", "step");
      else number.removeAttribute("aria-current");
    });
    back.disabled = step <= 1;
    next.disabled = step >= last;
    said.textContent = `${step} / ${last}`;
  }
  mark();
  if (nav.shown !== data.step) {
    nav.shown = data.step;
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = event.composedPath?.()[0] ?? event.target;
    if (keepsKey(target, event.key)) return;
    if (document.querySelector('[role="dialog"], [data-baseweb="popover"]')) return;
    const where = { Home: 1, End: last, Escape: 0 }[event.key];
    const by = STEPS[event.key];
    if (by) go(Math.min(last, Math.max(1, current() + by)));
    else if (where !== undefined) go(where);
    else if (event.key === "f") fullScreen();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  // A stroke on the canvas takes the keys into its frame: they are listened to there as well.
  const frames = new Set();
  function entered() {
    setTimeout(() => {
      const frame = document.activeElement;
      if (frame?.tagName !== "IFRAME" || frames.has(frame.contentWindow)) return;
      try {
        frame.contentWindow.addEventListener("keydown", pressed);
        frames.add(frame.contentWindow);
      } catch {
        frame.blur(); // of another origin, and so without its keys: back to the page
      }
    });
  }
  window.addEventListener("keydown", pressed, true);
  window.addEventListener("blur", entered);
  const still = () => {
    window.removeEventListener("keydown", pressed, true);
    window.removeEventListener("blur", entered);
    for (const frame of frames) {
      try {
        frame.removeEventListener("keydown", pressed);
      } catch {
        // gone with its frame
      }
    }
  };
  nav.still?.();
  nav.still = still;
  return still;
}
