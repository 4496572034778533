"""How large a report of 20,000 cases is, and how soon a browser can use it.

Run `python -m benchmarks.report_size`. It makes a comparison with answers of ordinary length,
writes its page, and opens it in the system's Chromium. *Usable* is the time from opening the page
until it is parsed and the first filter has been answered and painted; a search counts from the last
letter typed until its result is painted. Other work on the machine shows in every time, so the
machine's load is printed too.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from harness.records.comparison import ComparisonRecord, PairedCase
from harness.records.suite import Message
from harness.report.content import ReportContent
from harness.report.html import render_html
from tests.report.fixtures import comparison, rows, verdict

CASES = 20_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SYLLABLES = re.findall("..", "bacedifogulameniporusatevixuyazekiloonaresilmunobe")
FILTER = """async () => {
  const box = document.querySelector('input[name=outcome][value=fixed]');
  box.click();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return [performance.now(), document.getElementById('shown').textContent];
}"""
SEARCH = """async (words) => {
  const shown = document.getElementById('shown'), find = document.getElementById('find');
  const start = performance.now(), before = shown.textContent;
  find.value = words;
  find.dispatchEvent(new Event('input', {bubbles: true}));
  while (shown.textContent === before) await new Promise((done) => setTimeout(done, 1));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return [performance.now() - start, shown.textContent];
}"""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a browser took for the page: seconds, and the renderer's largest size in MB."""

    parsed: float
    usable: float
    shown: str
    first_search: float
    search: float
    found: str
    link: float
    plain: float
    memory: float


class Writer:
    """Sentences of made-up words, as long as those of a support assistant."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._words = [
            "".join(self._draw.choices(SYLLABLES, k=self._draw.randint(1, 4))) for _ in range(4000)
        ]

    def text(self, low: int, high: int) -> str:
        """Some words, between `low` and `high` of them."""
        words = self._draw.choices(self._words, k=self._draw.randint(low, high))
        words[0] = words[0].capitalize()
        return f"{' '.join(words)}."

    def edited(self, text: str) -> str:
        """The text with about every twelfth word replaced."""
        return " ".join(
            self._draw.choice(self._words) if self._draw.random() < 1 / 12 else word
            for word in text.split()
        )


def synthetic(cases: int) -> ComparisonRecord:
    """A comparison of which 5 % newly fail, 15 % are fixed, and 10 % fail still.

    Of the answers a third each is the same, differs in some words, and is another.
    """
    writer = Writer(1)
    draw = random.Random(2)
    outcomes = draw.choices(
        [(False, True), (True, False), (False, False), (True, True)], [5, 15, 10, 70], k=cases
    )
    found = [
        (section, place, critical, *outcome)
        for (section, place, critical, _, _), outcome in zip(rows(cases), outcomes, strict=True)
    ]

    def rewrite(case: PairedCase) -> PairedCase:
        theirs = writer.text(20, 90)
        ours = draw.choice([theirs, writer.edited(theirs), writer.text(20, 90)])
        prompt = f"{writer.text(10, 60)} {case.case}"
        return replace(
            case,
            tags=(f"topic-{len(prompt) % 12}", "faq"),
            messages=(Message(role="user", content=prompt),),
            candidate_attempt=case.candidate_attempt.model_copy(update={"text": ours}),
            baseline_attempt=case.baseline_attempt.model_copy(update={"text": theirs}),
        )

    return comparison(found, candidate="overeager", changes=rewrite)


def open_page(path: Path) -> Opened:
    """What the system's Chromium takes for the page."""
    program = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(path.as_uri(), wait_until="domcontentloaded")
        usable, shown = page.evaluate(FILTER)
        parsed = page.evaluate(
            "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
        )
        page.get_by_role("button", name="Show all").click()
        page.wait_for_function("!document.getElementById('shown').textContent.includes(' of ')")
        first, _ = page.evaluate(SEARCH, "mulafo")
        again, found = page.evaluate(SEARCH, "fovi nobe")
        last = page.evaluate("[...document.querySelectorAll('.case > div')].at(-1).id")
        memory = _renderer_peak(page)
        linked = browser.new_page(viewport={"width": 1200, "height": 900})
        linked.goto(f"{path.as_uri()}#{last}", wait_until="domcontentloaded")
        linked.locator(f"#{last} pre").first.wait_for(state="visible")
        link = linked.evaluate("performance.now()")
        linked.close()
        scriptless = browser.new_context(java_script_enabled=False).new_page()
        start = time.perf_counter()
        scriptless.goto(path.as_uri(), wait_until="domcontentloaded", timeout=120_000)
        plain = time.perf_counter() - start
        browser.close()
    times = (spent / 1000 for spent in (parsed, usable, first, again, link))
    parsed, usable, first, again, link = times
    return Opened(parsed, usable, shown, first, again, found, link, plain, memory)


def _renderer_peak(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": "0"})
    peaks = [0.0]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                lines = (folder / "status").read_text().splitlines()
                peaks += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
        except OSError:
            continue
    return max(peaks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the sizes and times."""
    parser = argparse.ArgumentParser(description="Size and speed of a report.")
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--keep", type=Path, help="write the page here")
    options = parser.parse_args(arguments)
    compared = synthetic(options.cases)
    made = verdict("BLOCK", compared)
    before = _peak()
    start = time.perf_counter()
    report = ReportContent(made, compared)
    count = sum(len(group.cases) for group in report.groups)
    built = time.perf_counter()
    text = render_html(report)
    done = time.perf_counter()
    peak = _peak()
    with tempfile.TemporaryDirectory() as folder:
        path = options.keep or Path(folder) / "report.html"
        path.write_text(text, encoding="utf-8")
        size = path.stat().st_size / 1e6
        seen = open_page(path)
    print(f"Load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.\n")
    print("| what | figure |\n| --- | ---: |")
    print(f"| cases | {count:,} |")
    print(f"| size of the file | {size:.1f} MB |")
    cut = text.count('class="more"')
    print(f"| texts cut | {cut:,} |")
    print(f"| arranged | {built - start:.1f} s |")
    print(f"| page | {done - built:.1f} s |")
    print(f"| memory of rendering, beyond the {before:.0f} MB before | {peak - before:.0f} MB |")
    print(f"| parsed (DOMContentLoaded) | {seen.parsed:.2f} s |")
    print(f"| usable: and the first filter answered ({seen.shown}) | {seen.usable:.2f} s |")
    print(f"| first search | {seen.first_search:.2f} s |")
    print(f"| next search ({seen.found}) | {seen.search:.2f} s |")
    print(f"| a link to the last case, shown | {seen.link:.2f} s |")
    print(f"| parsed without JavaScript | {seen.plain:.2f} s |")
    print(f"| memory of the browser's page | {seen.memory:.0f} MB |")
    return 0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


if __name__ == "__main__":
    sys.exit(main())
