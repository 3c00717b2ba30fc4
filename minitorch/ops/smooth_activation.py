"""Activations without kinks: gelu, silu, mish, softplus, logsigmoid, softsign, tanhshrink, glu.

All but ``glu`` act element by element; all let nan through. Exponentials are arranged so that none overflows
where the result does not.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.backend.launching import runs_kernels
from minitorch.ops.arithmetic import sub
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.dims import normalize_dim
from minitorch.ops.division import div
from minitorch.ops.elementwise import abs, exp, sigmoid, tanh
from minitorch.ops.fused_cuda import fused
from minitorch.ops.indexing import getitem
from minitorch.ops.joining import cat
from minitorch.ops.operand import compute, kind_of, narrow, require, widen
from minitorch.ops.special import erf


class Gelu(Function):
    """x Φ(x), Φ the normal distribution's;  d/dx = Φ(x) + x φ(x)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        if runs_kernels(x):
            return fused("gelu", x)
        x_wide = widen(x)
        return narrow(x_wide * _normal_cdf(x_wide), x)

    def backward(self, grad_output: Any) -> Any:
        if runs_kernels(grad_output):
            return fused("gelu_gradient", grad_output, self.saved[0])
        x = widen(self.saved[0])
        density = exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
        return grad_output * (_normal_cdf(x) + x * density)


def _normal_cdf(x: Any) -> Any:
    """Φ(x): the probability that a standard normal number is below x."""
    return (erf(x * math.sqrt(0.5)) + 1) * 0.5


_TANH_SCALE, _TANH_CUBIC = math.sqrt(2 / math.pi), 0.044715


class GeluTanh(Function):
    """½ x (1 + tanh u), u = √(2/π) (x + 0.044715 x³);  d/dx = ½ (1 + tanh u) + ½ x (1 - tanh² u) du/dx."""

    backward_name = "GeluBackward0"

    def forward(self, x: Array) -> Array:
        self.save(x)
        x_wide = widen(x)
        return narrow(x_wide * 0.5 * (tanh(_tanh_argument(x_wide)) + 1), x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        t = tanh(_tanh_argument(x))
        slope = (x * x * (3 * _TANH_CUBIC) + 1) * _TANH_SCALE
        return grad_output * ((t + 1) * 0.5 + x * 0.5 * (1 - t * t) * slope)


def _tanh_argument(x: Any) -> Any:
    return (x * x * _TANH_CUBIC + 1) * x * _TANH_SCALE


def gelu(input: Any, approximate: str = "none", *, out: Any = None) -> Any:
    """input · Φ(input), where Φ is the distribution function of the standard normal distribution.

    Formula: Φ(x) = ½ (1 + erf(x / √2)); approximate="tanh": ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).
    Gradient: g · (Φ(x) + x · e^(-x²/2) / √(2π)), or the derivative of the approximation.
    Raises: RuntimeError for another ``approximate``; NotImplementedError unless ``input`` is of a
        floating-point dtype.
    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.

    >>> import minitorch as torch
    >>> torch.nn.functional.gelu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    require(input, "f", "gelu", "GeluKernelImpl")
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return compute(Gelu if approximate == "none" else GeluTanh, input, out=out)


class Silu(Function):
    """x σ(x), σ the sigmoid;  d/dx = σ(x) (1 + x (1 - σ(x)))."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        if runs_kernels(x):
            return fused("silu", x)
        x_wide = widen(x)
        return narrow(x_wide * sigmoid(x_wide), x)

    def backward(self, grad_output: Any) -> Any:
        if runs_kernels(grad_output):
            return fused("silu_gradient", grad_output, self.saved[0])
        x = widen(self.saved[0])
        s = sigmoid(x)
        return grad_output * (s * (x * (1 - s) + 1))


def silu(input: Any, inplace: bool = False) -> Any:
    """input · sigmoid(input), also called swish.

    Gradient: g · s · (1 + input · (1 - s)) with s = sigmoid(input).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Elfwing, Uchibe and Doya, "Sigmoid-Weighted Linear Units", 2017.

    >>> import minitorch as torch
    >>> torch.nn.functional.silu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    require(input, "f", "silu", "silu_cpu")
    return compute(Silu, input, inplace)


class Mish(Function):
    """x t, t = tanh(softplus(x));  d/dx = t + x (1 - t²) σ(x)."""

    def forward(self, x: Array) -> Array:
        self.save(x)
        x_wide = widen(x)
        return narrow(x_wide * tanh(softplus(x_wide)), x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        t = tanh(softplus(x))
        return grad_output * (t + x * (1 - t * t) * sigmoid(x))


def mish(input: Any, inplace: bool = False) -> Any:
    """input · tanh(softplus(input)).

    Gradient: g · (t + input · (1 - t²) · sigmoid(input)) with t = tanh(softplus(input)).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.

    >>> import minitorch as torch
    >>> torch.nn.functional.mish(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    require(input, "f", "mish", "mish_cpu")
    return compute(Mish, input, inplace)


class Softplus(Function):
    """ln(1 + e^(βx)) / β, and x where βx > threshold;  d/dx = σ(βx), and 1 there."""

    def forward(self, x: Array, *, beta: float, threshold: float) -> Array:
        xp = array_module(x)
        self.beta, self.threshold = beta, threshold
        self.save(x)
        scaled = widen(x) * beta
        curve = xp.log1p(xp.exp(xp.minimum(scaled, threshold))) / beta
        return narrow(xp.where(scaled > threshold, widen(x), curve), x)

    def backward(self, grad_output: Any) -> Any:
        scaled = widen(self.saved[0]) * self.beta
        return where(raw(scaled) > self.threshold, grad_output, grad_output * sigmoid(scaled))


@autocasts
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0, *, out: Any = None) -> Any:
    """ln(1 + e^(beta · input)) / beta: a smooth relu, the sharper the larger ``beta``.

    Gradient: g · sigmoid(beta · input).
    Args: threshold: where beta · input is larger, the result is ``input`` itself (and the gradient g).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", 2000.

    >>> import minitorch as torch
    >>> torch.nn.functional.softplus(torch.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    require(input, "f", "softplus", "softplus_cpu")
    return compute(Softplus, input, out=out, beta=beta, threshold=threshold)


class LogSigmoid(Function):
    """ln σ(x) = min(x, 0) - ln(1 + e^(-|x|));  d/dx = σ(-x)."""

    def forward(self, x: Array) -> Array:
        xp = array_module(x)
        self.save(x)
        x_wide = widen(x)
        return narrow(xp.minimum(x_wide, 0) - xp.log1p(xp.exp(-xp.abs(x_wide))), x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        return grad_output * sigmoid(-x)


def logsigmoid(input: Any, *, out: Any = None) -> Any:
    """ln sigmoid(input).

    Gradient: g · sigmoid(-input).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Numerics: finite and exact where sigmoid(input) itself would round to 0.

    >>> import minitorch as torch
    >>> torch.nn.functional.logsigmoid(torch.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """
    require(input, "f", "logsigmoid", "log_sigmoid_cpu")
    return compute(LogSigmoid, input, out=out)


def softsign(input: Any) -> Any:
    """input / (1 + |input|).

    Gradient: g / (1 + |input|)².
    Raises: NotImplementedError for bool.

    >>> import minitorch as torch
    >>> torch.nn.functional.softsign(torch.tensor([-3.0, 0.0, 1.0]))
    tensor([-0.7500,  0.0000,  0.5000])
    """
    return div(input, abs(input) + 1)


def tanhshrink(input: Any) -> Any:
    """input - tanh(input).

    Gradient: g · tanh²(input).
    Raises: RuntimeError for bool.

    >>> import minitorch as torch
    >>> torch.nn.functional.tanhshrink(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    kind_of(input, "tanhshrink")
    return sub(input, tanh(input))


class Glu(Function):
    """a σ(b), a and b the halves of x along a dimension;  ∂/∂a = σ(b), ∂/∂b = a σ(b) (1 - σ(b))."""

    def forward(self, x: Array, *, dim: int) -> Array:
        self.dim = dim
        self.save(x)
        a, b = self._halves(widen(x))
        return narrow(a * sigmoid(b), x)

    def _halves(self, x: Any) -> Any:
        before, middle = (slice(None),) * self.dim, x.shape[self.dim] // 2
        return getitem(x, (*before, slice(None, middle))), getitem(x, (*before, slice(middle, None)))

    def backward(self, grad_output: Any) -> Any:
        a, b = self._halves(widen(self.saved[0]))
        gate = sigmoid(b)
        grad_a = grad_output * gate
        return cat([grad_a, grad_a * a * (1 - gate)], self.dim)


def glu(input: Any, dim: int = -1) -> Any:
    """The gated linear unit a · sigmoid(b), where a and b are the first and second half of ``input`` along ``dim``.

    Shapes: input (…, 2n, …) → (…, n, …).
    Gradient: g · sigmoid(b) for a, and g · a · sigmoid(b) · (1 - sigmoid(b)) for b.
    Raises: RuntimeError for a 0-d input or an odd size; IndexError if there is no such dimension;
        NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2016.

    >>> import minitorch as torch
    >>> torch.nn.functional.glu(torch.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    kind_of(input, "glu")
    shape = raw(input).shape
    if not shape:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = normalize_dim(dim, len(shape))
    if shape[dim] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {shape[dim]}")
    require(input, "f", "glu", "glu_cpu")
    return compute(Glu, input, dim=dim)
