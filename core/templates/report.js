"use strict";
(() => {
  const tip = document.getElementById("tip");
  // Without this script browsers show the titles themselves, late and small.
  for (const title of document.querySelectorAll("svg title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  for (const cell of document.querySelectorAll("td[title]")) {
    cell.dataset.tip = cell.title;
    cell.removeAttribute("title");
  }
  const hide = () => { tip.hidden = true; };
  const show = (event) => {
    const mark = event.target.closest ? event.target.closest("[data-tip]") : null;
    if (!mark) { hide(); return; }
    tip.textContent = mark.dataset.tip;
    tip.hidden = false;
    const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 18;
    const top = below + tip.offsetHeight > window.innerHeight ? event.clientY - tip.offsetHeight - 10 : below;
    tip.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
  };
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  document.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // In a frame without an address of its own a link to a section would load the page around it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest ? event.target.closest('a[href^="#"]') : null;
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!target || document.URL !== "about:srcdoc") { return; }
    event.preventDefault();
    target.scrollIntoView();
    target.tabIndex = -1;
    target.focus({ preventScroll: true });
  });

  for (const table of document.querySelectorAll(".matrix")) {
    const heads = table.querySelectorAll("thead th");
    table.addEventListener("pointerover", (event) => {
      const cell = event.target.closest("td");
      heads.forEach((head, place) => head.classList.toggle("lit", Boolean(cell) && cell.cellIndex === place));
    });
    table.addEventListener("pointerleave", () => heads.forEach((head) => head.classList.remove("lit")));
  }

  const value = (row, column, kind) => {
    const cell = row.cells[column];
    if (kind === "text") return cell.textContent.trim();
    const number = parseFloat("value" in cell.dataset ? cell.dataset.value : cell.textContent.replace(/[^0-9.-]/g, ""));
    return Number.isNaN(number) ? -Infinity : number;
  };
  for (const head of document.querySelectorAll(".sortable th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const kind = head.dataset.sort, body = head.closest("table").tBodies[0];
      const rising = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const rows = [...body.rows].sort((one, two) => {
        const [a, b] = [one, two].map((row) => value(row, head.cellIndex, kind));
        const order = kind === "text" ? a.localeCompare(b) : a - b;
        return rising ? order : -order;
      });
      body.append(...rows);
    });
  }

  const slider = document.getElementById("refuse");
  if (slider) {
    const stops = JSON.parse(slider.dataset.stops);
    const dot = document.getElementById("refusing-dot");
    const move = () => {
      const stop = stops[Number(slider.value)];
      document.getElementById("refuse-below").textContent = stop.below + (stop.saved ? " (saved)" : "");
      document.getElementById("refuse-words").textContent = `${stop.words} ${stop.right[0].toUpperCase()}${stop.right.slice(1)}.`;
      slider.setAttribute("aria-valuetext", stop.below);
      dot.setAttribute("cx", stop.x);
      dot.setAttribute("cy", stop.y);
      dot.dataset.tip = `below ${stop.below}: ${stop.words}`;
    };
    const saved = stops.findIndex((stop) => stop.saved);
    slider.value = String(Math.max(0, saved));
    slider.addEventListener("input", move);
    slider.closest(".slider").hidden = false;
    move();
  }

  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  // Inside another page's frame a link to a place here would load that page.
  if (location.protocol === "about:") {
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      if (!link) return;
      event.preventDefault();
      document.getElementById(link.hash.slice(1)).scrollIntoView();
    });
  }
  if ("IntersectionObserver" in window) {
    const seen = new Set();
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) (entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id));
      let first = true;
      for (const [id, link] of links) {
        const here = first && seen.has(id);
        link.classList.toggle("here", here);
        if (here) first = false;
      }
    }, { rootMargin: "-10% 0px -60% 0px" });
    for (const id of links.keys()) observer.observe(document.getElementById(id));
  }
})();
