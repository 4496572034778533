from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.weights import perplexity
from harness.weights.events import Events
from harness.weights.perplexity import Likelihood, Window, main, read_likelihoods, windows
from tests.e2e.micro import build_adapter, build_model

CHATS = [
    {"key": "one", "messages": [
        {"role": "user", "content": "When do you open?"},
        {"role": "assistant", "content": "At nine."},
        {"role": "user", "content": "On Sunday?"},
        {"role": "assistant", "content": "We are closed."},
    ]},
    {"key": "two", "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "A refund?"},
        {"role": "assistant", "content": "Within 30 days, für alle."},
    ]},
]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model") / "micro")


@pytest.fixture(scope="module")
def adapter(model: Path) -> Path:
    return build_adapter(model, model.parent / "adapter")


def scored(
    folder: Path, model: Path, adapters: list[Path | None], window: int | None = None
) -> list[dict[str, Likelihood]]:
    files = [folder / f"{place}.jsonl" for place in range(len(adapters))]
    order: dict[str, Any] = {
        "base": str(model), "dtype": "float32", "trust_remote_code": False, "template": None,
        "template_settings": {}, "window": window,
        "sides": [
            {"name": "x", "adapter": adapter and str(adapter), "file": str(file), "chats": CHATS}
            for adapter, file in zip(adapters, files, strict=True)
        ],
    }  # fmt: skip
    main(order, Events(folder / "events"))
    return [read_likelihoods(file) for file in files]


def test_one_load_serves_both_sides_and_agrees_with_lm_eval(
    model: Path, adapter: Path, tmp_path: Path
) -> None:
    candidate, base = scored(tmp_path, model, [adapter, None])
    (tmp_path / "alone").mkdir()
    (alone,) = scored(tmp_path / "alone", model, [None])
    assert base == alone, "a switched off adapter leaves the base exactly"
    assert abs(candidate["one"].nats - base["one"].nats) > 0.01
    assert candidate["one"].read_as == base["one"].read_as
    for found, peft in ((base, None), (candidate, adapter)):
        for key, nats in by_lm_eval(model, peft).items():
            assert found[key].nats == pytest.approx(nats, abs=1e-4)
    two = base["two"]
    assert two.bytes == len("Within 30 days, für alle.".encode())
    assert two.tokens == two.bytes, "the micro model has a token for each byte"
    assert 0 <= two.right <= two.tokens


def by_lm_eval(model: Path, peft: Path | None) -> dict[str, float]:
    """The nats of each chat by lm-eval's `loglikelihood` of each answer after its chat."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    given: Any = {"device": "cpu", "dtype": "float32", "batch_size": 1}
    lm: Any = HFLM(str(model), peft=peft and str(peft), **given)
    found: dict[str, float] = {}
    for chat in CHATS:
        messages: Any = chat["messages"]
        for place, turn in enumerate(messages):
            if turn["role"] == "assistant":
                context = lm.tokenizer.apply_chat_template(
                    messages[:place], tokenize=False, add_generation_prompt=True
                )
                ask = Instance("loglikelihood", {}, (context, turn["content"]), 0)
                ((total, _),) = lm.loglikelihood([ask], disable_tqdm=True)
                found[str(chat["key"])] = found.get(str(chat["key"]), 0.0) - total
    return found


def test_a_long_answer_is_predicted_once_by_windows(model: Path, tmp_path: Path) -> None:
    whole, cut = (tmp_path / name for name in ("whole", "cut"))
    for folder in (whole, cut):
        folder.mkdir()
    (full,), (windowed,) = scored(whole, model, [None]), scored(cut, model, [None], window=16)
    assert windowed["two"].tokens == full["two"].tokens
    assert windowed["two"].nats != full["two"].nats


@pytest.mark.parametrize(
    ("start", "end", "width", "expected"),
    [
        (5, 10, 9, [Window(0, 5, 10)]),
        (18, 20, 9, [Window(10, 18, 20)]),  # lm-eval's truncation: the last width + 1 tokens
        (2, 12, 8, [Window(0, 2, 6), Window(1, 6, 10), Window(3, 10, 12)]),
    ],
)
def test_windows(start: int, end: int, width: int, expected: list[Window]) -> None:
    assert list(windows(start, end, width)) == expected


def test_a_line_that_is_broken_off_is_none(tmp_path: Path) -> None:
    line = Likelihood(key="a", nats=1.0, tokens=2, right=1, bytes=3, read_as="x")
    path = tmp_path / "x.jsonl"
    path.write_text(line.model_dump_json() + "\n" + line.model_dump_json()[:20])
    assert read_likelihoods(path) == {"a": line}
    assert read_likelihoods(tmp_path / "none") == {}


def test_a_template_that_refuses_is_told(model: Path, tmp_path: Path) -> None:
    class Refusing:
        def apply_chat_template(self, *_: Any, **__: Any) -> str:
            raise ValueError("roles must alternate")

    reader = perplexity.Reader(Refusing(), {})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the chat template refuses a conversation: roles must"):
        list(reader.read(json.loads(json.dumps(CHATS[0]["messages"]))))
