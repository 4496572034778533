"""What a project's servers, targets and recipes name and is not here, told before it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.config import Project
from harness.errors import UsageError
from harness.files import seen_from
from harness.hub.name import hub_name
from harness.model_files import ADAPTER_CONFIG, chat_template_text
from harness.records.server import ManagedServer
from harness.suites.load import system_prompt_of
from harness.targets.additions import additions
from harness.targets.models import TOKENIZER, server_model, target_adapter
from harness.targets.recipe_checks import recipe_cautions
from harness.training.candidate import Recipe, load_recipe
from harness.training.data_files import read_data
from harness.training.job import candidate_folder, divide, find_base
from harness.yaml_files import read_yaml

RECIPES = "recipes"
# What is built or trained here may not be there yet.
MADE_HERE = ".harness/"

_TEMPLATE = "chat-template"

Line = tuple[str, bool]  # and whether it is a warning


@dataclass(slots=True)
class _Recipes:
    """The recipes by the folder of what they train, and whether there are others, not readable."""

    trains: dict[Path, str] = field(default_factory=dict)
    unreadable: bool = False


def missing_lines(project: Project) -> Iterator[Line]:
    """Lines on models, templates and adapters that are not here, and on each recipe in recipes/.

    Each with whether it is a warning; what is still to be trained is none. No hub is asked.

    Raises:
        UsageError: a file that is here cannot be read, or examples or documents are missing.
        ConfigError: a relative path climbs out of the project.
    """
    recipes = _Recipes()
    for path in sorted((project.root / RECIPES).rglob("*.y*ml")):
        if _is_recipe(path):
            yield from _recipe_lines(project, path, recipes)
    for name, server in project.config.servers.items():
        if isinstance(server, ManagedServer):
            yield from _model_lines(project, name, server)
    for name in project.config.targets:
        additions(project, name)
        yield from _adapter_lines(project, name, recipes)


def _is_recipe(path: Path) -> bool:
    """Whether a file is meant to be an adapter's recipe: others may lie beside those."""
    try:
        data = read_yaml(path).data
    except UsageError:
        return True  # reading it again says what is wrong
    return len({"name", "base", "data"} & data.keys()) > 1  # one of them may be misspelt


def _recipe_lines(project: Project, path: Path, recipes: _Recipes) -> Iterator[Line]:
    """What one recipe trains, or why it cannot; its candidate's folder is put into `recipes`."""
    place = seen_from(Path.cwd(), path)
    try:
        recipe = load_recipe(Path(place))
    except UsageError as error:
        recipes.unreadable = True
        yield error.line, True
        return
    try:
        recipes.trains[candidate_folder(project.root, recipe).resolve()] = place
        examples = read_data(recipe, project.root)
        held = divide(examples, recipe.validation_share, recipe.seed).split
        base = _base_folder(project, recipe)
        untold = base is not None and base.is_dir() and chat_template_text(base) is None
    except UsageError as error:
        yield (error.line if place in error.line else f"{place}: {error.line}"), True
        return
    length = f"{recipe.steps} steps" if recipe.steps else f"{recipe.epochs:g} epochs"
    words = f"trains `{recipe.name}` on {recipe.base}, {length} of {recipe.batch_size} examples"
    kept = f"{held.train_conversations} to learn from, {held.validation_conversations} held out"
    yield f"{place}: {words}: {kept}", False
    yield from ((f"{place}: {what}", True) for what in recipe_cautions(recipe))
    if recipe.system_prompt and recipe.system_prompt not in _sent_prompts(project):
        what = "no suite or target sends this one: write the one that is sent"
        yield f"{place}: system_prompt: {what}", True
    if untold:
        yield f"{place}: base: {recipe.base} has no chat template, so it cannot be trained on", True


def _sent_prompts(project: Project) -> set[str | None]:
    """The system prompts that the project's suites and targets have the models read."""
    config = project.config
    own = {target.system_prompt for target in config.targets.values()}
    return own | {
        system_prompt_of(project.resolve(path, f"suites[{place}]"))
        for place, path in enumerate(config.suites)
    }


def _base_folder(project: Project, recipe: Recipe) -> Path | None:
    """The folder of a recipe's base, or None where it is named on a hub."""
    if hub_name(recipe.base, project.root) is not None:
        return None
    return find_base(recipe, project.root).path


def _model_lines(project: Project, name: str, server: ManagedServer) -> Iterator[Line]:
    try:
        model = server_model(project, name, here=True)
    except UsageError:
        model = None
    if model is None or model.missing is not None:
        return  # what is no model's folder or is on a hub is told with the other names
    if not model.path.exists():
        if server.model.startswith(MADE_HERE):
            yield f"{name}: no model in {server.model} yet", False
        return
    options = {key.replace("_", "-"): value for key, value in server.args.items()}
    given = options.get(_TEMPLATE)
    if given is None:
        # Another tokenizer may bring one, and some need none.
        asked = not options.keys() & {TOKENIZER, f"{TOKENIZER}-mode"} and model.path.is_dir()
        if asked and chat_template_text(model.path) is None:
            place = project.place(f"servers.{name}.model")
            what = f"has no chat template, so vLLM answers no chat: give `args` a `{_TEMPLATE}`"
            yield f"{place}: {what}", True
    elif isinstance(given, str) and "{" not in given and not (project.root / given).is_file():
        yield f"{project.place(f'servers.{name}.args')}: no such chat template: `{given}`", True


def _adapter_lines(project: Project, name: str, recipes: _Recipes) -> Iterator[Line]:
    target = project.target(name)
    if target.adapter is None:
        return
    adapter = target_adapter(project, name, here=True)
    if adapter.missing is not None or (adapter.path / ADAPTER_CONFIG).is_file():
        return
    recipe = recipes.trains.get(adapter.path.resolve())
    if recipe is not None:
        yield f"{name}: is not trained yet: `harness train {recipe}`", False
        return
    place = project.place(f"targets.{name}.adapter")
    there = "holds no adapter" if adapter.path.is_dir() else "is not there"
    read = " that can be read" if recipes.unreadable else ""
    yield f"{place}: `{target.adapter}` {there}, and no recipe in {RECIPES}/{read} trains it", True
