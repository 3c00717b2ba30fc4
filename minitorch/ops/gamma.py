"""The logarithm of the gamma function and its derivatives: lgamma, digamma, polygamma.

Each derivative is the next function: lgamma' = digamma = ψ, ψ' = polygamma(1, ·) and so on. All are computed
the same way, in float64:

    large x      an asymptotic series in 1/x (Stirling, Euler-Maclaurin)
    small x > 0  shift up: Γ(x) = Γ(x + 8) / (x (x + 1) … (x + 7)), and its logarithmic derivatives
    x < 0        reflect: Γ(x) Γ(1 - x) = π / sin(πx), and its logarithmic derivatives

Source: M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 6.1.17, 6.1.41, 6.3.18, 6.4.7, 23.2.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import apply_inplace, write_out
from minitorch.backend import Array, array_module
from minitorch.ops.operand import floating, in_place, narrow
from minitorch.ops.special import evaluate

_SHIFT = 8  # from here on the series below are exact in float64
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)  # B₂, B₄, …


# ---- formulas on raw arrays ------------------------------------------------------------------


def _series(coefficients: list[float], z: Array) -> Array:
    """Σ coefficients[k] · z^k."""
    result = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        result = result * z + coefficient
    return result


def _offset_from_whole(x: Array) -> Array:
    """x minus the nearest whole number, exactly: sin(πx) and tan(πx) are accurate only near 0."""
    return x - array_module(x).rint(x)


def _log_gamma_positive(x: Array) -> Array:
    xp = array_module(x)
    product = x
    for k in range(1, _SHIFT):
        product = product * (x + k)
    is_small = x < _SHIFT
    w = xp.where(is_small, x + _SHIFT, x)
    tail = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI[:7], start=1)]
    log_gamma = (w - 0.5) * (xp.log(w) - 1) + (0.5 * math.log(2 * math.pi) - 0.5) + _series(tail, 1 / (w * w)) / w
    return xp.where(is_small, log_gamma - xp.log(product), log_gamma)


def _log_gamma(x: Array) -> Array:
    xp = array_module(x)
    is_negative = x < 0
    positive = _log_gamma_positive(xp.where(is_negative, 1 - x, x))
    sine = xp.abs(xp.sin(_offset_from_whole(x) * math.pi))
    result = xp.where(is_negative, xp.log(math.pi / sine) - positive, positive)
    result = xp.where((x == 1) | (x == 2), 0, result)  # exactly, as ln 0! and ln 1! are
    return xp.where(xp.isinf(x), xp.inf, result)


def _lgamma_block(x: Array) -> Array:
    return narrow(_log_gamma(x.astype("float64")), x)


def _digamma_positive(x: Array) -> Array:
    w = x + _SHIFT
    tail = [b / (2 * k) for k, b in enumerate(_BERNOULLI, start=1)]
    z = 1 / (w * w)
    result = array_module(x).log(w) - 0.5 / w - z * _series(tail, z)
    for k in range(_SHIFT):
        result = result - 1 / (x + k)
    return result


def _digamma(x: Array) -> Array:
    xp = array_module(x)
    is_negative = x < 0
    positive = _digamma_positive(xp.where(is_negative, 1 - x, x))
    offset = _offset_from_whole(x)
    reflected = xp.where(offset == 0, xp.nan, positive - math.pi / xp.tan(offset * math.pi))
    result = xp.where(is_negative, reflected, positive)
    return xp.where(x == 0, -xp.copysign(xp.inf, x), result)


def _hurwitz_zeta(s: int, q: Array) -> Array:
    """Σ (q + k)^-s over k = 0, 1, …, for q > 0: the first terms one by one, the others by Euler-Maclaurin."""
    count = _SHIFT + s
    w = q + count
    tail, factor = [], 1.0  # factor: s (s + 1) … (s + 2k - 2) / (2k)!
    for k, bernoulli in enumerate(_BERNOULLI, start=1):
        factor = s / 2 if k == 1 else factor * (s + 2 * k - 3) * (s + 2 * k - 2) / ((2 * k - 1) * (2 * k))
        tail.append(bernoulli * factor)
    result = w ** (1 - s) / (s - 1) + w**-s * (0.5 + _series(tail, 1 / (w * w)) / w)
    for k in range(count):
        result = result + (q + k) ** -s
    return result


def _cotangent_derivative(n: int, cotangent: Array) -> Array:
    """The n-th derivative of cot t, as a polynomial in cot t: since cot' = -(1 + cot²), p ↦ -(1 + c²) p'(c)."""
    powers = [0.0, 1.0]
    for _ in range(n):
        slopes = [k * powers[k] for k in range(1, len(powers))]
        powers = [-(a + b) for a, b in zip([*slopes, 0.0, 0.0], [0.0, 0.0, *slopes])]
    return _series(powers, cotangent)


def _polygamma(n: int, x: Array) -> Array:
    xp = array_module(x)
    factorial = math.factorial(n) if n <= 170 else math.inf  # 171! is beyond float64
    sign = -1.0 if n % 2 == 0 else 1.0
    is_negative = x < 0
    positive = sign * factorial * _hurwitz_zeta(n + 1, xp.where(is_negative, 1 - x, x))
    offset = _offset_from_whole(x)
    cotangent = 1 / xp.tan(offset * math.pi)
    reflected = -sign * positive - math.pi ** (n + 1) * _cotangent_derivative(n, cotangent)
    result = xp.where(is_negative, reflected, positive)
    return xp.where((offset == 0) & (x <= 0), sign * xp.inf, result)


# ---- functions -------------------------------------------------------------------------------


class Lgamma(Function):
    """ln |Γ(x)|;  d/dx = ψ(x)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return evaluate("lgamma", _lgamma_block, x)

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.saved
        return grad_output * digamma(x)


def lgamma(input: Any, *, out: Any = None) -> Any:
    """ln |Γ(input)|, element by element; for whole n > 0 it is ln (n - 1)!.

    Gradient: g · digamma(input).
    Numerics: +inf at 0, -1, -2, …

    >>> import minitorch as torch
    >>> torch.lgamma(torch.tensor([1.0, 5.0, 0.5])).exp()
    tensor([ 1.0000, 24.0000,  1.7725])
    """
    return write_out(Lgamma.apply(floating(input, "lgamma")), out)


class Digamma(Function):
    """ψ(x) = Γ'(x) / Γ(x);  d/dx = ψ'(x)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        return narrow(_digamma(x.astype("float64")), x)

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.saved
        return grad_output * polygamma(1, x)


def digamma(input: Any, *, out: Any = None) -> Any:
    """ψ(input), the derivative of ``lgamma``, element by element.

    Gradient: g · polygamma(1, input).
    Numerics: -inf at 0, +inf at -0.0, nan at -1, -2, …

    >>> import minitorch as torch
    >>> torch.digamma(torch.tensor([1.0, 0.5]))
    tensor([-0.5772, -1.9635])
    """
    return write_out(Digamma.apply(floating(input, "digamma")), out)


class Polygamma(Function):
    """The n-th derivative of ψ: ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! Σ 1 / (x + k)ⁿ⁺¹;  d/dx = ψ⁽ⁿ⁺¹⁾(x)."""

    def forward(self, x: Array, *, n: int) -> Array:
        self.n = n
        self.save(x)
        return narrow(_polygamma(n, x.astype("float64")), x)

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.saved
        return grad_output * polygamma(self.n + 1, x)


def polygamma(n: int, input: Any, *, out: Any = None) -> Any:
    """The n-th derivative of ``digamma``, element by element; ``digamma`` itself for n = 0.

    Gradient: g · polygamma(n + 1, input).
    Raises: RuntimeError for negative ``n``.
    Numerics: infinite at 0, -1, -2, …

    >>> import minitorch as torch
    >>> torch.polygamma(1, torch.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n == 0:
        return digamma(input, out=out)
    return write_out(Polygamma.apply(floating(input, "polygamma"), n=n), out)


def polygamma_(n: int, input: Any) -> Any:
    """``polygamma`` in place: the result replaces ``input``'s values; returns ``input``."""
    return apply_inplace(input, lambda old: polygamma(n, old))


lgamma_ = in_place(lgamma)
digamma_ = in_place(digamma)
