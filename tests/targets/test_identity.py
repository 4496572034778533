from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.config import Project, load_project
from harness.errors import ServerError
from harness.run.plan import plan
from harness.sections.section_kinds import load_suites
from harness.targets.identity import identify, is_still
from tests.mock_server import MockServer
from tests.shop import config, write_project

AWAY = "http://127.0.0.1:9/v1"


def project_on(folder: Path, url: str | list[str]) -> Project:
    if not (folder / "harness.yaml").exists():
        write_project(folder, "http://unused")
    settings = config("http://unused")
    settings["servers"]["main"]["url"] = url
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(folder / "harness.yaml")


async def test_answers_are_known_by_the_addresses_whatever_their_order(tmp_path: Path) -> None:
    async with MockServer(lambda _: "x", models=("base",)) as server:
        one, two = sorted([server.url, AWAY])
        keys = []
        for url in ([one, two], [two, one]):
            project = project_on(tmp_path, url)
            found = await identify(project, "base")
            assert found.server == f"{one} {two}"
            assert is_still(project, "base", found)
            asks = plan(project, "base", load_suites(project), found).requests
            keys.append([ask.key for ask in asks])
        assert keys[0] == keys[1]
        alone = project_on(tmp_path, server.url)
        assert (await identify(alone, "base")).server == server.url
        assert not is_still(alone, "base", found)


async def test_none_of_several_can_be_reached(tmp_path: Path) -> None:
    project = project_on(tmp_path, [AWAY, "http://127.0.0.1:10/v1"])
    with pytest.raises(ServerError, match=r"127\.0\.0\.1:9/v1"):
        await identify(project, "base")
