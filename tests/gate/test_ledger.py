from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import EvidenceError, UsageError
from harness.gate.compare import compare
from harness.gate.judge import gate
from harness.gate.ledger import (
    Entry,
    current,
    entries,
    files_of,
    history_of,
    names,
    promotions,
    roll_back,
    sealed_place,
)
from harness.gate.seal import open_sealed, promote
from harness.gate.sealed_file import read_sealed
from harness.records.suite import Suite
from tests.builders import make_run, shop
from tests.gate.test_judge import NOW
from tests.gate.test_seal import POLICY

MOMENTS = ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z")
Made = tuple[Path, tuple[Suite, ...]]


@pytest.fixture
def thrice(tmp_path: Path) -> Made:
    """A folder in which one name was promoted three times, of as many answers."""
    project, suites = shop(tmp_path)
    base = make_run(project, suites, "base")
    for number, moment in enumerate(MOMENTS):
        run = make_run(project, suites, "candidate")
        said = [
            item.model_copy(update={"text": f"{item.text} {'!' * number}"}) for item in run.attempts
        ]
        run = replace(run, attempts=tuple(said))
        verdict = gate(compare(run, base, suites), POLICY, NOW)
        promote(verdict, verdict, run, replace(NOW, created=moment), "v1", tmp_path / "baselines")
    return tmp_path / "baselines", suites


def sealed_on(made: Made) -> str:
    """Which of the three the name stands for, by the answers."""
    text = next(iter(open_sealed("v1", made[1], made[0]).attempts)).text or ""
    return MOMENTS[text.count("!")]


def test_what_is_replaced_stays_as_it_was(thrice: Made) -> None:
    folder, _ = thrice
    assert [one.action for one in entries(folder)] == ["promote"] * 3
    assert names(folder) == ("v1",)
    for one in promotions(folder, "v1").values():
        assert set(files_of(folder, one)) == {"shop"}
    assert sealed_on(thrice) == MOMENTS[2]


def test_a_rollback_is_a_line_and_goes_back_step_by_step(thrice: Made) -> None:
    folder, _ = thrice
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for place in (1, 0):
        roll_back(folder, "v1", None, "2026-02-01T00:00:00Z", "it was rude")
        assert sealed_on(thrice) == MOMENTS[place]
    with pytest.raises(UsageError, match="there is no baseline `v1` from before"):
        roll_back(folder, "v1", None, "2026-02-01T00:00:00Z", "")
    for path, data in before.items():
        assert path.read_bytes().startswith(data)
        assert path.name == "ledger.jsonl" or path.read_bytes() == data
    assert [one.action for one in history_of(folder, "v1")] == ["promote"] * 3 + ["rollback"] * 2


def test_a_rollback_may_name_any_promotion_and_the_present_one_is_none(thrice: Made) -> None:
    folder, _ = thrice
    first, _, last = promotions(folder, "v1")
    with pytest.raises(UsageError, match=f"`v1` stands for {last} already"):
        roll_back(folder, "v1", last, MOMENTS[2], "")
    roll_back(folder, "v1", first[:5], MOMENTS[2], "")
    assert (current(folder, "v1"), sealed_on(thrice)) == (first, MOMENTS[0])
    roll_back(folder, "v1", last, MOMENTS[2], "")
    assert sealed_on(thrice) == MOMENTS[2]
    with pytest.raises(UsageError, match="3 promotions of `v1` begin with ``"):
        roll_back(folder, "v1", "", MOMENTS[2], "")
    with pytest.raises(UsageError, match="no sealed baseline `v2` - there is v1"):
        roll_back(folder, "v2", None, MOMENTS[2], "")


def test_a_promotion_after_a_rollback_keeps_what_it_replaces(thrice: Made, tmp_path: Path) -> None:
    folder, suites = thrice
    roll_back(folder, "v1", None, MOMENTS[2], "")
    live = (folder / "shop/v1.json").read_bytes()
    run = open_sealed("v1", suites, folder)
    good = read_sealed(folder / "shop/v1.json").verdict
    promote(good, good, run, replace(NOW, created="2026-03-01T00:00:00Z"), "v1", folder)
    last = list(promotions(folder, "v1").values())[2]
    assert (files_of(folder, last)["shop"]).read_bytes() == live
    assert sealed_place(folder, "v1", "shop") == folder / "shop/v1.json"


def test_a_baseline_of_before_the_ledger_stands_and_can_be_rolled_back_to(thrice: Made) -> None:
    folder, suites = thrice
    (folder / "ledger.jsonl").unlink()
    assert sealed_place(folder, "v1", "shop") == folder / "shop/v1.json"
    (found,) = history_of(folder, "v1")
    assert (found.action, found.moment) == ("found", MOMENTS[2])
    run = open_sealed("v1", suites, folder)
    good = read_sealed(folder / "shop/v1.json").verdict
    promote(good, good, run, replace(NOW, created="2026-03-01T00:00:00Z"), "v1", folder)
    assert [one.action for one in entries(folder)] == ["found", "promote"]
    roll_back(folder, "v1", None, "2026-03-02T00:00:00Z", "")
    assert current(folder, "v1") == found.id


def test_what_the_ledger_names_must_be_there(thrice: Made) -> None:
    folder, suites = thrice
    one = roll_back(folder, "v1", None, MOMENTS[2], "")
    kept = files_of(folder, one)["shop"]
    data = kept.read_bytes()
    kept.unlink()
    with pytest.raises(EvidenceError, match=rf"the baseline {one.id} that ledger\.jsonl names is"):
        open_sealed("v1", suites, folder)
    kept.write_bytes(data.replace(b"value 7", b"value 8"))
    with pytest.raises(EvidenceError, match="was changed after it was sealed"):
        open_sealed("v1", suites, folder)
    roll_back(folder, "v1", list(promotions(folder, "v1"))[2], MOMENTS[2], "")
    with pytest.raises(EvidenceError, match="is gone, or was changed after it was sealed"):
        roll_back(folder, "v1", one.id, MOMENTS[2], "")
    (folder / "ledger.jsonl").write_text("{}\n")
    with pytest.raises(EvidenceError, match=r"ledger\.jsonl:1: is no line of the ledger"):
        open_sealed("v1", suites, folder)


def test_the_id_is_that_of_the_seals() -> None:
    one = Entry(action="promote", name="v1", moment="m", seals={"a": "1", "b": "2"})
    other = Entry(action="rollback", name="v1", moment="n", seals={"b": "2", "a": "1"})
    assert one.id == other.id
    assert len(one.id) == 12
