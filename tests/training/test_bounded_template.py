"""Work that has no end is interrupted; what was set for signals before is set again."""

from __future__ import annotations

import itertools
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.training import bounded_template
from harness.training.bounded_template import TooMuch, bounded, check_length


def test_work_without_an_end_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_template, "MOST_SECONDS", 0.05)
    before = signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(TooMuch, match=r"needs more than 0\.05 s"), bounded():
        all(True for _ in itertools.count())
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_no_signal_reaches_another_thread() -> None:
    def work() -> str:
        with bounded():
            return "done"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() == "done"


def test_a_text_that_no_model_reads_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_template, "MOST_CHARACTERS", 3)
    assert check_length("abc") == "abc"
    with pytest.raises(TooMuch, match="it writes 4 characters"):
        check_length("abcd")
