"""Which fields of a request a server refuses, by what it says, and what to write then."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from harness.client.protocol import ChatRequest
from harness.client.request_body import chat_body
from harness.errors import ConfigError
from harness.records.attempt import Failure
from harness.records.request_fields import ALWAYS_SENT, OPTIONAL, RequestForm

# Some gateways pass a refusal on as an error of their own, or inside a response that began well.
STATUSES = frozenset({200, 400, 422, 500})
_NEVER = frozenset({"model", "messages", "stream", "logprobs"})
_MOST_READ = 8 * 1024

# Bounded, as what a server says may be made to be slow to read.
_Q = r"[\"'`\[({]{0,4}"  # what may stand before a name
_E = r"[\"'`\])}]{0,4}"  # and after it
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,60}"
_NAMES = rf"{_Q}{_NAME}{_E}(?:, ?{_Q}{_NAME}{_E})*"
_KIND = r"(?:parameter|param|argument|field|key|property|name|option|setting)"
_BAD = r"(?:unsupported|unknown|unrecognized|unrecognised|unexpected|extraneous|disallowed)"
_NOT = (
    r"(?:not (?:supported|allowed|permitted|available|implemented)|unsupported|disallowed"
    r"|deprecated|unavailable|forbidden)"
)
_ONLY = r"(?:must be (?:strictly positive|> 0(?:\.0)? and < 1|(?:set to )?1\b)|(?:may|can) only be)"
_SUPPLIED = rf"(?:request |keyword |json )?{_KIND}(?:s|\(s\))?(?: supplied| in object)?:?"
_SUPPORT = r"(?:does not|doesn't|do not|don't|cannot|can't) support (?:the |these )?(?:following )?"
# How servers say it: `all` may hold several names, `one` is one.
_PHRASES = (
    # OpenAI, Azure, Gemini's OpenAI route, Bedrock, LM Studio, serde, Go's JSON decoder
    rf"\b{_BAD} {_SUPPLIED} (?P<all>{_NAMES})",
    # Groq, OpenAI, Anthropic
    rf"\b(?P<one>{_NAME}){_E}(?: {_KIND}| type| of type {_Q}\w+{_E})? (?:is|are) {_NOT}",
    rf"\b(?P<one>{_NAME}){_E} (?:does not|doesn't) support\b",
    rf"\b(?P<one>temperature|top_p){_E} {_ONLY}",
    rf"\b{_NAME}{_E} and {_Q}(?P<one>{_NAME}){_E} cannot both be",
    # xAI, Moonshot
    rf"\b{_NOT} (?:on|by|for|with) this (?:model|endpoint|server): (?P<all>{_NAMES})",
    r"\binvalid (?P<one>temperature|top_p): only ",
    # LiteLLM, DeepSeek
    rf"\b{_SUPPORT}(?:{_KIND}s?:? )?(?P<all>\[[^\]]*\]|\{{[^}}]*\}}|{_Q}{_NAME})",
    # pydantic, as Mistral, vLLM, Fireworks, Bedrock and Azure AI print it
    rf"extra_forbidden[^\])]{{0,200}}[\[(][\"']body[\"'], ?[\"'](?P<one>{_NAME})[\"'][\])]",
    rf"\b(?P<one>{_NAME}): extra inputs are not permitted",
    rf"extra inputs are not permitted, field: {_Q}(?P<one>{_NAME})",
)
_REFUSED = [re.compile(phrase, re.IGNORECASE) for phrase in _PHRASES]
# Chat templates of models without a system role, and servers that say so themselves.
_NO_SYSTEM = re.compile(
    r"system (?:role|message|prompt|instruction)s?(?: is| are)? (?:not|un)[ -]?"
    r"(?:supported|allowed|enabled)"
    r"|(?:does not|doesn't|do not) support (?:the |a )?[\"'`]?system\b"
    r"|developer instruction is not enabled"
    r"|only (?:the )?[\"'`]?user[\"'`]?,? (?:and )?[\"'`]?(?:assistant|model)\b"
    r"|unexpected (?:message )?role:? ?[\"'`]?system"
    r"|role [\"'`]?system[\"'`]? (?:is|are) (?:not|un)",
    re.IGNORECASE,
)
_MUST_ALTERNATE = re.compile(r"roles must alternate", re.IGNORECASE)
_NO_THINKING = re.compile(r"does not support thinking|think value .{1,20} is not", re.IGNORECASE)
# As vLLM says it where it was started without a reasoning parser.
_NO_PARSER = re.compile(r"thinking_token_budget is set but reasoning_config is\s+not configured")
# Known ones alone: what a server says may hold a secret.
_USE = re.compile(rf"\buse {_Q}(max_(?:completion|output|new)_tokens)\b", re.IGNORECASE)
_WORD = re.compile(_NAME)


def remedy(said: str, request: ChatRequest, form: RequestForm, key: str) -> str | None:
    """What to write so that the server takes the request; None where that is not what it says.

    `said` is the body of its refusal, and `key` the server's place in the configuration. Only
    fields that the request holds are looked for.
    """
    said = said[:_MOST_READ].replace("\\n", " ").replace("\\", "")
    body = chat_body(request, form)
    if "thinking_token_budget" in body and _NO_PARSER.search(said):
        return "start it with `--reasoning-parser`, or take `thinking_token_budget` out"
    refused = sorted(_refused(said, body.keys() - _NEVER))
    if form.max_tokens_as in refused:
        return f"take `max_tokens_as` out of {key}.request"
    other: dict[str, str] = {}
    instead = _USE.search(said)
    if "max_tokens" in refused and instead is not None:
        refused.remove("max_tokens")
        other["max_tokens_as"] = instead[1].lower()
    if _refuses_system(said, request, form):
        other["system_as"] = "user"
    omit = [name for name in refused if name in (*ALWAYS_SENT, *OPTIONAL)]
    if omit or other:
        return f"under {key} write `{form.written(omit=omit, **other)}`"
    return f"take `{refused[0]}` out of `extra_body`" if refused else None


def _refused(said: str, sent: Collection[str]) -> Iterator[str]:
    found = set()
    for phrase in _REFUSED:
        for match in phrase.finditer(said):
            for name in _WORD.findall(match["all"] if "all" in match.groupdict() else match["one"]):
                # Some name a field as their own program does.
                plain = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
                found.update({name, plain}.intersection(sent))
    if "reasoning_effort" in sent and _NO_THINKING.search(said):
        found.add("reasoning_effort")
    yield from found


def _refuses_system(said: str, request: ChatRequest, form: RequestForm) -> bool:
    roles = [message.role for message in request.messages]
    if "system" not in roles or form.system_as == "user":
        return False
    if _NO_SYSTEM.search(said):
        return True
    turns = [role for role in roles if role != "system"]
    # Turns that do not alternate by themselves are the case's fault.
    alternate = turns == ["user" if place % 2 == 0 else "assistant" for place in range(len(turns))]
    return alternate and bool(_MUST_ALTERNATE.search(said))


def refused(failure: Failure, where: str) -> ConfigError:
    """The error for a failure with a remedy: no other request is spared it."""
    what = f"the server refuses what every request holds: {failure.detail}"
    return ConfigError(what, where=where, hint=failure.remedy or "")


def check_taken(failure: Failure, where: str) -> None:
    """Return unless the failure is the refusal of a field.

    Raises:
        ConfigError: it is; the error says what to write.
    """
    if failure.remedy is not None:
        raise refused(failure, where)
