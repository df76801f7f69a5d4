// Swagger UI has dark colours, but leaves it to its page when to show them; and its fields have no names.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
new MutationObserver(() => {
  for (const field of document.querySelectorAll("tr :is(select, input):not([aria-label])")) {
    const { paramName, propertyName } = field.closest("tr").dataset;
    if (paramName || propertyName) field.setAttribute("aria-label", paramName || propertyName);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
