"""Which checkpoint a training goes on from."""

from __future__ import annotations

from pathlib import Path

from harness.training.checkpoints import STATE, last_checkpoint


def test_an_unfinished_checkpoint_is_passed_over(tmp_path: Path) -> None:
    for step, complete in ((2, True), (4, True), (6, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "adapter_model.safetensors").write_bytes(b"")
        if complete:
            (folder / STATE).write_text("{}" if step == 2 else "{", encoding="utf-8")
    found = last_checkpoint(tmp_path)
    assert found is not None
    assert found.name == "checkpoint-2"
    assert last_checkpoint(tmp_path / "none") is None
