from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import ConfigError, UsageError
from harness.records.server import RemoteServer
from tests.shop import config

ROOT = Path(__file__).parent.parent


def write(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Path:
    data = config("http://127.0.0.1:1")
    change(data)
    path = folder / "harness.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_the_shipped_configuration_loads() -> None:
    project = load_project(ROOT / "harness.yaml")
    assert set(project.config.targets) == {"base", "good", "forgetful", "overeager"}
    assert project.policy().baseline == "base"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(sweets=1), "sweets: unknown key"),
        (lambda d: d.pop("targets"), "harness.yaml: targets: missing key"),
        (lambda d: d["targets"]["base"].update(server="x"),
         "targets.base.server: no server `x`; there is `main`"),
        (lambda d: d["targets"]["base"].pop("model"), "a target on a url names its `model` there"),
        (lambda d: d["servers"]["main"].update(request={"max_tokens_as": "max_completion_token"}),
         "max_tokens_as: no server is known to take `max_completion_token`; did you mean `max_com"),
        (lambda d: d["servers"]["main"].update(url="ftp://x"), "servers.main.url: must be host"),
        (lambda d: d["servers"]["main"].update(url="https://me:pw@h"), "no credentials"),
        (lambda d: d["servers"]["main"].update(url="http://[::1"), "main.url: must be host"),
        (lambda d: d["servers"]["main"].update(url="http://h:x"), "main.url: must be host"),
        (lambda d: d["servers"]["main"].update(url=["a", "a"]), "main.url: address 2 of 2: is"),
        (lambda d: d["servers"].update(v={"engine": "tgi", "model": "m"}), "servers.v.engine: "),
        (lambda d: d["servers"].update(v={"engine": "vllm", "model": "m", "argz": {}}),
         "servers.v.argz: unknown key"),
        (lambda d: d["servers"]["main"].update(price={"input": 1.0}),
         "servers.main.price: give `input` and `output` (per million tokens), or `gpu_hour`"),
        (lambda d: d["servers"]["main"].update(max_cost=5.0),
         "servers.main: max_cost needs a `price`"),
        (lambda d: d["servers"]["main"].update(max_requests_per_minute=0),
         "servers.main.max_requests_per_minute: "),
        (lambda d: d["servers"]["main"].update(max_tokens_per_minute=128),
         "servers.main.max_tokens_per_minute: 128 leaves no room for a prompt"),
        (lambda d: d["generation"].update(temperature=-1), "generation.temperature: "),
        (lambda d: d["targets"]["base"].update(generation={"max_tokens": 0}),
         "targets.base.generation.max_tokens: "),
        (lambda d: d["targets"]["base"].update(generation={"tokens": 5}),
         "targets.base.generation.tokens: unknown key"),
        (lambda d: (d["servers"].update(v={"engine": "vllm", "model": "m"}),
                    d["targets"].update(t={"server": "v",
                                           "generation": {"thinking_token_budget": 9}})),
         "targets.t.generation.thinking_token_budget: vLLM takes it with a reasoning parser alone"),
        (lambda d: d["gate"].update(baseline="prod"), "gate.baseline: no target `prod`"),
        (lambda d: d["gate"].update(alpha=0.5), "gate.alpha: "),
        (lambda d: d["gate"].update(rules=[]), "gate.rules: "),
        (lambda d: d["gate"]["rules"][0].update(require="nicer"), "gate.rules.0.require: no kind"),
        (lambda d: d["gate"]["rules"][0].update(margin=0.1), "gate.rules.0.margin: unknown key"),
        (lambda d: d["gate"]["rules"][2].update(margin=-0.1), "gate.rules.2.margin: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_key(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_project(write(tmp_path, change))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "url",
    [
        "localhost:1",
        "http://localhost:1/",
        "http://localhost:1/v1",
        "http://localhost:1/v1/chat/completions",
    ],
)
def test_a_url_is_taken_as_host_or_version_or_route(tmp_path: Path, url: str) -> None:
    project = load_project(write(tmp_path, lambda d: d["servers"]["main"].update(url=url)))
    assert project.config.servers["main"].url == "http://localhost:1/v1"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("HTTP://h/V1", "http://h/v1"),
        ("http://h/v1/models", "http://h/v1"),
        ("https://h/models", "https://h/models/v1"),
        ("https://h/team/v1/chat/completions/", "https://h/team/v1"),
        ("0.0.0.0:8000", "http://0.0.0.0:8000/v1"),
        ("[::1]:8000", "http://[::1]:8000/v1"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("localhost.example.com", "https://localhost.example.com/v1"),
    ],
)
def test_a_url_is_written_in_one_way(url: str, route: str) -> None:
    assert RemoteServer(url=url).url == route


@pytest.mark.parametrize("url", ["https://h/v1?key=s3cret", "https://h/v1#s3cret", "h?k=s3cret"])
def test_a_query_or_fragment_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="a key goes into `api_key_env`") as caught:
        load_project(write(tmp_path, lambda d: d["servers"]["main"].update(url=url)))
    assert "s3cret" not in str(caught.value)


def test_a_relative_path_stays_in_the_project_and_an_absolute_one_is_meant(tmp_path: Path) -> None:
    project = load_project(write(tmp_path))
    with pytest.raises(ConfigError, match=r"`\.\./secret` leaves the project"):
        project.resolve("../secret", "servers.x.model")
    assert project.resolve("/models/x", "key") == Path("/models/x")
    assert project.resolve("models/x", "key") == tmp_path / "models/x"


def test_a_target_overrides_generation_settings(tmp_path: Path) -> None:
    project = load_project(
        write(tmp_path, lambda d: d["targets"]["base"].update(generation={"max_tokens": 7}))
    )
    assert project.generation("base").max_tokens == 7
    assert project.generation("candidate").max_tokens == 128
    with pytest.raises(UsageError, match="no target `x`"):
        project.target("x")


@pytest.mark.parametrize("option", ["reasoning-parser", "reasoning_parser", "reasoning-config"])
def test_a_managed_server_that_knows_thinking_takes_a_budget_of_it(
    tmp_path: Path, option: str
) -> None:
    def change(data: dict[str, Any]) -> None:
        data["servers"]["v"] = {"engine": "vllm", "model": "m", "args": {option: "qwen3"}}
        data["targets"]["t"] = {"server": "v", "generation": {"thinking_token_budget": 9}}

    settings = load_project(write(tmp_path, change)).generation("t")
    assert settings.request_fields() == {"thinking_token_budget": 9}


def test_a_missing_configuration_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_project(tmp_path / "harness.yaml")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must be a folder, or a url"),
        ("s3://", "must be a folder, or a url"),
        ("a\0b", "must be a folder, or a url"),
        ("s4://bucket", "no protocol `s4`"),
        ("s3://bucket/x?sig=hush", "must be a plain url"),
        ("sftp://me:hush@host/x", "must be a plain url"),
        ("simplecache::s3://bucket", "must be a plain url"),
    ],
)
def test_a_place_for_runs_that_cannot_be_is_refused_and_not_shown(
    tmp_path: Path, url: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"runs_dir: {said}")) as caught:
        load_project(write(tmp_path, lambda d: d.update(runs_dir=url)))
    assert "hush" not in caught.value.line


@pytest.mark.parametrize(
    "url", ["s3://bucket/x", "memory://x", "file:///x", "/x", "abfs://box@place.example/x"]
)
def test_where_runs_are_kept_besides_changes_no_digest(tmp_path: Path, url: str) -> None:
    project = load_project(write(tmp_path, lambda d: d.update(runs_dir=url)))
    assert project.runs_url == url
    assert project.runs == tmp_path / ".harness" / "runs"
    assert replace(project, working="elsewhere").runs_url is None
    assert project.digest == load_project(write(tmp_path)).digest


def test_a_relative_place_for_runs_stays_in_the_project(tmp_path: Path) -> None:
    inside = load_project(write(tmp_path, lambda d: d.update(runs_dir="kept")))
    assert inside.runs_url == str(tmp_path / "kept")
    outside = load_project(write(tmp_path, lambda d: d.update(runs_dir="../kept")))
    with pytest.raises(ConfigError, match="leaves the project"):
        _ = outside.runs_url


def test_what_a_chatbots_request_has_no_place_for_is_named(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        request = {"q": {"$": "last_message"}, "n": {"$": "max_tokens"}}
        bot = {"engine": "http", "url": "http://h/bot", "request": request, "answer": "reply"}
        data["servers"]["web"] = bot
        data["targets"]["t"] = {"server": "web", "generation": {"max_tokens": 9, "seed": 3}}
        data["targets"]["base"]["generation"] = {"seed": 3}

    (line,) = load_project(write(tmp_path, change)).without_effect()
    assert re.search(r"harness\.yaml:\d+: targets\.t\.generation\.seed: is not sent: ", line)
    assert "`web` has no placeholder `seed` in its `request` - write it there, or take" in line
