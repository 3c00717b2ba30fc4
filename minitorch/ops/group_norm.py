"""Group normalisation: the channels of a sample are normalised in groups, independently of the batch.

One group is layer normalisation over all channels; as many groups as channels is instance normalisation.
Source: Wu and He, "Group Normalization", 2018.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import Array, image_order, in_order
from minitorch.ops.autocast import autocasts
from minitorch.ops.batch_norm import check_batch_size
from minitorch.ops.operand import require
from minitorch.ops.standardization import Standardize, check_parameter_dtypes


class GroupNorm(Standardize):
    """weight · x̂ + bias over the channels of a group and all places."""

    backward_name = "NativeGroupNormBackward0"

    def forward(self, input: Array, weight: Array | None, bias: Array | None, **options: Any) -> Array:
        return in_order(super().forward(input, weight, bias, **options), image_order(input))


@autocasts
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Normalise each group of channels of each sample, then rescale each channel.

    Formula: output = (input − μ) / √(σ² + eps) · weight + bias, where μ and σ² (divided by the count) are those
    of the C / ``num_groups`` channels of a group in one sample.
    Shapes: input (N, C, …); weight and bias (C,) → the shape of ``input``.
    Gradient: as ``layer_norm``, over a group; ``weight`` and ``bias`` are summed over samples and places.
    Raises: ValueError for groups of a single value; RuntimeError, with torch's texts, if C is no multiple of
    ``num_groups``, or for shapes and dtypes that do not fit; NotImplementedError for integers.

    >>> import minitorch as torch
    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0, 10.0, 30.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    shape = tuple(raw(input).shape)
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    N, C, *rest = shape
    counted = (N * C // num_groups, num_groups, *rest)
    check_batch_size(counted, "{}")
    _check(shape, num_groups, {"weight": weight, "bias": bias})
    require(input, "f", "group_norm", "GroupNormKernelImpl")
    check_parameter_dtypes(raw(input).dtype, [weight, bias])
    return GroupNorm.apply(
        input,
        weight,
        bias,
        view=(N, num_groups, C // num_groups, math.prod(rest)),
        parameter_view=(1, num_groups, C // num_groups, 1),
        dims=(2, 3),
        eps=eps,
    )


def _check(shape: tuple[int, ...], num_groups: int, parameters: dict[str, Any]) -> None:
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    for role, value in parameters.items():
        if value is not None and tuple(raw(value).shape) != (shape[1],):
            raise RuntimeError(
                f"Expected {role} to be a vector of size equal to the number of channels in input, but got {role} "
                f"of shape {list(raw(value).shape)} and input of shape {list(shape)}"
            )
