"""The files of a CI job and the comment on a pull request: short, inert, and found again."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.ci.change_request import MARK
from harness.ci.job import link, marker, render_comment
from harness.records.verdict import Decision
from harness.report.content import ReportContent
from harness.report.markdown import LIMIT
from tests.ci.test_job import CI, EVERY, names
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.report.fixtures import content_with, pair, pair_of_repeats
from tests.report.hostile import hostile_pair

HERE = marker("good", "", "harness.yaml")
URL = "https://ci.example/runs/5"


def comment(decision: Decision, url: str = URL) -> str:
    return render_comment(ReportContent(*pair(decision)), HERE, url)


@pytest.mark.parametrize(
    ("decision", "sign"),
    [("PROMOTE", "✅"), ("BLOCK", "❌"), ("INCONCLUSIVE", "❔"), ("INVALID", "⚠️")],
)
def test_the_verdict_stands_first_and_the_comment_is_short(decision: Decision, sign: str) -> None:
    lines = comment(decision).splitlines()
    assert lines[0] == HERE
    assert lines[1].startswith(f"### {sign} {decision}: ")
    assert len(comment(decision)) < 4_000
    assert f"[The whole report]({URL})" in lines[-1]


def test_a_block_names_the_deciding_rules_and_the_worst_cases() -> None:
    told = comment("BLOCK")
    assert "| ❌ fail | `support.scope.f1` | at least 85.0% | 15.2% (9.4% to 23.1%) |" in told
    assert "`support.gold.accuracy`" not in told
    assert "3 of 5 rules pass." in told
    assert "**New failures: 15 cases, 3 critical.** 5 of them:" in told
    cases = re.findall(r"(?m)^- (\*\*critical\*\* )?`support/", told)
    assert [bool(mark) for mark in cases] == [True] * 3 + [False] * 2


def test_a_promotion_lists_no_rules() -> None:
    told = comment("PROMOTE")
    assert "5 of 5 rules pass." in told
    assert "| --- |" not in told


def test_problems_with_the_evidence_are_listed_and_no_rule_is() -> None:
    told = comment("INVALID")
    verdict, _ = pair("INVALID")
    assert len(verdict.problems) > 1
    assert told.count("\n- ") >= len(verdict.problems)
    assert "rules pass" not in told


def test_a_case_with_repeats_stands_there_once() -> None:
    told = render_comment(ReportContent(*pair_of_repeats()), HERE, URL)
    paths = re.findall(r"(?m)^- (?:\*\*critical\*\* )?`(support/\S+)`$", told)
    assert paths
    assert len(paths) == len(set(paths))


def test_without_a_url_there_is_no_link() -> None:
    assert "The whole report" not in comment("BLOCK", "")


def test_the_limit_holds_whatever_comes() -> None:
    report = ReportContent(*pair("BLOCK", 3_000))
    long = [
        rule.model_copy(update={"metric": "x" * 5_000, "require": "y" * 5_000})
        for rule in report.rules
    ]
    flood = content_with(report, rules=tuple(long * 50), headline="z" * 600, problems=())
    assert len(render_comment(flood, HERE, URL)) < LIMIT / 4


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.add(tag)


def test_nothing_of_a_model_comes_alive() -> None:
    verdict, compared = hostile_pair()
    told = render_comment(ReportContent(verdict, compared), HERE, "")
    told.encode()
    # As GitHub reads it: HTML is let through, bare links and tables are made.
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(told)
    tags = _Tags()
    tags.feed(page)
    assert tags.found <= {
        "h3", "p", "strong", "code", "ul", "li", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", told.partition("\n")[2])
    assert not re.search(r"@\w|://|\bwww\.|<\w", outside)


def test_no_line_begins_with_words_of_a_model() -> None:
    begins = re.compile(
        r"$|<!-- |### |\*\*(Why|New failures):|\| |- (\*\*critical\*\* )?`|- evidence: |- and "
        r"|  - (asked|expected|baseline|candidate): |\d+ of \d+ rules|No new|judged "
    )
    told = render_comment(ReportContent(*hostile_pair()), HERE, "")
    assert [line for line in told.split("\n") if not begins.match(line)] == []
    assert not re.search(r"(?m)^\s*/\w", told)


@given(st.text(), st.text(), st.text())
def test_the_marker_is_one_hidden_line_whatever_the_names(a: str, b: str, c: str) -> None:
    made = marker(*(part.encode("utf-8", "replace").decode() for part in (a, b, c)))
    assert made.startswith(MARK)
    inside = made.removeprefix("<!-- ").removesuffix(" -->")
    assert re.fullmatch(r"harness gate [\w.~%*]+ [\w.~%*]+ [\w.~%*]+", inside, re.ASCII)


def test_the_marker_tells_gates_apart() -> None:
    made = {
        marker("a", "", "h"),
        marker("a", "*", "h"),
        marker("a-b", "", "h"),
        marker("a", "b", "h"),
    }
    assert len(made) == 4


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("https://x.example/a?b=c&d=%20#e", "[The whole report](https://x.example/a?b=c&d=%20#e)"),
        ("https://x/) [y](z", "[The whole report](https://x/%29%20%5By%5D%28z)"),
        ("https://x/" + "y" * 3_000, ""),
    ],
)
def test_a_url_stays_within_its_link(url: str, made: str) -> None:
    assert link(url) == made


def test_a_promotion_hands_out_every_file_and_writes_the_usual_ones(project_dir: Path) -> None:
    assert call("gate", "candidate", *CI) == 0
    assert names(Path("out")) == EVERY
    usual = Path("reports/candidate-vs-base")
    assert names(usual) == {"verdict.json", "report.html", "report.md", "junit.xml"}
    for name in names(usual):
        assert (usual / name).read_bytes() == Path("out", name).read_bytes()
    assert Path("out/gates.jsonl").read_bytes() == Path(".harness/gates.jsonl").read_bytes()
    assert call("promote", "candidate") == 0


def test_without_the_wish_there_is_no_summary_and_no_annotation(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate", "--output-dir", "out") == 0
    assert names(Path("out")) == EVERY - {"summary.md"}
    assert "::" not in capsys.readouterr().out


def test_a_folder_that_cannot_be_is_told_before_anything_is_asked(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").write_text("a file")
    assert call("gate", "candidate", "--output-dir", "taken/out") == 3
    assert "cannot write: Not a directory" in capsys.readouterr().err
    assert mock.server.requests == []


def test_other_files_in_the_folder_are_left_alone(project_dir: Path) -> None:
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    assert call("gate", "candidate", *CI) == 0
    assert Path("out/notes.txt").read_text() == "mine"


def test_files_of_others_are_not_replaced(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("docs").mkdir()
    Path("docs/report.md").write_text("mine")
    assert call("gate", "candidate", "--output-dir", "docs") == 2
    assert "docs: holds files that a gate would replace" in capsys.readouterr().err
    assert Path("docs/report.md").read_text() == "mine"
    assert mock.server.requests == []
