"""Trigonometric and hyperbolic functions with their inverses, element by element. Angles are in radians."""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.elementwise import rsqrt
from minitorch.ops.operand import floating, in_place, narrow, widen

# ---- circular ---------------------------------------------------------------------------------


class Sin(Function):
    """sin x;  d/dx = cos x."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).sin(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * cos(x)


def sin(input: Any, *, out: Any = None) -> Any:
    """The sine of ``input``.

    Gradient: g · cos(input).

    >>> import minitorch as torch
    >>> torch.sin(torch.tensor([0.0, 1.5708]))
    tensor([0., 1.])
    """
    return write_out(Sin.apply(floating(input, "sin")), out)


class Cos(Function):
    """cos x;  d/dx = -sin x."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).cos(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * -sin(x)


def cos(input: Any, *, out: Any = None) -> Any:
    """The cosine of ``input``.

    Gradient: -g · sin(input).

    >>> import minitorch as torch
    >>> torch.cos(torch.tensor([0.0, 3.1416]))
    tensor([ 1., -1.])
    """
    return write_out(Cos.apply(floating(input, "cos")), out)


class Tan(Function):
    """tan x;  d/dx = 1 + tan² x."""

    def forward(self, x: Array) -> Array:
        y = array_module(x).tan(x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        y = widen(self.saved[0])
        return grad_output * (y * y + 1)


@autocasts
def tan(input: Any, *, out: Any = None) -> Any:
    """The tangent of ``input``.

    Gradient: g · (1 + t²), where t is the result.

    >>> import minitorch as torch
    >>> torch.tan(torch.tensor([0.0, 0.7854]))
    tensor([0.0000, 1.0000])
    """
    return write_out(Tan.apply(floating(input, "tan")), out)


class Asin(Function):
    """arcsin x;  d/dx = 1 / √(1 - x²)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).asin(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * rsqrt(1 - x * x)


@autocasts
def asin(input: Any, *, out: Any = None) -> Any:
    """The angle in [-π/2, π/2] whose sine is ``input``; nan outside [-1, 1].

    Gradient: g / √(1 - input²).

    >>> import minitorch as torch
    >>> torch.asin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return write_out(Asin.apply(floating(input, "asin")), out)


class Acos(Function):
    """arccos x;  d/dx = -1 / √(1 - x²)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).acos(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * -rsqrt(1 - x * x)


@autocasts
def acos(input: Any, *, out: Any = None) -> Any:
    """The angle in [0, π] whose cosine is ``input``; nan outside [-1, 1].

    Gradient: -g / √(1 - input²).

    >>> import minitorch as torch
    >>> torch.acos(torch.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    return write_out(Acos.apply(floating(input, "acos")), out)


class Atan(Function):
    """arctan x;  d/dx = 1 / (1 + x²)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).atan(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output / (x * x + 1)


def atan(input: Any, *, out: Any = None) -> Any:
    """The angle in (-π/2, π/2) whose tangent is ``input``.

    Gradient: g / (1 + input²).

    >>> import minitorch as torch
    >>> torch.atan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return write_out(Atan.apply(floating(input, "atan")), out)


# ---- hyperbolic (tanh is in elementwise.py) -----------------------------------------------------


class Sinh(Function):
    """sinh x = (eˣ - e⁻ˣ) / 2;  d/dx = cosh x."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).sinh(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * cosh(x)


@autocasts
def sinh(input: Any, *, out: Any = None) -> Any:
    """The hyperbolic sine of ``input``: (e^x - e^(-x)) / 2.

    Gradient: g · cosh(input).

    >>> import minitorch as torch
    >>> torch.sinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return write_out(Sinh.apply(floating(input, "sinh")), out)


class Cosh(Function):
    """cosh x = (eˣ + e⁻ˣ) / 2;  d/dx = sinh x."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).cosh(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * sinh(x)


@autocasts
def cosh(input: Any, *, out: Any = None) -> Any:
    """The hyperbolic cosine of ``input``: (e^x + e^(-x)) / 2.

    Gradient: g · sinh(input).

    >>> import minitorch as torch
    >>> torch.cosh(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return write_out(Cosh.apply(floating(input, "cosh")), out)


class Asinh(Function):
    """arsinh x;  d/dx = 1 / √(x² + 1)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).asinh(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * rsqrt(x * x + 1)


def asinh(input: Any, *, out: Any = None) -> Any:
    """The inverse of ``sinh``.

    Gradient: g / √(input² + 1).

    >>> import minitorch as torch
    >>> torch.asinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return write_out(Asinh.apply(floating(input, "asinh")), out)


class Acosh(Function):
    """arcosh x;  d/dx = 1 / √(x² - 1)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).acosh(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * rsqrt(x * x - 1)


def acosh(input: Any, *, out: Any = None) -> Any:
    """The inverse of ``cosh`` for numbers ≥ 1; nan below.

    Gradient: g / √(input² - 1).

    >>> import minitorch as torch
    >>> torch.acosh(torch.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return write_out(Acosh.apply(floating(input, "acosh")), out)


class Atanh(Function):
    """artanh x;  d/dx = 1 / (1 - x²)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).atanh(x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output / (1 - x * x)


def atanh(input: Any, *, out: Any = None) -> Any:
    """The inverse of ``tanh``; ±inf at ±1, nan outside [-1, 1].

    Gradient: g / (1 - input²).

    >>> import minitorch as torch
    >>> torch.atanh(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return write_out(Atanh.apply(floating(input, "atanh")), out)


# ---- degrees, and sinc ---------------------------------------------------------------------------


class Deg2Rad(Function):
    """x · π / 180;  d/dx = π / 180."""

    def forward(self, x: Array) -> Array:
        return x * (math.pi / 180)

    def backward(self, grad_output: Any) -> Any:
        return grad_output * (math.pi / 180)


def deg2rad(input: Any, *, out: Any = None) -> Any:
    """Degrees to radians: input · π / 180.

    Gradient: g · π / 180.

    >>> import minitorch as torch
    >>> torch.deg2rad(torch.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """
    return write_out(Deg2Rad.apply(floating(input, "deg2rad")), out)


class Rad2Deg(Function):
    """x · 180 / π;  d/dx = 180 / π."""

    def forward(self, x: Array) -> Array:
        return x * (180 / math.pi)

    def backward(self, grad_output: Any) -> Any:
        return grad_output * (180 / math.pi)


def rad2deg(input: Any, *, out: Any = None) -> Any:
    """Radians to degrees: input · 180 / π.

    Gradient: g · 180 / π.

    >>> import minitorch as torch
    >>> torch.rad2deg(torch.tensor([0.0, 1.0]))
    tensor([ 0.0000, 57.2958])
    """
    return write_out(Rad2Deg.apply(floating(input, "rad2deg")), out)


class Sinc(Function):
    """sin(πx) / (πx), 1 at 0;  d/dx = (cos(πx) - sinc x) / x, 0 at 0."""

    def forward(self, x: Array) -> Array:
        xp = array_module(x)
        self.save(x)
        angle = widen(x) * math.pi
        return narrow(xp.where(x == 0, 1, xp.sin(angle) / angle), x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        angle = x * math.pi
        slope = (angle * cos(angle) - sin(angle)) / (angle * x)
        return grad_output * where(raw(x) != 0, slope, 0)


def sinc(input: Any, *, out: Any = None) -> Any:
    """sin(π · input) / (π · input), and 1 at 0.

    Gradient: g · (cos(π · input) - sinc(input)) / input, and 0 at 0.

    >>> import minitorch as torch
    >>> torch.sinc(torch.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    return write_out(Sinc.apply(floating(input, "sinc")), out)


arcsin = asin
arccos = acos
arctan = atan
arcsinh = asinh
arccosh = acosh
arctanh = atanh
sin_ = in_place(sin)
cos_ = in_place(cos)
tan_ = in_place(tan)
asin_ = in_place(asin)
acos_ = in_place(acos)
atan_ = in_place(atan)
sinh_ = in_place(sinh)
cosh_ = in_place(cosh)
asinh_ = in_place(asinh)
acosh_ = in_place(acosh)
atanh_ = in_place(atanh)
deg2rad_ = in_place(deg2rad)
rad2deg_ = in_place(rad2deg)
sinc_ = in_place(sinc)
arcsin_ = in_place(asin)
arccos_ = in_place(acos)
arctan_ = in_place(atan)
arcsinh_ = in_place(asinh)
arccosh_ = in_place(acosh)
arctanh_ = in_place(atanh)
