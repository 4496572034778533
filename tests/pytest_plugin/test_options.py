"""What is wrong is said once, before any item runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import ThreadedMock
from tests.pytest_plugin.sessions import ROOT, Session, cold_session, session
from tests.shop import write_lines

TARGET = ("suites", "--target", "candidate")


def refusal(done: Session) -> str:
    """The one line of a usage error."""
    lines = [line for line in (done.out + done.err).splitlines() if line.startswith("ERROR: ")]
    assert done.code == 4, done.out + done.err
    assert "Traceback" not in done.out + done.err
    assert " passed" not in done.out
    (line,) = lines
    return line.removeprefix("ERROR: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("suites", "--target", "nobody"),
         "harness: harness.yaml: targets: no target `nobody` - there is `base`, `candidate`"),
        ((*TARGET, "--baseline", "nobody"), "no target `nobody`"),
        ((*TARGET, "--baseline", "sealed:none"), "baselines/shop/none.json: no such baseline"),
        ((*TARGET, "--harness-config", "none.yaml"), "none.yaml: no such file"),
        ((*TARGET, "--harness-stored", "--harness-no-cache"), "exclude another"),
        (("suites", "--baseline", "base"), "the options of harness go with --target NAME"),
        (("suites",),
         "suites/shop/suite.yaml needs --target NAME; harness.yaml has base, candidate"),
        (("suites/shop/suite.yaml::gold",), "harness: suites/shop/suite.yaml::gold needs --target"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_one_usage_error(
    project_dir: Path, mock: ThreadedMock, arguments: tuple[str, ...], message: str
) -> None:
    assert message in refusal(session(project_dir, *arguments))
    assert mock.server.requests == []


def test_a_tree_with_a_suite_and_tests_runs_the_tests(project_dir: Path) -> None:
    (project_dir / "test_own.py").write_text("def test_it(): pass\n")
    done = session(project_dir, ".")
    assert (done.code, "1 passed" in done.tail) == (0, True)


def test_a_dead_server_is_one_usage_error(project_dir: Path) -> None:
    path = project_dir / "harness.yaml"
    data = yaml.safe_load(path.read_text())
    data["servers"]["main"]["url"] = "http://127.0.0.1:9/v1"
    path.write_text(yaml.safe_dump(data))
    said = refusal(session(project_dir, *TARGET))
    assert said.startswith("harness: http://127.0.0.1:9")


def test_a_server_that_is_lost_is_one_usage_error_and_no_old_report_stays_in_its_place(
    project_dir: Path, mock: ThreadedMock
) -> None:
    from tests.mock_server import MockReply

    assert session(project_dir, *TARGET).code == 0
    mock.answer = lambda _: MockReply("no", status=401)
    said = refusal(session(project_dir, *TARGET, "--harness-no-cache"))
    assert "401" in said
    assert [each.name for each in (project_dir / "reports/candidate-vs-base").iterdir()] == [
        "earlier"
    ]


def test_a_missing_adapter_is_one_usage_error(project_dir: Path) -> None:
    path = project_dir / "harness.yaml"
    data = yaml.safe_load(path.read_text())
    data["servers"]["ours"] = {"engine": "vllm", "model": "./models/none"}
    data["targets"]["tuned"] = {"server": "ours", "adapter": "./adapters/none"}
    path.write_text(yaml.safe_dump(data))
    case = "suites/shop/suite.yaml::gold::g1"
    said = refusal(session(project_dir, case, "--target", "tuned"))
    assert "servers.ours.model: no such folder: `./models/none`" in said


def test_a_broken_case_is_a_collection_error_that_names_its_line(
    project_dir: Path, mock: ThreadedMock
) -> None:
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace('"answers": ["value 3"]', '"answer": ["value 3"]'))
    done = session(project_dir, *TARGET)
    assert done.code == 2
    assert "ERROR collecting suites/shop/suite.yaml" in done.out
    said = done.out.partition("ERROR collecting")[2].splitlines()[1]
    assert said.startswith("suites/shop/gold.jsonl:4: expect.")
    assert "Interrupted: 1 error during collection" in done.out
    assert "Traceback" not in done.out
    assert mock.server.requests == []


def test_a_rule_on_no_metric_is_one_usage_error(project_dir: Path) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("shop.gold.accuracy", "shop.gold.acuracy"))
    lines = path.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "acuracy" in text)
    said = refusal(session(project_dir, *TARGET))
    assert f"harness.yaml:{line}: gate.rules[0].metric: no metric `shop.gold.acuracy`" in said


def test_a_suite_that_is_not_the_projects_is_said_to_be_so_when_it_is_named(
    project_dir: Path,
) -> None:
    other = project_dir / "suites/other"
    other.mkdir()
    (other / "suite.yaml").write_text("name: other\n")
    named = session(project_dir, "suites/other/suite.yaml", "--target", "base")
    assert named.code == 2
    assert "is not among `suites:` of harness.yaml" in named.out
    among = session(project_dir, "suites", "--target", "base", "--co", "-q")
    assert (among.code, "80 tests collected" in among.out) == (0, True)


def test_a_plugin_that_owns_the_short_names_keeps_them(project_dir: Path) -> None:
    (project_dir / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--target', default='theirs')\n"
    )
    (project_dir / "test_own.py").write_text(
        "def test_it(request): assert request.config.getoption('--target') == 'theirs'\n"
    )
    assert "1 passed" in session(project_dir, "test_own.py").tail
    ours = session(project_dir, "suites", "--harness-target", "base", "-k", "g0")
    assert "1 passed" in ours.tail


def test_hostile_ids_and_tags_are_items_like_any_other(
    project_dir: Path, mock: ThreadedMock
) -> None:
    ids = ["a::b", "[x]", "two words", "über/日本", "100%", "x\u202ey", ":", "-k", "a" * 500]
    tags = ["skip", "xfail", "parametrize", "usefixtures", "two words", "not", "rule", "_x", "é(1)"]
    write_lines(project_dir / "suites/shop/gold.jsonl", [
        {"id": name, "prompt": f"What is fact {i}?", "expect": {"answers": [f"value {i}"]},
         "tags": [tags[i]]} for i, name in enumerate(ids)])  # fmt: skip
    strict = ("--target", "candidate", "--strict-markers", "-W", "error")
    whole = session(project_dir, "suites", *strict, "-v", "-m", "gold")
    assert set(whole.words.values()) == {"PASSED"}
    assert len(whole.words) == len(ids)
    assert "\u202e" not in whole.out
    named = [f"suites/shop/suite.yaml::{name}" for name in whole.words]
    again = session(project_dir, *named, *strict, "--co", "-q")
    assert [line for line in again.out.splitlines() if "::" in line] == named
    tagged = session(project_dir, "suites", *strict, "--co", "-q", "-m", "tag_skip or two_words")
    assert "2/53 tests collected" in tagged.out


def test_a_session_without_a_target_imports_nothing_heavy(project_dir: Path) -> None:
    (project_dir / "test_own.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    heavy = {'numpy', 'pydantic', 'aiohttp', 'yaml', 'harness.config'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    assert cold_session(project_dir, "test_own.py").code == 0


def test_the_plugin_is_declared_for_everybody_who_installs_the_package() -> None:
    import tomllib

    data = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert data["project"]["entry-points"]["pytest11"] == {"harness": "harness.pytest_plugin"}
