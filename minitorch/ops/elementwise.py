"""Functions of one operand, element by element: absolute value, sign, roots, exp, log, sigmoid, tanh.

Each is a formula for a single number and its derivative, side by side. Where the derivative is shortest in
terms of the *result* (√, eˣ, tanh) the result is what is saved. Integer operands become the default
floating-point dtype where results are fractions. Files beside this one hold exponentials and logarithms to
other bases (``exponential``), ``trigonometry``, ``rounding`` and ``special`` functions such as erf.
"""

from __future__ import annotations

from typing import Any

from minitorch import dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.primitive import Clone
from minitorch.autograd.variable import raw
from minitorch.backend import Array, HostArray, array_module
from minitorch.backend.elementwise import function_of
from minitorch.backend.launching import runs_kernels
from minitorch.ops.arithmetic import times
from minitorch.ops.autocast import autocasts
from minitorch.ops.fused_cuda import fused
from minitorch.ops.operand import floating, in_place, keep_where, kind_of, narrow, require, widen, zeros_like_gradient
from minitorch.ops.promotion import to_dtype


def is_for_module(x: Array) -> bool:
    """Whether NumPy or CuPy computes a function of ``x``: it is in host memory, or no kernel knows its dtype."""
    return x.__class__ is HostArray or not runs_kernels(x)


# ---- absolute value and sign -----------------------------------------------------------------


class Abs(Function):
    """|x|;  d/dx = sign(x), 0 at the kink."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).abs(x) if is_for_module(x) else function_of("absolute", x)

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.saved
        if is_for_module(grad_output):
            return grad_output * sign(x)
        return fused("absolute_gradient", grad_output, x)


def abs(input: Any, *, out: Any = None) -> Any:
    """|input|, element by element.

    Gradient: g · sign(input), which is 0 at 0.
    Raises: NotImplementedError for bool.

    >>> import minitorch as torch
    >>> torch.abs(torch.tensor([-1, 2, -3]))
    tensor([1, 2, 3])
    """
    require(input, "iuf", "abs", "abs_cpu")
    return write_out(Abs.apply(input), out)


class Sign(Function):
    """-1, 0 or 1;  d/dx = 0."""

    def forward(self, x: Array) -> Array:
        if x.dtype.kind == "b":
            return x.copy()
        xp = array_module(x)
        return xp.sign(xp.where(xp.isnan(x), 0, x)) if x.dtype.kind == "f" else xp.sign(x)

    def backward(self, grad_output: Any) -> Any:
        return zeros_like_gradient(grad_output)


def sign(input: Any, *, out: Any = None) -> Any:
    """-1, 0 or 1 as ``input`` is negative, zero or positive; 0 for nan.

    Gradient: 0.

    >>> import minitorch as torch
    >>> torch.sign(torch.tensor([-0.5, 0.0, 7.0]))
    tensor([-1.,  0.,  1.])
    """
    kind_of(input, "sign")
    return write_out(Sign.apply(input), out)


class Sgn(Sign):
    """``Sign`` under the name that also covers complex numbers in torch."""


def sgn(input: Any, *, out: Any = None) -> Any:
    """The same as ``sign`` for real numbers, the only ones here.

    Gradient: 0.

    >>> import minitorch as torch
    >>> torch.sgn(torch.tensor([-3, 0, 5]))
    tensor([-1,  0,  1])
    """
    kind_of(input, "sgn")
    return write_out(Sgn.apply(input), out)


class SignBit(Function):
    """Whether the sign bit is set; a truth value, so without gradient."""

    def forward(self, x: Array) -> Array:
        xp = array_module(x)
        return xp.signbit(x) if x.dtype.kind == "f" else x < 0


def signbit(input: Any, *, out: Any = None) -> Any:
    """Whether the sign bit is set, element by element: true for negative numbers and for -0.0.

    >>> import minitorch as torch
    >>> torch.signbit(torch.tensor([-1.0, -0.0, 0.0]))
    tensor([ True,  True, False])
    """
    kind_of(input, "signbit")
    return write_out(SignBit.apply(input), out)


class NanToNum(Function):
    """x where it is finite, else a number;  d/dx = 1 where x is finite, else 0."""

    def forward(self, x: Array, *, nan: float, posinf: float | None, neginf: float | None) -> Array:
        xp = array_module(x)
        largest = float(xp.finfo(x.dtype).max)
        self.save(x)
        x = xp.where(xp.isnan(x), nan, x)
        x = xp.where(x == xp.inf, largest if posinf is None else posinf, x)
        return xp.where(x == -xp.inf, -largest if neginf is None else neginf, x)

    def backward(self, grad_output: Any) -> Any:
        x = raw(self.saved[0])
        return keep_where(array_module(x).isfinite(x), grad_output)


def nan_to_num(
    input: Any,
    nan: float | None = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Any = None,
) -> Any:
    """``input`` with nan and the infinities replaced by numbers.

    Gradient: g where input is finite, else 0.
    Args: nan: what replaces nan (None: 0). posinf, neginf: what replaces the infinities (None: the largest
        and the lowest number of the dtype).

    >>> import minitorch as torch
    >>> torch.nan_to_num(torch.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    tensor([1., 0., 9.])
    """
    if kind_of(input, "nan_to_num") != "f":
        return write_out(Clone.apply(input), out)
    result = NanToNum.apply(input, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)
    return write_out(result, out)


# ---- powers and roots ------------------------------------------------------------------------


class Square(Function):
    """x²;  d/dx = 2 x."""

    backward_name = "PowBackward0"

    def forward(self, x: Array) -> Array:
        self.save(x)
        return x * x if is_for_module(x) else function_of("square", x)

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.saved
        if is_for_module(grad_output):
            return grad_output * (x * 2)
        return fused("square_gradient", grad_output, x)


@autocasts
def square(input: Any, *, out: Any = None) -> Any:
    """input², element by element; bool counts as int64.

    Gradient: g · 2 input.

    >>> import minitorch as torch
    >>> torch.square(torch.tensor([-3, 4]))
    tensor([ 9, 16])
    """
    if kind_of(input, "square") == "b":
        input = to_dtype(input, dtypes.int64)
    return write_out(Square.apply(input), out)


class Sqrt(Function):
    """√x;  d/dx = 1 / (2 √x)."""

    def forward(self, x: Array) -> Array:
        y = array_module(x).sqrt(x) if is_for_module(x) else function_of("square_root", x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        (y,) = self.saved
        if is_for_module(grad_output):
            return grad_output / (y * 2)
        return fused("root_gradient", grad_output, y)


def sqrt(input: Any, *, out: Any = None) -> Any:
    """√input, element by element; nan for negative numbers.

    Gradient: g / (2 √input); infinite at 0.

    >>> import minitorch as torch
    >>> torch.sqrt(torch.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return write_out(Sqrt.apply(floating(input, "sqrt")), out)


class Rsqrt(Function):
    """1/√x;  d/dx = -½ (1/√x)³."""

    def forward(self, x: Array) -> Array:
        if is_for_module(x):
            y = narrow(1 / array_module(x).sqrt(widen(x)), x)
        else:
            y = function_of("inverse_root", x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        if not is_for_module(grad_output):
            return fused("inverse_root_gradient", grad_output, self.saved[0])
        y = widen(self.saved[0])
        return grad_output * (y * y * y * -0.5)


@autocasts
def rsqrt(input: Any, *, out: Any = None) -> Any:
    """1/√input, element by element; infinite at 0, nan for negative numbers.

    Gradient: -½ g · input^(-3/2).

    >>> import minitorch as torch
    >>> torch.rsqrt(torch.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """
    return write_out(Rsqrt.apply(floating(input, "rsqrt")), out)


class Reciprocal(Function):
    """1/x;  d/dx = -1/x²."""

    def forward(self, x: Array) -> Array:
        y = 1 / x if is_for_module(x) else function_of("reciprocal", x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        if not is_for_module(grad_output):
            return fused("reciprocal_gradient", grad_output, self.saved[0])
        y = widen(self.saved[0])
        return grad_output * (y * y * -1)


@autocasts
def reciprocal(input: Any, *, out: Any = None) -> Any:
    """1/input, element by element.

    Gradient: -g / input².

    >>> import minitorch as torch
    >>> torch.reciprocal(torch.tensor([2, 4]))
    tensor([0.5000, 0.2500])
    """
    return write_out(Reciprocal.apply(floating(input, "reciprocal")), out)


# ---- exponential and logarithm ---------------------------------------------------------------


class Exp(Function):
    """eˣ;  d/dx = eˣ."""

    def forward(self, x: Array) -> Array:
        y = array_module(x).exp(x) if is_for_module(x) else function_of("exponential", x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        (y,) = self.saved
        return times(grad_output, y)


@autocasts
def exp(input: Any, *, out: Any = None) -> Any:
    """e^input, element by element.

    Gradient: g · e^input.

    >>> import minitorch as torch
    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return write_out(Exp.apply(floating(input, "exp")), out)


class Log(Function):
    """ln x;  d/dx = 1/x."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return array_module(x).log(x) if is_for_module(x) else function_of("logarithm", x)

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.saved
        return grad_output / x if is_for_module(grad_output) else fused("logarithm_gradient", grad_output, x)


@autocasts
def log(input: Any, *, out: Any = None) -> Any:
    """ln input, element by element; -inf at 0, nan for negative numbers.

    Gradient: g / input.

    >>> import minitorch as torch
    >>> torch.log(torch.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return write_out(Log.apply(floating(input, "log")), out)


# ---- the logistic function and the hyperbolic tangent ----------------------------------------


class Sigmoid(Function):
    """s = 1 / (1 + e⁻ˣ);  d/dx = s (1 - s)."""

    def forward(self, x: Array) -> Array:
        y = fused("sigmoid", x) if runs_kernels(x) else narrow(1 / (1 + array_module(x).exp(-widen(x))), x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        if runs_kernels(grad_output):
            return fused("sigmoid_gradient", grad_output, self.saved[0])
        y = widen(self.saved[0])
        return grad_output * ((1 - y) * y)


def sigmoid(input: Any, *, out: Any = None) -> Any:
    """1 / (1 + e^(-input)), element by element: any number mapped into (0, 1).

    Gradient: g · s · (1 - s), where s is the result.
    Numerics: e^(-input) may overflow to infinity; 1 / (1 + inf) = 0 is then the right value.

    >>> import minitorch as torch
    >>> torch.sigmoid(torch.tensor([-1000.0, 0.0, 2.0]))
    tensor([0.0000, 0.5000, 0.8808])
    """
    return write_out(Sigmoid.apply(floating(input, "sigmoid")), out)


class Tanh(Function):
    """tanh x;  d/dx = 1 - tanh² x."""

    def forward(self, x: Array) -> Array:
        y = array_module(x).tanh(x) if is_for_module(x) else function_of("hyperbolic_tangent", x)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        if runs_kernels(grad_output):
            return fused("tanh_gradient", grad_output, self.saved[0])
        y = widen(self.saved[0])
        return grad_output * (1 - y * y)


def tanh(input: Any, *, out: Any = None) -> Any:
    """(e^x - e^(-x)) / (e^x + e^(-x)) for x = input, element by element: any number mapped into (-1, 1).

    Gradient: g · (1 - t²), where t is the result.

    >>> import minitorch as torch
    >>> torch.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return write_out(Tanh.apply(floating(input, "tanh")), out)


absolute = abs
nan_to_num_ = in_place(nan_to_num)
abs_ = in_place(abs)
absolute_ = in_place(abs)
sign_ = in_place(sign)
sgn_ = in_place(sgn)
square_ = in_place(square)
sqrt_ = in_place(sqrt)
rsqrt_ = in_place(rsqrt)
reciprocal_ = in_place(reciprocal)
exp_ = in_place(exp)
log_ = in_place(log)
sigmoid_ = in_place(sigmoid)
tanh_ = in_place(tanh)
