"""A chain of real files: a trained model with its tokenizer and template, an adapter, its merge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chain.conftest import Examine
from tests.chain.form import doubled
from tests.chain.real_model import Files, RealModel
from tests.e2e.micro import build_adapter
from tests.micro_base import micro_base

__all__ = ["micro_base"]

pytestmark = pytest.mark.slow  # torch, transformers and peft are imported


@pytest.fixture(scope="module")
def merged(micro_base: Path, tmp_path_factory: pytest.TempPathFactory) -> RealModel:
    """The merged model, read from the files that a merge wrote."""
    from harness.serving.merge_worker import merge

    folder = tmp_path_factory.mktemp("forms")
    adapter = build_adapter(micro_base, folder / "adapter")
    order = {
        "base": str(micro_base), "adapter": str(adapter), "tokenizer": str(micro_base),
        "folder": str(folder / "merged"), "dtype": "float32", "tokens": 2,
        "probes": [[{"role": "user", "content": "Hi"}]], "template_kwargs": {}, "rows": None,
        "embeddings": False, "trust_remote_code": False,
    }  # fmt: skip
    merge(order, lambda _: None)
    return RealModel(files=Files(folder / "merged", {}), share=0.0, context=128)


@pytest.fixture
def base(merged: RealModel, micro_base: Path) -> RealModel:
    adapter = merged.files.base.parent / "adapter"
    return replace(merged, files=Files(micro_base, {"ours": adapter}), merged=False)


def test_a_merge_is_the_same_model_and_another_template_is_not(
    merged: RealModel, base: RealModel, chained: Examine
) -> None:
    links = {"merged": merged, "far": replace(merged, template=doubled)}
    hops = chained(links, adapter=replace(base, share=1.0), base=base)
    assert [hop.outcome for hop in hops] == ["same", "different"]
    assert hops[0].probes.largest is not None
    assert hops[0].probes.largest < 1e-3
    assert hops[1].cause == "template"


def test_a_merge_that_lost_the_adapter_is_named(base: RealModel, chained: Examine) -> None:
    hops = chained({"merged": base}, adapter=replace(base, share=1.0), base=base)
    assert (hops[0].outcome, hops[0].cause) == ("different", "adapter not applied")
