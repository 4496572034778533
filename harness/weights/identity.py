"""The weights of a target: where they lie, and what tells them from others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.config import Project
from harness.errors import UsageError
from harness.files import digest_json
from harness.model_files import chat_template_digest, check_model, model_digest
from harness.records.server import ManagedServer
from harness.serving.adapter import read_adapter
from harness.targets.models import server_model, target_adapter

# vLLM's words for what torch calls otherwise.
_DTYPES = {"half": "float16", "float": "float32"}


@dataclass(frozen=True, slots=True)
class Weights:
    """The folders of a base and of an adapter on it, with the digests of what is in them.

    `base` may hold merged or quantised weights. `dtype` is torch's name of a type, or `auto`.
    """

    base: str
    base_digest: str
    adapter: str | None = None
    adapter_digest: str | None = None
    chat_template: str | None = None
    dtype: str = "auto"
    trust_remote_code: bool = False

    @property
    def key(self) -> str:
        """The digest of all that their answers depend on; where they lie is not part of it."""
        known = asdict(self)
        return digest_json({name: known[name] for name in known.keys() - {"base", "adapter"}})

    @property
    def stored(self) -> int:
        """The bytes of the files of weights; memory holds at least as many."""
        folders = [self.base] if self.adapter is None else [self.base, self.adapter]
        files = [file for folder in folders for file in Path(folder).glob("*.safetensors")]
        return sum(file.stat().st_size for file in files)

    def order(self) -> dict[str, Any]:
        """All of it as plain JSON, for the order to a child."""
        return asdict(self)


def weights_of(project: Project, target: str) -> Weights:
    """The weights behind a target, its files read and hashed; models on a hub are fetched.

    Raises:
        UsageError: they are not in a folder of ours, are missing, or cannot be read.
        InfrastructureError: a hub cannot be reached.
    """
    chosen = project.target(target)
    server = project.config.servers[chosen.server]
    if not isinstance(server, ManagedServer):
        raise UsageError(
            f"the weights of `{target}` are behind a url, and cannot be loaded",
            where=project.place(f"targets.{target}.server"),
            hint="name a server with `engine: vllm` and the folder of its `model`",
        )
    base = server_model(project, chosen.server).path
    check_model(base)
    adapter = None if chosen.adapter is None else target_adapter(project, target).path.absolute()
    dtype = str(server.args.get("dtype", "auto"))
    given = server.args.get("chat-template", server.args.get("chat_template"))
    return Weights(
        base=str(base.absolute()),
        base_digest=model_digest(base, with_code=server.trust_remote_code),
        adapter=None if adapter is None else str(adapter),
        adapter_digest=None if adapter is None else read_adapter(adapter).digest,
        chat_template=chat_template_digest(base, given if isinstance(given, str) else None),
        dtype=_DTYPES.get(dtype, dtype),
        trust_remote_code=server.trust_remote_code,
    )
