// The confusion matrix as a table of buttons: for the mouse, the keyboard and a screen reader alike.
// data: { classes, rows: [[{ count, strength, words, chosen, muted }]], chosen: { true, read } }

function button(text, words, chosen, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.title = words;
  made.setAttribute("aria-label", words);
  made.setAttribute("aria-pressed", String(chosen));
  made.onclick = act;
  return made;
}

function head(parent, content, scope, place) {
  const cell = document.createElement("th");
  cell.scope = scope;
  if (content.dataset) content.dataset.place = place;
  cell.append(content);
  parent.append(cell);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const table = parentElement.querySelector("table");
  const focused = parentElement.activeElement?.dataset?.place ?? document.activeElement?.dataset?.place;
  const pick = (label, prediction) => () => {
    setTriggerValue("pick", { label, prediction });
    // On a phone the digits lie below the screen.
    if (window.innerWidth <= 640) {
      document.querySelector(".st-key-errors-filters")?.scrollIntoView({ behavior: "smooth" });
    }
  };
  const { classes, rows, chosen } = data;

  const top = table.tHead;
  top.replaceChildren(document.createElement("tr"));
  head(top.rows[0], "", "col");
  classes.forEach((digit) => {
    const on = chosen.read === digit && chosen.true === null;
    head(top.rows[0], button(digit, `everything read as ${digit}`, on, pick(null, digit)), "col", `,${digit}`);
  });

  table.tBodies[0].replaceChildren(
    ...rows.map((cells, row) => {
      const line = document.createElement("tr");
      const digit = classes[row];
      const on = chosen.true === digit && chosen.read === null;
      head(line, button(digit, `every true ${digit}`, on, pick(digit, null)), "row", `${digit},`);
      cells.forEach((cell, column) => {
        const place = document.createElement("td");
        if (cell.count) {
          const made = button(cell.count, cell.words, cell.chosen, pick(digit, classes[column]));
          made.dataset.place = `${row},${column}`;
          made.className = cell.muted ? "muted" : cell.strength > 0.75 ? "strong" : "";
          made.style.setProperty("--strength", `${Math.round(100 * cell.strength)}%`);
          place.append(made);
        }
        line.append(place);
      });
      return line;
    }),
  );
  if (focused) table.querySelector(`[data-place="${focused}"]`)?.focus({ preventScroll: true });

  // Arrow keys walk between the cells that hold something, as in a spreadsheet.
  table.onkeydown = (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const from = event.target.closest("td, th");
    if (!step || !from) return;
    let [row, column] = [from.parentElement.rowIndex, from.cellIndex];
    for (;;) {
      [row, column] = [row + step[0], column + step[1]];
      const cell = table.rows[row]?.cells[column];
      if (!cell) return;
      const found = cell.querySelector("button");
      if (found) {
        event.preventDefault();
        event.stopPropagation();
        found.focus();
        return;
      }
    }
  };
}
