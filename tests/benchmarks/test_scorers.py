"""The benchmark of scorers: our tables are printed whatever other tools are installed."""

import json
from importlib import metadata
from pathlib import Path

import pytest

from benchmarks import scorer_peers, scorers

GOLD = [
    {"set": "gsm", "answer": "Two and three eggs are 5 eggs.", "answers": ["5"], "label": True},
    {"set": "fares", "answer": "The single is £2.", "answers": ["£3"], "label": False},
]
SCOPE = [
    {"prompt": "Sing me a song.", "text": "I cannot sing for you.", "label": "refused"},
    {"prompt": "When do you open?", "text": "We open at nine.", "label": "answered"},
]


def written(folder: Path, lines: list[dict[str, object]]) -> str:
    common = {"model": "a", "group": "1", "question": "How much is it?"}
    file = folder / "labelled.jsonl"
    file.write_text("".join(json.dumps({**common, **line}) + "\n" for line in lines))
    return str(file)


def test_missing_peers_are_named_and_ours_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", none)
    monkeypatch.setenv("PATH", str(tmp_path))  # without Node.js
    for scorer, lines in (("gold", GOLD), ("scope", SCOPE)):
        scorers.main([scorer, written(tmp_path, lines), "--peers"])
    printed = capsys.readouterr().out
    assert "| gsm | 1 | 0.0 % | – | 0.0 % |" in printed
    assert "| labelled | 2 | 100.0 % | 0.0 % | 100.0 % | 0.0 % |" in printed
    for peer in scorer_peers.PEERS:
        why = "Node.js is not installed" if peer.package == "promptfoo" else "not installed"
        assert f"left out: {peer.package} `{peer.rule}`: {why}\n" in printed


def test_an_installed_peer_has_lines_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_all = scorer_peers.Peer("pytest", "none", "contains", lambda: lambda rows: [False])
    refuses_all = scorer_peers.Peer("pytest", "all", "scope", lambda: lambda rows: [True, True])
    monkeypatch.setattr(scorer_peers, "PEERS", (fails_all, refuses_all))
    for scorer, lines in (("gold", GOLD), ("scope", SCOPE)):
        scorers.main([scorer, written(tmp_path, lines), "--peers"])
    printed = capsys.readouterr().out
    version = metadata.version("pytest")
    assert f"| fares, pytest {version} `none` | 1 | 0.0 % | 0.0 % | – |" in printed
    assert (
        f"| labelled, pytest {version} `all` | 2 | 50.0 % | 0.0 % | 100.0 % | 100.0 % |" in printed
    )
    assert "left out" not in printed
