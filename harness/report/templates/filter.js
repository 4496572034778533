// The filter: its state is the form, and the address, so that a filtered list can be sent on.
const form = document.getElementById("filter");
const { find } = form.elements;
const status = document.getElementById("shown");
const showAll = document.getElementById("show-all");
const PAGE = groups.some((group) => group.element.querySelector(".rest")) ? 100 : Infinity;
const all = groups.flatMap((group) => group.entries);
const repeated = all.some((entry) => entry.number);
const named = (entries) =>
  repeated ? new Set(entries.map((entry) => entry.number)).size : entries.length;
const countText = (count) => count.toLocaleString("en");
const total = named(all);

const wanted = () => {
  const { section, tag, critical } = form.elements;
  const words = find.value.toLowerCase().match(/"[^"]+"|\S+/g) ?? [];
  return {
    words: words.map((word) => word.replace(/^"([^"]+)"$/, "$1")),
    outcomes: new FormData(form).getAll("outcome"),
    section: section.selectedIndex > 0 ? String(section.selectedIndex) : "",
    tag: tag?.selectedIndex > 0 ? String(tag.selectedIndex) : "",
    critical: Boolean(critical?.checked),
  };
};

const fits = (entry, group, by) =>
  (!by.outcomes.length || by.outcomes.includes(group.outcome))
  && (!by.section || entry.section === by.section)
  && (!by.tag || entry.tags.includes(by.tag))
  && (!by.critical || entry.critical)
  && (!by.words.length || by.words.every((word) => textOf(entry).includes(word)));

// Puts the first cases of a group that fit into the page, and hides the others that are in it.
const lay = (group) => {
  let room = group.limit;
  let last = null;
  let left = 0;
  for (const entry of group.entries) {
    const show = entry.kept && (room > 0 || entry.pinned);
    left += entry.kept && !show;
    if (show) {
      room -= 1;
      const node = nodeOf(entry);
      if (!node.isConnected) last ? last.after(node) : group.list.prepend(node);
    }
    if (entry.node?.isConnected) {
      if (entry.node.hidden === show) entry.node.hidden = !show;
      last = entry.node;
    }
  }
  group.more.hidden = left === 0;
  group.more.textContent = `Show ${countText(Math.min(PAGE, left))} more of ${countText(left)}`;
};

const apply = () => {
  const by = wanted();
  for (const group of groups) {
    group.limit = PAGE;
    for (const entry of group.entries) {
      entry.kept = fits(entry, group, by);
      entry.pinned = false;
    }
    const kept = named(group.entries.filter((entry) => entry.kept));
    group.element.hidden = kept === 0;
    group.count.textContent = kept < group.cases ? `${countText(kept)} of ${group.allText}` : group.allText;
    lay(group);
  }
  const kept = all.filter((entry) => entry.kept);
  const answers = repeated ? ` (${countText(kept.length)} of ${countText(all.length)} answers)` : "";
  const some = kept.length < all.length;
  status.textContent = some || repeated
    ? `${countText(named(kept))} of ${countText(total)} cases${answers}` : `${countText(total)} cases`;
  showAll.hidden = !some;
  document.getElementById("none").hidden = kept.length > 0;
};

const NAMES = ["outcome", "section", "tag", "critical", "find"];
const plain = location.href.split("#")[0];
const keep = () => {
  const asked = new URLSearchParams();
  for (const name of NAMES) {
    const value = new FormData(form).getAll(name).filter(Boolean).join(",");
    if (value) asked.set(name, value);
  }
  const text = String(asked).replaceAll("%2F", "/").replaceAll("%2C", ",");
  history.replaceState(null, "", text ? `${plain}#${text}` : plain);
};

const filtered = () => all.some((entry) => !entry.kept);

const restore = (asked) => {
  form.reset();
  for (const box of form.querySelectorAll("[name=outcome]")) {
    box.checked = (asked.get("outcome") ?? "").split(",").includes(box.value);
  }
  for (const name of ["section", "tag"]) {
    const field = form.elements[name];
    const at = field ? [...field.options].findIndex((each) => each.value === asked.get(name)) : 0;
    if (at > 0) field.selectedIndex = at;
  }
  if (form.elements.critical) form.elements.critical.checked = asked.get("critical") === "only";
  find.value = asked.get("find") ?? "";
};

let timer = 0;
const update = () => { apply(); keep(); };
for (const group of groups) {
  group.count = group.element.querySelector("h3 .count");
  group.allText = group.count.textContent;
  group.cases = named(group.entries);
  group.more = document.createElement("button");
  group.more.type = "button";
  group.more.className = "rest";
  group.more.addEventListener("click", () => { group.limit += PAGE; lay(group); });
  const rest = group.element.querySelector(".rest");
  rest ? rest.replaceWith(group.more) : group.element.append(group.more);
}
form.addEventListener("submit", (event) => event.preventDefault());
showAll.addEventListener("click", () => { form.reset(); update(); find.focus(); });
form.addEventListener("input", (event) => {
  clearTimeout(timer);
  if (event.target.name) timer = setTimeout(update, event.target === find ? 150 : 0);
});
