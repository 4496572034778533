"""What stands against a merge, the folder that it fills, and the process that does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import HarnessError, InfrastructureError, StorageError, UsageError
from harness.model_files import ADAPTER_WEIGHTS, read_shapes
from harness.serving import merge
from harness.serving.merge import (
    MergeOrder,
    Room,
    base_dtype,
    check_mergeable,
    check_room,
    needed_room,
    new_folder,
    resized_rows,
    run_merge,
    tokenizer_folder,
    touches_embeddings,
)
from tests.serving import made

EMBEDDING = "base_model.model.model.embed_tokens.weight"


def with_embedding(adapter: Path, rows: int) -> Path:
    shapes = read_shapes(adapter / ADAPTER_WEIGHTS)
    made.write_safetensors(adapter / ADAPTER_WEIGHTS, {**shapes, EMBEDDING: (rows, 8)})
    return adapter


def configure(model: Path, **settings: object) -> None:
    (model / "config.json").write_text(json.dumps({"num_hidden_layers": 2, **settings}))


def test_an_adapter_that_fits_can_be_merged(model: Path, adapter: Path) -> None:
    check_mergeable(model, adapter)


def test_a_quantised_base_is_refused(model: Path, adapter: Path) -> None:
    configure(model, quantization_config={"quant_method": "bitsandbytes"})
    with pytest.raises(UsageError, match=r"quantised \(bitsandbytes\).* - .*--base") as caught:
        check_mergeable(model, adapter)
    assert "\n" not in caught.value.line


def test_an_adapter_for_another_size_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is for another base"):
        check_mergeable(model, made.write_adapter(tmp_path / "wide", hidden=16))


def test_the_packages_that_are_missing_are_named(
    model: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "find_spec", lambda name: None if name == "peft" else object())
    with pytest.raises(UsageError, match=r"merging needs peft - .*train"):
        check_mergeable(model, adapter)


@pytest.mark.parametrize(
    ("settings", "dtype"),
    [
        ({}, "float32"),
        ({"dtype": "bfloat16"}, "bfloat16"),
        ({"torch_dtype": "float16"}, "float16"),
        ({"dtype": "int8"}, "float32"),
    ],
)
def test_the_type_of_the_base(settings: dict[str, object], dtype: str, model: Path) -> None:
    configure(model, **settings)
    assert base_dtype(model) == dtype


def test_a_vocabulary_of_another_size_brings_its_tokenizer(model: Path, adapter: Path) -> None:
    (adapter / "tokenizer.json").write_text("{}")
    assert resized_rows(model, adapter) is None
    assert not touches_embeddings(adapter)
    assert tokenizer_folder(model, adapter) == model
    with_embedding(adapter, 34)
    assert resized_rows(model, adapter) == 34
    assert touches_embeddings(adapter)
    assert tokenizer_folder(model, adapter) == adapter
    check_mergeable(model, adapter)


def test_a_base_without_a_template_takes_the_adapters(model: Path, adapter: Path) -> None:
    (model / "tokenizer_config.json").write_text("{}")
    (adapter / "tokenizer_config.json").write_text('{"chat_template": "two"}')
    assert tokenizer_folder(model, adapter) == adapter


def test_the_room_is_estimated_from_the_shapes(model: Path, adapter: Path) -> None:
    """The base has 640 weights (32x8, and twice 8x8 and 8x16), the adapter 320."""
    full, half = needed_room(model, adapter, "float32"), needed_room(model, adapter, "bfloat16")
    assert full.memory == half.memory == 4 * 960 + 1024**3
    assert full.disk - half.disk == 2 * 960


def test_what_does_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge, "free_memory", lambda: 2**30)
    check_room(Room(2**30, 1), tmp_path / "not/there")
    with pytest.raises(InfrastructureError, match=r"about 2 GiB of memory .* 1 GiB are free"):
        check_room(Room(2**31, 1), tmp_path / "m")
    with pytest.raises(StorageError, match=r"no room for the merged model: about 1\.07e"):
        check_room(Room(1, 2**60), tmp_path / "m")


def test_a_folder_gets_its_name_once_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "a/merged"
    with new_folder(folder) as work:
        (work / "config.json").write_text("{}")
        assert not folder.exists()
    assert [path.name for path in folder.parent.iterdir()] == ["merged"]
    assert (folder / "config.json").read_text() == "{}"
    with pytest.raises(UsageError, match="is there already - remove it"), new_folder(folder):
        pass


def test_nothing_is_left_of_what_did_not_end_well(tmp_path: Path) -> None:
    left = tmp_path / ".merged.merging"
    left.mkdir()
    (left / "old").write_text("of a process that was killed")
    with (  # noqa: PT012 - the block under test is the one that fails
        pytest.raises(HarnessError, match="no good"),
        new_folder(tmp_path / "merged") as work,
    ):
        assert not (work / "old").exists()
        raise HarnessError("no good")
    assert not list(tmp_path.iterdir())


def test_two_cannot_fill_one_folder(tmp_path: Path) -> None:
    with (
        new_folder(tmp_path / "merged"),
        pytest.raises(InfrastructureError, match="another process merges into it"),
        new_folder(tmp_path / "merged"),
    ):
        pass


ORDER = MergeOrder("b", "a", "t", "f", "float32", (({"role": "user", "content": "Hi"},),))
TOLD = {
    "base": [[["1", -0.5]]], "adapter": [[["2", -0.1]]], "merged": [[["2", -0.2]]], "noise": 1e-6
}  # fmt: skip


def stub(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    path = folder / "stub.py"
    path.write_text(f"import json, sys\norder = json.load(open(sys.argv[1]))\n{body}")
    monkeypatch.setattr(merge, "WORKER", (str(path),))
    return folder / "merge.log"


def test_the_process_says_its_steps_and_then_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"print('loading', order['dtype'])\nprint(json.dumps({{'result': {TOLD!r}}}))"
    log, said = stub(tmp_path, monkeypatch, body), []
    found = run_merge(ORDER, log, said.append)
    assert said == ["loading float32"]
    assert found.adapter == ((("2", -0.1),),)
    assert (found.rounded, found.noise) == (None, 1e-6)
    assert not log.with_suffix(".json").exists()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "print(json.dumps({'error': {'what': 'ValueError: no'}}))",
            "failed: ValueError: no - see",
        ),
        ("sys.exit('killed')", "ended without a result; was the memory enough"),
        ("print('{}')", "ended without a result"),
    ],
)
def test_a_process_that_fails_is_one_line(
    body: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = stub(tmp_path, monkeypatch, body)
    with pytest.raises(InfrastructureError, match=says) as caught:
        run_merge(ORDER, log, lambda _: None)
    assert str(log) in caught.value.line
