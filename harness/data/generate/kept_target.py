"""A target whose answers are kept, so that a command that was killed goes on where it was."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.client.protocol import Failed
from harness.client.refused_fields import check_taken
from harness.errors import EvidenceError
from harness.files import append_line, digest_json, read_bytes
from harness.records.suite import Message
from harness.targets.live_target import LiveTarget

AT_ONCE = 100  # requests between two writings of the file
_FENCED = re.compile(r"^```(?:json)?\s*\n(.*)\n```$", re.DOTALL)
Conversation = tuple[Message, ...]


class KeptTarget:
    """Asks a target; what it answered is in the `folder`, by all that an answer depends on.

    `failures` counts the requests that brought no whole answer, by their cause: such an answer is
    no data.
    """

    def __init__(self, live: LiveTarget, folder: Path) -> None:
        self.name = live.target
        self.failures: Counter[str] = Counter()
        self._live = live
        self._identity = live.identity.model_dump(mode="json")
        self._file = folder / f"{digest_json(self._identity).removeprefix('sha256:')[:12]}.jsonl"
        self._known: dict[str, str] = {}
        for line in (read_bytes(self._file) or b"").decode("utf-8", "replace").splitlines():
            try:
                row = json.loads(line)
                self._known[row["key"]] = row["text"]
            except (ValueError, TypeError, KeyError):
                continue  # the last line of a command that was killed

    def ask(self, conversations: Sequence[Conversation], **sampling: Any) -> list[str | None]:
        """The answer to each, in their order; None where there is no whole one.

        Raises:
            EvidenceError: no request of the first ones was answered.
            ConfigError: the server refuses a field of the request.
        """
        keys = [
            digest_json([self._identity, sampling, [turn.model_dump() for turn in one]])
            for one in conversations
        ]
        open_ones = [place for place, key in enumerate(keys) if key not in self._known]
        for at in range(0, len(open_ones), AT_ONCE):
            some = open_ones[at : at + AT_ONCE]
            texts = self._answers([conversations[place] for place in some], sampling)
            for place, text in zip(some, texts, strict=True):
                if text is not None:
                    self._known[keys[place]] = text
                    append_line(self._file, json.dumps({"key": keys[place], "text": text}))
        return [self._known.get(key) for key in keys]

    def _answers(
        self, conversations: Sequence[Conversation], sampling: dict[str, Any]
    ) -> list[str | None]:
        found: list[str | None] = []
        detail = ""
        for reply in self._live.ask(conversations, **sampling):
            whole = not isinstance(reply, Failed) and reply.finish_reason == "stop"
            found.append(reply.text if whole and not isinstance(reply, Failed) else None)
            if isinstance(reply, Failed):
                check_taken(reply.failure, f"`{self.name}`")
                detail = detail or reply.failure.detail
                self.failures[reply.failure.cause] += 1
            elif not whole:
                self.failures[reply.finish_reason] += 1
        if detail and not any(found) and not self._known:
            raise EvidenceError(
                f"`{self.name}` answered none of {len(found)} requests: {detail}",
                hint=f"`harness doctor {self.name}` tries it step by step",
            )
        return found


def read_json(text: str | None) -> Any:
    """The JSON value that an answer is, fences around it aside; None where it is none."""
    bare = (text or "").strip()
    fenced = _FENCED.match(bare)
    try:
        return json.loads(fenced[1] if fenced else bare)
    except (ValueError, RecursionError):
        return None
