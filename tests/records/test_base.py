from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_project
from harness.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets: {remote: {server: s, zork: 1}}", "targets.remote.zork: unknown key"),
        ("targets: {at_most: {server: s, zork: 1}}", "targets.at_most.zork: unknown key"),
        ("targets: {t: {server: s, managed: 1}}", "targets.t.managed: unknown key"),
        (
            "targets: {t: {server: s}}\nservers: {s: {url: 'http://h', zork: 1}}",
            "servers.s.zork: unknown key",
        ),
        (
            "targets: {t: {server: s}}\nservers: {remote: {url: 'http://h', managed: 1}}",
            "servers.remote.managed: unknown key",
        ),
        (
            "gate: {baseline: t, rules: [{require: at_least, metric: m, at_least: 1}]}",
            "gate.rules.0.value: missing key",
        ),
        (
            "gate: {baseline: t, rules: [{require: at_most, metric: m, value: 1, at_most: 1}]}",
            "gate.rules.0.at_most: unknown key",
        ),
    ],
)
def test_a_name_that_reads_like_a_kind_of_record_stays_in_the_key_path(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "harness.yaml"
    needed = {"targets": "{t: {server: s}}", "servers": "{s: {url: 'http://h'}}"}
    rest = "".join(f"{key}: {value}\n" for key, value in needed.items() if key not in text)
    path.write_text(f"suites: [s]\n{text}\n{rest}")
    with pytest.raises(ConfigError) as caught:
        load_project(path)
    assert str(caught.value).startswith(f"{path}: {said}")
