"""What a forward pass keeps for the backward pass, from a model's shapes alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ATTENTION = "harness_shapes"  # a name of ours in transformers' table of attention functions


def saved_bytes(model: Any, batch: int, length: int, compute: Any | None) -> int:
    """Bytes that autograd keeps of a forward pass of `batch` sequences of `length` tokens.

    `model` is peft's, on torch's meta device, where a pass works out shapes and computes nothing.
    `compute` is the dtype of matrix products under autocast, None without. What several
    operations keep counts once, and parameters do not count: not the logits either, which TRL
    makes in tiles.
    """
    import torch

    own = {_place(one) for one in model.parameters()}
    kept: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        if _place(tensor) not in own:
            kept.setdefault(_place(tensor), tensor)
        return tensor

    ids = torch.zeros((batch, length), dtype=torch.long, device="meta")
    # A mask of four dimensions is taken as it is; the making of one looks at values.
    mask = torch.ones((batch, 1, length, length), dtype=torch.bool, device="meta")
    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, _autocast(compute):
        body = model.get_base_model().base_model
        body(input_ids=ids, attention_mask=mask, use_cache=False)
    return sum(int(one.untyped_storage().nbytes()) for one in kept.values())


def register_attention() -> None:
    """Make `ATTENTION` known to transformers: what fused attention keeps, and nothing else."""
    import torch
    from transformers import AttentionInterface

    class Fused(torch.autograd.Function):
        """Keeps queries, keys, values, mask, result, and a number for each row."""

        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            query, _, value, _ = inputs
            result = query.new_empty((*query.shape[:-1], value.shape[-1]))
            rows = query.new_empty(query.shape[:-1], dtype=torch.float32)
            ctx.save_for_backward(*inputs, result, rows)
            return result

    apply: Callable[..., Any] = Fused.apply

    def attend(
        _: Any, query: Any, key: Any, value: Any, attention_mask: Any, **__: Any
    ) -> tuple[Any, None]:
        groups = query.shape[1] // key.shape[1]
        if groups > 1:
            key, value = (one.repeat_interleave(groups, dim=1) for one in (key, value))
        # Where sequences of a batch differ in length, the mask is added as numbers.
        mask = attention_mask.to(query.dtype) if query.shape[0] > 1 else None
        return apply(query, key, value, mask).transpose(1, 2), None

    AttentionInterface.register(ATTENTION, attend)


def _place(tensor: Any) -> int:
    """What tells one tensor's memory from another's, where there are no addresses."""
    return int(tensor.untyped_storage()._cdata)


def _autocast(compute: Any | None) -> Any:
    """A context in which matrix products cast their inputs, as torch.autocast does on a device.

    It has no entry for the meta device.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    products: set[Callable[..., Any]] = {torch.nn.functional.linear, torch.matmul, torch.bmm}

    class Casting(TorchFunctionMode):
        """Casts what goes into a product."""

        def __torch_function__(
            self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if compute is not None and func in products:
                args = tuple(_cast(one, compute) for one in args)
            return func(*args, **(kwargs or {}))

    return Casting()


def _cast(value: Any, dtype: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.to(dtype)
    return value
