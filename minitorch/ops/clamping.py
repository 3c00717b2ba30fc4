"""Keeping values within limits: clamp, clamp_min, clamp_max.

The gradient is 1 where a value is within its limits, the limits included, and 0 where it was replaced; there
it goes to the limit instead, if that is a tensor.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, common_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.choice import require_tensors, where
from minitorch.ops.promotion import check_range, is_number, promote


class Clamp(Function):
    """min(max(x, lower), upper); either limit may be None."""

    backward_name = "ClampBackward1"

    def forward(self, x: Array, lower: Any, upper: Any) -> Array:
        self.save(x, lower, upper)
        xp = common_module(x, lower, upper)
        raised = x if lower is None else xp.maximum(x, lower)
        return raised if upper is None else xp.minimum(raised, upper)

    def backward(self, grad_output: Any) -> Any:
        x, lower, upper = self.saved
        needs_x, needs_lower, needs_upper = self.needs_input_grad
        return (
            where(_is_within(x, lower, upper), grad_output, 0) if needs_x else None,
            where(_is_lower_chosen(x, lower, upper), grad_output, 0) if needs_lower else None,
            where(_is_upper_chosen(x, lower, upper), grad_output, 0) if needs_upper else None,
        )


class ClampTensor(Clamp):
    """``Clamp`` with tensors for limits."""

    backward_name = "ClampBackward0"


def _is_within(x: Any, lower: Any, upper: Any) -> Any:
    if lower is None:
        return x <= upper
    return x >= lower if upper is None else (x >= lower) & (x <= upper)


def _is_lower_chosen(x: Any, lower: Any, upper: Any) -> Any:
    return x < lower if upper is None else (x < lower) & (lower < upper)


def _is_upper_chosen(x: Any, lower: Any, upper: Any) -> Any:
    return x > upper if lower is None else (x > upper) | (upper < lower)


def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """``input`` limited to [min, max].

    Formula: output = minimum(maximum(input, min), max): where min > max, the result is max.
    Gradient: g for ``input`` within the limits (included), else 0 and g for the limit that was taken.
    Args: min, max: two numbers or two tensors that broadcast; None, no limit on that side, for at most one.
    Raises: RuntimeError if both are None, or the shapes do not broadcast; TypeError for a number and a tensor;
        NotImplementedError for booleans.
    Numerics: NaN stays NaN, and a limit of NaN makes the result NaN.

    >>> import minitorch as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 3.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if min is not None and max is not None and is_number(min) != is_number(max):
        raise TypeError("clamp(): min and max must both be numbers or both be tensors")
    return _clamp("clamp", input, min, max, out)


def clamp_min(input: Any, min: Any, *, out: Any = None) -> Any:
    """The larger of ``input`` and ``min``, a number or tensor; see ``clamp``.

    >>> import minitorch as torch
    >>> torch.clamp_min(torch.tensor([-2.0, 3.0]), 0)
    tensor([0., 3.])
    """
    return _clamp("clamp_min", input, min, None, out)


def clamp_max(input: Any, max: Any, *, out: Any = None) -> Any:
    """The smaller of ``input`` and ``max``, a number or tensor; see ``clamp``.

    >>> import minitorch as torch
    >>> torch.clamp_max(torch.tensor([-2.0, 3.0]), 0)
    tensor([-2.,  0.])
    """
    return _clamp("clamp_max", input, None, max, out)


def _clamp(name: str, input: Any, lower: Any, upper: Any, out: Any) -> Any:
    require_tensors(name, input=input)
    limits = [limit for limit in (lower, upper) if limit is not None]
    input, *promoted = promote(input, *limits)
    dtype = from_numpy_dtype(raw(input).dtype)
    if dtype.name == "bool":
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
    for limit in limits:
        check_range(limit, dtype)
    remaining = iter(promoted)
    lower, upper = (None if limit is None else next(remaining) for limit in (lower, upper))
    function = Clamp if all(map(is_number, limits)) else ClampTensor
    return write_out(function.apply(input, lower, upper), out)


clip = clamp
