"""Dropout: silence random elements in training, and scale the others up to make good for it.

On the CPU the mask is drawn exactly as torch draws it, so that the same seed silences the same elements. On a GPU it
is drawn there, by that GPU's generator.

Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014, in its
inverted form (evaluation is the identity); Klambauer et al., "Self-Normalizing Neural Networks", 2017, for
``alpha_dropout``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from minitorch.autograd.inplace import apply_inplace
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, device_of, order_of, to_device
from minitorch.backend.cuda_generator import numbers_for
from minitorch.backend.launching import runs_kernels
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.arithmetic import add, mul
from minitorch.ops.dropout_cuda import device_dropout
from minitorch.ops.operand import widen

ALPHA = 1.7580993408473766  # SELU's scale · alpha: minus the value that its most negative inputs approach


def bernoulli_mask(like: Array, probability: float, shape: tuple[int, ...]) -> Array:
    """1 with ``probability``, else 0, in ``like``'s dtype and on its device."""
    where = device_of(like)
    return to_device(numbers_for(None, where).bernoulli(probability, shape, like.dtype.name), where)


def elementwise_mask(input: Array, keep: float) -> Array:
    """A mask of ``input``'s shape, drawn in the order in which its elements lie in memory, as in torch."""
    order = order_of(input.shape, input.strides)
    mask = bernoulli_mask(input, keep, tuple(input.shape[axis] for axis in order))
    return mask.transpose([order.index(axis) for axis in range(input.ndim)])


def _feature_mask(unbatched: bool) -> Callable[[Array, float], Array]:
    """A function that draws one element a channel: the first dimension's, or the first two's of a batch."""

    def draw(input: Array, keep: float) -> Array:
        kept = 1 if unbatched else 2
        if input.ndim < kept:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        return bernoulli_mask(input, keep, input.shape[:kept] + (1,) * (input.ndim - kept))

    return draw


def _drop(
    input: Any,
    p: float,
    training: bool,
    inplace: bool,
    draw: Callable[[Array, float], Array] = elementwise_mask,
    is_alpha: bool = False,
) -> Any:
    """What all kinds of dropout share: when nothing is to be done, and how a mask becomes a map of the input."""
    _check_probability(p)
    array = raw(input)
    if p == 0 or not training or array.size == 0:
        return input
    if p == 1:
        factor, shift = array_module(array).zeros((), array.dtype), None
    else:
        _require_floating(array)
        if draw is elementwise_mask and not is_alpha and runs_kernels(array):
            drop = device_dropout(1 - p, array)
            return apply_inplace(input, drop) if inplace else drop(input)
        mask = draw(array, 1 - p)
        factor, shift = _alpha_map(mask, p) if is_alpha else (_scaled(mask, 1 - p), None)

    def apply(value: Any) -> Any:
        value = mul(value, factor)
        return value if shift is None else add(value, shift)

    return apply_inplace(input, apply) if inplace else apply(input)


def _require_floating(array: Array) -> None:
    found = from_numpy_dtype(array.dtype)
    if not found.is_floating_point:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {found.legacy_name}")


def _scaled(mask: Array, keep: float) -> Array:
    """mask / keep, by a float32 division for float16 (which cannot hold ``keep`` exactly enough)."""
    scaled = widen(mask)
    scaled /= keep
    return scaled.astype(mask.dtype, copy=False)


def _alpha_map(mask: Array, p: float) -> tuple[Array, Array]:
    """(a · mask, b) such that input · a · mask + b keeps mean 0 and variance 1, dropped elements being −ALPHA."""
    a = 1 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    shift = (widen(mask) - 1) * (ALPHA * a) + ALPHA * a * p
    return (widen(mask) * a).astype(mask.dtype), shift.astype(mask.dtype)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set each element to 0 with probability ``p`` and divide the others by 1 − p.

    Formula: output = input · mask / (1 − p); 0 · input for p = 1. The mean stays the same.
    Shapes: any → the same.
    Gradient: g · mask / (1 − p).
    Args: p: the probability to drop; training: if false, ``input`` itself is returned; inplace: write into
    ``input``.
    Raises: ValueError unless 0 ≤ p ≤ 1; RuntimeError for integers.
    Numerics: the masks of a seed are those of torch's CPU generator; on a GPU those of its own, in ``dropout.cu``,
    which draws them twice instead of storing them.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout(torch.tensor([1.0, 2.0, 3.0, 4.0]), p=0.5)
    tensor([0., 0., 6., 0.])
    """
    return _drop(input, p, training, inplace)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout for self-normalising networks: mean 0 and variance 1 stay what they are.

    Formula: output = a · (input · mask − α · (1 − mask)) + a·α·p with α = 1.758…, the limit of SELU, and
    a = 1 / √((α²·p + 1) (1 − p)).
    Gradient: g · a · mask.
    Args and Raises: as ``dropout``.

    >>> import minitorch as torch
    >>> torch.nn.functional.alpha_dropout(torch.ones(3), p=1.0, training=True)
    tensor([0., 0., 0.])
    """
    return _drop(input, p, training, inplace, is_alpha=True)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """``alpha_dropout`` of whole channels of (N, C, …).

    Raises: as ``dropout``, and RuntimeError for fewer than 2 dimensions.

    >>> import minitorch as torch
    >>> torch.nn.functional.feature_alpha_dropout(torch.ones(1, 2, 2), p=0.0, training=True)
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    return _drop(input, p, training, inplace, _feature_mask(unbatched=False), is_alpha=True)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, L) or (C, L).

    Raises: as ``dropout``, and RuntimeError for other numbers of dimensions.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout1d(torch.ones(3, 2))
    tensor([[0., 0.],
            [0., 0.],
            [2., 2.]])
    """
    ndim = raw(input).ndim
    _check_probability(p)
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an "
            "optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _drop(input, p, training, inplace, _feature_mask(unbatched=ndim == 2))


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, H, W).

    An input of 3 dimensions is taken as (N, C, L), with torch's warning that this will change.
    Raises: as ``dropout``, and RuntimeError for fewer than 2 dimensions.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout2d(torch.ones(1, 3, 1, 2))
    tensor([[[[0., 0.]],
    <BLANKLINE>
             [[0., 0.]],
    <BLANKLINE>
             [[2., 2.]]]])
    """
    ndim = raw(input).ndim
    _check_probability(p)
    if ndim not in (3, 4):
        _warn_of_dimensions("dropout2d", ndim, 2)
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
            "desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will "
            "change in a future release to interpret the input as one without a batch dimension, i.e. shape "
            "(C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d "
            "instead.",
            stacklevel=2,
        )
    return _drop(input, p, training, inplace, _feature_mask(unbatched=False))


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """``dropout`` of whole channels of (N, C, D, H, W) or (C, D, H, W).

    Raises: as ``dropout``.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout3d(torch.ones(3, 1, 1, 2))[:, 0, 0]
    tensor([[0., 0.],
            [0., 0.],
            [2., 2.]])
    """
    ndim = raw(input).ndim
    _check_probability(p)
    if ndim not in (4, 5):
        _warn_of_dimensions("dropout3d", ndim, 3)
    return _drop(input, p, training, inplace, _feature_mask(unbatched=ndim != 5))


def _check_probability(p: float) -> None:
    if p < 0 or p > 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _warn_of_dimensions(name: str, ndim: int, spatial: int) -> None:
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a "
        "future release. To retain the behavior and silence this warning, please use dropout instead. Note "
        f"that {name} exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a "
        f"channel dimension, and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).",
        stacklevel=3,
    )
