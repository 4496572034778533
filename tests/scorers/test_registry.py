from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.records.base import Record
from harness.records.suite import Case
from harness.scorers import Judgement, Registry, book, get, names, registry
from harness.scorers.registry import fingerprint
from harness.sections.prompts import PromptsKind
from harness.sections.section_kinds import SectionKinds
from harness.suites import load_suite

BUILT_IN = {
    "gold": ("accuracy", "f1"),
    "scope": ("refusal_recall", "answer_rate", "f1", "accuracy"),
    "tone": ("adherence",),
}


class Loud:
    name = "loud"
    metrics = ("volume",)

    def check_section(self, settings: Any) -> None: ...

    def check_case(self, case: Case, settings: Any) -> None:
        raise ValueError("volume: cannot be read")

    def score(self, answer: str, case: Case, settings: Any) -> Judgement:
        return Judgement(1.0, True)


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "harness.scorers")


def here(name: str = "loud", value: str = "Loud") -> EntryPoint:
    return point(name, f"{__name__}:{value}")


def test_the_built_in_scorers_are_declared_like_any_other() -> None:
    assert set(BUILT_IN) <= set(names())
    for name, metrics in BUILT_IN.items():
        assert get(name).name == name
        assert get(name).metrics == metrics


def test_a_scorer_is_registered_by_a_call_and_found_by_its_name() -> None:
    registry = Registry(())
    loud = Loud()
    registry.register(loud)
    registry.register(loud)
    assert registry.names() == ("loud",)
    assert registry.get("loud") is loud
    with pytest.raises(ValueError, match="scorer `loud` is already registered"):
        registry.register(Loud())


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    registry = Registry([point("broken", "no.such.module:Thing")])
    assert registry.names() == ("broken",)
    with pytest.raises(ValueError, match=r"scorer `broken` cannot be loaded from no.such.module"):
        registry.get("broken")


def test_an_unknown_scorer_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"^no scorer `vibes`; there is .*`gold`"):
        book().metrics("vibes")
    with pytest.raises(ValueError, match="there is none"):
        Registry(()).get("x")


def test_two_declarations_of_one_name_are_refused_unless_they_agree() -> None:
    Registry([point("x", "a:B"), point("x", "a:B")])
    with pytest.raises(UsageError, match="scorer `x` is declared twice: a:B and a:C"):
        Registry([point("x", "a:B"), point("x", "a:C")])


def test_two_packages_that_declare_one_scorer_are_an_error_of_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rivals = [point("x", "a:B"), point("x", "a:C")]
    monkeypatch.setattr("harness.plugins.entry_points", lambda group: rivals)
    book.cache_clear()
    try:
        with pytest.raises(UsageError, match="scorer `x` is declared twice: a:B and a:C") as caught:
            book()
    finally:
        book.cache_clear()
    assert caught.value.exit_code == 2


def leaves() -> None:
    raise SystemExit(3)


def test_a_declared_scorer_that_exits_or_is_none_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for made, said in ((leaves, "SystemExit: 3"), (object, "AttributeError: ")):
        monkeypatch.setattr(EntryPoint, "load", lambda self, made=made: made)
        with pytest.raises(ValueError, match=f"scorer `loud` cannot be loaded from .*: {said}"):
            Registry([here()]).get("loud")


def test_a_scorer_of_another_name_than_declared_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EntryPoint, "load", lambda self: Loud)
    assert Registry([here("loud")]).get("loud").name == "loud"
    with pytest.raises(ValueError, match="scorer `quiet` calls itself `loud`"):
        Registry([here("quiet")]).get("quiet")


def test_a_registry_is_what_the_loader_of_suites_needs() -> None:
    scorers = book()
    folder = Path(__file__).parents[2] / "harness/cli/new_project/suites/shop"
    kinds = SectionKinds(())
    kinds.register(PromptsKind(scorers))
    suite = load_suite(folder, kinds)
    assert {section.scorer for section in suite.sections} <= set(names())
    registry = Registry(())
    registry.register(Loud())
    with pytest.raises(ValueError, match="volume: cannot be read"):
        registry.check_case("loud", {}, suite.sections[0].cases[0])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_judgement_that_is_not_finite_cannot_be_made(value: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        Judgement(value, passed=True)


def test_built_in_scorers_have_a_fingerprint_and_no_others_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = fingerprint(["gold", "scope", "tone"])
    assert known == fingerprint(["gold"])
    assert known is not None
    monkeypatch.setattr(registry, "file_digest", lambda path: f"other {path.name}")
    assert fingerprint(["gold"]) not in (None, known)
    loud = Loud()
    monkeypatch.setattr(registry, "get", lambda name: loud)
    assert fingerprint(["loud"]) is None


def test_a_scorer_is_checked_by_its_models_where_it_has_them() -> None:
    class Volume(Record):
        volume: int = 1

    class Modelled(Loud):
        name = "modelled"
        settings_model = Volume
        expect_model = Volume

        def check_case(self, case: Case, settings: Any) -> None: ...

    class Bare:
        name = "bare"
        metrics = ("volume",)
        score = Loud.score

    scorers = Registry(())
    scorers.register(Modelled())
    scorers.register(Bare())
    assert scorers.settings_model("modelled") is Volume
    assert scorers.settings_model("bare") is None
    case = Case.model_validate({"id": "c", "prompt": "?", "expect": {"volum": 2}})
    with pytest.raises(ValueError, match=r"^volume: must be a whole number, not text$"):
        scorers.check_section("modelled", {"volume": "loud"})
    with pytest.raises(ValueError, match=r"^volum: unknown key; did you mean `volume`\?$"):
        scorers.check_case("modelled", {}, case)
    scorers.check_section("bare", {"any": "thing"})
    scorers.check_case("bare", {}, case)
