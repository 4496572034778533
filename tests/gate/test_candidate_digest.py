"""One candidate has one digest, however it is served and asked."""

from __future__ import annotations

from typing import Any

import pytest

from harness.gate.candidate_digest import candidate_digest
from harness.records.request_fields import RequestForm
from harness.records.target import Identity

FILES = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
URL = "http://127.0.0.1:8000/v1"
THERE: dict[str, Any] = {"server": URL, "server_version": "1", "model": "candidate"}
HERE: dict[str, Any] = {**THERE, "server": "local", "weights": FILES}


def of(base: dict[str, Any], **changes: Any) -> str:
    return candidate_digest(Identity(**{**base, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"server_version": "2"},
        {"root": "/models/another-name"},
        {"request": RequestForm(omit=("seed",))},
        {"engine_args": {"dialect": "completions"}},
        {"server": "http://localhost:8000/v1"},
        {"server": "http://[::1]:8000/v1/"},
    ],
)
def test_what_is_changed_of_a_server_makes_no_other_candidate(changes: dict[str, Any]) -> None:
    assert of(THERE, **changes) == of(THERE)


def test_a_schemes_own_port_and_the_order_of_addresses_make_none_either() -> None:
    one = of(THERE, server="http://a/v1 http://b/v1")
    assert of(THERE, server="http://b./v1 http://a:80/v1") == one


def test_another_model_or_server_is_another_candidate() -> None:
    assert of(THERE, model="other") != of(THERE)
    assert of(THERE, server="http://127.0.0.1:8001/v1") != of(THERE)


def test_the_files_stand_for_a_candidate_where_they_are_known() -> None:
    renamed = {"server": "other", "model": "twin", "engine_args": {"max-model-len": 64}}
    assert of(HERE, **renamed) == of(HERE)
    assert of(HERE, weights=OTHER) != of(HERE)
    assert of(HERE, adapter=OTHER) != of(HERE)


def test_an_adapter_behind_a_url_is_known_by_the_digest_of_its_files() -> None:
    listed = of(THERE, adapter=f"{URL}#/here/one@{FILES}")
    assert of(THERE, adapter=FILES) == listed
    assert of(THERE, adapter=f"{URL}#/there/b@two@{FILES}", server="http://h/v1") == listed
    assert of(THERE, adapter=f"{URL}#/here/one@{OTHER}") != listed
    assert of(THERE, adapter=f"{URL}#/one") == of(THERE, adapter=f"{URL}#/another") == of(THERE)


def test_a_chatbot_tells_which_version_of_its_model_answers() -> None:
    bot = {**THERE, "model": "rasa", "engine_args": {"preset": "rasa"}}
    assert of(bot, root="trained-1") != of(bot, root="trained-2")
