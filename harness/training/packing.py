"""Whether a base keeps conversations apart that are packed into one sequence."""

from __future__ import annotations

from typing import Any

from harness.errors import RecipeError

# What rounding may do to a hidden state, as a share of its size; a token that sees another
# conversation moves by far more.
TOLERANCE = 0.02
_TOKENS = 12  # of each of the two probes


def check_packing(model: Any, name: str) -> None:
    """Nothing, where a conversation's hidden states do not depend on the one packed before it.

    TRL tells packed conversations apart by their positions, which begin at 0 again. Whether a model
    heeds that hangs on its architecture and on its attention: it is tried.

    Raises:
        RecipeError: the states differ.
    """
    import torch

    rows = model.get_input_embeddings().num_embeddings
    ids = torch.arange(2 * _TOKENS, device=model.device) % rows
    first, second = ids[:_TOKENS], ids[_TOKENS:]
    places = torch.arange(_TOKENS, device=model.device)
    with torch.no_grad():
        packed = _states(model, ids, torch.cat((places, places)))[:, _TOKENS:]
        other = _states(model, torch.cat((first.flip(0), second)), torch.cat((places, places)))
        alone = _states(model, second, places)
    largest = float(alone.abs().max()) or 1.0
    moved = max(float((one - alone).abs().max()) for one in (packed, other[:, _TOKENS:]))
    if not moved <= TOLERANCE * largest:
        raise RecipeError(
            f"this base lets conversations that are packed together see each other: hidden states "
            f"move by {moved / largest:.0%}",
            where=f"recipe {name}: packing",
            hint="leave the key away; with a GPU, flash attention may be installed",
        )


def _states(model: Any, ids: Any, places: Any) -> Any:
    body = model.base_model
    found = body(input_ids=ids.unsqueeze(0), position_ids=places.unsqueeze(0), use_cache=False)
    return found.last_hidden_state.float()
