"""What the hub's client raises, in one line: what is wrong with name, token or network."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError, InfrastructureError, UsageError
from harness.files import storage_error
from harness.hub.client import cache_folder, endpoint, has_token
from harness.hub.name import HubName

# The network's and the disk's, and what comes of answers that no hub gives.
_BROKEN = (OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError)


class HubUnreachable(InfrastructureError):
    """The hub cannot be reached, or fails; the cache may still have the model."""


@contextmanager
def translated(name: HubName, where: str) -> Iterator[None]:
    """Within the block, errors of the client are the harness's; `where` names the model.

    Raises:
        UsageError: no such model or revision, no right to read it, or offline and not cached.
        HubUnreachable: the network or the hub failed.
        StorageError: the cache cannot be written.
    """
    import httpx2

    try:
        yield
    except HarnessError:
        raise
    except (httpx2.HTTPError, *_BROKEN) as error:
        raise _translation(error, name, where) from error


def _translation(error: Exception, name: HubName, where: str) -> HarnessError:
    import httpx2
    from huggingface_hub import errors

    if isinstance(error, errors.LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # the reason for which the cache was looked at
    if isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError):
        return not_cached(name, where)
    if isinstance(error, errors.HfHubHTTPError):
        return _refusal(error, name, where)
    if isinstance(error, httpx2.HTTPError):
        return HubUnreachable(
            f"{_no_folder(name)}the hub {endpoint()} cannot be reached: {_first_line(error)}",
            where=where,
            hint="check the network, the proxy and HF_ENDPOINT, and run the command again",
        )
    if isinstance(error, OSError) and error.errno is not None:
        file = Path(error.filename) if isinstance(error.filename, str) else cache_folder()
        if error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EPERM, errno.EDQUOT):
            return storage_error(error, file)
    return HubUnreachable(
        f"{name} cannot be fetched from {endpoint()}: {_first_line(error)}",
        where=where,
        hint="run the command again; files that are whole are kept",
    )


def not_cached(name: HubName, where: str) -> UsageError:
    """The error for a model that is wanted while the hub must not be asked."""
    return UsageError(
        f"{_no_folder(name)}{name} is not in the cache, and HF_HUB_OFFLINE forbids to ask for it",
        where=where,
        hint=f"fetch it once without HF_HUB_OFFLINE; the cache is {cache_folder()}",
    )


def _refusal(error: Exception, name: HubName, where: str) -> HarnessError:
    """The error for an answer of the hub that is no success."""
    from huggingface_hub import errors

    assert isinstance(error, errors.HfHubHTTPError)
    page = f"{endpoint()}/{name.repo}"
    token = has_token()
    if isinstance(error, errors.GatedRepoError):
        what = f"{name.repo} is gated: its owner decides who may read it"
        hint = f"ask for access at {page}" + ("" if token else ", and set HF_TOKEN to your token")
        return UsageError(what, where=where, hint=hint)
    if isinstance(error, errors.RevisionNotFoundError):
        what = f"{name.repo} has no revision `{name.revision}`"
        return UsageError(what, where=where, hint=f"see its branches and tags at {page}/tree/main")
    if isinstance(error, errors.RepositoryNotFoundError):
        hint = (
            "check the spelling; HF_TOKEN may not be allowed to read it"
            if token
            else "check the spelling; a private model needs your token in HF_TOKEN"
        )
        what = f"{endpoint()} shows no model `{name.repo}`"
        if not name.explicit:
            what += ", and there is no such folder"
        return UsageError(what, where=where, hint=hint)
    if isinstance(error, errors.EntryNotFoundError):
        what = f"a file of {name} is gone from {endpoint()}"
        return UsageError(what, where=where, hint="ask its owner, or choose another revision")
    status = error.response.status_code
    if status in (401, 403):
        what = f"{endpoint()} refuses the token for {name.repo} (HTTP {status})"
        return UsageError(what, where=where, hint="set HF_TOKEN to a valid token that may read it")
    return HubUnreachable(
        f"{endpoint()} answers with HTTP {status} for {name.repo}",
        where=where,
        hint="try again later; HF_ENDPOINT must be the address of a hub",
    )


def _no_folder(name: HubName) -> str:
    """What was looked for first, where a folder could have been meant."""
    return "" if name.explicit else f"there is no folder `{name.repo}`, and "


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}{f': {text}' if text else ''}"
