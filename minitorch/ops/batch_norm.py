"""Batch normalisation: give every channel mean 0 and variance 1 over the batch, then rescale it.

In training the mean and variance are those of the batch, so that every element's gradient runs through all
elements of its channel; in evaluation they are the running averages that training left behind, and the op is
one multiplication and one addition.

Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift", 2015.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import Array, array_module, in_rows, is_on_cpu
from minitorch.backend.launching import runs_kernels
from minitorch.ops import normalization_cuda
from minitorch.ops.batch_norm_channels import Channels, laid_out, like_layout
from minitorch.ops.loss_reduction import refuse_gradient
from minitorch.ops.operand import narrow, require, widen
from minitorch.ops.reduction import sum
from minitorch.ops.shape import reshape
from minitorch.ops.standardization import Standardized, check_parameter_dtypes, second_gradients, zeros_for

NEAR_ZERO = 4.0  # μ² / σ²: up to here Σ x² / M − μ² loses at most three bits


def total(parts: list[Any]) -> Any:
    """The sum of what ``in_rows`` returned, in its order."""
    result = parts[0]
    for part in parts[1:]:
        result = result + part
    return result


def per_channel(values: Any, ndim: int) -> Any:
    """Values of shape (C,) in a shape that broadcasts against (N, C, …) of ``ndim`` dimensions."""
    return reshape(values, (1, -1) + (1,) * (ndim - 2))


class BatchNorm(Function):
    """Training: y = weight · x̂ + bias with x̂ = (x − μ) / √(σ² + ε), μ and σ² those of the batch.

    The running averages, if given, are brought up to date in their own memory.
    """

    backward_name = "NativeBatchNormBackward0"

    def forward(
        self,
        input: Array,
        weight: Array | None,
        bias: Array | None,
        running_mean: Array | None,
        running_var: Array | None,
        *,
        momentum: float,
        eps: float,
        batches: Array | None = None,
    ) -> Array:
        self.save(input, weight)
        self.eps = eps
        if runs_kernels(input):
            output, self.mean, self.scale = normalization_cuda.batch_norm(
                input, weight, bias, running_mean, running_var, momentum, eps, batches
            )
            return output
        if batches is not None:
            batches += 1
        x = laid_out(widen(input))
        channels = Channels(x)
        count = x.size // max(x.shape[1], 1)
        mean, variance = statistics(x, channels, count)
        if count and running_mean is not None:
            update_average(running_mean, mean, momentum)
            update_average(running_var, variance * (count / max(count - 1, 1)), momentum)
        scale = 1 / array_module(x).sqrt(variance + eps)
        factor = scale if weight is None else scale * weight
        shift = -mean * factor if bias is None else bias - mean * factor
        self.mean, self.scale = mean.astype(x.dtype), scale.astype(x.dtype)
        return narrow(rescale(x, factor.astype(x.dtype), shift.astype(x.dtype), channels), input)

    def backward(self, grad_output: Any) -> Any:
        input, weight = self.saved
        gradients = BatchNormGradient.apply(grad_output, input, weight, mean=self.mean, scale=self.scale, eps=self.eps)
        grad_weight = gradients[1] if self.needs_input_grad[1] else None
        return gradients[0], grad_weight, (gradients[2] if self.needs_input_grad[2] else None), None, None


def statistics(x: Array, channels: Channels, count: int) -> tuple[Array, Array]:
    """The mean and variance of each channel, in float64.

    Σ x²/M − μ² needs no copy of x, but cancels where the mean is far from 0: then the values are centred first.
    """
    xp = array_module(x)
    if not count:
        return xp.zeros(x.shape[1]), xp.zeros(x.shape[1])
    mean, variance = _moments(x, channels, count)
    if is_on_cpu(x) and not (mean * mean > NEAR_ZERO * variance).any():
        return mean, variance
    near = mean.astype(x.dtype)
    shift, variance = _moments(x, channels, count, channels.pattern(near))
    return near + shift, xp.maximum(variance, 0)


def _moments(x: Array, channels: Channels, count: int, near: Array | None = None) -> tuple[Array, Array]:
    """The mean of x − near, and the variance."""
    xp = array_module(x)

    def sums(x: Array) -> Array:
        d = channels.line(x)
        if near is not None:
            d, away = xp.empty_like(d), d
            channels.each(xp.subtract, away, near, out=d)
        return xp.stack([channels.sums(d), channels.dots(d, d)])

    mean, mean_square = total(in_rows(sums, x, is_long=True)) / count
    return mean, mean_square - mean * mean


def rescale(x: Array, factor: Array, shift: Array, channels: Channels) -> Array:
    """factor · x + shift, with a factor and a shift for each channel."""
    xp = array_module(x)
    output, factor, shift = xp.empty_like(x), channels.pattern(factor), channels.pattern(shift)

    def work(x: Array, output: Array) -> None:
        line = channels.line(output)
        channels.each(xp.multiply, channels.line(x), factor, out=line)
        channels.each(xp.add, line, shift, out=line)

    in_rows(work, x, output)
    return output


def combine(grad: Array, x: Array, factor: Array, slope: Array, shift: Array, channels: Channels) -> Array:
    """factor · grad + slope · x + shift, with all three for each channel."""
    xp = array_module(x)
    output = xp.empty_like(x)
    factor, slope, shift = (channels.pattern(each) for each in (factor, slope, shift))

    def work(grad: Array, x: Array, output: Array) -> None:
        line, other = channels.line(output), xp.empty(x.size, x.dtype)
        channels.each(xp.multiply, channels.line(grad), factor, out=line)
        channels.each(xp.multiply, channels.line(x), slope, out=other)
        channels.each(xp.add, other, shift, out=other)
        line += other

    in_rows(work, grad, x, output, cost=2)
    return output


def gradient_sums(grad: Array, x: Array, channels: Channels) -> tuple[Array, Array]:
    """Σ g·x and Σ g of each channel, in float64."""
    grad = like_layout(grad, x)

    def sums(grad: Array, x: Array) -> Array:
        g = channels.line(grad)
        return array_module(x).stack([channels.dots(g, channels.line(x)), channels.sums(g)])

    products, total_gradient = total(in_rows(sums, grad, x, is_long=True))
    return products, total_gradient


class BatchNormGradient(Function):
    """(grad_input, grad_weight, grad_bias) of ``BatchNorm``, which it computes together.

    With sums over the M elements of a channel and s = 1 / √(σ² + ε):
    grad_bias = Σ g;  grad_weight = Σ g·x̂;  grad_input = weight · s · (g − Σ g / M − x̂ · Σ g·x̂ / M).
    ``mean`` and ``scale`` (s) are known from the forward pass. Its own gradient computes them from the input,
    as they are no places of the graph.
    """

    backward_name = "NativeBatchNormBackwardBackward0"

    def forward(
        self, grad_output: Array, input: Array, weight: Array | None, *, mean: Array, scale: Array, eps: float
    ) -> tuple[Array, Array, Array]:
        self.save(grad_output, input, weight)
        self.eps = eps
        if runs_kernels(input):
            return normalization_cuda.batch_norm_gradient(grad_output, input, weight, mean, scale)
        x = laid_out(widen(input))
        grad, channels = like_layout(widen(grad_output), x), Channels(x)
        count = max(input.size // max(input.shape[1], 1), 1)
        # Σ g·(x − μ): in x the rounding of μ is as large as what cancels here
        products, grad_bias = gradient_sums(grad, x, channels)
        grad_weight = (products - mean * grad_bias) * scale
        factor = scale if weight is None else scale * weight
        # factor · g − slope · (x − μ) − factor · Σ g / M, with slope = factor · s · Σ g·x̂ / M
        slope = factor * scale * grad_weight / count
        shift = mean * slope - factor * grad_bias / count
        grad_input = combine(grad, x, factor, -slope.astype(x.dtype), shift.astype(x.dtype), channels)
        return narrow(grad_input, input), grad_weight.astype(x.dtype), grad_bias.astype(x.dtype)

    def backward(self, grad_input_bar: Any, grad_weight_bar: Any, grad_bias_bar: Any) -> Any:
        g, x, weight = self.saved
        dims = (0, *range(2, x.ndim))
        w = 1 if weight is None else per_channel(weight, x.ndim)
        b, c = (None if each is None else per_channel(each, x.ndim) for each in (grad_weight_bar, grad_bias_bar))
        stats = Standardized(x, dims, self.eps)
        to_grad, to_input, to_weight = second_gradients(g, w, stats, zeros_for(grad_input_bar, x), b, c)
        return to_grad, to_input, (None if weight is None else sum(to_weight, dims))


class FixedNorm(Function):
    """Evaluation: y = weight · (x − running_mean) / √(running_var + ε) + bias, linear in x."""

    backward_name = "NativeBatchNormBackward0"

    def forward(
        self,
        input: Array,
        weight: Array | None,
        bias: Array | None,
        running_mean: Array,
        running_var: Array,
        *,
        eps: float,
    ) -> Array:
        self.save(input, weight, running_mean, running_var)
        self.eps = eps
        if runs_kernels(input):
            return normalization_cuda.batch_norm_by_averages(input, weight, bias, running_mean, running_var, eps)
        x = laid_out(widen(input))
        factor = widen(_inverse_deviation(running_var, eps))
        if weight is not None:
            factor = factor * weight
        shift = -running_mean * factor if bias is None else bias - running_mean * factor
        return narrow(rescale(x, factor.astype(x.dtype), shift.astype(x.dtype), Channels(x)), input)

    def backward(self, grad_output: Any) -> Any:
        input, weight, *averages = self.saved
        needs_input, *needs_parameters = self.needs_input_grad[:3]
        grad_input = _rescale_fixed(grad_output, weight, averages[1], self.eps) if needs_input else None
        grads: tuple[Any, Any] = (None, None)
        if any(needs_parameters):
            grads = FixedNormSums.apply(grad_output, input, *averages, eps=self.eps)
        return grad_input, *(grad if needed else None for grad, needed in zip(grads, needs_parameters)), None, None


class FixedNormSums(Function):
    """(grad_weight, grad_bias) of ``FixedNorm``: Σ g·x̂ and Σ g, with x̂ = (x − running_mean) / √(running_var + ε)."""

    backward_name = "NativeBatchNormBackwardBackward0"

    def forward(
        self, grad_output: Array, input: Array, running_mean: Array, running_var: Array, *, eps: float
    ) -> tuple[Array, Array]:
        self.save(grad_output, input, running_mean, running_var)
        self.eps = eps
        x = laid_out(widen(input))
        products, grad_bias = gradient_sums(widen(grad_output), x, Channels(x))
        grad_weight = (products - running_mean * grad_bias) * _inverse_deviation(widen(running_var), eps)
        return grad_weight.astype(x.dtype), grad_bias.astype(x.dtype)

    def backward(self, grad_weight_bar: Any, grad_bias_bar: Any) -> Any:
        grad, input, *averages = self.saved
        weight = zeros_for(grad_weight_bar, averages[0])
        to_grad = FixedNorm.apply(input, weight, grad_bias_bar, *averages, eps=self.eps)
        return to_grad, _rescale_fixed(grad, weight, averages[1], self.eps), None, None


def _rescale_fixed(values: Any, weight: Any, variance: Any, eps: float) -> Any:
    """values · weight / √(variance + ε): ``FixedNorm`` about 0."""
    zero = array_module(raw(variance)).zeros_like(raw(variance))
    return FixedNorm.apply(values, weight, None, zero, variance, eps=eps)


def _inverse_deviation(variance: Array, eps: float) -> Array:
    return 1 / array_module(variance).sqrt(variance + eps)


def update_average(average: Array, value: Array, momentum: float) -> None:
    """average ← (1 − momentum) · average + momentum · value, in place."""
    average *= 1 - momentum
    average += (momentum * value).astype(average.dtype)


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise every channel of a batch.

    Formula: output = (input − μ) / √(σ² + eps) · weight + bias for each channel. In training μ and σ² are the
    mean and variance (divided by the count M) of the channel's elements in the batch; else they are
    ``running_mean`` and ``running_var``.
    Shapes: input (N, C) or (N, C, …); all others (C,) → the shape of ``input``.
    Gradient: with s = 1 / √(σ² + eps) and x̂ = (input − μ) · s: Σ g for ``bias``, Σ g·x̂ for ``weight``; for
    ``input`` weight · s · g, and in training weight · s · (g − Σ g / M − x̂ · Σ g·x̂ / M).
    Args: running_mean, running_var: averages over batches, which training changes in place to
    (1 − momentum) · old + momentum · new (the new variance divided by M − 1); None to keep none.
    weight, bias: None for 1 and 0.
    Raises: ValueError in training with one value a channel, or for ``eps`` ≤ 0; RuntimeError, with torch's
    texts, for sizes and dtypes that do not fit, or without running averages in evaluation.
    Numerics: variances from values centred near the mean, not from Σ x² − (Σ x)², which cancels; sums in float64.

    >>> import minitorch as torch
    >>> x = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    >>> torch.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    """
    _check(input, running_mean, running_var, weight, bias, training, eps)
    if not training:
        return FixedNorm.apply(input, weight, bias, running_mean, running_var, eps=eps)
    if not isinstance(momentum, (int, float)):
        raise TypeError(f"batch_norm(): argument 'momentum' must be float, not {type(momentum).__name__}")
    return _in_training(input, running_mean, running_var, weight, bias, momentum=momentum, eps=eps)


def counted_batch_norm(
    input: Any,
    batches: Array,
    running_mean: Any,
    running_var: Any,
    weight: Any,
    bias: Any,
    momentum: float,
    eps: float,
) -> Any:
    """``batch_norm`` in training that adds 1 to ``batches``, an int64 array: on a GPU in the same launch.

    >>> import minitorch as torch
    >>> batches = torch.tensor(6)
    >>> output = counted_batch_norm(torch.rand(4, 3), batches.array, None, None, None, None, 0.1, 1e-5)
    >>> batches
    tensor(7)
    """
    _check(input, running_mean, running_var, weight, bias, True, eps)
    options = {"momentum": momentum, "eps": eps, "batches": batches}
    return _in_training(input, running_mean, running_var, weight, bias, **options)


def _in_training(input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, **options: Any) -> Any:
    output = BatchNorm.apply(input, weight, bias, raw(running_mean), raw(running_var), **options)
    for average in (running_mean, running_var):
        if isinstance(average, Variable):
            average.bump_version()
    return output


def _check(input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, training: bool, eps: float) -> None:
    """Raise torch's errors for what does not fit."""
    shape = tuple(raw(input).shape)
    if training:
        check_batch_size(shape)
    if eps < 0 or (training and eps == 0):
        rule = "positive during training" if training else "non-negative"
        raise ValueError(f"batch_norm eps must be {rule}, but got {float(eps)}")
    _check_statistics(running_mean, running_var, training)
    require(input, "f", "batch_norm", "batch_norm")
    named = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    _check_parameters(input, named)


def check_batch_size(shape: tuple[int, ...], kind: str = "torch.Size({})") -> None:
    """Raise torch's error where a channel has but one element, whose variance says nothing."""
    if shape[0] * math.prod(shape[2:]) == 1:
        found = kind.format(list(shape))
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {found}")


def _check_statistics(running_mean: Any, running_var: Any, training: bool) -> None:
    for name, value in (("running_mean", running_mean), ("running_var", running_var)):
        if value is None and not training:
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        refuse_gradient("native_batch_norm", name, value)
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")


def _check_parameters(input: Any, named: dict[str, Any]) -> None:
    shape, dtype = raw(input).shape, raw(input).dtype
    if len(shape) < 2:
        raise IndexError(f"batch_norm: expected input of 2 or more dimensions (N, C, …), but got {len(shape)}")
    for name, value in named.items():
        if value is not None and raw(value).size != shape[1]:
            raise RuntimeError(f"{name} should contain {shape[1]} elements not {raw(value).size}")
    check_parameter_dtypes(dtype, list(named.values()))
