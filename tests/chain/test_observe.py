"""What one link is asked, and what is made of servers that refuse a part of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.chain.conversations import TESTS
from harness.chain.link import Seen
from harness.chain.observe import Asking, observe
from harness.errors import HarnessError, ServerError, UsageError
from harness.records.suite import Message
from harness.records.target import Generation
from harness.targets.endpoint import Endpoint
from tests.chain.form import refuses_system
from tests.chain.tiny_model import ADAPTED, BASE, TinyModel
from tests.mock_server import MockServer

ROLE = Message(role="system", content="Be brief.")
PROBES = [(ROLE, Message(role="user", content=f"What is {number}?")) for number in range(3)]


async def seen_of(
    served: TinyModel, *, tokenize: Any = True, listed: int | None = 256, **asking: Any
) -> tuple[Seen, tuple[Message, ...] | None]:
    def answer(body: dict[str, Any]) -> Any:
        return (BASE if body["model"] == "base" else served).answer(body)

    server = MockServer(
        answer,
        models={"m": "base", "base": None},
        context=listed,
        tokenize=(lambda body: served.tokens(body["messages"])) if tokenize is True else tokenize,
    )
    async with server:
        usual = {"model": "m", "settings": Generation(retries=0), "answers_as": None}
        asked = Asking(**{**usual, "probes": PROBES, **asking})
        return await observe(Endpoint((server.url,), None), asked, lambda _: None)


async def test_everything_is_asked_of_a_server_that_gives_it() -> None:
    seen, prompt = await seen_of(replace(ADAPTED, context=256))
    assert seen.has_logprobs
    assert len(seen.first) == len(seen.again) == 3
    assert seen.first == seen.again == seen.neutral != seen.base
    assert {name: len(ids) for name, ids in seen.ids.items()} == seen.counts
    assert seen.counts.keys() == TESTS.keys()
    assert (seen.context, seen.refused) == (256, "")
    assert prompt is not None
    assert seen.long == pytest.approx(0.8 * 256, abs=10)


async def test_what_a_server_lacks_is_left_out() -> None:
    model = replace(ADAPTED, refused=("logprobs", "repetition_penalty"), usage=False)
    seen, prompt = await seen_of(model, tokenize=None)
    assert not seen.has_logprobs
    assert seen.first[0].tokens == ((seen.first[0].text, 0.0),)
    assert (seen.neutral, seen.ids, seen.long, prompt) == (None, {}, None, None)
    assert set(seen.counts.values()) == {None}


@pytest.mark.parametrize("reply", [{"tokens": []}, {"tokens": [1, 2]}, {"count": 0, "tokens": []}])
async def test_a_route_that_only_has_the_name_of_vllms_tells_no_tokens(
    reply: dict[str, Any],
) -> None:
    """llama.cpp's reads text and not conversations."""
    seen, _ = await seen_of(ADAPTED, tokenize=lambda _: reply)
    assert seen.ids == {}


async def test_the_first_link_finds_a_long_prompt_that_it_takes() -> None:
    """The list tells no length, and the usual guess is more than the server takes."""
    seen, _ = await seen_of(replace(ADAPTED, context=1024), listed=None)
    assert seen.long is not None
    assert 500 < seen.long < 1024


async def test_a_later_link_is_asked_the_prompt_of_the_first() -> None:
    prompt = (Message(role="user", content="on and on. " * 100),)
    seen, same = await seen_of(replace(ADAPTED, context=128), long=prompt)
    assert (seen.long, same) == (None, prompt)


async def test_probes_that_are_refused_are_told_from_a_server_that_does_not_answer() -> None:
    seen, _ = await seen_of(replace(ADAPTED, template=refuses_system), tokenize=None)
    assert "System role not supported" in seen.refused
    assert seen.first == ()
    assert seen.counts["system"] is None
    with pytest.raises(HarnessError):
        await seen_of(replace(ADAPTED, refused=("messages",)))
    with pytest.raises(UsageError, match="does not know the model"):
        await seen_of(ADAPTED, model="other")


async def test_a_server_that_is_gone_is_no_word_on_the_model() -> None:
    asking = Asking("m", Generation(retries=0, connect_timeout=2), None, PROBES)
    with pytest.raises(ServerError, match="`m` does not answer"):
        await observe(Endpoint(("http://127.0.0.1:1/v1",), None), asking, lambda _: None)
