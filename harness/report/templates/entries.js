// Every case in order. Beyond the first of each group they stand in `noscript`, which is a single
// text where scripts run: a case becomes elements only when it is to be shown.
const OPENING = 'data-case="';
const template = document.createElement("template");

const entryOf = (raw, node) => {
  const start = raw.indexOf(OPENING) + OPENING.length;
  const [section, tags, critical, number] = raw.slice(start, raw.indexOf('"', start)).split(";");
  return { raw, node, section, tags: tags.split(" "), critical: critical === "1", number,
           text: null, kept: false, pinned: false };
};

const groups = [...document.querySelectorAll(".group")].map((element) => {
  const list = element.querySelector(".list");
  const entries = [...list.querySelectorAll(".case")].map((node) => entryOf(node.outerHTML, node));
  for (const rest of list.querySelectorAll("noscript")) {
    for (const raw of rest.textContent.split(/(?=<details class="case")/)) {
      if (raw.includes(OPENING)) entries.push(entryOf(raw, null));
    }
    rest.remove();
  }
  return { element, list, entries, outcome: element.dataset.outcome, limit: Infinity, more: null };
});

const nodeOf = (entry) => {
  if (!entry.node) {
    template.innerHTML = entry.raw;
    entry.node = template.content.querySelector(".case");
  }
  return entry.node;
};

// What a search looks at: prompts, answers, reasons, expectation, id, group and tags, no labels.
const ENTITIES = { lt: "<", gt: ">", amp: "&", "#34": '"', "#39": "'", quot: '"', nbsp: "\u00a0" };
const textOf = (entry) => {
  entry.text ??= entry.raw
    .replace(/<h4>[^]*?<\/h4>|<p class="differ">[^]*?<\/p>|<a [^]*?<\/a>|<\/?(?:ins|del)>/g, "")
    .replace(/<[^>]*>/g, "\n")
    .replace(/&(lt|gt|amp|#34|#39|quot|nbsp);/g, (_, name) => ENTITIES[name])
    .toLowerCase();
  return entry.text;
};

const entryWith = (id) => {
  const mark = ` id="${id}"`;
  for (const group of groups) {
    const entry = group.entries.find((each) => each.raw.includes(mark));
    if (entry) return { group, entry };
  }
  return null;
};
