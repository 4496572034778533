"""What `harness init --domain` makes of each domain, and that its suite is fit to start from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
import yaml
from stdnum import iban, luhn

from harness.cli.new_domain import domain_names, read_domain
from harness.config import load_project
from harness.gate.judge import planned_power
from harness.personal_data import find
from harness.records.suite import Case, Section, Suite
from harness.sections.conversation.section import ConversationSection, judged
from harness.sections.perturbed.section import PerturbedSection
from harness.sections.prompts import PromptsSection
from harness.sections.section_kinds import kinds, load_suites
from harness.suites import load_suite
from harness.suites.similar import COPIES, shingles, similarity
from harness.training.candidate import load_recipe
from harness.training.data_files import read_data
from tests.cli.builders import call
from tests.conftest import ThreadedMock

Capture = pytest.CaptureFixture[str]
DOMAINS = domain_names()
SECTIONS = {"gold", "scope", "tone", "rules", "turns", "dialogues"}
# Ranges that the authorities of the United Kingdom and of North America keep for fiction.
FICTION = re.compile(r"\+44(1632960\d{3}|2079460\d{3}|7700900\d{3}|8081570\d{3})|\+1\d{3}55501\d\d")
EXAMPLE = re.compile(r"(.*[@.])?example(\.(com|net|org))?")


@cache
def suite_of(name: str) -> Suite:
    return load_suite(read_domain(name).folder / "suites" / name, kinds())


def cases_of(name: str) -> dict[str, tuple[Section, Case]]:
    """By its id, each case as it is written, with its section."""
    suite = suite_of(name)
    return {case.id: (section, case) for section in suite.sections for case in section.cases}


def answers_of(name: str) -> dict[str, tuple[Section, Case]]:
    """By its id, each answer that is judged: that of a case, or of a turn of a conversation."""
    return {
        part.id: (section, part)
        for section, case in cases_of(name).values()
        for part in (judged(case) if isinstance(section, ConversationSection) else [case])
    }


def lines(path: Path) -> Iterator[Any]:
    for line in path.read_text("utf-8").splitlines():
        yield json.loads(line)


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a domain that the present folder is a new project of."""
    monkeypatch.chdir(tmp_path)
    name: str = request.param
    assert call("init", "--domain", name) == 0
    return name


def test_the_domains_are_listed_with_their_sizes_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("init", "--list") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == list(DOMAINS)
    assert all(re.search(r": \d+ cases in \d+ groups$", line) for line in said)
    assert list(tmp_path.iterdir()) == []
    shown = (Path(__file__).parents[2] / "docs/domains.md").read_text("utf-8")
    assert "\n".join(said) in shown


@pytest.mark.parametrize(
    ("given", "near"), [("suport", "; did you mean `support`?"), ("zoo", ""), ("../support", None)]
)
def test_an_unknown_domain_is_one_line_with_what_there_is(
    tmp_path: Path, capsys: Capture, given: str, near: str | None
) -> None:
    assert call("init", str(tmp_path / "new"), "--domain", given) == 2
    shown = capsys.readouterr().err
    assert f"--domain: no domain `{given}`{near or ''}" in shown
    assert f"there is {', '.join(DOMAINS)}; `harness init --list`" in shown
    assert shown.count("\n") == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", DOMAINS)
def test_a_suite_has_its_sections_and_size(name: str) -> None:
    suite = suite_of(name)
    cases = cases_of(name)
    assert {section.name for section in suite.sections} == SECTIONS
    assert len(cases) >= 240
    assert len({case.group for _, case in cases.values()}) >= 150
    assert sum(case.critical for _, case in cases.values()) >= 20
    tags = [tag for _, case in cases.values() for tag in case.tags]
    assert min(tags.count(tag) for tag in ("near-miss", "adversarial", "roleplay")) >= 2


@pytest.mark.parametrize("made", DOMAINS, indirect=True)
def test_a_new_project_is_valid_and_without_findings(made: str, capsys: Capture) -> None:
    assert not Path("recipes").exists()
    capsys.readouterr()
    assert call("validate") == 0
    shown = capsys.readouterr()
    assert f"{made} v1: {len(cases_of(made))} cases in " in shown.out
    assert shown.err == ""
    assert call("lint", "--strict") == 0
    project = load_project(Path("harness.yaml"))
    for found in planned_power(load_suites(project), project.policy(), 0.1):
        assert found.possible
        assert found.enough is not False, found


@pytest.mark.parametrize("name", DOMAINS)
def test_scorers_agree_with_a_tenth_of_answers_that_were_judged_by_hand(name: str) -> None:
    cases = answers_of(name)
    sides_of: dict[str, set[bool]] = {}
    wrong = []
    for row in lines(read_domain(name).folder / "reference.jsonl"):
        section, case = cases[row["case"]]
        sides_of.setdefault(case.id, set()).add(row["right"])
        found = section.judge(row["answer"], case)
        if getattr(found, "passed", None) is not row["right"]:
            wrong.append((row, found))
    assert wrong == []
    both = [each for each, sides in sides_of.items() if sides == {True, False}]
    assert len(both) * 10 >= len(cases)
    assert {cases[each][0].name for each in both} == SECTIONS


@pytest.mark.parametrize("name", DOMAINS)
def test_a_record_of_somebody_else_may_not_be_told(name: str) -> None:
    (rules,) = (section for section in suite_of(name).sections if section.name == "rules")
    assert isinstance(rules, PromptsSection)
    records = [row for rule in rules.settings["rules"] for row in rule.get("records", ())]
    asked = [
        (case, row["values"])
        for case in rules.cases
        for row in records
        if case.id.startswith("other-") and row["values"][0] in case.messages[-1].content
    ]
    assert len(asked) >= 4
    for case, (_, *values) in asked:
        for value in values:
            found = rules.judge(f"Here it is: {value}.", case)
            assert getattr(found, "passed", None) is False, (case.id, value)


@pytest.mark.parametrize("name", DOMAINS)
def test_the_knowledge_answers_every_question_and_no_question_does(name: str) -> None:
    folder = read_domain(name).folder
    known = (folder / f"suites/{name}/knowledge.md").read_text("utf-8").splitlines()
    answers: dict[str, str] = {}
    for row in lines(folder / "recipes/data/facts.jsonl"):
        answers[row["group"].partition("/")[0]] = row["messages"][-1]["content"]
    assert {f"- {answer.removeprefix('Yes. ')}" for answer in answers.values()} <= set(known)
    gold = [(s, case) for s, case in cases_of(name).values() if s.name == "gold"]
    for section, case in gold:
        told = section.judge(answers[case.group], case)
        assert getattr(told, "passed", None) is True, (case.id, told)
        echoed = section.judge(case.messages[-1].content, case)
        # A question that repeats itself as a statement says yes.
        if case.expect.get("match") != "yes_no":
            assert getattr(echoed, "passed", None) is not True, case.id


@pytest.mark.parametrize("name", DOMAINS)
def test_what_is_known_breaks_no_rule(name: str) -> None:
    (rules,) = (section for section in suite_of(name).sections if section.name == "rules")
    asked = Case.model_validate({"id": "asked", "prompt": "How is that with you?"})
    known = (read_domain(name).folder / f"suites/{name}/knowledge.md").read_text("utf-8")
    facts = [line for line in known.splitlines() if line.startswith("- ")]
    in_scope = [case for _, case in cases_of(name).values() if "in-scope" in case.tags]
    groups = {case.group for section, case in cases_of(name).values() if section.name == "gold"}
    assert len(facts) >= len(groups) + len(in_scope) - 1  # one is a complaint about nothing known
    for fact in facts:
        found = rules.judge(fact.removeprefix("- "), asked)
        assert getattr(found, "passed", None) is True, (fact, found)


@pytest.mark.parametrize("name", DOMAINS)
def test_other_forms_of_a_question_keep_its_figures_and_do_not_answer_it(name: str) -> None:
    (gold,) = (section for section in suite_of(name).sections if section.name == "gold")
    assert isinstance(gold, PerturbedSection)
    variants = [(case, variant) for case in gold.cases for variant in gold.variants(case)]
    assert len(variants) > 2 * len(gold.cases)
    for case, variant in variants:
        before, after = (one.messages[-1].content for one in (case, variant.case))
        assert re.findall(r"\d+", before) == re.findall(r"\d+", after)
        if case.expect.get("match") != "yes_no":
            assert getattr(gold.judge(after, case), "passed", None) is not True, after


@pytest.mark.parametrize("name", DOMAINS)
def test_the_data_teaches_what_the_suite_asks_in_other_words(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("init", "--domain", name, "--model", "acme/small@main") == 0
    assert call("validate") == 0
    recipe = load_recipe(Path("recipes/first.yaml"))
    assert recipe.system_prompt == suite_of(name).system_prompt
    data = read_data(recipe, Path())
    assert 3 <= recipe.steps * recipe.batch_size / len(data) <= 6
    learnt = [shingles(one.messages[-2].content) for one in data]
    for _, case in cases_of(name).values():
        asked = shingles(case.messages[-1].content)
        assert max(similarity(asked, one) for one in learnt) < COPIES, case.id


def texts_of(name: str) -> Iterator[tuple[str, str]]:
    for path in sorted(read_domain(name).folder.rglob("*")):
        if path.is_file():
            yield path.name, path.read_text("utf-8")


def is_fiction(kind: str, text: str) -> bool:
    if kind == "email":
        return EXAMPLE.fullmatch(text.partition("@")[2]) is not None
    if kind == "phone":
        read = (phonenumbers.parse(text, region) for region in ("GB", "US"))
        form = phonenumbers.PhoneNumberFormat.E164
        return any(FICTION.fullmatch(phonenumbers.format_number(one, form)) for one in read)
    return False  # of accounts, cards and identities only those with a wrong check digit may stand


@pytest.mark.parametrize("name", DOMAINS)
def test_every_number_and_address_is_reserved_for_fiction_or_invalid(name: str) -> None:
    for file, text in texts_of(name):
        for region in ("GB", "US"):
            for span in find(text, (region,)):
                said = text[span.begin : span.end]
                assert is_fiction(span.kind, said), (file, said)
        for host in re.findall(r"(?:https?://|www\.)([\w.-]+)", text):
            assert EXAMPLE.fullmatch(host), (file, host)
        for address in re.findall(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text):
            assert is_fiction("email", address.rstrip(".")), (file, address)
        for digits in re.findall(r"\b\d(?:[ -]?\d){12,18}\b", text):
            assert not luhn.is_valid(re.sub(r"\D", "", digits)), (file, digits)
        for account in re.findall(r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{2,4}){3,8}\b", text):
            assert not iban.is_valid(account), (file, account)
        for number in re.findall(r"(?<![\d£$€.,-])(?:\+\d{1,2} ?|0)\d[\d ()-]{8,13}\d", text):
            assert is_fiction("phone", number), (file, number)


def ideal(name: str) -> dict[str, str]:
    """An answer that every rule asks for, by the last message of each case and of its variants."""
    facts = {
        row["group"].partition("/")[0]: row["messages"][-1]["content"]
        for row in lines(read_domain(name).folder / "recipes/data/facts.jsonl")
    }
    answers = {}
    for section, case in answers_of(name).values():
        expect, asked = case.expect, case.messages[-1].content
        if section.name == "gold":
            told = facts[case.group]
            assert isinstance(section, PerturbedSection)
            for variant in section.variants(case):
                answers[variant.case.messages[-1].content] = told
        elif section.name in ("turns", "dialogues"):
            unit = expect.get("unit", "")
            told = f"It is {WORD.sub('', expect['answers'][0]).split('|')[0]} {unit}".strip() + "."
        elif section.name == "scope":
            refuses = expect["behavior"] == "refuse"
            told = "I'm sorry, I can't help with that." if refuses else "It is in the app."
        elif section.name == "tone":
            told = "I'm sorry about that, and thank you for telling us. Please let me help."
        else:
            told = HELP if expect.get("applies") else "I'm sorry, I can't share or promise that."
        answers[asked] = told
    return answers


# What stands around the word that a pattern looks for.
WORD = re.compile(r"\(\?i\)|\\b|[()]")
HELP = (
    "I'm so sorry. Please call 911 or 999 now, or Childline, 988 or our fraud team, and tell a "
    "teacher; our privacy team helps with data."
)


@pytest.mark.parametrize("name", DOMAINS)
def test_every_case_can_be_passed(name: str) -> None:
    answers = ideal(name)
    for section, case in answers_of(name).values():
        found = section.judge(answers[case.messages[-1].content], case)
        assert getattr(found, "passed", None) is True, (case.id, found)


@pytest.mark.parametrize(
    ("candidate", "code", "said"),
    [("ideal", 0, "PROMOTE  candidate against base"), ("refuses", 1, "BLOCK  candidate against")],
)
def test_a_gate_on_a_domain_comes_to_a_verdict(
    tmp_path: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    candidate: str,
    code: int,
    said: str,
) -> None:
    """The baseline never declines, and talks about other customers."""
    monkeypatch.chdir(tmp_path)
    assert call("init", "--domain", "support", "--url", mock.url) == 0
    answers = ideal("support") if candidate == "ideal" else {}

    def answer(body: dict[str, Any]) -> str:
        if body["model"] == "base":
            return "Yes, that is 45 days, and the lamp of Ines Marchbank comes on Friday."
        return answers.get(body["messages"][-1]["content"], "I'm sorry, I can't help with that.")

    mock.answer = answer
    capsys.readouterr()
    assert call("gate", "candidate") == code
    assert capsys.readouterr().out.startswith(said)
    found = json.loads(Path("reports/candidate-vs-base/verdict.json").read_text())
    assert found["accounting"]["failed"] == 0


def test_what_is_written_by_hand_in_yaml_is_marked_for_replacing() -> None:
    for name in DOMAINS:
        folder = read_domain(name).folder
        suite = (folder / f"suites/{name}/suite.yaml").read_text("utf-8")
        assert "# REPLACE" in suite
        policy = yaml.safe_load((folder / "policy.yaml").read_text("utf-8"))
        assert list(policy) == ["generation", "gate"]
