"""Pages on histories and line-ups in a real browser, from one gate to thirty."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from harness.records.history import History, Promotion
from harness.report.write import write_history, write_leaderboard
from tests.e2e.browser import CONTRAST, Watched
from tests.e2e.test_report_browser import CROWDED
from tests.report.history_fixtures import made
from tests.report.hostile import HOSTILE
from tests.report.leaderboard_fixtures import leaderboard

PAGES = ("1/history.html", "2/history.html", "30/history.html", "leaderboard/compare.html")
DESKTOP = {"viewport": {"width": 1200, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LOOKS = {
    "desktop-light": {**DESKTOP, "color_scheme": "light"},
    "desktop-dark": {**DESKTOP, "color_scheme": "dark"},
    "phone-light": {**PHONE, "color_scheme": "light"},
    "phone-dark": {**PHONE, "color_scheme": "dark"},
}
AXE = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.filter((each) => ['serious', 'critical'].includes(each.impact)).map(
    (each) => `${each.id}: ${each.nodes.map((node) => node.target.join(' ')).slice(0, 5)}`);
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for count in (1, 2, 30):
        write_history(made(count), folder / str(count))
    write_history(hostile(), folder / "hostile")
    write_leaderboard(leaderboard(), folder / "leaderboard")
    write_leaderboard(leaderboard(policy=False), folder / "ungated")
    return folder


def hostile() -> History:
    """A gate for every hostile text, which stands wherever a file can bring one."""
    found = made(len(HOSTILE))
    gates = []
    for gate, bad in zip(found.gates, HOSTILE, strict=True):
        text = bad[:4000].encode("utf-8", "replace").decode()
        rules = tuple(rule.model_copy(update={"reason": text}) for rule in gate.rules)
        told = {f"support.{text}": value for value in list(gate.metrics.values())[:1]}
        update = {
            "candidate": text, "baseline": text, "reason": text, "rules": rules,
            "suite_version": text, "metrics": {**gate.metrics, **told},
            "promotions": (Promotion(name=text, sealed=gate.created),),
        }  # fmt: skip
        gates.append(gate.model_copy(update=update))
    return found.model_copy(update={"gates": tuple(gates)})


@pytest.mark.parametrize("watched", LOOKS.values(), indirect=True, ids=LOOKS)
@pytest.mark.parametrize("name", [*PAGES, "ungated/compare.html"])
def test_a_page_fits_and_is_readable(watched: Watched, pages: Path, name: str) -> None:
    page = watched.open(pages / name)
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    width = page.evaluate("window.innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("svg.drawing:visible text").count() > 5
    assert page.evaluate(CROWDED) == []
    assert page.evaluate(CONTRAST) == []
    page.evaluate((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8"))
    assert page.evaluate(AXE) == []


@pytest.mark.parametrize("watched", [{"java_script_enabled": False}], indirect=True)
def test_the_numbers_stand_in_tables_without_any_script(watched: Watched, pages: Path) -> None:
    page = watched.open(pages / "2/history.html")
    assert page.get_by_role("region", name="Gates table").get_by_role("row").count() == 3
    numbers = page.get_by_role("region", name="Numbers of support.scope.f1")
    assert numbers.get_by_role("row").count() == 3
    assert page.locator("script").count() == 0


def test_the_numbers_of_many_gates_are_folded_and_open(watched: Watched, pages: Path) -> None:
    page = watched.open(pages / "30/history.html")
    table = page.get_by_role("region", name="Numbers of support.scope.f1")
    assert not table.is_visible()
    page.locator(".course summary").nth(1).click()
    assert table.get_by_role("row").count() == 31


def test_print_holds_what_is_folded(watched: Watched, pages: Path) -> None:
    page = watched.open(pages / "30/history.html")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 900})
    tall = "all => all.map(item => item.getBoundingClientRect().height)"
    heights = page.locator("details table").evaluate_all(tall)
    assert len(heights) == 6
    assert min(heights) > 300


def test_nothing_hostile_runs_loads_or_breaks_the_page(watched: Watched, pages: Path) -> None:
    page = watched.open(pages / "hostile/history.html")
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert page.locator("main iframe, main img, main script, main form").count() == 0
    assert page.locator("body > footer").is_visible()
    assert (
        page.get_by_role("region", name="Gates table").get_by_role("row").count()
        == len(HOSTILE) + 1
    )
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
