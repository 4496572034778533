// An address names a case, a place of the page, or a filter.
const fragment = () => {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; }
};

const openCase = (id) => {
  const found = entryWith(id);
  if (!found) return false;
  const { group, entry } = found;
  if (!entry.kept) { form.reset(); apply(); }
  entry.pinned = true;
  lay(group);
  const node = nodeOf(entry);
  for (const other of document.querySelectorAll(".here")) other.classList.remove("here");
  node.classList.add("here");
  node.open = true;
  node.querySelector("summary").focus({ preventScroll: true });
  node.scrollIntoView();
  return true;
};

const follow = () => {
  const name = fragment();
  if (openCase(name)) return;
  if (!name) {
    form.reset();
    apply();
    return;
  }
  if (name.includes("=")) {
    restore(new URLSearchParams(location.hash.slice(1)));
    apply();
    document.getElementById("cases").scrollIntoView();
    return;
  }
  const place = document.getElementById(name);
  if (place?.hidden) { form.reset(); apply(); place.scrollIntoView(); }
  else if (filtered()) keep();  // the address of a place would lose the filter
};

addEventListener("hashchange", follow);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-filter], .meta a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.dataset.filter) {
    event.preventDefault();
    location.hash = link.dataset.filter;
    return;
  }
  // Where the clipboard may not be written, the address is still that of the case.
  navigator.clipboard?.writeText(link.href).then(
    () => { link.textContent = "Link copied"; }, () => {});
});
if (all.length) form.hidden = false;
apply();
follow();
