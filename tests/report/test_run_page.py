from __future__ import annotations

from pathlib import Path

from harness.report.html import render_run_html
from harness.report.run_page import RunPage
from harness.training.candidate import CurvePoint, Curves
from harness.training.curves import Training
from tests.builders import make_run, shop
from tests.report.hostile import HOSTILE
from tests.targets.test_endpoint import make_dossier


def test_failing_answers_come_first_and_critical_ones_before_all(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    page = RunPage(make_run(project, suites, "base"), suites)
    failing, passing = page.groups
    assert (failing.title, passing.title) == ("Failing", "Passing")
    assert failing.total + passing.total == 80
    assert failing.cases[0].critical
    name, value = {row[1]: row for row in page.metrics}["shop.gold.accuracy"][1:3]
    assert (name, value) == ("shop.gold.accuracy", "25.0%")
    assert page.changed == ()


def test_without_its_suites_a_run_still_has_its_answers(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    page = RunPage(make_run(project, suites, "base"), ())
    assert page.changed == ("shop",)
    assert page.groups[0].cases[0].turns == ()


def test_what_a_model_wrote_is_text(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    texts = iter(HOSTILE * 80)
    run = make_run(project, suites, "base", lambda *_: next(texts))
    shown = render_run_html(RunPage(run, suites))
    assert "<script" not in shown


def test_the_training_of_its_adapter_is_on_the_page_where_it_is_known(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    page = RunPage(make_run(project, suites, "base"), suites)
    curves = Curves(points=(CurvePoint(step=1, train=2.0, validation=1.0),))
    shown = render_run_html(page, Training(make_dossier(), curves))
    assert shown.count("kept (step 1)") == 2
    assert "Recipe <bdi>cand</bdi>: <bdi>1 steps, validation loss 1.000 at step 1</bdi>" in shown
    assert "kept (step" not in render_run_html(page)
