"""Every form on a row as its tool writes it, on rows that are wrong, and there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.form import WritableForm, detect, forms, named
from harness.data.sample import Sample
from harness.records.suite import Message

USER = {"role": "user", "content": "When do you open?"}
ANSWER = {"role": "assistant", "content": "At nine."}
CHOICE = {"choices": [{"message": ANSWER, "finish_reason": "stop"}]}

# One question and its answer, as each tool has them.
ROWS: dict[str, dict[str, Any]] = {
    "alpaca": {"instruction": "When do you open?", "input": "", "output": "At nine."},
    "inspect": {"input": "When do you open?", "target": "At nine.", "id": 4, "metadata": {}},
    "kto": {"prompt": [USER], "completion": [ANSWER], "label": True},
    "langfuse": {
        "id": "o1", "traceId": "t", "type": "GENERATION", "input": {"messages": [USER]},
        "output": ANSWER,
    },
    "litellm": {
        "request_id": "r", "messages": json.dumps([USER]), "response": json.dumps(CHOICE)
    },
    "lm-eval": {
        "doc_id": 0, "doc": {"question": "When do you open?"}, "target": "At nine.",
        "arguments": {"gen_args_0": {"arg_0": "When do you open?", "arg_1": {"until": ["\n"]}}},
        "resps": [["Nine"]], "filtered_resps": ["Nine"], "doc_hash": "5f",
    },
    "messages": {"messages": [USER, ANSWER]},
    "mlflow": {
        "info": {"trace_id": "t"},
        "data": {
            "spans": [
                {"parent_id": "a", "attributes": {"mlflow.spanInputs": '{"question": "other"}'}},
                {
                    "parent_id": None,
                    "attributes": {
                        "mlflow.spanInputs": '{"question": "When do you open?"}',
                        "mlflow.spanOutputs": '"At nine."',
                    },
                },
            ]
        },
    },
    "openai-batch": {
        "custom_id": "r1", "body": {"model": "m", "messages": [USER]},
        "response": {"status_code": 200, "body": CHOICE},
    },
    "openai-preference": {
        "input": {"messages": [USER]}, "preferred_output": [ANSWER],
        "non_preferred_output": [{"role": "assistant", "content": "Go away."}],
    },
    "preference": {"prompt": "When do you open?", "chosen": "At nine.", "rejected": "Go away."},
    "prompt-completion": {"prompt": "When do you open?", "completion": "At nine."},
    "promptfoo": {
        "vars": {"question": "When do you open?"},
        "assert": [{"type": "icontains", "value": "At nine."}],
    },
    "sharegpt": {
        "conversations": [
            {"from": "human", "value": "When do you open?"}, {"from": "gpt", "value": "At nine."}
        ]
    },
    "suite": {"id": "open", "prompt": "When do you open?", "expect": {"answers": ["At nine."]}},
    "vllm": {
        "vllm_request_id": "b9cc", "request": {"model": "m", "messages": [USER]},
        "output": "At nine.", "finish_reason": "stop",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_known_by_its_fields_and_read(name: str) -> None:
    row = ROWS[name]
    assert detect(row, "x").name == name
    (sample,) = named(name).read(row)
    assert sample.question == "When do you open?"
    assert sample.answers == ("At nine.",)
    assert sample.lost == ()


def test_every_form_that_is_declared_is_tried_here() -> None:
    assert set(forms().names()) == set(ROWS)


def test_a_table_of_mlflow_has_its_traces_as_text() -> None:
    row = {"trace_id": "tr-1", "trace": json.dumps(ROWS["mlflow"]), "spans": "[Span(...)]"}
    assert list(detect(row, "t.csv:2").read(row)) == list(named("mlflow").read(ROWS["mlflow"]))


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("alpaca", {"instruction": "", "output": "x"}, "instruction: is missing or empty"),
    ("alpaca", {"instruction": "a", "output": 3.5}, "output: is a number"),
    ("alpaca", {"instruction": "a", "output": "b", "history": ["x"]}, r"history\[0\]"),
    ("inspect", {"input": "a", "target": []}, "target: must be a text or a list"),
    ("inspect", {"input": "a", "target": "C", "choices": ["x", "y"]}, "letter of the choices"),
    ("kto", {"prompt": "a", "completion": "b", "label": False}, "no good answer"),
    ("kto", {"prompt": "a", "completion": "b", "label": "yes"}, "true or false"),
    ("langfuse", {"input": {"x": 1}, "output": "b", "traceId": "t"}, "input: has none of"),
    ("litellm", {"messages": [USER], "response": {}}, "holds no choice"),
    ("lm-eval", {"doc_id": 0, "doc": {}, "target": 1, "arguments": [["a", " b"]]}, "log-likelih"),
    ("messages", {"messages": [USER, {"role": "tool", "content": "x"}]}, "the role must be"),
    ("messages", {"messages": [{**ANSWER, "tool_calls": [{"id": "x"}]}]}, "calls a tool"),
    ("messages", {"messages": [USER, {**ANSWER, "weight": 0}]}, "weight 0"),
    ("messages", {"messages": [ANSWER]}, "must be the user's"),
    ("messages", {"messages": [{**USER, "content": [{"type": "image_url"}]}]}, "no text"),
    ("mlflow", {"data": {"spans": [{"parent_id": "a"}]}}, "no root"),
    ("openai-batch", {"custom_id": "x", "response": {"body": CHOICE}}, "no request of that id"),
    ("openai-batch", {"custom_id": "x", "response": None, "error": {"code": 1}}, "failed"),
    ("preference", {"chosen": [USER, ANSWER], "rejected": [ANSWER]}, "user's"),
    ("prompt-completion", {"prompt": "a", "completion": [USER]}, "one turn of the assistant's"),
    ("promptfoo", {"vars": {"a": "x", "b": "y"}}, "which is the question"),
    ("promptfoo", {"vars": {}, "": {"prompts": ["{{q}}"]}}, "the prompt needs `q`"),
    ("vllm", {"vllm_request_id": "a", "request": {"prompt": "x"}}, "is no chat"),
    ("vllm", {"vllm_request_id": "a", "request": {"messages": [USER]}, "output": None}, "was cut"),
    ("vllm", {"vllm_request_id": "a", "request": {"messages": [USER]}, "output": "At",
              "finish_reason": "length"}, "not whole"),
    ("sharegpt", {"conversations": [{"from": "observation", "value": "x"}]}, "not a tool's"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "row", "why"), WRONG, ids=[f"{name}-{place}" for place, (name, *_) in enumerate(WRONG)]
)
def test_a_row_that_cannot_be_taken_says_why(name: str, row: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        list(named(name).read(row))


def test_a_span_that_is_no_generation_is_no_sample() -> None:
    assert list(named("langfuse").read({"type": "SPAN", "input": {}, "output": {}})) == []


def test_what_a_form_has_and_a_sample_cannot_hold_is_named() -> None:
    row = {"messages": [USER, {**ANSWER, "weight": 1}], "tools": [{"type": "function"}]}
    (sample,) = named("messages").read(row)
    assert sample.lost == ("tools", "weight")


def test_assertions_of_promptfoo_become_expectations() -> None:
    asserted = [
        {"type": "contains-all", "value": ["nine", "five"]},
        {"type": "not-icontains", "value": "closed"},
        {"type": "llm-rubric", "value": "is polite"},
    ]
    (sample,) = named("promptfoo").read({"vars": {"question": "When?"}, "assert": asserted})
    assert sample.expect == {"all_of": ["nine", "five"], "not": ["closed"], "match": "contains"}
    assert sample.lost == ("assert llm-rubric",)


def test_two_assertions_must_both_hold() -> None:
    asserted = [{"type": "icontains", "value": "nine"}, {"type": "icontains", "value": "five"}]
    (sample,) = named("promptfoo").read({"vars": {"question": "When?"}, "assert": asserted})
    assert sample.expect == {"all_of": ["nine", "five"], "match": "contains"}


def test_a_cell_of_promptfoos_csv_is_an_assertion() -> None:
    row = {"question": "When?", "__expected": "icontains-any: nine, 9", "__expected2": ""}
    (sample,) = named("promptfoo").read(row)
    assert sample.expect == {"answers": ["nine", "9"], "match": "contains"}


def test_choices_are_part_of_the_question() -> None:
    (sample,) = named("inspect").read({"input": "Which?", "target": "B", "choices": ["x", "y"]})
    assert sample.question == "Which?\nA) x\nB) y"


text = st.text(st.characters(exclude_categories=["C"]), min_size=1).filter(lambda one: one.strip())


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    said = draw(st.lists(text, min_size=1, max_size=5).filter(lambda found: len(found) % 2))
    turns = [
        Message(role="assistant" if place % 2 else "user", content=one)
        for place, one in enumerate(said)
    ]
    system = draw(st.none() | text)
    if system is not None:
        turns.insert(0, Message(role="system", content=system))
    good = draw(text)
    bad = draw(text.filter(lambda one: one.strip() != good.strip()))
    return Sample(tuple(turns), (good,), rejected=bad, id="1", group="g")


@pytest.mark.parametrize("name", [name for name in ROWS if isinstance(named(name), WritableForm)])
@settings(max_examples=30)
@given(sample=samples())
def test_what_is_written_reads_back(name: str, sample: Sample) -> None:
    form = named(name)
    assert isinstance(form, WritableForm)
    if name == "lm-eval":  # it writes documents of a task, and reads logs of a run
        return
    if name == "promptfoo":
        sample = Sample(sample.messages[-1:], sample.answers, group="g")
    row = json.loads(json.dumps(form.write(sample)))
    (back,) = form.read(row)
    assert (back.messages, back.answers) == (sample.messages, sample.answers)
    assert back.lost == ()
    assert back.rejected in (None, sample.rejected)
    if name in ("inspect", "promptfoo", "suite"):
        assert back.group == "g"
    if "preference" in name:
        assert back.rejected == sample.rejected
