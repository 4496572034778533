from __future__ import annotations

import builtins
import socket
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.review.serve import links, serve
from tests.review.builders import review


def test_each_rater_and_the_overview_have_a_link_of_their_own(tmp_path: Path) -> None:
    found = dict(links(review(tmp_path), "http://127.0.0.1:1"))
    assert list(found) == ["anna", "ben", "overview"]
    assert found["anna"].startswith("http://127.0.0.1:1/r/")
    assert found["overview"].startswith("http://127.0.0.1:1/a/")
    assert len(set(found.values())) == 3


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}"):
            serve(review(tmp_path), "127.0.0.1", port, print)


def test_a_host_of_another_machine_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot listen on nowhere\.invalid:0"):
        serve(review(tmp_path), "nowhere.invalid", 0, print)


def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *given: Any, **more: Any) -> Any:
        if name == "uvicorn":
            raise ModuleNotFoundError("no", name="uvicorn")
        return usual(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"needs uvicorn .*harness\[review\]"):
        serve(review(tmp_path), "127.0.0.1", 0, print)
