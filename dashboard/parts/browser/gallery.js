// A grid of digits, each a button that opens its page here, or a link to its page elsewhere.
// data: { digits: [{ index, source, alt, from, to, note, marks, href }] }

// As if Back or Forward had led there: Streamlit shows the page without loading everything anew.
function follow(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  window.history.pushState({}, "", event.currentTarget.href);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

export default function ({ parentElement, data, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid");
  grid.replaceChildren(
    ...data.digits.map((digit) => {
      const made = document.createElement(digit.href ? "a" : "button");
      made.dataset.index = digit.index;
      if (digit.href) {
        made.href = digit.href;
        made.onclick = follow;
      } else {
        made.type = "button";
        made.onclick = () => setTriggerValue("open", digit.index);
      }
      const picture = document.createElement("img");
      picture.src = digit.source;
      picture.alt = digit.alt;
      picture.width = picture.height = 84;
      const words = document.createElement("span");
      words.className = "words";
      words.setAttribute("aria-hidden", "true");
      const read = document.createElement("strong");
      read.textContent = digit.to;
      words.append(`${digit.from} → `, read, ` · ${digit.note}`);
      made.append(picture, words);
      if (digit.marks.length) {
        const mark = document.createElement("span");
        mark.className = "mark";
        mark.textContent = digit.marks.map((one) => one.sign).join("");
        mark.title = digit.marks.map((one) => one.words).join(" ");
        mark.setAttribute("aria-label", mark.title);
        mark.setAttribute("role", "img");
        made.append(mark);
      }
      return made;
    }),
  );
}
