"""The error function, its complement and its inverse, element by element.

NumPy has none of them. On the CPU they are computed here from W. J. Cody's rational approximations, a quotient
of two polynomials for each of three ranges of |x|, good to the last places of float64:

    |x| ≤ 0.46875       erf x  = x · R(x²)
    0.46875 < |x| ≤ 4   erfc x = e^(-x²) · R(|x|)
    4 < |x|             erfc x = e^(-x²) / |x| · (1/√π + R(1/x²) / x²)

erf of float32, which the GELU of every transformer waits for, gets by with one cheaper quotient on [-4, 4].
On a GPU they are CUDA's own functions.

Source: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), 631-637;
Eigen's ``erf`` for float.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.backend import Array, array_module, empty_in_order, is_on_cpu, order_of
from minitorch.ops.autocast import autocasts
from minitorch.ops.elementwise import exp
from minitorch.ops.operand import floating, in_place, narrow, widen

_Coefficients = tuple[float, ...]  # of a polynomial, the highest power first

_BLOCK = 1 << 14  # elements: several arrays of this size stay in the processor's cache
_SMALL, _MIDDLE = 0.46875, 4.0  # where the ranges end
_LARGEST = 30.0  # erfc is 0 from 27 on; beyond this |x| is cut so that no inf - inf arises

# fmt: off
_SMALL_TOP = (
    1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2,
    3.20937758913846947e3,
)
_SMALL_BOTTOM = (
    1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3,
)
_MIDDLE_TOP = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1,
    2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
    1.23033935479799725e3,
)
_MIDDLE_BOTTOM = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)
_LARGE_TOP = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)
_LARGE_BOTTOM = (
    1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)
_FLOAT32_TOP = (
    -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5,
    -7.34990630326855e-4, -2.95459980854025e-3, -1.60960333262415e-2,
)
_FLOAT32_BOTTOM = (
    -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3,
    -1.42647390514189e-2,
)
# fmt: on


# ---- approximations on raw arrays ------------------------------------------------------------


def _polynomial(coefficients: _Coefficients, x: Array) -> Array:
    """The polynomial at x, by Horner's rule; in place after the first step, to stay in the cache."""
    result = coefficients[0] * x
    for coefficient in coefficients[1:-1]:
        result += coefficient
        result *= x
    result += coefficients[-1]
    return result


def _rational(top: _Coefficients, bottom: _Coefficients, x: Array) -> Array:
    return _polynomial(top, x) / _polynomial(bottom, x)


def _exp_minus_square(y: Array) -> Array:
    """e^(-y²) without the rounding error of y²: y = a + b with a of few digits, so that a² is exact."""
    xp = array_module(y)
    a = xp.trunc(y * 16) / 16
    return xp.exp(-a * a) * xp.exp((a - y) * (a + y))


def _erf_small(x: Array) -> Array:
    return x * _rational(_SMALL_TOP, _SMALL_BOTTOM, x * x)


def _erfc_middle(y: Array) -> Array:
    return _exp_minus_square(y) * _rational(_MIDDLE_TOP, _MIDDLE_BOTTOM, y)


def _erfc_large(y: Array) -> Array:
    y = array_module(y).minimum(y, _LARGEST)
    z = 1 / (y * y)
    return _exp_minus_square(y) * ((1 / math.sqrt(math.pi) - z * _rational(_LARGE_TOP, _LARGE_BOTTOM, z)) / y)


def _erfc_of_size(y: Array) -> Array:
    """erfc y for y > 0.46875. Most blocks have no element beyond 4: for them that formula is left out."""
    xp = array_module(y)
    middle = _erfc_middle(xp.minimum(y, _MIDDLE))
    is_large = y > _MIDDLE
    if is_on_cpu(y) and not is_large.any():  # a GPU would have to be waited for
        return middle
    return xp.where(is_large, _erfc_large(xp.maximum(y, _MIDDLE)), middle)


def _erf_block(x: Array) -> Array:
    xp = array_module(x)
    if x.dtype == "float32":
        x = xp.clip(x, -_MIDDLE, _MIDDLE)
        return xp.clip(x * _rational(_FLOAT32_TOP, _FLOAT32_BOTTOM, x * x), -1, 1)
    y = xp.abs(x)
    return xp.where(y <= _SMALL, _erf_small(x), xp.copysign(1 - _erfc_of_size(y), x))


def _erfc_block(x: Array) -> Array:
    xp = array_module(x)
    y = xp.abs(x)
    size = _erfc_of_size(y)
    return xp.where(y <= _SMALL, 1 - _erf_small(x), xp.where(x < 0, 2 - size, size))


def _erfinv_block(y: Array) -> Array:
    """A rough inverse, then two steps of Newton's method: x ← x - (erf x - y) / erf'(x).

    Towards ±1 the step uses erfc x and 1 - |y|, in which no digits have been lost.
    """
    xp = array_module(y)
    size = xp.abs(y)
    x = xp.where(size <= 0.7, _rough_central(size), _rough_tail(size))
    for _ in range(2):
        error = xp.where(size <= 0.5, _erf_block(x) - size, (1 - size) - _erfc_block(x))
        x = x - error * (math.sqrt(math.pi) / 2) * xp.exp(x * x)
    x = xp.where(size == 1, xp.inf, x)
    return xp.copysign(x, y)


def _rough_central(y: Array) -> Array:
    top = (-0.140543331, 0.914624893, -1.645349621, 0.886226899)
    bottom = (0.012229801, -0.329097515, 1.442710462, -2.118377725, 1.0)
    return y * _rational(top, bottom, y * y)


def _rough_tail(y: Array) -> Array:
    z = array_module(y).sqrt(-array_module(y).log((1 - y) / 2))
    return _rational((1.641345311, 3.429567803, -1.624906493, -1.970840454), (1.637067800, 3.543889200, 1.0), z)


def evaluate(name: str, formula: Callable[[Array], Array], x: Array) -> Array:
    """CUDA's function ``name`` on a GPU; on the CPU ``formula``, a cache-sized block at a time."""
    xp = array_module(x)
    wide = widen(x)
    if hasattr(xp, "ElementwiseKernel"):
        return narrow(_cuda_function(xp, name)(wide), x)
    order = order_of(x.shape, x.strides)
    result = empty_in_order(xp, x.shape, wide.dtype, order)
    flat, flat_result = wide.transpose(order).reshape(-1), result.transpose(order).reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        flat_result[block] = formula(flat[block])
    return narrow(result, x)


@functools.cache
def _cuda_function(xp: Any, name: str) -> Callable[[Array], Array]:
    return xp.ElementwiseKernel("T x", "T y", f"y = {name}(x)", f"minitorch_{name}")


# ---- functions -------------------------------------------------------------------------------


class Erf(Function):
    """erf x = 2/√π ∫₀ˣ e^(-t²) dt;  d/dx = 2/√π e^(-x²)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return evaluate("erf", _erf_block, x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * (exp(-(x * x)) * (2 / math.sqrt(math.pi)))


def erf(input: Any, *, out: Any = None) -> Any:
    """The error function, element by element: 2/√π ∫ e^(-t²) dt from 0 to ``input``.

    Gradient: g · 2/√π · e^(-input²).
    Numerics: relative error of a few units in the last place.
    Source: Cody (1969), see the top of this file.

    >>> import minitorch as torch
    >>> torch.erf(torch.tensor([0.0, -1.0, 10.0]))
    tensor([ 0.0000, -0.8427,  1.0000])
    """
    return write_out(Erf.apply(floating(input, "erf")), out)


class Erfc(Function):
    """1 - erf x;  d/dx = -2/√π e^(-x²)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return evaluate("erfc", _erfc_block, x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * (exp(-(x * x)) * (-2 / math.sqrt(math.pi)))


def erfc(input: Any, *, out: Any = None) -> Any:
    """1 - erf(input), element by element.

    Gradient: -g · 2/√π · e^(-input²).
    Numerics: keeps its relative accuracy where 1 - erf(input) as written would round to 0.
    Source: Cody (1969), see the top of this file.

    >>> import minitorch as torch
    >>> torch.erfc(torch.tensor([0.0, 1.0, 3.0]))
    tensor([1.0000e+00, 1.5730e-01, 2.2090e-05])
    """
    return write_out(Erfc.apply(floating(input, "erfc")), out)


class Erfinv(Function):
    """The x with erf x = y;  dx/dy = √π/2 e^(x²)."""

    def forward(self, y: Array) -> Array:
        x = evaluate("erfinv", _erfinv_block, y)
        self.save(x)
        return x

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * (exp(x * x) * (math.sqrt(math.pi) / 2))


@autocasts
def erfinv(input: Any, *, out: Any = None) -> Any:
    """The number whose ``erf`` is ``input``, element by element; ±inf at ±1, nan outside [-1, 1].

    Gradient: g · √π/2 · e^(result²).

    >>> import minitorch as torch
    >>> torch.erfinv(torch.tensor([0.0, 0.5, -1.0]))
    tensor([0.0000, 0.4769,   -inf])
    """
    return write_out(Erfinv.apply(floating(input, "erfinv")), out)


erf_ = in_place(erf)
erfc_ = in_place(erfc)
erfinv_ = in_place(erfinv)
