"""What the demo needs from the repository; the demo itself is tried in tests/e2e."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.shop import write_project

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import sys
from pathlib import Path
from harness.cli.demo import import_package
package = import_package(Path(sys.argv[1]) / "recipes" / "tiny_base")
recipe = package.load_recipe(Path(sys.argv[1]) / "recipes" / "tiny.yaml")
print(recipe.name, callable(package.build_base), "torch" in sys.modules)
"""


def test_the_base_model_is_built_with_code_of_the_repository(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "tiny True False\n", done.stderr


def test_without_the_repository_it_says_so(tmp_path: Path) -> None:
    write_project(tmp_path, "http://unused")
    done = subprocess.run(
        [sys.executable, "-m", "harness", "demo", "--config", str(tmp_path / "harness.yaml")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "recipes/tiny.yaml: no recipes for the demo" in done.stderr
