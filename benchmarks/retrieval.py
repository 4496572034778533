"""How often retrieval finds the source, and how often `grounded` agrees with a person.

    python -m benchmarks.retrieval

The first table is over the cases of the domains of `harness init --domain` that name their sources;
the second over lines that were judged by a person, in `tests/retrieval`. `held_out.jsonl` was
written after the rule and not looked at before.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from harness.records.suite import Case
from harness.retrieval.documents import read_documents
from harness.retrieval.grounded import recall, unsupported
from harness.retrieval.index import open_index

ROOT = Path(__file__).parent.parent
DOMAINS = ROOT / "harness" / "cli" / "new_domains"
KS = (1, 4, 8)


def recalls(domain: str, words: int, cache: Path) -> tuple[int, list[float]]:
    """How many cases name sources, and the mean recall at each of `KS`."""
    folder = DOMAINS / domain / "suites" / domain
    index = open_index(read_documents(folder / "knowledge.md", words, domain), cache)
    lines = (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [case for line in lines if (case := Case.model_validate_json(line)).sources]
    found = []
    for k in KS:
        shares = []
        for case in cases:
            given = [(one.id, one.text) for one in index.search(case.messages[-1].content, k)]
            shares.append(recall(case.sources, given))
        found.append(sum(shares) / len(shares))
    return len(cases), found


def agreement(file: Path) -> tuple[int, float, float]:
    """How many lines were judged, and the precision and recall of `grounded` on them."""
    found: list[tuple[bool, bool]] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for question, answer, label in row["answers"]:
            found.append((unsupported(question, answer, row["passages"]) == [], label))
    both = sum(grounded and label for grounded, label in found)
    said, meant = (sum(one[place] for one in found) for place in (0, 1))
    return len(found), both / said, both / meant


def main() -> None:
    """Print both tables."""
    print("| domain | words | cases | " + " | ".join(f"recall@{k}" for k in KS) + " |")
    with tempfile.TemporaryDirectory() as cache:
        for domain in sorted(path.name for path in DOMAINS.iterdir() if path.is_dir()):
            for words in (15, 60):
                count, shares = recalls(domain, words, Path(cache))
                cells = " | ".join(f"{share:.2f}" for share in shares)
                print(f"| {domain} | {words} | {count} | {cells} |")
    print("\n| lines | judged | precision | recall |")
    for name in ("supported.jsonl", "held_out.jsonl"):
        judged, precision, share = agreement(ROOT / "tests" / "retrieval" / name)
        print(f"| {name} | {judged} | {precision:.2f} | {share:.2f} |")


if __name__ == "__main__":
    main()
