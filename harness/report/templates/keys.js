// Keys: single letters can be switched off, since they get in the way of speech input.
const shortcuts = document.getElementById("shortcuts");

const step = (by) => {
  const cases = [...document.querySelectorAll(".group:not([hidden]) .case:not([hidden])")];
  const here = document.activeElement.closest(".case");
  let at = cases.indexOf(here) + by;
  if (!here) {
    at = cases.findIndex((each) => each.getBoundingClientRect().top >= 0);
    if (by < 0) at -= 1;
  }
  const more = here?.closest(".group").querySelector("button.rest:not([hidden])");
  if (by > 0 && more && cases[at]?.closest(".group") !== here.closest(".group")) {
    more.click();
    step(by);
    return;
  }
  const summary = cases[at]?.querySelector("summary");
  summary?.focus({ preventScroll: true });
  summary?.scrollIntoView({ block: "nearest" });
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target === find && find.value) {
    event.preventDefault();
    find.value = "";
    update();
    return;
  }
  if (!shortcuts.checked || event.target.closest?.("[type=search], select")) return;
  if (event.key === "/") {
    event.preventDefault();
    find.focus();
    find.select();
  } else if (event.key === "j" || event.key === "k") {
    step(event.key === "j" ? 1 : -1);
  }
});
