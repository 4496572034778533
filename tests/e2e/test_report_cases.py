"""The cases of the report in a real browser: filter, search, links, keys, and without a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.report.text import anchor
from tests.e2e.browser import PHONE, Watched

NO_SCRIPT = {"java_script_enabled": False}
CASES = ".group:visible .case:not([hidden])"


def _focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.querySelector('bdi')?.textContent ?? ''"))


def test_filters_combine_and_count_what_they_leave(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    shown, cases = page.locator("#shown"), page.locator(CASES)
    expect(shown).to_have_text("60 cases")
    page.get_by_role("checkbox", name="Fixed").check()
    expect(page.locator(".group:visible")).to_have_count(1)
    fixed = cases.count()
    page.get_by_role("checkbox", name="Still failing").check()
    expect(page.locator(".group:visible")).to_have_count(2)
    assert cases.count() > fixed
    page.locator("[name=section]").select_option("support/gold")
    page.locator("[name=tag]").select_option("faq")
    page.get_by_role("checkbox", name="Critical only").check()
    names = cases.locator("summary bdi").all_text_contents()
    assert names
    assert all(name.startswith("support/gold/") for name in names)
    assert cases.locator("summary b").count() == len(names)
    expect(shown).to_have_text(f"{len(names)} of 60 cases")
    page.get_by_role("button", name="Show all").click()
    expect(shown).to_have_text("60 cases")
    assert page.locator("#filter :checked:not(#shortcuts):not(option)").count() == 0


def test_a_search_finds_words_and_phrases_of_prompts_and_answers(
    watched: Watched, reports: Path
) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    cases = page.locator(CASES)
    page.fill("#find", "POEM version 57")
    expect(cases).to_have_count(1)
    expect(cases.locator("summary bdi")).to_have_text("support/scope/scope-057")
    page.fill("#find", '"of tax and law i sing"')
    expect(cases.first.locator("summary bdi")).to_contain_text("support/scope/")
    page.fill("#find", '"law tax"')
    expect(cases).to_have_count(0)
    expect(page.get_by_text("No case fits the filter.")).to_be_visible()
    expect(page.locator("#shown")).to_have_text("0 of 60 cases")


def test_a_search_looks_at_no_label_of_the_page(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    for label in ("Candidate", '"Link to this case"', "Baseline", "Prompt"):
        page.fill("#find", label)
        expect(page.locator(CASES)).to_have_count(0)


def test_the_count_tells_cases_from_their_answers(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "repeats" / "report.html")
    shown = page.locator("#shown")
    expect(shown).to_have_text("40 of 40 cases (120 of 120 answers)")
    page.locator("[name=section]").select_option("support/tone")
    expect(shown).to_have_text("10 of 40 cases (30 of 120 answers)")
    page.fill("#find", "tone-022")
    page.get_by_role("checkbox", name="New failures").check()
    expect(shown).to_have_text("1 of 40 cases (2 of 120 answers)")
    expect(page.locator("h3:visible .count")).to_have_text("1 of 18 cases, 42 answers")


def test_the_address_holds_the_filter_and_brings_it_back(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    page.get_by_role("checkbox", name="Fixed").check()
    page.get_by_role("checkbox", name="New failures").check()
    page.locator("[name=section]").select_option("support/gold")
    page.locator("[name=tag]").select_option("faq")
    page.fill("#find", '"a tent" weeks & more%')
    expect(page.locator("#shown")).to_have_text("0 of 60 cases")
    page.fill("#find", "tent weeks")
    expect(page.locator("#shown")).not_to_have_text("0 of 60 cases")
    told = page.locator("#shown").inner_text()
    page.wait_for_function("location.hash.includes('tent+weeks')")
    assert page.evaluate("location.hash") == (
        "#outcome=new_failure,fixed&section=support/gold&tag=faq&find=tent+weeks"
    )
    page.reload()
    expect(page.locator("#shown")).to_have_text(told)
    assert page.input_value("#find") == "tent weeks"
    assert page.evaluate("document.activeElement.id") != "find"


def test_a_number_of_the_sections_leads_to_its_cases(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    link = page.locator(".sections tbody a.fail").first
    count = link.inner_text()
    link.click()
    expect(page.locator(CASES)).to_have_count(int(count))
    expect(page.locator("#shown")).to_have_text(f"{count} of 60 cases")
    expect(page.get_by_role("heading", name="Cases", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("watched", [{}, NO_SCRIPT], indirect=True, ids=["script", "no-script"])
@pytest.mark.parametrize(
    ("report", "case"),
    [("BLOCK", "support/tone/tone-050"), ("long", "support/general/general-4983")],
)
def test_a_link_opens_the_page_at_its_case(
    watched: Watched, reports: Path, report: str, case: str
) -> None:
    name = anchor(case, 0)
    page = watched.open(reports / report / "report.html", f"#{name}")
    body = page.locator(f"#{name}")
    expect(body).to_be_visible()
    expect(body).to_be_in_viewport()
    assert page.locator(f".case:has(#{name})").evaluate("item => item.open")


def test_a_link_opens_a_case_that_the_filter_hides(watched: Watched, reports: Path) -> None:
    name = anchor("support/tone/tone-050", 0)
    page = watched.open(reports / "BLOCK" / "report.html", "#section=support/gold")
    expect(page.locator("#shown")).to_have_text("15 of 60 cases")
    assert not page.locator(f"#{name}").is_visible()
    page.evaluate("name => { location.hash = name; }", name)
    expect(page.locator(f"#{name}")).to_be_in_viewport()
    expect(page.locator("#shown")).to_have_text("60 cases")
    assert _focused(page) == "support/tone/tone-050"


def test_each_case_links_to_itself_and_copies_the_link(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    case = page.locator(".case[open]").first
    case.get_by_role("link", name="Link to this case").click()
    expect(case.get_by_role("link", name="Link copied")).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == page.url
    assert address.endswith(f"#{case.locator('> div').get_attribute('id')}")


def test_the_keyboard_is_enough(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html", "#cases")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("jk parcel")
    assert page.input_value("#find") == "jk parcel"
    page.keyboard.press("Escape")
    assert page.input_value("#find") == ""
    page.fill("#find", "parcel")
    expect(page.locator("#shown")).to_have_text("15 of 60 cases")
    names = page.locator(f"{CASES} summary bdi").all_text_contents()
    page.locator("#filter legend").click()
    page.evaluate("document.activeElement.blur()")
    for name in names[:3]:
        page.keyboard.press("j")
        assert _focused(page) == name
    page.keyboard.press("k")
    assert _focused(page) == names[1]
    summary = page.locator("summary:focus")
    assert summary.evaluate("item => getComputedStyle(item).outlineStyle") != "none"
    case = page.locator(".case:has(summary:focus)")
    before = case.evaluate("item => item.open")
    page.keyboard.press("Enter")
    assert case.evaluate("item => item.open") is not before
    page.locator("#shortcuts").uncheck()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "shortcuts"


def test_a_long_list_comes_in_pages_and_is_searched_whole(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "long" / "report.html")
    expect(page.locator("#shown")).to_have_text("5,000 cases")
    cases = page.locator("#group-new_failure .case:not([hidden])")
    expect(cases).to_have_count(100)
    page.locator("#group-new_failure").get_by_role("button", name="Show 100 more").click()
    expect(cases).to_have_count(200)
    names = cases.locator("summary bdi").all_text_contents()
    assert len(set(names)) == 200
    cases.last.locator("summary").focus()
    page.keyboard.press("j")
    expect(cases).to_have_count(300)
    assert _focused(page) == cases.nth(200).locator("summary bdi").inner_text()
    page.fill("#find", "version 4997")
    expect(page.locator(CASES)).to_have_count(1)
    page.fill("#find", "")
    expect(page.locator("#shown")).to_have_text("5,000 cases")
    assert cases.locator("summary bdi").all_text_contents() == names[:100]


@pytest.mark.parametrize("watched", [NO_SCRIPT], indirect=True)
@pytest.mark.parametrize(("report", "count"), [("BLOCK", 60), ("long", 5_000)])
def test_reading_needs_no_script(watched: Watched, reports: Path, report: str, count: int) -> None:
    page = watched.open(reports / report / "report.html")
    assert not page.locator("#filter").is_visible()
    assert page.get_by_role("button").count() == 0
    assert page.locator("p.rest:visible").count() == 0
    assert page.locator("details.case").count() == count
    closed = page.locator("details.case:not([open])").last
    closed.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.case").last.locator(".sides")).to_be_visible()


def test_differing_words_are_marked_on_both_sides(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "PROMOTE" / "report.html", "#outcome=changed")
    case = page.locator(CASES).first
    case.locator("summary").click()
    assert case.locator("ins").all_text_contents() == ["Have a good day!"]
    look = "item => [getComputedStyle(item).textDecorationLine, getComputedStyle(item).color]"
    line, ink = case.locator("ins").evaluate(look)
    assert line == "underline"
    assert ink == case.locator("pre").first.evaluate("item => getComputedStyle(item).color")


@pytest.mark.parametrize("watched", [{"permissions": []}], indirect=True)
@pytest.mark.parametrize("report", ["BLOCK", "long"])
def test_paper_holds_the_verdict_and_no_cases(watched: Watched, reports: Path, report: str) -> None:
    page = watched.open(reports / report / "report.html")
    page.set_viewport_size({"width": 680, "height": 900})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    for hidden in ("#filter", "#cases", "#statistics", "#provenance"):
        assert not page.locator(hidden).is_visible()
    assert page.locator(".plain-rules").is_visible()
    assert page.locator(".printed").is_visible()
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= 2


@pytest.mark.parametrize("watched", [PHONE], indirect=True, ids=["phone"])
def test_a_phone_filters_and_opens_a_case(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html", "#cases")
    page.get_by_role("checkbox", name="Still failing").tap()
    case = page.locator(CASES).first
    case.evaluate("item => item.scrollIntoView()")  # what is far below is not laid out yet
    case.locator("summary").tap()
    expect(case.locator(".sides")).to_be_visible()
    left, right = case.locator(".sides > div").evaluate_all(
        "all => all.map(item => item.getBoundingClientRect().top)"
    )
    assert left < right
    assert page.evaluate("document.documentElement.scrollWidth") == 375
