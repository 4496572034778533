"""The name of a model on a hub, `ORG/NAME[@REVISION]`, and how it is told from a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from harness.errors import UsageError

EXPLICIT = "hf:"
DEFAULT_REVISION = "main"
FORM = "`ORG/NAME` or `ORG/NAME@REVISION`"
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?P<repo>{_PART}/{_PART})(?:@(?P<revision>[A-Za-z0-9_][A-Za-z0-9_./-]*))?")
# A model's page on a hub, as it is copied from a browser.
_PAGE = re.compile(
    rf"https?://[^/\s@]+/(?P<repo>{_PART}/{_PART})(?:/(?:tree|blob|resolve)/(?P<revision>[\w.-]+))?"
    r"(?:[/?#].*)?"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LONGEST = 96


@dataclass(frozen=True, slots=True, order=True)
class HubName:
    """A model on a hub at a revision: a branch, a tag or a commit.

    `explicit` is whether it was written so that no folder can be meant.
    """

    repo: str
    revision: str = DEFAULT_REVISION
    explicit: bool = field(default=False, compare=False)

    @property
    def commit(self) -> str | None:
        """The commit, where the revision is one: nothing can move it."""
        return self.revision if _COMMIT.fullmatch(self.revision) else None

    def __str__(self) -> str:
        return f"{self.repo}@{self.revision}"


def parse(text: str) -> HubName | None:
    """The name that the text can be, or None. Folders are not looked for."""
    match = _NAME.fullmatch(text.removeprefix(EXPLICIT))
    if match is None:
        return None
    repo, revision = match["repo"], match["revision"] or DEFAULT_REVISION
    # The hub's own rules; and a revision becomes a file's name in the cache.
    if len(repo) > _LONGEST or "--" in repo or repo.endswith(".git") or ".." in repo + revision:
        return None
    return HubName(repo, revision, explicit=text.startswith(EXPLICIT))


def hub_name(given: str, root: Path) -> HubName | None:
    """The model of a hub that is meant, or None where a folder is.

    A folder below `root` wins. So does a folder of the name's first part: what is missing in it is
    a slip of the pen sooner than a stranger's model. `hf:` before the name means the hub always.
    """
    if given.startswith(EXPLICIT):
        return parse(given)
    name = parse(given)
    if name is None or (root / given).exists() or (root / name.repo).parent.is_dir():
        return None
    return name


def check_readings(given: str, root: Path, where: str) -> None:
    """Return unless the text is neither a folder that exists nor certainly a hub's name.

    Raises:
        UsageError: a folder of that name is missing beside others, or `hf:` stands before no name.
    """
    name = parse(given)
    if given.startswith(EXPLICIT):
        if name is None:
            hint = f"after `{EXPLICIT}` write {FORM}"
            raise UsageError(f"`{given}` is no model's name on a hub", where=where, hint=hint)
        return
    if name is None or (root / given).exists() or not (root / name.repo).parent.is_dir():
        return
    parent = (root / name.repo).parent
    there = [path.name for path in sorted(parent.iterdir()) if path.is_dir()]
    near = get_close_matches(given.partition("/")[2], there, n=1)
    meant = f"did you mean `{parent.name}/{near[0]}`? " if near else "check the path; "
    raise UsageError(
        f"no such folder: `{given}`, though there is `{parent.name}/`",
        where=where,
        hint=f"{meant}a model of that name on a hub is written `{EXPLICIT}{given}`",
    )


def check_there(given: str, root: Path, where: str) -> None:
    """Return unless the text is neither a folder that exists nor a hub's name.

    Raises:
        UsageError: it is neither: an address, a name without its organisation, a path to nothing.
    """
    check_readings(given, root, where)
    if hub_name(given, root) is not None or (root / given).exists():
        return
    if "://" in given:
        page = _PAGE.fullmatch(given)
        revision = f"@{page['revision']}" if page and page["revision"] else ""
        name = f"`{page['repo']}{revision}`" if page else FORM
        what = "an address is neither a folder nor a model's name on a hub"
        raise UsageError(what, where=where, hint=f"write {name}")
    parent = (root / given).parent
    there = [path.name for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []
    near = get_close_matches(Path(given).name, sorted(there), n=1)
    meant = f"did you mean `{Path(given).with_name(near[0])}`? " if near else "check the path; "
    raise UsageError(
        f"no such folder: `{given}`",
        where=where,
        hint=f"{meant}a model on a hub is written with its organisation, `ORG/NAME`",
    )
