"""Which files belong to the version of a suite whose tests may read any of its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import SuiteError
from harness.suites import data
from harness.suites.data import data_digests, reads_cases


def found(folder: Path, *known: str) -> set[str]:
    return set(data_digests(folder, "suite.yaml", [folder / name for name in known]))


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def test_what_a_test_may_read_counts_and_what_nobody_reads_does_not(tmp_path: Path) -> None:
    put(tmp_path, "suite.yaml", "README.md", "gold.jsonl", "prices.csv", "deep/er/README.md")
    put(tmp_path, ".hidden", ".cache/x", "__pycache__/x.pyc", "deep/__pycache__/y.pyc")
    assert found(tmp_path, "gold.jsonl") == {"prices.csv", "deep/er/README.md"}


def test_another_suite_s_folder_is_its_own(tmp_path: Path) -> None:
    put(tmp_path, "suite.yaml", "a.txt", "other/suite.yaml", "other/b.txt", "other/deep/c.txt")
    assert found(tmp_path) == {"a.txt"}


def test_of_a_project_s_own_folder_only_its_files_count(tmp_path: Path) -> None:
    put(tmp_path, "suite.yaml", "harness.yaml", "a.txt", "models/weights.bin")
    assert found(tmp_path) == {"a.txt"}


def test_the_digest_goes_by_content_and_not_by_time(tmp_path: Path) -> None:
    put(tmp_path, "suite.yaml", "a.txt")
    first = data_digests(tmp_path, "suite.yaml", ())
    put(tmp_path, "a.txt")
    assert data_digests(tmp_path, "suite.yaml", ()) == first
    (tmp_path / "a.txt").write_text("another")
    assert data_digests(tmp_path, "suite.yaml", ()) != first


def test_a_known_file_is_known_by_any_path(tmp_path: Path) -> None:
    put(tmp_path, "suite.yaml", "gold.jsonl")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "gold.jsonl")
    assert found(tmp_path, "gold.jsonl") == set()


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_MOST", 2)
    put(tmp_path, "suite.yaml", "a", "b")
    assert found(tmp_path) == {"a", "b"}
    put(tmp_path, "c")
    with pytest.raises(SuiteError) as caught:
        found(tmp_path)
    assert caught.value.what == "holds more than 2 files beside its Python tests"
    assert caught.value.where == str(tmp_path)


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "suite.yaml", "a.txt")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(data, "open_regular", refuse)
    with pytest.raises(SuiteError) as caught:
        found(tmp_path)
    assert caught.value.line == (
        f"{tmp_path}/a.txt: cannot be read: Permission denied - "
        "it belongs to the version of a suite with Python tests"
    )


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("def test_a(chat): assert chat('Hi')", False),
        ("PINS = Path(__file__).with_name('pins.txt').read_text()", False),
        ("open('gold.jsonl')", True),
        ("pd.read_csv('questions.csv')", True),
        ("for path in Path(__file__).parent.iterdir(): pass", True),
        ("subprocess.run(['cat', name])", True),
        ("os.popen('cat ' + name)", True),
        ("__import__('test_' + name)", True),
        ("runpy.run_path(name)", True),
        ("suite = load_suite(folder, kinds())", True),
    ],
)
def test_code_that_may_read_cases_is_told_by_its_words(
    tmp_path: Path, code: str, reads: bool
) -> None:
    file = tmp_path / "test_a.py"
    file.write_text(code)
    assert reads_cases([tmp_path / "conftest.py", file], {"questions.csv"}) == reads
    file.write_bytes(b"\xff")
    assert reads_cases([file])
