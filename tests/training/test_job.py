from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RecipeError
from harness.records.suite import Message
from harness.training import load_recipe
from harness.training.candidate import Recipe
from harness.training.data_files import Conversation, read_data
from harness.training.job import divide, prepare
from tests.training.conftest import line

ROOT = Path(__file__).resolve().parents[2]
GOOD = "name: a\nbase: b\ndata: [c.jsonl]\nsteps: 5\n"


@pytest.mark.parametrize("name", ["good", "forgetful", "overeager"])
def test_shipped_recipes_load_and_their_data_is_there(name: str) -> None:
    recipe = load_recipe(ROOT / "recipes" / f"{name}.yaml")
    assert recipe.name == name
    assert all((ROOT / path).is_file() for path in recipe.data)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "ranks: 3\n", "ranks: unknown key"),
        (GOOD.replace("name: a", "name: a/b"), "no slash"),
        (GOOD.replace("name: a", "name: .."), "is no name"),
        (GOOD + "epochs: 2\n", "either steps or epochs"),
        (GOOD.replace("steps: 5\n", ""), "either steps or epochs"),
        (GOOD + "rank: 0\n", "rank: "),
        (GOOD + "method: full\n", "method: "),
        (GOOD + "learning_rate: .nan\n", "learning_rate: "),
        (GOOD.replace("base: b\n", ""), "base: missing key"),
        ("name: [", ""),
    ],
)
def test_a_bad_recipe_is_one_line_that_names_file_and_key(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert str(path) in caught.value.line
    assert said in caught.value.line
    assert "\n" not in caught.value.line


def test_a_missing_recipe_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such file"):
        load_recipe(tmp_path / "none.yaml")


def conversation(group: str) -> Conversation:
    return Conversation(
        group=group,
        messages=(Message(role="user", content="q"), Message(role="assistant", content="a")),
    )


GROUPS = st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=80).filter(
    lambda groups: len(set(groups)) > 1
)


@given(GROUPS, st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_no_group_straddles_the_split(groups: list[str], share: float, seed: int) -> None:
    everything = [conversation(group) for group in groups]
    divided = divide(everything, share, seed)
    train = {one.group for one in divided.train}
    validation = {one.group for one in divided.validation}
    assert train
    assert validation
    assert not train & validation
    assert len(divided.train) + len(divided.validation) == len(everything)
    assert validation == set(divided.split.validation_groups)
    assert divided.split.train_groups == len(train)


@given(GROUPS, st.integers(0, 1000))
def test_the_split_depends_on_the_seed_and_not_on_the_order(groups: list[str], seed: int) -> None:
    forward = divide([conversation(group) for group in groups], 0.3, seed).split
    backward = divide([conversation(group) for group in reversed(groups)], 0.3, seed).split
    assert forward == backward


def test_validation_holds_about_its_share() -> None:
    split = divide([conversation(f"g{n // 4}") for n in range(400)], 0.1, 0).split
    assert 36 <= split.validation_conversations <= 40


def test_one_group_leaves_none_for_validation() -> None:
    with pytest.raises(RecipeError, match="none is free for validation"):
        divide([conversation("a")] * 5, 0.2, 0)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "not JSON"),
        ("[]", "data.jsonl:2"),
        (line("a", "q", "a").replace('"group": "a", ', ""), "group: missing key"),
        (line("a", "q", "a").replace('{"group"', '{"x": 1, "group"'), "x: unknown key"),
        (line(" ", "q", "a"), "must not be blank"),
        (line("a", "q", ""), "messages.1.content"),
        (line("a", "q", "a").replace("assistant", "user"), "must be the assistant's"),
        (line("a", "q", "a").replace("user", "robot"), "messages.0.role"),
    ],
)
def test_a_bad_line_is_named(
    tmp_path: Path, recipe: Callable[..., Recipe], bad: str, said: str
) -> None:
    (tmp_path / "data.jsonl").write_text(line("a", "q", "a") + "\n" + bad + "\n", encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        read_data(recipe(), tmp_path)
    assert "data.jsonl:2" in caught.value.line
    assert said in caught.value.line


def test_a_missing_file_and_an_empty_one_are_named(
    tmp_path: Path, recipe: Callable[..., Recipe]
) -> None:
    with pytest.raises(RecipeError, match=r"no such data file: data\.jsonl"):
        read_data(recipe(), tmp_path)
    (tmp_path / "data.jsonl").write_text("\n\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="holds no conversation"):
        read_data(recipe(), tmp_path)


def test_the_system_prompt_goes_first_unless_a_line_has_its_own(
    tmp_path: Path, recipe: Callable[..., Recipe]
) -> None:
    own = line("a", "q", "a").replace('[{"role', '[{"role": "system", "content": "mine"}, {"role')
    (tmp_path / "data.jsonl").write_text(f"{own}\n{line('b', 'q', 'a')}\n", encoding="utf-8")
    first, second = read_data(recipe(system_prompt="ours"), tmp_path)
    assert first.messages[0].content == "mine"
    assert second.messages[0] == Message(role="system", content="ours")


def test_where_losses_are_reported_to_makes_no_other_candidate(
    project: Path, recipe: Callable[..., Recipe]
) -> None:
    plain = prepare(recipe(), project).key
    assert prepare(recipe(report_to=["wandb"]), project).key == plain
    assert prepare(recipe(rslora=True), project).key != plain
