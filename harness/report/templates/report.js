
"use strict";
(() => {
  const form = document.getElementById("filter");
  const find = document.getElementById("find");
  const fate = document.getElementById("fate");
  const part = document.getElementById("part");
  const shown = document.getElementById("shown");
  const groups = [...document.querySelectorAll(".group")].map((element) => ({
    element,
    cases: [...element.querySelectorAll(".case")].map((item) => ({
      item, text: null, name: item.dataset.case ?? item,
    })),
  }));
  const all = groups.flatMap((group) => group.cases);
  const total = new Set(all.map((entry) => entry.name)).size;
  const apply = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const names = new Set();
    let count = 0;
    for (const group of groups) {
      const wanted = !fate.value || group.element.dataset.fate === fate.value;
      let own = 0;
      for (const entry of group.cases) {
        let keep = wanted && (!part.value || entry.item.dataset.part === part.value);
        if (keep && words.length) {
          entry.text ??= entry.item.textContent.toLowerCase();
          keep = words.every((word) => entry.text.includes(word));
        }
        if (entry.item.hidden === keep) entry.item.hidden = !keep;
        own += keep;
        if (keep) names.add(entry.name);
      }
      group.element.hidden = own === 0;
      count += own;
    }
    const answers = all[0].item.dataset.case ? ` (${count} of ${all.length} answers)` : "";
    shown.textContent = `${names.size} of ${total} cases shown${answers}`;
  };
  const reveal = () => {
    const body = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const item = body && body.closest("details.case");
    if (!item) return;
    if (item.hidden) { form.reset(); apply(); }
    item.open = true;
    item.scrollIntoView();
  };
  let timer = 0;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
  addEventListener("hashchange", reveal);
  if (total > 0) { form.hidden = false; apply(); }
  reveal();
})();
