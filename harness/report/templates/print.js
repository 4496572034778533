// On paper new failures are shown whole, however many of them the page holds.
addEventListener("beforeprint", () => {
  const group = groups.find((each) => each.outcome === "new_failure");
  if (group) { group.limit = Infinity; lay(group); }
});
