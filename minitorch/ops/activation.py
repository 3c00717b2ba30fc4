"""Activation functions: what stands between the linear layers of a network. Here, the rectifiers:

    relu  leaky_relu  rrelu  prelu  threshold  elu  selu  celu

which are x on the right, and something flatter on the left; ``hard_activation.py`` has those made of straight
lines with two kinks, ``smooth_activation.py`` those without any. sigmoid and tanh are in ``elementwise.py``.

All act element by element and let nan through. Where two pieces meet, the text of each says which piece the
kink itself belongs to, for the gradient. ``inplace=True`` writes the result into ``input``.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import (
    Array,
    HostArray,
    array_module,
    device_of,
    empty_in_order,
    in_pieces,
    order_of,
    to_device,
    to_numpy,
)
from minitorch.backend.cuda_generator import numbers_for
from minitorch.backend.launching import runs_kernels
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.elementwise import exp
from minitorch.ops.fused_cuda import fused, fused_in_place
from minitorch.ops.operand import compute, in_place, keep_bits, keep_where, kind_of, narrow, require, widen
from minitorch.ops.shape import reshape


class Relu(Function):
    """max(x, 0);  d/dx = 1 where x > 0, else 0."""

    def forward(self, x: Array, *, in_place: bool = False) -> Array:
        if x.__class__ is not HostArray and runs_kernels(x):
            y = fused_in_place("relu", x) if in_place else None
            y = fused("relu", x) if y is None else y
            self.save(y)
            return y
        xp = array_module(x)
        y = empty_in_order(xp, x.shape, x.dtype, order_of(x.shape, x.strides)) if 0 in x.strides else xp.empty_like(x)
        in_pieces(lambda x, y: xp.maximum(x, 0, out=y), x, y)
        self.save(y)
        return y

    def backward(self, grad_output: Any) -> Any:
        (y,) = self.saved
        return KeepWhereNonzero.apply(grad_output, output=raw(y))


class KeepWhereNonzero(Function):
    """Values where ``output`` is not 0 (nan is not), else 0: the gradient of ``Relu``, and of itself."""

    backward_name = "ThresholdBackwardBackward0"

    def forward(self, value: Array, *, output: Array) -> Array:
        self.output = output
        if runs_kernels(value):
            return fused("relu_gradient", value, output)
        xp = array_module(value)
        kept = xp.empty_like(value)
        in_pieces(lambda value, output, kept: keep_bits(value, output != 0, out=kept), value, output, kept)
        return kept

    def backward(self, grad_output: Any) -> Any:
        return KeepWhereNonzero.apply(grad_output, output=self.output)


def relu(input: Any, inplace: bool = False) -> Any:
    """max(input, 0), element by element.

    Gradient: g where input > 0, else 0 (0 at the kink).
    Raises: RuntimeError for bool.
    Source: Nair and Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010.

    >>> import minitorch as torch
    >>> torch.relu(torch.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    if kind_of(input, "relu") == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return compute(Relu, input, True, in_place=True) if inplace else Relu.apply(input)


def relu_(input: Any) -> Any:
    """``relu`` in place: the result replaces ``input``'s values; returns ``input``."""
    return relu(input, inplace=True)


class LeakyRelu(Function):
    """x where x > 0, else slope · x;  d/dx = 1 or slope."""

    def forward(self, x: Array, *, slope: float) -> Array:
        self.slope = slope
        self.save(x)
        if x.__class__ is not HostArray and runs_kernels(x):
            return fused("leaky_relu", x, number=slope)
        xp = array_module(x)
        return xp.maximum(x, 0) + xp.minimum(x, 0) * slope

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.saved
        if runs_kernels(grad_output):
            return fused("leaky_relu_gradient", grad_output, x, self.slope)
        is_positive = raw(x) > 0
        return keep_where(is_positive, grad_output) + keep_where(~is_positive, grad_output * self.slope)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """input where input > 0, else negative_slope · input.

    Gradient: g where input > 0, else negative_slope · g (this one at the kink).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Numerics: a negative slope is allowed in place, too: the old input is kept (torch raises in backward).
    Source: Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    >>> import minitorch as torch
    >>> torch.nn.functional.leaky_relu(torch.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    require(input, "f", "leaky_relu", "leaky_relu_cpu")
    return compute(LeakyRelu, input, inplace, slope=negative_slope)


class RreluWithNoise(Function):
    """x where x > 0, else slope · x with a random slope for each element;  d/dx = 1 or that slope."""

    def forward(self, x: Array, *, lower: float, upper: float) -> Array:
        slopes = _random_slopes(x, lower, upper)
        self.save(slopes)
        return x * slopes

    def backward(self, grad_output: Any) -> Any:
        (slopes,) = self.saved
        return grad_output * slopes


class RreluMean(LeakyRelu):
    """``LeakyRelu`` under torch's name for rrelu outside training."""

    backward_name = "RreluWithNoiseBackward0"


def _random_slopes(x: Array, lower: float, upper: float) -> Array:
    """1 where x > 0 or nan; the other elements draw from [lower, upper).

    On the CPU one after another, as in torch. On a GPU there is a number for each element, wanted or not.
    """
    numbers = numbers_for(None, device_of(x))
    if numbers.device_type == "cuda":
        return array_module(x).where(x <= 0, numbers.uniform(x.shape, x.dtype, lower, upper), x.dtype.type(1))
    host = to_numpy(x)
    slopes = host.copy()
    slopes[...] = 1
    is_drawn = host <= 0
    slopes[is_drawn] = numbers.uniform(int(is_drawn.sum()), "float64", lower, upper)
    return to_device(slopes, device_of(x))


def rrelu(input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Any:
    """``leaky_relu`` with a slope drawn anew for each element from [lower, upper) in training.

    Formula: outside training the slope is the mean, (lower + upper) / 2.
    Gradient: g where input > 0, else slope · g.
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype; RuntimeError if lower > upper.
    Source: Xu et al., "Empirical Evaluation of Rectified Activations in Convolutional Network", 2015.

    >>> import minitorch as torch
    >>> torch.nn.functional.rrelu(torch.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    require(input, "f", "rrelu", "leaky_relu_cpu")
    for which, bound in (("lower", lower), ("upper", upper)):
        if not abs(bound) < float("inf"):
            raise RuntimeError(f"rrelu: {which} bound must be finite, got {bound}")
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if training:
        return compute(RreluWithNoise, input, inplace, lower=lower, upper=upper)
    return compute(RreluMean, input, inplace, slope=(lower + upper) / 2)


class PreluKernel(Function):
    """x where x > 0, else w · x;  ∂/∂x = 1 or w, ∂/∂w = 0 or x."""

    def forward(self, x: Array, weight: Array) -> Array:
        self.save(x, weight)
        return array_module(x).where(x > 0, x, x * weight)

    def backward(self, grad_output: Any) -> Any:
        x, weight = self.saved
        needs_x, needs_weight = self.needs_input_grad[:2]
        is_positive = raw(x) > 0
        grad_x = where(is_positive, grad_output, grad_output * weight) if needs_x else None
        return grad_x, (keep_where(~is_positive, grad_output * x) if needs_weight else None)


@autocasts
def prelu(input: Any, weight: Any) -> Any:
    """input where input > 0, else weight · input, with a learned weight for all channels or one for each.

    Shapes: input (N, C, …) with weight (C,), (1,) or ().
    Gradient: for input, g where input > 0, else weight · g; for weight, the sum of g · input where input ≤ 0.
    Raises: RuntimeError for a weight of more dimensions, of another dtype, or whose size is not C;
        NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: He et al., "Delving Deep into Rectifiers", 2015.

    >>> import minitorch as torch
    >>> torch.prelu(torch.tensor([[-1.0, -1.0]]), torch.tensor([0.25, 0.5]))
    tensor([[-0.2500, -0.5000]])
    """
    require(input, "f", "prelu", "prelu_cpu")
    _check_prelu(raw(input), raw(weight))
    shape = [1] * raw(input).ndim
    if raw(weight).size != 1 and len(shape) > 1:
        shape[1] = raw(weight).size
    elif raw(weight).size != 1:
        shape = [raw(weight).size]
    return PreluKernel.apply(input, reshape(weight, shape))


def _check_prelu(input: Array, weight: Array) -> None:
    if not hasattr(weight, "dtype"):
        raise TypeError(f"prelu(): argument 'weight' (position 2) must be Tensor, not {type(weight).__name__}")
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if weight.size != 1:
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.size != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. "
                f"Found parameter numbers = {weight.size} and channel size = {channels}."
            )
    if weight.dtype != input.dtype:
        found = [from_numpy_dtype(each.dtype).legacy_name for each in (input, weight)]
        raise RuntimeError(f"prelu: Type promoting not supported. Got {found[0]} and {found[1]}")


class Threshold(Function):
    """x where x > threshold, else value;  d/dx = 1 or 0."""

    def forward(self, x: Array, *, threshold: float, value: float) -> Array:
        is_replaced = x <= threshold
        self.save(~is_replaced)
        return array_module(x).where(is_replaced, value, x)

    def backward(self, grad_output: Any) -> Any:
        (is_kept,) = self.saved
        return keep_where(is_kept, grad_output)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False, *, out: Any = None) -> Any:
    """input where input > threshold, else ``value``.

    Gradient: g where input > threshold, else 0 (0 at the kink).
    Raises: NotImplementedError for bool.

    >>> import minitorch as torch
    >>> torch.threshold(torch.tensor([0.5, 1.5]), 1.0, -1.0)
    tensor([-1.0000,  1.5000])
    """
    require(input, "iuf", "threshold", "threshold_cpu")
    if kind_of(input, "threshold") != "f":
        threshold, value = int(threshold), int(value)
    return compute(Threshold, input, inplace, out=out, threshold=threshold, value=value)


class Elu(Function):
    """scale · x where x > 0, else scale · α (e^(input_scale · x) - 1);  d/dx = scale, or scale · α · … · eˣ."""

    def forward(self, x: Array, *, alpha: float, scale: float = 1.0, input_scale: float = 1.0) -> Array:
        xp = array_module(x)
        self.scale, self.input_scale, self.negative_scale = scale, input_scale, alpha * scale
        self.save(x)
        x_wide = widen(x)
        left = xp.expm1(xp.minimum(x_wide, 0) * input_scale) * self.negative_scale  # 0 where x > 0
        return narrow(xp.maximum(x_wide, 0) * scale + left, x)

    def backward(self, grad_output: Any) -> Any:
        x = widen(self.saved[0])
        is_left = raw(x) <= 0
        power = exp(keep_where(is_left, x) * self.input_scale)  # not e^x for large x, which could be inf
        left = grad_output * (power * (self.negative_scale * self.input_scale))
        return keep_where(is_left, left) + keep_where(~is_left, grad_output * self.scale)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """input where input > 0, else alpha · (e^input - 1).

    Gradient: g where input > 0, else g · alpha · e^input (this one at the kink).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear
        Units", 2015.

    >>> import minitorch as torch
    >>> torch.nn.functional.elu(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    require(input, "f", "elu", "elu_cpu")
    return compute(Elu, input, inplace, alpha=alpha)


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def selu(input: Any, inplace: bool = False) -> Any:
    """scale · elu(input, α), with constants under which activations keep mean 0 and variance 1.

    Formula: α = 1.67326…, scale = 1.05070…
    Gradient: scale · g where input > 0, else scale · α · e^input · g (this one at the kink).
    Raises: NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017.

    >>> import minitorch as torch
    >>> torch.selu(torch.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """
    require(input, "f", "selu", "elu_cpu")
    return compute(Elu, input, inplace, alpha=SELU_ALPHA, scale=SELU_SCALE)


class Celu(Elu):
    """``Elu`` with α (e^(x/α) - 1) on the left, so that the slope is 1 on both sides of 0."""


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """input where input > 0, else alpha · (e^(input / alpha) - 1): an elu without a kink.

    Gradient: g where input > 0, else g · e^(input / alpha).
    Raises: RuntimeError for alpha = 0; NotImplementedError unless ``input`` is of a floating-point dtype.
    Source: Barron, "Continuously Differentiable Exponential Linear Units", 2017.

    >>> import minitorch as torch
    >>> torch.celu(torch.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    require(input, "f", "celu", "elu_cpu")
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return compute(Celu, input, inplace, alpha=alpha, input_scale=1 / alpha)


leaky_relu_ = in_place(leaky_relu)
rrelu_ = in_place(rrelu)
threshold_ = in_place(threshold)
elu_ = in_place(elu)
selu_ = in_place(selu)
celu_ = in_place(celu)
