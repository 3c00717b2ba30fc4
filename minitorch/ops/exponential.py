"""Exponentials and logarithms beside eˣ and ln x: bases 2 and 10, the forms exact near zero, the logit."""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.operand import floating, in_place, narrow, widen


class Expm1(Function):
    """eˣ - 1;  d/dx = eˣ."""

    def forward(self, x: Array) -> Array:
        y = array_module(x).expm1(x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        (y,) = self.saved
        return grad_output * (y + 1)


@autocasts
def expm1(input: Any, *, out: Any = None) -> Any:
    """e^input - 1, element by element.

    Gradient: g · e^input.
    Numerics: exact to the last place near 0, where e^input - 1 as written would lose every digit.

    >>> import minitorch as torch
    >>> torch.expm1(torch.tensor([1e-10], dtype=torch.float64))
    tensor([1.0000e-10], dtype=torch.float64)
    """
    return write_out(Expm1.apply(floating(input, "expm1")), out)


class Exp2(Function):
    """2ˣ;  d/dx = 2ˣ ln 2."""

    def forward(self, x: Array) -> Array:
        y = array_module(x).exp2(x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        (y,) = self.saved
        return grad_output * (y * math.log(2))


def exp2(input: Any, *, out: Any = None) -> Any:
    """2^input, element by element.

    Gradient: g · 2^input · ln 2.

    >>> import minitorch as torch
    >>> torch.exp2(torch.tensor([0, 1, 10]))
    tensor([1.0000e+00, 2.0000e+00, 1.0240e+03])
    """
    return write_out(Exp2.apply(floating(input, "exp2")), out)


class Log2(Function):
    """log₂ x;  d/dx = 1 / (x ln 2)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).log2(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output / (x * math.log(2))


@autocasts
def log2(input: Any, *, out: Any = None) -> Any:
    """log₂ input, element by element; -inf at 0, nan for negative numbers.

    Gradient: g / (input · ln 2).

    >>> import minitorch as torch
    >>> torch.log2(torch.tensor([1, 8, 1024]))
    tensor([ 0.,  3., 10.])
    """
    return write_out(Log2.apply(floating(input, "log2")), out)


class Log10(Function):
    """log₁₀ x;  d/dx = 1 / (x ln 10)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).log10(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output / (x * math.log(10))


@autocasts
def log10(input: Any, *, out: Any = None) -> Any:
    """log₁₀ input, element by element; -inf at 0, nan for negative numbers.

    Gradient: g / (input · ln 10).

    >>> import minitorch as torch
    >>> torch.log10(torch.tensor([1, 100], dtype=torch.float64))
    tensor([0., 2.], dtype=torch.float64)
    """
    return write_out(Log10.apply(floating(input, "log10")), out)


class Log1p(Function):
    """ln (1 + x);  d/dx = 1 / (1 + x)."""

    backward_name = "Log1PBackward0"

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).log1p(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output / (x + 1)


@autocasts
def log1p(input: Any, *, out: Any = None) -> Any:
    """ln (1 + input), element by element; -inf at -1, nan below.

    Gradient: g / (1 + input).
    Numerics: exact to the last place near 0, where ln (1 + input) as written would lose every digit.

    >>> import minitorch as torch
    >>> torch.log1p(torch.tensor([1e-10, 1.0], dtype=torch.float64))
    tensor([1.0000e-10, 6.9315e-01], dtype=torch.float64)
    """
    return write_out(Log1p.apply(floating(input, "log1p")), out)


class Logit(Function):
    """ln (z / (1 - z)) with z = x kept within [eps, 1 - eps];  d/dx = 1 / (x (1 - x)) inside, 0 outside."""

    def forward(self, x: Array, *, eps: float | None) -> Array:
        xp = array_module(x)
        self.eps = eps
        self.save(x)
        z = widen(x)
        if eps is not None:
            z = xp.where(z < eps, eps, xp.where(z > 1 - eps, 1 - eps, z))
        return narrow(xp.log(z / (1 - z)), x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        values, eps = raw(x), self.eps
        lowest, highest, outside = (0, 1, math.nan) if eps is None else (eps, 1 - eps, 0)
        is_inside = (values >= lowest) & (values <= highest)
        return where(is_inside, grad_output / (x * (1 - x) + 0.0), outside)  # + 0.0: +inf at -0.0, too


def logit(input: Any, eps: float | None = None, *, out: Any = None) -> Any:
    """ln (z / (1 - z)): the inverse of ``sigmoid``.

    Formula: z = input, or input kept within [eps, 1 - eps] if ``eps`` is given.
    Gradient: g / (input · (1 - input)) where input was not changed by ``eps``, else 0.
    Numerics: without ``eps``, ±inf at 1 and 0, and nan outside [0, 1].

    >>> import minitorch as torch
    >>> torch.logit(torch.tensor([0.5, 0.8808]))
    tensor([0.0000, 2.0000])
    """
    return write_out(Logit.apply(floating(input, "logit"), eps=eps), out)


expm1_ = in_place(expm1)
exp2_ = in_place(exp2)
log2_ = in_place(log2)
log10_ = in_place(log10)
log1p_ = in_place(log1p)
logit_ = in_place(logit)
