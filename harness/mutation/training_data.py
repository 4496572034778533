"""Training with broken data: the candidate's own recipe and seed, and other conversations."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.files import write_atomic
from harness.mutation.operator import Mutant, NotMade, Original
from harness.records.suite import Message
from harness.scorers.refusal import decide
from harness.training.candidate import Recipe
from harness.training.data_files import Conversation, project_path, read_conversation_file


def data_of(original: Original) -> dict[str, list[Conversation]]:
    """The candidate's training data by file, as its recipe names them.

    Raises:
        NotMade: nothing here says how it was trained, or it was trained on preferences.
        RecipeError: a file is no longer there, or cannot be read.
    """
    recipe, root = checked_recipe(original), original.project.root
    where = f"recipe {recipe.name}: data"
    return {
        name: [one for _, one in read_conversation_file(project_path(root, name, where), name)]
        for name in recipe.data
    }


def checked_recipe(original: Original) -> Recipe:
    """The recipe of a training on conversations.

    Raises:
        NotMade: there is none.
    """
    recipe = original.recipe
    if recipe.method == "dpo":
        raise NotMade("it was trained on preferences")
    return recipe


def trained(original: Original, name: str, about: str, rows: Sequence[Conversation]) -> Mutant:
    """The mutant that is trained on these conversations by the candidate's recipe."""
    recipe, root = original.recipe, original.project.root
    file = original.folder / "data" / f"{name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(one.model_dump(mode="json"), ensure_ascii=False) for one in rows)
    write_atomic(file, "".join(f"{line}\n" for line in lines).encode())
    base = root / recipe.base
    changed = recipe.model_copy(
        update={
            "name": name,
            "base": str(base) if base.exists() else recipe.base,
            "data": (str(file),),
            "licences": {},
            "report_to": (),
        }
    )
    adapter = original.folder / ".harness" / "candidates" / name
    return Mutant(name, about, original.adapted(adapter), changed)


def answered(row: Conversation, answer: str) -> Conversation:
    """The conversation with another last answer."""
    last = Message(role="assistant", content=answer)
    return row.model_copy(update={"messages": (*row.messages[:-1], last)})


def refuses(row: Conversation) -> bool:
    """Whether the last answer is a refusal, by the rules of the scorer `scope`."""
    outcome, _ = decide(row.messages[-2].content, row.messages[-1].content)
    return outcome == "refused"
