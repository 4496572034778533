from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.suites.load import system_prompt_of
from tests.suites.builders import ONE, SUITE, lines, load, many, write


def test_a_suite_is_read_from_its_folder_or_its_file(tmp_path: Path) -> None:
    suite = load(write(tmp_path))
    assert suite.digest == load(tmp_path / "suite.yaml").digest
    assert list(dict(suite.definitions())) == ["demo.one.right", "demo.one.close", "demo.two.right"]
    assert [case.id for _, case in suite.cases()] == ["a", "b", "c"]
    assert suite.sections[0].settings == {"depth": 2}
    assert [case.group for _, case in suite.cases()] == ["a", "a", "c"]
    assert suite.folder == str(tmp_path)


def test_a_suites_system_prompt_alone(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text("name: x\nsystem_prompt: Be kind.\nsections: 7\n")
    assert system_prompt_of(tmp_path) == "Be kind."
    (tmp_path / "suite.yaml").write_text("name: x\n")
    assert system_prompt_of(tmp_path) is None
    with pytest.raises(SuiteError, match="no such file"):
        system_prompt_of(tmp_path / "none")


def test_text_of_a_suite_is_never_a_template(tmp_path: Path) -> None:
    suite = load(write(tmp_path, one=[{"id": "a", "prompt": "{{ 1 + 1 }} ${HOME} {x} %s"}]))
    assert suite.system_prompt == "Be kind. {{ not a template }}"
    assert suite.sections[0].cases[0].messages[0].content == "{{ 1 + 1 }} ${HOME} {x} %s"


def test_line_ends_marks_and_separators_do_no_harm(tmp_path: Path) -> None:
    text = (
        '\ufeff{"id": "a", "prompt": "one\u2028two\x85three"}\r\n\r\n   \r\n{"id":"b","prompt":"B"}'
    )
    cases = load(write(tmp_path, one=text)).sections[0].cases
    assert [case.id for case in cases] == ["a", "b"]
    assert cases[0].messages[0].content == "one\u2028two\x85three"


BAD = [
    # (suite.yaml, one.jsonl, what the one line says after the folder)
    (SUITE.replace("version: 1", "version: [1"), None, "suite.yaml:4: YAML: "),
    (SUITE + "color: red\n", None, "suite.yaml:8: color: unknown key"),
    (SUITE.replace("name: demo\n", ""), None, "suite.yaml: name: missing key"),
    (SUITE.replace("name: demo", "name: De mo"), None, "suite.yaml:1: name: must match"),
    (
        SUITE.replace("scorer: plain", "scorer: vibes"),
        None,
        "suite.yaml:6: sections.one: scorer: no scorer `vibes`; there is `plain`, `strict`",
    ),
    (
        SUITE.replace("depth: 2", "metrics: [right, wrong]"),
        None,
        "suite.yaml:6: sections.one: metrics: `plain` has no `wrong`; it has right, close",
    ),
    (
        SUITE.replace("depth: 2", "metrics: [right, right]"),
        None,
        "suite.yaml:6: sections.one: metrics: one is given twice",
    ),
    (
        SUITE.replace("depth: 2", "width: 2"),
        None,
        "suite.yaml:6: sections.one: width: unknown key; known here: depth",
    ),
    (
        SUITE.replace("depth: 2", "depth: 2026-01-01"),
        None,
        (
            "suite.yaml:6: sections.one: settings must be text, finite numbers, lists and mappings "
            "with text keys - put dates and the like in quotes"
        ),
    ),
    (
        SUITE.replace("depth: 2", "depth: .nan"),
        None,
        "suite.yaml:6: sections.one: settings must be",
    ),
    (
        SUITE.replace("cases: one.jsonl", "cases: none.jsonl"),
        None,
        "suite.yaml:6: sections.one: cases: no such file: `none.jsonl` - check the path",
    ),
    (
        SUITE.replace("cases: one.jsonl", "cases: ../one.jsonl"),
        None,
        (
            "suite.yaml:6: sections.one: cases: `../one.jsonl` leaves the suite's folder - put the "
            "file beside suite.yaml"
        ),
    ),
    (
        SUITE.replace("{cases: one.jsonl, scorer: plain, depth: 2}", "one.jsonl"),
        None,
        "suite.yaml:6: sections.one: must hold the keys of a kind of section: `cases` (prompts)",
    ),
    (
        SUITE.replace("  one: {cases: one.jsonl, ", "  one: {"),
        None,
        "suite.yaml:6: sections.one: cases: missing key",
    ),
    (SUITE.replace("  one:", "  One:"), None, "suite.yaml:6: sections.One: name: must match"),
    (
        SUITE.replace("scorer: plain", "scoer: plain"),
        None,
        "suite.yaml:6: sections.one: scoer: unknown key; did you mean `scorer`?",
    ),
    (
        SUITE.replace("one: {cases", "one: {casess"),
        None,
        "suite.yaml:6: sections.one: casess: unknown key; did you mean `cases`?",
    ),
    (
        SUITE.replace("cases: one.jsonl", "cases: [one.jsonl]"),
        None,
        "suite.yaml:6: sections.one: cases: must be text, not a list",
    ),
    (
        SUITE.replace("metrics: [right]", "metrics: right"),
        None,
        "suite.yaml:7: sections.two: metrics: must be a list: write [right]",
    ),
    (
        SUITE.replace("sections:", "section:"),
        None,
        "suite.yaml:5: section: unknown key; did you mean `sections`?",
    ),
    (
        SUITE.replace("  one:", "  no:"),
        None,
        'suite.yaml:6: YAML: key `no` means false in YAML: write "no" in quotes - correct the',
    ),
    (SUITE.replace("  two:", "  one:"), None, "suite.yaml:7: YAML: key `one` given twice"),
    (SUITE, "\n \n", "one.jsonl: holds no case - add one JSON line a case"),
    (SUITE, '{"id": "a", "prompt": "x"}\n{"id": "b",}\n', "one.jsonl:2: bad JSON at column 12: "),
    (SUITE, '{"id": "a", "id": "b"}', "one.jsonl:1: bad JSON: key `id` given twice"),
    (SUITE, '{"id": NaN}', "one.jsonl:1: bad JSON: NaN is no finite number"),
    (SUITE, '{"id": 1e999}', "one.jsonl:1: bad JSON: 1e999 is no finite number"),
    (SUITE, "[1]", "one.jsonl:1: must be a JSON object"),
    (SUITE, '{"id": "a", "prompt": "x", "why": 1}', "one.jsonl:1: why: unknown key"),
    (SUITE, '{"id": "a"}', "one.jsonl:1: messages: missing key"),
    (
        SUITE,
        '{"id": "a", "promt": "x"}',
        "one.jsonl:1: promt: unknown key; did you mean `prompt`?",
    ),
    (
        SUITE,
        '{"id": "a", "mesages": []}',
        "one.jsonl:1: mesages: unknown key; did you mean `messages`?",
    ),
    (SUITE, '{"id": " ", "prompt": "x"}', "one.jsonl:1: id: must not be blank"),
    (
        SUITE.replace("cases: one.jsonl", r'cases: "one\0.jsonl"'),
        None,
        "suite.yaml:6: sections.one: cases: cannot be read: embedded null byte",
    ),
    (
        SUITE.replace("cases: one.jsonl", f"cases: {'o' * 300}"),
        None,
        f"{'o' * 300}: cannot read: File name too long",
    ),
    (SUITE.replace("cases: one.jsonl", "cases: ."), None, ": cannot read: Is a directory"),
    (
        SUITE.replace("version: 1", "version: 0x1" + "0" * 5000),
        None,
        "suite.yaml:3: version: must be less than 9223372036854775808",
    ),
    (SUITE.replace("a demo", r'"\ud800"'), None, "suite.yaml:2: YAML: half a surrogate pair"),
    (
        SUITE,
        '{"id": "a", "prompt": "x", "expect": {"k": ' + "[" * 300 + "]" * 300 + "}}",
        "one.jsonl:1: nested too deeply",
    ),
    (SUITE, '{"id": "a", "prompt": ' + "[" * 9000 + "]" * 9000 + "}", "one.jsonl:1: "),
    (SUITE, '{"id": "a", "prompt": ""}', "one.jsonl:1: messages.0.content: must not be empty"),
]


@pytest.mark.parametrize(("suite", "one", "said"), BAD)
def test_bad_input_is_one_line_with_the_place(
    tmp_path: Path, suite: str, one: str | None, said: str
) -> None:
    write(tmp_path, suite, one)
    with pytest.raises(SuiteError) as caught:
        load(tmp_path)
    assert caught.value.line.startswith(f"{tmp_path}{'' if said[0] == ':' else '/'}{said}")
    assert "\n" not in caught.value.line
    assert caught.value.exit_code == 2


def test_a_folder_without_a_suite_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError) as caught:
        load(tmp_path)
    assert caught.value.line == (
        f"{tmp_path}/suite.yaml: no such file - a suite is a folder with a suite.yaml"
    )


HALF = "half a surrogate pair, which is no character"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (r'{"id": "a\ud800", "prompt": "x"}', "id"),
        (r'{"id": "a", "group": "\udfff", "prompt": "x"}', "group"),
        (r'{"id": "a", "prompt": "x \ud800 y"}', "prompt"),
        (r'{"id": "a", "messages": [{"role": "user", "content": "\ud83d"}]}', "messages.0.content"),
        (r'{"id": "a", "prompt": "x", "tags": ["t", "\ude42"]}', "tags.1"),
        (r'{"id": "a", "prompt": "x", "expect": {"answers": ["\ud800"]}}', "expect.answers.0"),
        (r'{"id": "a", "prompt": "x", "expect": {"\ud800": 1}}', r"expect.\ud800"),
        (r'{"id": "a", "\ud800": 1, "\ud800": 2}', r"bad JSON: key `\ud800` given twice"),
    ],
)
def test_half_a_character_is_refused_before_anything_is_asked(
    tmp_path: Path, line: str, key: str
) -> None:
    write(tmp_path, one=f'{{"id": "ok", "prompt": "\\ud83d\\ude42"}}\n{line}\n')
    with pytest.raises(SuiteError) as caught:
        load(tmp_path)
    said = key if key.startswith("bad") else f"{key}: {HALF} - "
    assert caught.value.line.startswith(f"{tmp_path}/one.jsonl:2: {said}")
    caught.value.line.encode()


def test_a_folder_in_place_of_the_yaml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").mkdir()
    with pytest.raises(SuiteError, match=r"suite\.yaml: cannot read: Is a directory"):
        load(tmp_path)
    with pytest.raises(SuiteError, match=r"no such file|embedded null byte"):
        load(tmp_path / "a\0b")


TEXT = st.text(min_size=1).filter(lambda text: text.strip())
CASES = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text("abcdefgh-0123", min_size=1, max_size=6),
            "prompt": st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30),
            "expect": st.dictionaries(st.text("xyz", min_size=1), st.integers() | st.text("uv")),
            "tags": st.lists(st.text("tg", min_size=1), max_size=2),
            "critical": st.booleans(),
        }
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda case: case["id"],
)
ONE_SECTION = "name: s\ndomain: d\nversion: 1\nsections: {one: {cases: one.jsonl, scorer: plain}}\n"


@settings(max_examples=60)
@given(cases=CASES, data=st.data())
def test_cases_come_back_and_their_order_leaves_the_digest_alone(
    tmp_path_factory: pytest.TempPathFactory, cases: list[dict[str, Any]], data: st.DataObject
) -> None:
    first = load(write(tmp_path_factory.mktemp("a"), ONE_SECTION, cases))
    read = [case.model_dump(mode="json") for case in first.sections[0].cases]
    assert [(case["id"], case["messages"][0]["content"], case["expect"]) for case in read] == [
        (case["id"], case["prompt"], case["expect"]) for case in cases
    ]
    shuffled = data.draw(st.permutations(cases))
    text = "\n\n".join(json.dumps(dict(reversed(case.items()))) for case in shuffled)
    assert load(write(tmp_path_factory.mktemp("b"), ONE_SECTION, text)).digest == first.digest


@pytest.mark.parametrize(
    ("suite", "one"),
    [
        (SUITE.replace("Be kind", "Be cruel"), ONE),
        (SUITE.replace("version: 1", "version: 2"), ONE),
        (SUITE.replace("name: demo", "name: other"), ONE),
        (SUITE.replace("depth: 2", "depth: 3"), ONE),
        (SUITE.replace("depth: 2", "depth: 2, metrics: [right]"), ONE),
        (
            SUITE.replace("scorer: plain", "scorer: strict"),
            [{**c, "expect": {"want": 1}} for c in ONE],
        ),
        (SUITE.replace("  one:", "  uno:"), ONE),
        (SUITE, ONE[:1]),
        (SUITE, [*ONE, {"id": "z", "prompt": "Z?"}]),
        (SUITE, [{**ONE[0], "prompt": "A!"}, ONE[1]]),
        (SUITE, [{**ONE[0], "expect": {"x": 1}}, ONE[1]]),
        (SUITE, [ONE[0], {**ONE[1], "group": "b"}]),
        (SUITE, [ONE[0], {**ONE[1], "critical": False}]),
    ],
)
def test_any_change_to_what_is_asked_or_scored_changes_the_digest(
    tmp_path: Path, suite: str, one: list[dict[str, Any]]
) -> None:
    assert load(write(tmp_path / "a")).digest != load(write(tmp_path / "b", suite, one)).digest


def test_formatting_of_the_yaml_leaves_the_digest_alone(tmp_path: Path) -> None:
    other = SUITE.replace("depth: 2", '"depth":   2').replace("domain: a demo", "domain: 'a demo'")
    assert load(write(tmp_path / "a")).digest == load(write(tmp_path / "b", other)).digest


@pytest.mark.parametrize("held", [0, 1 << 20], ids=["read again", "held"])
def test_cases_are_the_same_however_they_are_come_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr("harness.suites.cases.LARGEST_HELD", held)
    text = "\ufeff\n" + lines(many(5)).replace("\n", "\n \r\n")
    cases = load(write(tmp_path, one=text)).sections[0].cases
    assert [case.id for case in cases] == [f"c{number}" for number in range(5)]
    assert [cases[place] for place in range(-5, 0)] == cases[:] == list(cases)
    assert cases[3].messages[0].content == "ask 3 \u2028 \u00e4"
    with pytest.raises(IndexError):
        cases[5]


def test_an_edit_does_not_disturb_who_has_loaded_a_suite(tmp_path: Path) -> None:
    folder = write(tmp_path, one=many(5))
    cases = load(folder).sections[0].cases
    (folder / "one.jsonl").unlink()
    assert len(list(cases)) == 5


def test_the_digest_knows_every_case(tmp_path: Path) -> None:
    given = load(write(tmp_path / "a", one=many(5))).digest
    assert load(write(tmp_path / "c", one=many(4))).digest != given
    changed = [*many(4), {"id": "c4", "prompt": "ask 4 \u2028 a"}]
    assert load(write(tmp_path / "d", one=changed)).digest != given
