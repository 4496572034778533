"""Makers' own templates: exactly the answers are learnt, or one line says why it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import RecipeError
from harness.training import bounded_template
from harness.training.data_files import Conversation
from harness.training.encoder import IGNORED, Encoder, Example, at_place
from harness.training.job import TrainingJob
from tests.training.conftest import make_recipe
from tests.training.makers import FAMILIES, Family, byte_tokenizer, shipped, write_tokenizer

pytest.importorskip("trl")

TWO = ("Hi?", "Hello, you.", "And now?", "Now we are done.")
# What each family ends an answer with.
ENDS = {
    "llama3": "<|eot_id|>", "llama3_1": "<|eot_id|>", "llama3_2": "<|eot_id|>",
    "qwen2_5": "<|im_end|>", "gemma": "<end_of_turn>", "gemma3": "<end_of_turn>",
    "phi3": "<|end|>", "phi3_5": "<|end|>", "alternating": "</s>",
}  # fmt: skip


def conversation(*contents: str, system: str = "") -> Conversation:
    roles = ("user", "assistant")
    turns = [{"role": roles[n % 2], "content": text} for n, text in enumerate(contents)]
    if system:
        turns.insert(0, {"role": "system", "content": system})
    return Conversation.model_validate({"group": "g", "messages": turns})


def job_of(base: Path, *conversations: Conversation, **changes: object) -> TrainingJob:
    places = tuple(f"data.jsonl:{line}" for line in range(1, len(conversations) + 1))
    recipe = make_recipe(base=str(base), **changes)
    return TrainingJob(recipe, base, conversations, places, "", "", "", None, base)


def encoder(
    family: Family | str, folder: Path, template: str | None = None, **changes: object
) -> Encoder:
    chosen = FAMILIES[family] if isinstance(family, str) else family
    base = write_tokenizer(chosen, folder, template)
    return Encoder(byte_tokenizer(chosen, template), job_of(base, conversation(*TWO), **changes))


def learnt(made: Encoder, example: Example) -> list[str]:
    """The texts of the runs that are learnt."""
    runs: list[list[int]] = [[]]
    for token, mark in zip(example.ids, example.learnt, strict=True):
        if mark:
            runs[-1].append(token)
        elif runs[-1]:
            runs.append([])
    return [str(made.tokenizer.decode(run)) for run in runs if run]


@pytest.mark.parametrize("family", ENDS)
def test_the_answers_and_their_ends_are_learnt_and_nothing_else(
    family: str, tmp_path: Path
) -> None:
    made = encoder(family, tmp_path)
    (example,) = made.examples(conversation(*TWO))
    end = ENDS[family]
    space = " " if family == "alternating" else ""
    assert learnt(made, example) == [
        f"{space}Hello, you.{end}",
        f"{space}Now we are done.{end}",
    ]
    assert (made.marked, made.joined, made.ends.token) == (False, 0, end)
    assert made.as_server == 0
    shown = made.render([{"role": m.role, "content": m.content} for m in
                         conversation(*TWO).messages], False)  # fmt: skip
    assert made.tokenizer.decode(example.ids) == shown


@pytest.mark.parametrize("family", ["llama3", "qwen2_5", "gemma", "gemma3", "phi3_5"])
@pytest.mark.parametrize("contents", [TWO, TWO[:2]])
def test_trls_own_training_template_marks_the_same_words(
    family: str, contents: tuple[str, ...], tmp_path: Path
) -> None:
    """TRL rewrote these by hand; it also marks what stands between an end and the next turn."""
    made = encoder(family, tmp_path)
    (example,) = made.examples(conversation(*contents))
    turns = [{"role": m.role, "content": m.content} for m in conversation(*contents).messages]
    theirs = made.tokenizer.apply_chat_template(
        turns,
        chat_template=shipped(f"{family}_training"),
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    assert list(theirs["input_ids"]) == example.ids
    marks = [bool(one) for one in theirs["assistant_masks"]]
    assert all(mark for mark, ours in zip(marks, example.learnt, strict=True) if ours)
    extra = [
        token
        for token, mark, ours in zip(example.ids, marks, example.learnt, strict=True)
        if mark and not ours
    ]
    assert set(made.tokenizer.decode(extra)) <= set("\n") or family == "phi3_5"


@pytest.mark.parametrize("family", ["qwen3", "qwen3_6"])
def test_a_template_that_takes_thinking_out_gives_an_example_an_answer(
    family: str, tmp_path: Path
) -> None:
    made = encoder(family, tmp_path)
    data = ("Hi?", "<think>\nGreet.\n</think>\n\nHello.", "And now?", "Done.")
    first, second = made.examples(conversation(*data))
    (one,), (other,) = learnt(made, first), learnt(made, second)
    assert one.endswith("Greet.\n</think>\n\nHello.<|im_end|>")
    assert other.endswith("</think>\n\nDone.<|im_end|>")
    assert "Greet" not in str(made.tokenizer.decode(second.ids))
    assert len(made.examples(conversation("Hi?", "Hello."))) == 1


def test_a_switch_of_the_template_reaches_it(tmp_path: Path) -> None:
    made = encoder("qwen3", tmp_path, chat_template_kwargs={"enable_thinking": False})
    (example,) = made.examples(conversation("Hi?", "Hello."))
    assert learnt(made, example) == ["Hello.<|im_end|>"]
    fixed = encoder("llama3_2", tmp_path, chat_template_kwargs={"date_string": "1 Jan 2001"})
    (example,) = fixed.examples(conversation("Hi?", "Hello."))
    assert "Today Date: 1 Jan 2001" in str(fixed.tokenizer.decode(example.ids))


def test_a_system_prompt_of_ones_own_stands_where_the_template_puts_it(tmp_path: Path) -> None:
    for family in ("llama3_1", "qwen2_5", "gemma3", "phi3", "alternating"):
        made = encoder(family, tmp_path / family)
        (example,) = made.examples(conversation(*TWO[:2], system="Be kind."))
        assert "Be kind." in str(made.tokenizer.decode(example.ids))
        (answer,) = learnt(made, example)
        assert answer.lstrip(" ") == f"Hello, you.{ENDS[family]}"
        assert made.as_server == (family == "alternating")


def test_the_systems_words_may_go_before_the_first_question(tmp_path: Path) -> None:
    """As a server is sent them for a template that has no system role."""
    made = encoder("gemma", tmp_path, system_as="user")
    (example,) = made.examples(conversation(*TWO, system="Be kind."))
    text = str(made.tokenizer.decode(example.ids))
    assert text.startswith("<bos><start_of_turn>user\nBe kind.\n\nHi?<end_of_turn>\n")
    assert len(learnt(made, example)) == 2
    assert made.turns(conversation("Hi?", "Yes."))[0] == {"role": "user", "content": "Hi?"}


@pytest.mark.parametrize(
    ("family", "given", "says"),
    [
        ("gemma", conversation(*TWO, system="Be kind."), "`system_as: user` in the recipe"),
        ("gemma", conversation(*TWO, system="Be kind."), "System role not supported"),
        ("deepseek_r1_distill", conversation(*TWO), r"ends a prompt with '<think>\n'"),
    ],
)
def test_what_a_template_cannot_render_is_one_line(
    family: str, given: Conversation, says: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError) as caught:
        encoder(family, tmp_path).examples(given)
    assert says in caught.value.line
    assert "\n" not in caught.value.line


def test_roles_that_do_not_alternate_are_named(tmp_path: Path) -> None:
    made = encoder("alternating", tmp_path)
    turns = [("user", "Hi?"), ("user", "You?"), ("assistant", "Hello.")]
    messages = [{"role": role, "content": text} for role, text in turns]
    given = Conversation.model_validate({"group": "g", "messages": messages})
    with pytest.raises(RecipeError) as caught:
        made.examples(given)
    assert "refuses user, user: roles must alternate" in caught.value.what
    assert at_place(caught.value, "d.jsonl:3").line.startswith("d.jsonl:3: the chat template")


MARKED = (
    "{% for m in messages %}{% if m.role == 'assistant' %}<|im_start|>{% generation %}"
    "{{ m.content }}IN{% endgeneration %}OUT\n{% else %}<|im_start|>{{ m.content }}<|im_end|>"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}"
)


def test_marks_are_obeyed_where_they_hold_the_end_of_the_turn(tmp_path: Path) -> None:
    inside = MARKED.replace("IN", "<|im_end|>\n").replace("OUT", "")
    made = encoder("qwen2_5", tmp_path, inside)
    (example,) = made.examples(conversation(*TWO))
    assert made.marked
    assert learnt(made, example) == ["Hello, you.<|im_end|>\n", "Now we are done.<|im_end|>\n"]
    outside = MARKED.replace("IN", "").replace("OUT", "<|im_end|>")
    with pytest.raises(RecipeError, match=r"marks leave out `<\|im_end\|>` \(id 256\)"):
        encoder("qwen2_5", tmp_path, outside).examples(conversation(*TWO))
    nothing = (
        outside.replace("{{ m.content }}{% end", "{% end")
        .replace("OUT", "")
        .replace("{% endgeneration %}", "{% endgeneration %}{{ m.content }}")
    )
    with pytest.raises(RecipeError, match="hold nothing"):
        encoder("qwen2_5", tmp_path, nothing).examples(conversation(*TWO))


def test_a_base_without_a_template_or_with_a_slow_tokenizer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write_tokenizer(FAMILIES["qwen2_5"], tmp_path)
    tokenizer = byte_tokenizer(FAMILIES["qwen2_5"])
    tokenizer.chat_template = None
    with pytest.raises(RecipeError, match="recipe cand: base: the base has no chat template"):
        Encoder(tokenizer, job_of(base, conversation(*TWO)))
    monkeypatch.setattr(type(tokenizer), "is_fast", False)
    with pytest.raises(RecipeError, match="which characters a token stands for"):
        Encoder(tokenizer, job_of(base, conversation(*TWO)))


def test_an_answer_that_begins_within_a_token_of_its_prompt_is_counted(tmp_path: Path) -> None:
    """A vocabulary with two line feeds in one token, as most have."""
    from tokenizers import AddedToken

    family = FAMILIES["qwen2_5"]
    base, tokenizer = write_tokenizer(family, tmp_path), byte_tokenizer(family)
    tokenizer.add_tokens([AddedToken("\n\n", special=False)])
    made = Encoder(tokenizer, job_of(base, conversation(*TWO)))
    (example,) = made.examples(conversation("Hi?", "\nHello."))
    assert learnt(made, example) == ["Hello.<|im_end|>"]
    assert made.joined == 1


@pytest.mark.parametrize(
    "template", ["{% for m in messages %}{{ m.content }", "{{ nothing.at.all }}", "{{ 1 // 0 }}"]
)
def test_a_template_that_fails_by_itself_is_one_line(template: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="it fails by itself: take the maker's own"):
        encoder("qwen2_5", tmp_path, template)


def test_labels_are_the_tokens_that_are_learnt() -> None:
    example = Example([5, 6, 7], [False, True, True])
    assert example.labels == [IGNORED, 6, 7]
    assert example.runs == 1
    assert Example([5, 6, 7], [True, False, True]).runs == 2
    assert example.cut(2).labels == [IGNORED, 6]


LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


def test_a_template_that_loops_without_end_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_template, "MOST_SECONDS", 0.2)
    with pytest.raises(RecipeError) as caught:
        encoder("llama3", tmp_path, LOOPS + FAMILIES["llama3"].template)
    assert caught.value.line == (
        "data.jsonl:1: the chat template does not come to an end: it needs more than 0.2 s for one "
        "conversation - take the maker's own chat template"
    )
