"""Environment variables in a YAML file's values: `${NAME}`, `${NAME:-default}`, `$${` for `${`.

A value from the environment is stored wherever the file's own would be, so none that looks like a
secret is taken, except into the headers of a server: there its name is kept in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from harness.errors import UsageError
from harness.yaml_files import YamlFile

_MARK = re.compile(r"\$(?P<escaped>\$\{)|\$\{(?P<inner>[^}]*)(?P<end>\}?)")
_INNER = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
# Long words count anywhere in a name, short ones as a part of it between underscores: MAX_TOKENS,
# TOKENIZER, KEYBOARD, AUTHOR and PWD, the shell's folder, are no secrets.
_SECRET_NAME = re.compile(
    r"(?i)secret|passw(?:or)?d|passphrase|credential|authorization|webhook|"
    r"(?:^|_)(?:[a-z0-9]*token|(?:api|ssh|my|master|access|private|signing)?keys?|pass|creds?|"
    r"o?auth|pat|jwt|dsn|bearer|cookie)[0-9]*(?:_|$)|"
    r"_pwd(?:_|$)|(?:^|_)(?:database|db|redis|mongo(?:db)?|postgres(?:ql)?|mysql|amqp)_ur[il]$"
)
_URL_WITH_USER = re.compile(r"://[^/\s?#@]*+@")
_SECRET_PLACE = re.compile(r"(?i)(?:^|[-_])(?:api[-_]?key|token|secret|password|authorization)$")
# Where a value of any type may stand, nothing else says which one is meant.
_OF_ANY_TYPE = frozenset(
    {
        "args", "extra_body", "chat_template_kwargs", "structured_outputs", "response_format",
        "request", "logit_bias",
    }
)  # fmt: skip

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Reference:
    name: str
    default: str | None


def fill_from(
    environment: Mapping[str, str], file: YamlFile, error_type: type[UsageError]
) -> YamlFile:
    """The file with every `${NAME}` in its values replaced; keys are left as they are.

    Raises:
        UsageError: (as `error_type`) a variable that is not set and has no default, one that looks
            like a secret or holds a url with a user, or a mark that names none; with file, line
            and key.
    """
    return replace(file, data=_Filling(environment, file, error_type).value(file.data, ()))


@dataclass(frozen=True, slots=True)
class _Filling:
    environment: Mapping[str, str]
    file: YamlFile
    error_type: type[UsageError]

    def value(self, data: Any, keys: Keys) -> Any:
        """The data at these keys, filled."""
        if isinstance(data, dict):
            return {key: self.value(item, (*keys, key)) for key, item in data.items()}
        if isinstance(data, list):
            return [self.value(item, (*keys, place)) for place, item in enumerate(data)]
        if not isinstance(data, str) or "${" not in data:
            return data
        if len(keys) == 4 and (keys[0], keys[2]) == ("servers", "headers"):
            return self._header(data, keys)
        text = _MARK.sub(lambda mark: self._text(mark, keys), data)
        alone = _MARK.fullmatch(data)
        if alone is not None and not alone["escaped"] and _OF_ANY_TYPE.intersection(keys):
            return _as_yaml(text)
        return text

    def _header(self, data: str, keys: Keys) -> Any:
        """A header's text, or the variable that holds its end with what stands before it."""
        marks = [mark for mark in _MARK.finditer(data) if not mark["escaped"]]
        if not marks:
            return data.replace("$${", "${")
        if len(marks) > 1 or marks[0].end() != len(data):
            what = "a header can end in one `${NAME}`, and hold no other"
            raise self._error(what, keys, "put all of its secret into one variable")
        found = self._reference(marks[0], keys)
        prefix = data[: marks[0].start()].replace("$${", "${")
        if self.environment.get(found.name):
            return {"env": found.name, "prefix": prefix}
        return prefix + self._filled(found, keys)

    def _text(self, mark: re.Match[str], keys: Keys) -> str:
        if mark["escaped"]:
            return "${"
        found = self._reference(mark, keys)
        place = next((str(key) for key in reversed(keys) if isinstance(key, str)), "")
        if place == "api_key_env" or (place == "env" and "headers" in keys):
            what = "holds the name of a variable, not its value"
            raise self._error(what, keys, f"write {found.name} without `${{}}`")
        if _SECRET_NAME.search(found.name) or _SECRET_PLACE.search(place):
            raise self._error(
                f"`{found.name}` looks like a secret, and this value is stored with every run",
                keys,
                "keys go into `api_key_env` or a header",
            )
        value = self._filled(found, keys)
        if _URL_WITH_USER.search(value):
            raise self._error(
                f"`{found.name}` holds a url with a user, and this value is stored with every run",
                keys,
                "leave the user and the password out of it",
            )
        return value

    def _reference(self, mark: re.Match[str], keys: Keys) -> _Reference:
        inner = _INNER.fullmatch(mark["inner"]) if mark["end"] else None
        if inner is None or "${" in (inner["default"] or ""):
            what = "`${` must begin `${NAME}` or `${NAME:-default}`"
            raise self._error(what, keys, "write `$${` for the characters themselves")
        return _Reference(inner["name"], inner["default"])

    def _filled(self, found: _Reference, keys: Keys) -> str:
        """The variable's value; the default also stands for an empty one, as in a shell."""
        value = self.environment.get(found.name) or found.default
        if value is None:
            how = "is empty" if found.name in self.environment else "is not set"
            raise self._error(
                f"the environment variable {found.name} {how}",
                keys,
                f"set it, or write ${{{found.name}:-default}}",
            )
        return value

    def _error(self, what: str, keys: Keys, hint: str) -> UsageError:
        key = ".".join(map(str, keys))
        return self.error_type(f"{key}: {what}", where=self.file.where(*keys), hint=hint)


def _as_yaml(text: str) -> Any:
    """A number, true or false where YAML would read the text so, else the text."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return found if isinstance(found, bool | int | float) else text
