"""Activations made of straight lines with two kinks: cheap stand-ins for smooth ones, and the shrinkages.

    hardtanh  relu6  hardsigmoid  hardswish     flat beyond a limit
    hardshrink  softshrink                      0 in the middle

All act element by element and let nan through. At a kink the gradient is that of the *outer* piece, except
that hardsigmoid's and hardtanh's flat pieces include their limits.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.operand import compute, in_place, keep_where, kind_of, narrow, require, widen


class Hardtanh(Function):
    """x kept within [lowest, highest];  d/dx = 1 strictly inside, else 0."""

    def forward(self, x: Array, *, lowest: float, highest: float) -> Array:
        self.save(~((x <= lowest) | (x >= highest)))
        return array_module(x).clip(x, lowest, highest)

    def backward(self, grad_output: Any) -> Any:
        (is_kept,) = self.saved
        return keep_where(is_kept, grad_output)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """``input`` kept within [min_val, max_val], element by element.

    Gradient: g where min_val < input < max_val, else 0.
    Raises: ValueError if min_val > max_val; RuntimeError for bool, and for unsigned integers with a negative limit.

    >>> import minitorch as torch
    >>> torch.nn.functional.hardtanh(torch.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    kind = kind_of(input, "hardtanh")
    if kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if kind == "u" and min(min_val, max_val) < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    if kind != "f":
        min_val, max_val = int(min_val), int(max_val)
    return compute(Hardtanh, input, inplace, lowest=min_val, highest=max_val)


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(input, 0), 6): a relu that low-precision arithmetic can hold.

    Gradient: g where 0 < input < 6, else 0.
    Raises: RuntimeError for bool.
    Source: Howard et al., "MobileNets", 2017.

    >>> import minitorch as torch
    >>> torch.nn.functional.relu6(torch.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def _ramp(x: Array) -> Array:
    """x + 3 kept within [0, 6]."""
    return array_module(x).clip(x + 3, 0, 6)


class Hardsigmoid(Function):
    """(x + 3) / 6 kept within [0, 1];  d/dx = 1/6 for |x| < 3, else 0."""

    def forward(self, x: Array) -> Array:
        is_inside = array_module(x).abs(x) < 3
        self.save(is_inside)
        return narrow(_ramp(widen(x)) / 6, x)

    def backward(self, grad_output: Any) -> Any:
        (is_inside,) = self.saved
        return keep_where(is_inside, grad_output / 6)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """(input + 3) / 6 kept within [0, 1]: the sigmoid in three straight lines.

    Gradient: g / 6 where -3 < input < 3, else 0.
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Howard et al., "Searching for MobileNetV3", 2019.

    >>> import minitorch as torch
    >>> torch.nn.functional.hardsigmoid(torch.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    require(input, "f", "hardsigmoid", "hardsigmoid_cpu")
    return compute(Hardsigmoid, input, inplace)


class Hardswish(Function):
    """x · hardsigmoid(x);  d/dx = 0 for x ≤ -3, x/3 + ½ between, 1 for x ≥ 3."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        x_wide = widen(x)
        return narrow(x_wide * _ramp(x_wide) / 6, x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        is_curved = array_module(raw(x)).abs(raw(x)) < 3
        is_open = ~(is_curved | (raw(x) <= -3))
        return keep_where(is_curved, grad_output * (x / 3 + 0.5)) + keep_where(is_open, grad_output)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """input · hardsigmoid(input): the silu (swish) without an exponential.

    Gradient: 0 for input ≤ -3, g for input ≥ 3, else g · (input / 3 + ½).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Howard et al., "Searching for MobileNetV3", 2019.

    >>> import minitorch as torch
    >>> torch.nn.functional.hardswish(torch.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000,  0.6667,  4.0000])
    """
    require(input, "f", "hardswish", "hardswish_cpu")
    return compute(Hardswish, input, inplace)


class Hardshrink(Function):
    """x where |x| > λ, else 0;  d/dx = 1 or 0."""

    def forward(self, x: Array, *, lambd: float) -> Array:
        is_kept = ~((x >= -lambd) & (x <= lambd))
        self.save(is_kept)
        return keep_where(is_kept, x)

    def backward(self, grad_output: Any) -> Any:
        (is_kept,) = self.saved
        return keep_where(is_kept, grad_output)


def hardshrink(input: Any, lambd: float = 0.5, *, out: Any = None) -> Any:
    """input where |input| > lambd, else 0.

    Gradient: g where |input| > lambd, else 0 (0 at the jump).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.

    >>> import minitorch as torch
    >>> torch.nn.functional.hardshrink(torch.tensor([-1.0, 0.3, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    require(input, "f", "hardshrink", "hardshrink_cpu")
    return compute(Hardshrink, input, out=out, lambd=lambd)


class Softshrink(Function):
    """x moved by λ towards 0, and 0 if that is nearer;  d/dx = 1 where |x| > λ, else 0."""

    def forward(self, x: Array, *, lambd: float) -> Array:
        xp = array_module(x)
        self.save(~(xp.abs(x) <= lambd))
        return x - xp.clip(x, -lambd, lambd)

    def backward(self, grad_output: Any) -> Any:
        (is_kept,) = self.saved
        return keep_where(is_kept, grad_output)


def softshrink(input: Any, lambd: float = 0.5, *, out: Any = None) -> Any:
    """input - lambd above lambd, input + lambd below -lambd, 0 between.

    Gradient: g where |input| > lambd, else 0 (0 at the kinks).
    Raises: RuntimeError for a negative ``lambd``; NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Donoho, "De-noising by soft-thresholding", 1995.

    >>> import minitorch as torch
    >>> torch.nn.functional.softshrink(torch.tensor([-1.0, 0.3, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    require(input, "f", "softshrink", "softshrink_check")
    dtype = raw(input).dtype
    largest = float(array_module(raw(input)).finfo(dtype).max)
    if not 0 <= lambd <= largest:
        name = from_numpy_dtype(dtype).legacy_name
        raise RuntimeError(f"lambda must be in range [0, {largest:.6g}] for input dtype {name}, but found {lambd:.6g}")
    return compute(Softshrink, input, out=out, lambd=lambd)


hardtanh_ = in_place(hardtanh)
