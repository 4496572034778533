"""What a server says of itself: key, models, adapter, context."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from harness.doctor.access import check_adapter, check_context, check_key, check_models
from harness.doctor.step import Step
from tests.doctor.conftest import KEY, Visiting
from tests.sites import Site


async def steps(
    visiting: Visiting, listed: Any, *, keyed: bool = False, **target: Any
) -> list[Step]:
    checks = (check_key, check_models, check_adapter, check_context)
    async with (
        Site({"/v1/models": listed}) as site,
        visiting(site.url, keyed=keyed, **target) as visit,
    ):
        found = [await check(visit) for check in checks]
    assert KEY not in json.dumps([step.found + step.remedy for step in found])
    return found


def listing(**model: Any) -> dict[str, Any]:
    return {"data": [{"id": "m", **model}, {"id": "base"}]}


async def test_a_model_on_a_list(visiting: Visiting) -> None:
    found = await steps(visiting, listing(max_model_len=512, root="/models/m"), keyed=True)
    assert [step.outcome for step in found] == ["ok"] * 4
    assert found[0].found == "sent as `Authorization`, from A_KEY"
    assert "lists `m`, weights from /models/m" in found[1].found
    assert found[3].found == "512 tokens, 128 of them for the answer"


@pytest.mark.parametrize("keyed", [True, False])
async def test_a_key_that_is_refused_or_missing(keyed: bool, visiting: Visiting) -> None:
    refused = web.json_response({"error": f"bad key {KEY}"}, status=401)
    key, *_ = await steps(visiting, refused, keyed=keyed)
    assert key.outcome == "failed"
    assert ("refuses" if keyed else "asks for") in key.found
    assert "A_KEY" in key.remedy if keyed else "api_key_env" in key.remedy


async def test_a_list_that_cannot_be_had(visiting: Visiting) -> None:
    key, models, adapter, context = await steps(visiting, web.Response(status=404))
    assert [key.outcome, models.outcome, adapter.outcome, context.outcome] == [
        "ok", "cannot", "ok", "cannot",
    ]  # fmt: skip
    assert models.found == "`m` is not listed: HTTP 404 on /models"


async def test_a_list_that_cannot_be_had_now(visiting: Visiting) -> None:
    _, models, *_ = await steps(visiting, web.Response(status=503))
    assert (models.outcome, models.found[:8]) == ("failed", "HTTP 503")


async def test_an_adapter_under_its_base(visiting: Visiting) -> None:
    found = await steps(visiting, listing(parent="base"))
    assert found[2].found == "on `base`; a run proves that it is applied"


async def test_an_adapter_whose_base_is_not_listed(visiting: Visiting) -> None:
    found = await steps(visiting, listing(parent="other"))
    assert (found[2].outcome, "--enable-lora" in found[2].remedy) == ("failed", True)


async def test_an_adapter_that_is_not_listed_at_all(visiting: Visiting, tmp_path: Path) -> None:
    found = await steps(visiting, {"data": [{"id": "base"}]}, adapter="adapters/a")
    assert (found[1].outcome, found[2].outcome) == ("cannot", "failed")
    assert "does not list the adapter `m` (it lists `base`)" in found[2].found


async def test_the_context_of_an_adapter_is_its_bases(visiting: Visiting) -> None:
    listed = [{"id": "m", "parent": "base", "max_model_len": None}]
    found = await steps(visiting, {"data": [*listed, {"id": "base", "max_model_len": 512}]})
    assert found[3].found == "512 tokens, 128 of them for the answer"
    found = await steps(visiting, {"data": listed})
    assert found[3].outcome == "cannot"


async def test_an_answer_that_is_longer_than_the_context(visiting: Visiting) -> None:
    found = await steps(visiting, listing(context_length=64))
    assert (found[3].outcome, "`max_tokens`" in found[3].remedy) == ("failed", True)
