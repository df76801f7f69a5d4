// A table whose rows are picked by their first cell: buttons, so that the keyboard reaches them too.
// data: { columns: [text], rows: [{ id, cells: [text], bar, words, chosen }], dense }

export default function ({ parentElement, data, setTriggerValue }) {
  const table = parentElement.querySelector("table");
  const focused = parentElement.activeElement?.dataset?.id;

  table.classList.toggle("dense", Boolean(data.dense));
  const top = document.createElement("tr");
  top.append(
    ...data.columns.map((text) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = text;
      return cell;
    }),
  );
  table.tHead.replaceChildren(top);

  table.tBodies[0].replaceChildren(
    ...data.rows.map((row) => {
      const line = document.createElement("tr");
      line.className = row.chosen ? "chosen" : "";
      line.style.setProperty("--bar", `${(100 * row.bar).toFixed(1)}%`);
      const pick = () => {
        setTriggerValue("pick", row.id);
        // On a phone the digits lie below the screen.
        if (window.innerWidth <= 640) {
          document.querySelector(".st-key-errors-filters")?.scrollIntoView({ behavior: "smooth" });
        }
      };
      line.onclick = pick;
      row.cells.forEach((text, column) => {
        const cell = document.createElement(column ? "td" : "th");
        if (column) {
          cell.textContent = text;
        } else {
          cell.scope = "row";
          const made = document.createElement("button");
          made.type = "button";
          made.dataset.id = JSON.stringify(row.id);
          made.textContent = text;
          made.setAttribute("aria-label", row.words);
          made.setAttribute("aria-pressed", String(row.chosen));
          made.onclick = (event) => {
            event.stopPropagation();
            pick();
          };
          cell.append(made);
        }
        line.append(cell);
      });
      return line;
    }),
  );
  if (focused) table.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
