"""Layer normalisation and its simpler sister: every sample is normalised by itself, whatever the batch.

Source: Ba, Kiros and Hinton, "Layer Normalization", 2016; Zhang and Sennrich, "Root Mean Square Layer
Normalization", 2019.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import array_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.elementwise import rsqrt
from minitorch.ops.operand import require, widen
from minitorch.ops.promotion import to_dtype
from minitorch.ops.reduction import mean
from minitorch.ops.standardization import Standardize, check_parameter_dtypes

Shape = tuple[int, ...]


class LayerNorm(Standardize):
    """weight · x̂ + bias over the last dimensions."""

    backward_name = "NativeLayerNormBackward0"


@autocasts
def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Give the last dimensions mean 0 and variance 1, then rescale them.

    Formula: output = (input − μ) / √(σ² + eps) · weight + bias, where μ and σ² (divided by the count) are taken
    over the dimensions of ``normalized_shape``.
    Shapes: input (…, *normalized_shape); weight and bias ``normalized_shape`` → the shape of ``input``.
    Gradient: s · (h − mean(h) − x̂ · mean(h·x̂)) for ``input``, with s = 1 / √(σ² + eps), x̂ = (input − μ) · s and
    h = g · weight; Σ g·x̂ for ``weight`` and Σ g for ``bias``, over the other dimensions.
    Raises: RuntimeError, with torch's texts, for shapes and dtypes that do not fit; NotImplementedError for integers.
    Numerics: variance from the centred values; float16 is computed in float32.

    >>> import minitorch as torch
    >>> torch.nn.functional.layer_norm(torch.tensor([[1.0, 3.0], [10.0, 30.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    shape = _checked("layer_norm", input, normalized_shape, {"weight": weight, "bias": bias}, "[*, ")
    require(input, "f", "layer_norm", "LayerNormKernelImpl")
    check_parameter_dtypes(raw(input).dtype, [weight, bias])
    size = math.prod(shape)
    rows = math.prod(raw(input).shape[: raw(input).ndim - len(shape)])
    return LayerNorm.apply(input, weight, bias, view=(rows, size), parameter_view=(1, size), dims=(1,), eps=eps)


@autocasts
def rms_norm(input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Give the last dimensions a mean square of 1, then rescale them.

    Formula: output = input / √(mean(input²) + eps) · weight, over the dimensions of ``normalized_shape``.
    Shapes: as ``layer_norm``.
    Gradient: s · (h − x̂ · mean(h·x̂)) for ``input``, with s = 1 / √(mean(input²) + eps), x̂ = input · s, h = g · weight.
    Args: eps: None for the dtype's own ``eps`` (float32's for float16).
    Raises: as ``layer_norm``.

    >>> import minitorch as torch
    >>> torch.nn.functional.rms_norm(torch.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    shape = _checked("rms_norm", input, normalized_shape, {"weight": weight}, "[*")
    require(input, "f", "rms_norm", "rms_norm")
    dtype = from_numpy_dtype(raw(input).dtype)
    x = widen(input)
    if eps is None:
        eps = float(array_module(raw(x)).finfo(raw(x).dtype).eps)
    output = x * rsqrt(mean(x * x, tuple(range(-len(shape), 0)), True) + eps)
    return to_dtype(output if weight is None else output * weight, dtype)


def _checked(name: str, input: Any, normalized_shape: Any, parameters: dict[str, Any], rest: str) -> Shape:
    """``normalized_shape`` as a tuple. Raises torch's errors where it or a parameter does not fit."""
    if not isinstance(normalized_shape, (tuple, list)):
        found = type(normalized_shape).__name__
        raise TypeError(f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not {found}")
    shape, found_shape = tuple(int(size) for size in normalized_shape), tuple(raw(input).shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but "
            "got normalized_shape = []"
        )
    for role, value in parameters.items():
        if value is not None and tuple(raw(value).shape) != shape:
            raise RuntimeError(
                f"Expected {role} to be of same shape as normalized_shape, but got {role} of shape "
                f"{list(raw(value).shape)} and normalized_shape = {list(shape)}"
            )
    if len(found_shape) < len(shape) or found_shape[len(found_shape) - len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape {rest}"
            f"{', '.join(str(size) for size in shape)}], but got input of size{list(found_shape)}"
        )
    return shape
