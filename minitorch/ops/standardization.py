"""What batch, layer, group and instance normalisation have in common: mean 0 and variance 1 over some dimensions.

They differ only in which dimensions those are. With x̂ = (x − μ) · s and s = 1 / √(σ² + ε), a gradient h with
respect to x̂ becomes s · P(h) with respect to x, where

    P(h) = h − mean(h) − x̂ · mean(h·x̂)

takes away what x̂ cannot follow: it has no mean, and no component along itself. P is linear, symmetric, and
depends on x; so second derivatives need its derivative, which is in ``second_gradients``.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.primitive import sum_array_to_shape
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, row_major
from minitorch.backend.launching import runs_kernels
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.elementwise import rsqrt
from minitorch.ops.layer_norm_cuda import rows_of
from minitorch.ops.operand import narrow, widen
from minitorch.ops.reduction import sum
from minitorch.ops.shape import reshape

Shape = tuple[int, ...]


class Standardized:
    """x̂ and s of x over ``dims``, computed in differentiable ops."""

    def __init__(self, x: Any, dims: Shape, eps: float) -> None:
        self.dims = dims
        self.count = max(math.prod([x.shape[dim] for dim in dims]), 1)
        centred = x - self.mean(x)
        self.scale = rsqrt(self.mean(centred * centred) + eps)
        self.unit = centred * self.scale

    def mean(self, values: Any) -> Any:
        """The mean over the dimensions, which are kept as size 1."""
        return sum(values, self.dims, True) / self.count

    def project(self, values: Any) -> Any:
        """P(values): what is left without their mean and without their part along x̂."""
        return values - self.mean(values) - self.unit * self.mean(values * self.unit)


def second_gradients(g: Any, w: Any, stats: Standardized, a: Any, b: Any, c: Any) -> tuple[Any, Any, Any]:
    """The gradients with respect to g, x and w of  Σ a · s·P(g·w) + Σ b · g·x̂ + Σ c · g.

    These are the gradients of x, weight and bias, each times a factor: the one it receives when it is
    differentiated again. b and c may be None for nothing. All results have the shape of x; the engine sums
    that of w.
    """
    h = g * w
    projected = stats.project(a) * stats.scale
    to_g = projected * w
    to_unit = -(a * stats.mean(h * stats.unit) + h * stats.mean(a * stats.unit)) * stats.scale
    if b is not None:
        to_g, to_unit = to_g + stats.unit * b, to_unit + g * b
    if c is not None:
        to_g = to_g + c
    to_scale = stats.mean(projected * h)
    to_x = stats.project(to_unit) * stats.scale - stats.unit * (to_scale * stats.scale)
    return to_g, to_x, g * projected


class Standardize(Function):
    """weight · x̂ + bias, computed in another shape: ``view``, of which ``dims`` are standardised.

    ``parameter_view`` is the shape in which weight and bias broadcast against ``view``.
    """

    def forward(
        self,
        input: Array,
        weight: Array | None,
        bias: Array | None,
        *,
        view: Shape,
        parameter_view: Shape,
        dims: Shape,
        eps: float,
    ) -> Array:
        self.save(input, weight)
        self.parameter_shapes = [None if each is None else each.shape for each in (weight, bias)]
        self.options: dict[str, Any] = {"view": view, "parameter_view": parameter_view, "dims": dims, "eps": eps}
        if runs_kernels(input):
            output, self.mean, self.scale = rows_of(view, input.itemsize).normalize(row_major(input), weight, bias, eps)
            return output
        xp = array_module(input)
        x = row_major(widen(input)).reshape(view)
        count = max(math.prod([view[dim] for dim in dims]), 1)
        self.mean = x.sum(axis=dims, keepdims=True) / count
        output = x - self.mean
        self.scale = 1 / xp.sqrt((output * output).sum(axis=dims, keepdims=True) / count + eps)
        output *= self.scale
        if weight is not None:
            output *= weight.reshape(parameter_view)
        if bias is not None:
            output += bias.reshape(parameter_view)
        return narrow(output.reshape(input.shape), input)

    def backward(self, grad_output: Any) -> Any:
        grad_input, *grad_parameters = StandardizeGradient.apply(
            grad_output, *self.saved, mean=self.mean, scale=self.scale, **self.options
        )
        needed = [shape if needs else None for shape, needs in zip(self.parameter_shapes, self.needs_input_grad[1:])]
        return (
            grad_input,
            *(None if shape is None else reshape(grad, shape) for grad, shape in zip(grad_parameters, needed)),
        )


class StandardizeGradient(Function):
    """(grad_input, grad_weight, grad_bias) of ``Standardize``: s · P(g·weight), Σ g·x̂, Σ g.

    ``mean`` and ``scale`` are known from the forward pass. Its own gradient computes them from the input, as
    they are no places of the graph.
    """

    def forward(
        self,
        grad_output: Array,
        input: Array,
        weight: Array | None,
        *,
        mean: Array,
        scale: Array,
        view: Shape,
        parameter_view: Shape,
        dims: Shape,
        eps: float,
    ) -> tuple[Array, Array, Array]:
        self.save(grad_output, input, weight)
        self.view, self.parameter_view, self.dims, self.eps = view, parameter_view, dims, eps
        if runs_kernels(input):
            return rows_of(view, input.itemsize).gradient(row_major(grad_output), row_major(input), weight, mean, scale)
        grad = widen(grad_output).reshape(view)
        count = max(math.prod([view[dim] for dim in dims]), 1)
        unit = (widen(input).reshape(view) - mean) * scale
        product = grad * unit
        grad_weight, grad_bias = (sum_array_to_shape(each, parameter_view) for each in (product, grad))
        if weight is not None:
            grad, product = grad * weight.reshape(parameter_view), product * weight.reshape(parameter_view)
        unit *= product.sum(axis=dims, keepdims=True) / count
        grad_input = grad - unit
        grad_input -= grad.sum(axis=dims, keepdims=True) / count
        grad_input *= scale
        return narrow(grad_input.reshape(input.shape), input), grad_weight, grad_bias

    def backward(self, grad_input_bar: Any, grad_weight_bar: Any, grad_bias_bar: Any) -> Any:
        grad, input, weight = self.saved
        g, x = reshape(grad, self.view), reshape(input, self.view)
        w = 1 if weight is None else reshape(weight, self.parameter_view)
        a = reshape(zeros_for(grad_input_bar, input), self.view)
        stats = Standardized(x, self.dims, self.eps)
        to_g, to_x, to_w = second_gradients(g, w, stats, a, grad_weight_bar, grad_bias_bar)
        to_weight = None
        if weight is not None:
            summed = tuple([dim for dim, size in enumerate(self.parameter_view) if size == 1 != self.view[dim]])
            to_weight = reshape(sum(to_w, summed, True) if summed else to_w, tuple(weight.shape))
        return reshape(to_g, tuple(grad.shape)), reshape(to_x, tuple(input.shape)), to_weight


def zeros_for(gradient: Any, like: Any) -> Any:
    """The gradient, or zeros for an output that nobody used."""
    return array_module(raw(like)).zeros_like(raw(like)) if gradient is None else gradient


def check_parameter_dtypes(dtype: Any, parameters: list[Any]) -> None:
    """Raise torch's error unless parameters have the input's dtype, or float32 beside a float16 input."""
    if all(value is None or raw(value).dtype is dtype for value in parameters):  # the usual case, in less time
        return
    found = {raw(value).dtype for value in parameters if value is not None}
    if found <= {dtype}:
        return
    is_mixed_half = dtype.itemsize == 2 and len(found) == 1 and found.pop().itemsize == 4
    if not is_mixed_half:
        expected = "Float" if dtype.itemsize == 2 else from_numpy_dtype(dtype).legacy_name
        raise RuntimeError(f"mixed dtype (CPU): expect parameter to have scalar type of {expected}")
