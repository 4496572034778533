from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.records.base import explain
from harness.records.server import ManagedServer, RemoteServer


def test_one_address_or_several() -> None:
    assert RemoteServer(url="h").urls == ("https://h/v1",)
    several = RemoteServer(url=("b.example", "http://a/v1/chat/completions"))
    assert several.urls == ("https://b.example/v1", "http://a/v1")
    assert RemoteServer(url=("h/v1",)) == RemoteServer(url="h")
    assert RemoteServer.model_validate_json(several.model_dump_json()) == several


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ([], "an address, or a list of addresses"),
        (7, "an address, or a list of addresses"),
        (["a", 7], "address 2 of 2: must be text"),
        (["a", "ftp://s3cret"], "address 2 of 2: must be host"),
        (["a", "b", "https://A/v1"], "address 3 of 3: is there already"),
    ],
)
def test_a_list_that_is_none(url: object, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RemoteServer(url=url)  # type: ignore[arg-type]
    line = explain(caught.value)
    assert said in line
    assert line.startswith("url: ")
    assert "s3cret" not in line


@pytest.mark.parametrize(
    "url",
    ["not a url", "http://a b", "a..b", "!!!", "-h", "a,b", "http://.../v1", f"{'x' * 64}.example",
     "http:/h", "http//h", "h/ v1", "h\0", "http://h\\x"],
)  # fmt: skip
def test_what_no_client_could_look_up(url: str) -> None:
    with pytest.raises(ValidationError, match="must be host, host/v1 or the full route"):
        RemoteServer(url=url)


@pytest.mark.parametrize(
    "url", ["my_model:80", "ex.example.", "münchen.example", "[::1]:80", "http://vllm", "a-:80"]
)
def test_what_a_client_could_look_up(url: str) -> None:
    assert RemoteServer(url=url).urls


@pytest.mark.parametrize("given", ["sk-s3cret", "", "1KEY", "A KEY", "$s3cret", "KEY\n"])
def test_a_key_in_place_of_its_variable_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RemoteServer(url="h", api_key_env=given)
    assert explain(caught.value) == "api_key_env: holds the name of a variable, not the key"
    assert RemoteServer(url="h", api_key_env="_Key1").api_key_env == "_Key1"


def test_replicas_need_ports_that_exist() -> None:
    assert ManagedServer(engine="vllm", model="m", port=65535).replicas == 1
    with pytest.raises(ValidationError, match="end at 65535"):
        ManagedServer(engine="vllm", model="m", port=65535, replicas=2)


def test_the_usual_dialect_is_not_written_down() -> None:
    """A configuration's digest stays what it was before there were others."""
    usual, other = (
        RemoteServer.model_validate({"url": "http://h", **more}) for more in ({}, {"dialect": "x"})
    )
    assert "dialect" not in usual.model_dump(mode="json")
    assert other.model_dump(mode="json")["dialect"] == "x"
