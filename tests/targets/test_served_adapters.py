from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.client.dialect import ModelEntry, ServerDescription
from harness.config import Project, load_project
from harness.errors import AdapterNotApplied, UsageError
from harness.records.target import Identity
from harness.serving.adapter import read_adapter
from harness.storage import RunFolder
from harness.targets.identity import adapter_behind, check_listing, not_listed
from tests.builders import make_run, shop
from tests.serving.made import write_adapter
from tests.shop import config, write_project

HERE, ELSEWHERE = "http://127.0.0.1:1/v1", "https://chat.example.com/v1"


def project(folder: Path, url: str = HERE, **target: Any) -> Project:
    write_project(folder, url)
    settings = config(url)
    settings["targets"]["candidate"] |= target
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(folder / "harness.yaml")


def managed(folder: Path) -> Project:
    write_project(folder, HERE)
    settings = config(HERE)
    settings["servers"]["main"] = {"engine": "vllm", "model": "model"}
    settings["targets"] = {
        "base": {"server": "main"},
        "candidate": {"server": "main", "adapter": "good"},
    }
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(folder / "harness.yaml")


def entry(root: Path | str | None, parent: str | None = "base") -> ModelEntry:
    return ModelEntry("candidate", parent, None if root is None else str(root))


def listing(*entries: ModelEntry) -> ServerDescription:
    return ServerDescription((ModelEntry("base"), *entries), "1")


def who(adapter: str | None, server: str = HERE) -> Identity:
    return Identity(server=server, server_version="1", model="candidate", adapter=adapter)


def test_files_that_the_target_names_stand_for_the_adapter(tmp_path: Path) -> None:
    good = write_adapter(tmp_path / "good")
    named = project(tmp_path, adapter="good")
    digest = read_adapter(good).digest
    assert adapter_behind(named, "candidate", HERE, entry("/nowhere")) == digest
    assert adapter_behind(named, "candidate", HERE, entry(None, parent=None)) == digest
    shutil.rmtree(good)
    with pytest.raises(UsageError, match="no such adapter"):
        adapter_behind(named, "candidate", HERE, entry("/nowhere"))


def test_else_what_is_listed_stands_for_it_and_the_files_behind_where_they_are_here(
    tmp_path: Path,
) -> None:
    good = write_adapter(tmp_path / "good")
    plain = project(tmp_path)
    assert adapter_behind(plain, "candidate", HERE, entry(good, parent=None)) is None
    assert adapter_behind(plain, "candidate", HERE, None) is None
    found = adapter_behind(plain, "candidate", HERE, entry(good))
    assert found == f"{HERE}#{good}@{read_adapter(good).digest}"
    write_adapter(good, fill=1)
    assert adapter_behind(plain, "candidate", HERE, entry(good)) not in (None, found)
    # Another machine's folder of that name is another folder.
    assert adapter_behind(plain, "candidate", ELSEWHERE, entry(good)) == f"{ELSEWHERE}#{good}"
    for root in ("good", str(tmp_path), str(tmp_path / "none")):
        assert adapter_behind(plain, "candidate", HERE, entry(root)) == f"{HERE}#{root}"
    assert adapter_behind(plain, "candidate", HERE, entry(None)) == f"{HERE}#candidate"


def test_other_files_than_those_that_are_named_are_refused(tmp_path: Path) -> None:
    good, other = (write_adapter(tmp_path / name, fill=i) for i, name in enumerate(("good", "o")))
    copy = Path(shutil.copytree(good, tmp_path / "copy"))
    named = project(tmp_path, adapter="good")
    identity = who(read_adapter(good).digest)
    for fine in (entry(good), entry(copy), entry("/elsewhere"), entry(None)):
        check_listing(named, "candidate", identity, listing(fine))
    check_listing(named, "candidate", identity, listing())
    with pytest.raises(AdapterNotApplied, match="which is another adapter than good"):
        check_listing(named, "candidate", identity, listing(entry(other)))


def test_other_files_on_a_server_elsewhere_cannot_be_told_by_their_path(tmp_path: Path) -> None:
    good, other = (write_adapter(tmp_path / name, fill=i) for i, name in enumerate(("good", "o")))
    named = project(tmp_path, ELSEWHERE, adapter="good")
    identity = who(read_adapter(good).digest, ELSEWHERE)
    check_listing(named, "candidate", identity, listing(entry(other)))


def test_a_managed_server_serves_the_very_folder(tmp_path: Path) -> None:
    good = write_adapter(tmp_path / "good")
    copy = Path(shutil.copytree(good, tmp_path / "copy"))
    ours = managed(tmp_path)
    identity = who(read_adapter(good).digest, "main")
    check_listing(ours, "candidate", identity, listing(entry(good)))
    for wrong in (entry(copy), entry(None)):
        with pytest.raises(AdapterNotApplied, match="another adapter than good"):
            check_listing(ours, "candidate", identity, listing(wrong))


def test_a_name_that_is_not_listed_was_dropped_or_is_mistaken(tmp_path: Path) -> None:
    write_adapter(tmp_path / "good")
    plain = project(tmp_path)
    missing = not_listed(plain, "candidate", HERE, listing())
    assert isinstance(missing, UsageError)
    assert "has no model `candidate`" in missing.line
    named = project_again(tmp_path, adapter="good")
    assert isinstance(not_listed(named, "candidate", HERE, listing()), AdapterNotApplied)


def project_again(folder: Path, **target: Any) -> Project:
    shutil.rmtree(folder / "suites")
    return project(folder, **target)


def test_a_name_that_once_was_an_adapter_was_dropped(tmp_path: Path) -> None:
    plain, suites = shop(tmp_path)
    run = make_run(plain, suites, "candidate")
    for adapter, kind in ((None, UsageError), (f"{HERE}#x", AdapterNotApplied)):
        head = run.header.model_copy(update={"identity": who(adapter)})
        RunFolder(plain.runs / "candidate-1").write_header(head)
        error = not_listed(plain, "candidate", HERE, listing())
        assert isinstance(error, kind)
        assert "(it lists `base`)" in error.line or "it lists `base`" in error.hint
