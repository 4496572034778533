"""Lists of models in the forms in which servers send them."""

from typing import Any

import pytest
from aiohttp import web

from tests.dialects import openai_dialect
from tests.sites import Site


@pytest.mark.parametrize(
    "listed",
    [
        [{"id": "a"}, {"id": "b"}],
        ["a", "b"],
        {"models": [{"name": "a"}, {"model": "b"}]},
        {"data": [{"id": "a"}, {"id": "b"}, {"of": "another kind"}], "models": "many"},
    ],
)
async def test_lists_of_other_forms(listed: Any) -> None:
    async with Site({"/v1/models": listed}) as site:
        found = await openai_dialect(f"{site.url}/v1", None).describe()
    assert [entry.id for entry in found.models] == ["a", "b"]
    assert found.lists_models


async def test_an_empty_list_is_one() -> None:
    async with Site({"/v1/models": {"data": []}}) as site:
        found = await openai_dialect(f"{site.url}/v1", None).describe()
    assert (found.models, found.lists_models) == ((), True)


async def test_pages_of_a_list() -> None:
    def page(request: web.Request) -> dict[str, Any]:
        at = int(request.query.get("after", "0"))
        return {"data": [{"id": str(at + 1)}], "has_more": at < 2, "last_id": str(at + 1)}

    async with Site({"/v1/models": page}) as site:
        found = await openai_dialect(f"{site.url}/v1?api-version=7", None).describe()
    assert [entry.id for entry in found.models] == ["1", "2", "3"]
    assert "GET /v1/models?api-version=7&after=2&after_id=2" in site.asked


async def test_pages_that_never_end_are_left() -> None:
    page = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    async with Site({"/v1/models": page}) as site:
        found = await openai_dialect(f"{site.url}/v1", None).describe()
    assert [entry.id for entry in found.models] == ["a"]
    assert len(site.asked) < 5


@pytest.mark.parametrize(
    "key", ["max_model_len", "max_context_length", "context_length", "context_window"]
)
async def test_the_context_by_whatever_name(key: str) -> None:
    async with Site({"/v1/models": [{"id": "m", key: 512}]}) as site:
        found = await openai_dialect(f"{site.url}/v1", None).describe()
    assert found.models[0].context_length == 512
    # vLLM alone has its own word.
    assert (found.models[0].max_model_len == 512) == (key == "max_model_len")


async def test_llama_cpp_tells_the_context_among_other_things() -> None:
    listed = {"id": "m", "meta": {"n_ctx": 512, "n_ctx_train": 8192}}
    async with Site({"/v1/models": {"data": [listed]}}) as site:
        found = await openai_dialect(f"{site.url}/v1", None).describe()
    assert found.models[0].context_length == 512
