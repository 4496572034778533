"""Environment variables in the values of a configuration, and the secrets that never get there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.config import load_project
from harness.environment_values import fill_from
from harness.errors import ConfigError
from harness.records.http_server import HttpServer
from harness.targets.endpoint import remote_endpoint
from harness.yaml_files import read_yaml

SET = {"HOST": "h.example", "N": "512", "ON": "true", "EMPTY": "", "CHAT_TOKEN": "hunter22hunter"}


def filled(folder: Path, text: str) -> Any:
    path = folder / "harness.yaml"
    path.write_text(text)
    return fill_from(SET, read_yaml(path, ConfigError), ConfigError).data


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("${HOST}", "h.example"),
        ("https://${HOST}/v1", "https://h.example/v1"),
        ("${HOST}:${N}", "h.example:512"),
        ("${NONE:-a b}", "a b"),
        ("${HOST:-other}", "h.example"),
        ("${EMPTY:-other}", "other"),
        ("${NONE:-}", ""),
        ("$${HOST}", "${HOST}"),
        ("$$${HOST}", "$${HOST}"),
        ("$HOST", "$HOST"),
        ("{{ x }} $ {", "{{ x }} $ {"),
        ("${N}", "512"),
    ],
)
def test_a_value_is_filled(tmp_path: Path, value: str, found: str) -> None:
    assert filled(tmp_path, f'a: {{b: ["x", "{value}"]}}') == {"a": {"b": ["x", found]}}


def test_what_is_filled_in_is_not_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "harness.yaml"
    path.write_text("a: ${OUTER}\n")
    file = fill_from({"OUTER": "${INNER} $${"}, read_yaml(path), ConfigError)
    assert file.data == {"a": "${INNER} $${"}


def test_keys_are_left_alone(tmp_path: Path) -> None:
    assert filled(tmp_path, '"${HOST}": 1') == {"${HOST}": 1}


def test_where_any_type_may_stand_it_is_read_as_yaml_reads_it(tmp_path: Path) -> None:
    text = "{n: '${N}', o: '${ON}', t: '${NO:-1.5}', s: '${N}px', h: '${HOST}', x: '${X:-null}'}"
    read = {"n": 512, "o": True, "t": 1.5, "s": "512px", "h": "h.example", "x": "null"}
    assert filled(tmp_path, f"args: {text}")["args"] == read
    assert filled(tmp_path, f"other: {text}")["other"]["n"] == "512"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("url: ${NONE}/v1",
         "b.url: the environment variable NONE is not set - set it, or write ${NONE:-default}"),
        ("url: ${EMPTY}", "b.url: the environment variable EMPTY is empty"),
        ("url: ${1X}", "b.url: `${` must begin `${NAME}` or `${NAME:-default}` - write `$${`"),
        ("url: ${HOST", "b.url: `${` must begin"),
        ("url: ${NONE:-${HOST}}", "b.url: `${` must begin"),
        ("api_key_env: ${CHAT_TOKEN}", "b.api_key_env: holds the name of a variable"),
        ("url: https://h/${CHAT_TOKEN}", "b.url: `CHAT_TOKEN` looks like a secret"),
        ("hf-token: ${HOST}", "b.hf-token: `HOST` looks like a secret"),
        ("url: ${HARNESS_RUNS_KEY}", "b.url: `HARNESS_RUNS_KEY` looks like a secret"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_file_line_and_key(
    tmp_path: Path, line: str, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        filled(tmp_path, f"a: 1\nb:\n  {line}\n")
    assert raised.value.line.startswith(f"{tmp_path}/harness.yaml:3: {message}")
    assert "hunter22" not in raised.value.line


@pytest.mark.parametrize(
    "name",
    ["DATABASE_URL", "PGPASSWORD", "MYSQL_PWD", "DB_PAT", "GITHUB_AUTH", "APIKEY", "MYTOKEN",
     "OPENAI_KEYS", "KEY_1", "SLACK_WEBHOOK", "JWT", "SSH_PRIVATE_KEY_PEM",
     "AWS_SECRET_ACCESS_KEY_ID", "HF_TOKEN", "token2", "SENTRY_DSN", "DB_PASS", "GCP_CREDENTIALS",
     "TOKEN_MAIN", "OAUTH_CLIENT"],
)  # fmt: skip
def test_the_name_of_a_secret(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"`{name}` looks like a secret"):
        filled(tmp_path, f"url: ${{{name}:-none}}")


@pytest.mark.parametrize(
    "name",
    ["BASE_URL", "MODEL", "MAX_TOKENS", "TOKENIZER", "TOKENIZER_PATH", "KEYBOARD", "AUTHOR", "PWD",
     "OLDPWD", "PATH", "PATTERN", "COMPASS", "MONKEY", "PASSAGES", "HOST", "TOKENS_PER_MINUTE"],
)  # fmt: skip
def test_a_name_that_is_no_secrets(tmp_path: Path, name: str) -> None:
    assert filled(tmp_path, f"url: ${{{name}:-none}}") == {"url": SET.get(name, "none")}


@pytest.mark.parametrize("value", ["https://me:hunter22@h/v1", "https://hunter22@h", "x://:p@h"])
def test_a_url_with_a_user_is_not_taken_and_not_shown(tmp_path: Path, value: str) -> None:
    path = tmp_path / "harness.yaml"
    path.write_text("url: ${BASE_URL}\n")
    with pytest.raises(ConfigError, match="`BASE_URL` holds a url with a user") as raised:
        fill_from({"BASE_URL": value}, read_yaml(path), ConfigError)
    assert "hunter22" not in raised.value.line
    kept = fill_from({"BASE_URL": "https://h/@me?to=a@b"}, read_yaml(path), ConfigError)
    assert kept.data == {"url": "https://h/@me?to=a@b"}


def headers(folder: Path, *lines: str) -> Any:
    text = "\n".join(f"      {line}" for line in lines)
    return filled(folder, f"servers:\n  bot:\n    headers:\n{text}\n")["servers"]["bot"]["headers"]


def test_a_headers_value_stays_in_the_environment(tmp_path: Path) -> None:
    assert headers(
        tmp_path,
        "Authorization: Bearer ${CHAT_TOKEN}",
        "X-Plain: a$${b",
        "X-Default: v${NONE:-1}",
    ) == {
        "Authorization": {"env": "CHAT_TOKEN", "prefix": "Bearer "},
        "X-Plain": "a${b",
        "X-Default": "v1",
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X: ${CHAT_TOKEN}!", "servers.bot.headers.X: a header can end in one `${NAME}`"),
        ("X: ${HOST}${CHAT_TOKEN}", "servers.bot.headers.X: a header can end in one"),
        ("X: ${NONE}", "servers.bot.headers.X: the environment variable NONE is not set"),
        ("X: {env: '${CHAT_TOKEN}'}", "servers.bot.headers.X.env: holds the name of a variable"),
    ],
)
def test_a_header_that_cannot_be(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        headers(tmp_path, line)
    assert raised.value.line.startswith(f"{tmp_path}/harness.yaml:4: {message}")


PROJECT = """\
suites: [suites/shop]
servers:
  main:
    url: ${BASE_URL}/v1
  bot:
    engine: http
    url: https://${BOT_HOST:-bot.example}/talk
    headers: {Authorization: "Bearer ${BOT_TOKEN}"}
    request: {q: {$: last_message}}
    answer: a
targets:
  base: {server: main, model: "${MODEL:-base}"}
  bot: {server: bot}
generation:
  max_tokens: ${LONGEST:-64}
"""


def test_a_project_is_what_it_would_be_with_the_values_written_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "harness.yaml"
    path.write_text(PROJECT)
    monkeypatch.setenv("BASE_URL", "https://h.example")
    monkeypatch.setenv("BOT_TOKEN", "hunter22hunter")
    project = load_project(path)
    assert project.config.servers["main"].model_dump()["url"] == "https://h.example/v1"
    assert project.config.targets["base"].model == "base"
    assert project.config.generation.max_tokens == 64
    assert "hunter22" not in project.config.model_dump_json()
    bot = project.config.servers["bot"]
    assert isinstance(bot, HttpServer)
    access = remote_endpoint(bot, "bot", project.file).access
    assert access is not None
    assert access.credentials.headers == {"Authorization": "Bearer hunter22hunter"}
    assert access.credentials.redact("no hunter22hunter here") == "no *** here"
    monkeypatch.setenv("BOT_TOKEN", "another-one")  # a new key is no other bot
    assert load_project(path).digest == project.digest
    monkeypatch.setenv("BASE_URL", "https://other.example")
    assert load_project(path).digest != project.digest
    plain = PROJECT.replace("${BASE_URL}", "https://h.example").replace("${LONGEST:-64}", "64")
    plain = plain.replace("${BOT_HOST:-bot.example}", "bot.example").replace(
        "${MODEL:-base}", "base"
    )
    header = '{Authorization: {env: BOT_TOKEN, prefix: "Bearer "}}'
    path.write_text(plain.replace('{Authorization: "Bearer ${BOT_TOKEN}"}', header))
    assert load_project(path).digest == project.digest


def test_between_braces_a_value_needs_quotes_and_the_error_says_so(tmp_path: Path) -> None:
    path = tmp_path / "harness.yaml"
    path.write_text("servers: {main: {url: ${BASE_URL}/v1}}\n")
    with pytest.raises(ConfigError, match=r"harness\.yaml:1: YAML: .* - put a value with"):
        load_project(path)
