// A link to another page of the dashboard, followed as Back and Forward are: nothing is loaded anew.
// data: { href, words }

function follow(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  window.history.pushState({}, "", event.currentTarget.href);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

export default function ({ parentElement, data }) {
  const link = parentElement.querySelector("a");
  link.href = data.href;
  link.textContent = data.words;
  link.onclick = follow;
}
