"use strict";
// Keys press the buttons that are on the page; without this file the buttons work all the same.
(() => {
  let sent = false;
  addEventListener("pageshow", () => { sent = false; });
  addEventListener("submit", (event) => {
    // A second press before the next page would break off the first request.
    if (sent) event.preventDefault();
    sent = true;
  });
  const named = (place, key) => [...place.querySelectorAll("[data-keys]")].find(
    (item) => item.dataset.keys.split(" ").includes(key));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const { key, target } = event;
    const asked = target.closest?.("fieldset") ?? document.querySelector("fieldset.active")
      ?? document.querySelector("fieldset");
    if (target.matches("textarea, input")) {
      if (key === "Escape") target.blur();
      return;
    }
    if (key === "c") {
      document.getElementById("comment")?.focus();
    } else if (key === "0" && asked) {
      const why = asked.querySelector("details.cannot");
      why.open = true;
      why.querySelector("button").focus();
    } else {
      const found = (asked && named(asked, key))
        ?? [...document.querySelectorAll("[data-keys]:not(fieldset *)")].find(
          (item) => item.dataset.keys.split(" ").includes(key));
      if (!found || event.repeat) return;
      found.click();
    }
    event.preventDefault();
  });
})();
