"""Binary cross-entropy: the price of a probability for what is either so or not, from it or from its logit."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, is_on_cpu
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.clamping import clamp_min
from minitorch.ops.elementwise import log, sigmoid
from minitorch.ops.loss_reduction import reduce_array, refuse_gradient, require_floating, resolve_reduction
from minitorch.ops.operand import narrow, widen
from minitorch.ops.promotion import promote
from minitorch.ops.shape import broadcast_shapes
from minitorch.ops.smooth_activation import logsigmoid

SMALLEST_LOGARITHM = -100.0  # a certain and wrong prediction costs this much, not infinity
SMALLEST_VARIANCE = 1e-12  # of p (1 − p), the gradient's divisor


class BinaryCrossEntropy(Function):
    """−w (t log p + (1 − t) log(1 − p));  ∂/∂p = w (p − t) / (p (1 − p)),  ∂/∂t = w (log(1 − p) − log p)."""

    def forward(self, input: Array, target: Array, weight: Array | None, *, reduction: str) -> Array:
        xp = array_module(input)
        p, t = widen(input), widen(target)
        yes = xp.maximum(xp.log(p), SMALLEST_LOGARITHM)
        no = xp.maximum(xp.log1p(-p), SMALLEST_LOGARITHM)
        losses = (t - 1) * no - t * yes
        if weight is not None:
            losses = losses * weight
        self.divisor = max(losses.size, 1) if reduction == "mean" else 1
        self.save(input, target, weight)
        return narrow(xp.asarray(reduce_array(losses, reduction)), input)

    def backward(self, grad_output: Any) -> Any:
        p, t, weight = self.saved
        needs_input, needs_target, _ = self.needs_input_grad
        grad = grad_output / self.divisor
        if weight is not None:
            grad = grad * weight
        grad_input = (p - t) / clamp_min((1 - p) * p, SMALLEST_VARIANCE) * grad if needs_input else None
        return grad_input, ((log(1 - p) - log(p)) * grad if needs_target else None), None


@autocasts
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Cross-entropy between probabilities ``target`` and ``input``, element by element.

    Formula: −weight · (target · log(input) + (1 − target) · log(1 − input)).
    Shapes: input and target alike; weight broadcasts to them → () or, for "none", their shape.
    Gradient: weight · (input − target) / (input · (1 − input)) · g for ``input``.
    Args: reduction: "mean", "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: ValueError if the sizes differ; RuntimeError for values outside [0, 1] (on a GPU their loss is nan
    instead, so as not to wait for it), for unlike dtypes, and for a weight that requires grad.
    Numerics: the logarithms are at least −100, and the gradient's divisor at least 10⁻¹².
    ``binary_cross_entropy_with_logits`` needs neither.

    >>> import minitorch as torch
    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5, 0.0]), torch.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    shape, target_shape = tuple(raw(input).shape), tuple(raw(target).shape)
    if shape != target_shape:
        raise ValueError(
            f"Using a target size (torch.Size({list(target_shape)})) that is different to the input size "
            f"(torch.Size({list(shape)})) is deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        broadcast_shapes(shape, raw(weight).shape)
        refuse_gradient("binary_cross_entropy", "weight", weight)
    require_floating(input, "binary_cross_entropy", "binary_cross_entropy")
    _check_dtypes(input, target, weight)
    _check_range("input", raw(input))
    _check_range("target", raw(target))
    return BinaryCrossEntropy.apply(input, target, weight, reduction=reduction)


def _check_dtypes(input: Any, *others: Any) -> None:
    expected = from_numpy_dtype(raw(input).dtype)
    for each in others:
        if each is not None and raw(each).dtype != expected.numpy:
            found = from_numpy_dtype(raw(each).dtype)
            raise RuntimeError(f"Found dtype {found.legacy_name} but expected {expected.legacy_name}")


def _check_range(role: str, values: Array) -> None:
    if is_on_cpu(values) and ((values < 0) | (values > 1)).any():
        raise RuntimeError(f"all elements of {role} should be between 0 and 1")


class BinaryCrossEntropyWithLogits(Function):
    """w ((1 − t) x + (1 + (q − 1) t) · log(1 + e^(−x))), with q = pos_weight.

    ∂/∂x = w ((q t + 1 − t) σ(x) − q t);  ∂/∂t = w (log σ(−x) − q log σ(x)) with the sign of a loss.
    """

    def forward(
        self, input: Array, target: Array, weight: Array | None, pos_weight: Array | None, *, reduction: str
    ) -> Array:
        xp = array_module(input)
        x, t = widen(input), widen(target)
        softplus = xp.log1p(xp.exp(-xp.abs(x))) + xp.maximum(-x, 0)  # log(1 + e^(−x)) that cannot overflow
        if pos_weight is not None:
            softplus *= 1 + (pos_weight - 1) * t
        losses = (1 - t) * x + softplus
        if weight is not None:
            losses = losses * weight
        self.divisor = max(losses.size, 1) if reduction == "mean" else 1
        self.save(input, target, weight, pos_weight)
        return narrow(xp.asarray(reduce_array(losses, reduction)), input)

    def backward(self, grad_output: Any) -> Any:
        x, t, weight, pos_weight = self.saved
        needs_input, needs_target = self.needs_input_grad[:2]
        grad = grad_output / self.divisor
        if weight is not None:
            grad = grad * weight
        grad_input = grad_target = None
        if needs_input:
            positive = t if pos_weight is None else t * pos_weight
            grad_input = ((positive + 1 - t) * sigmoid(x) - positive) * grad
        if needs_target:
            yes, no = logsigmoid(x), logsigmoid(-x)
            grad_target = ((yes if pos_weight is None else yes * pos_weight) - no) * -grad
        return grad_input, grad_target, None, None


@autocasts
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """``binary_cross_entropy`` of sigmoid(input), without computing the probability.

    Formula: −weight · (pos_weight · target · log σ(input) + (1 − target) · log(1 − σ(input))).
    Shapes: input and target alike; weight and pos_weight broadcast to them → () or, for "none", their shape.
    Gradient: weight · (σ(input) − target) · g for ``input`` (without ``pos_weight``).
    Args: pos_weight: a factor for the positive part, more than 1 to find more of what is so; reduction: "mean",
    "sum" or "none"; size_average, reduce: deprecated forms of it.
    Raises: ValueError if the sizes differ; RuntimeError for a weight that does not broadcast or requires grad,
    and for a target that is not floating point.
    Numerics: exact for logits of any size.

    >>> import minitorch as torch
    >>> logits, target = torch.tensor([0.0, -1000.0]), torch.tensor([1.0, 1.0])
    >>> torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    shape, target_shape = tuple(raw(input).shape), tuple(raw(target).shape)
    if shape != target_shape:
        raise ValueError(
            f"Target size (torch.Size({list(target_shape)})) must be the same as input size (torch.Size({list(shape)}))"
        )
    for role, value in (("weight", weight), ("pos_weight", pos_weight)):
        if value is not None:
            broadcast_shapes(raw(value).shape, shape)
            refuse_gradient("binary_cross_entropy_with_logits", role, value)
    require_floating(input, "binary_cross_entropy_with_logits", "log_sigmoid_cpu")
    if raw(target).dtype.kind != "f":
        names = [from_numpy_dtype(raw(each).dtype).legacy_name for each in (input, target)]
        raise RuntimeError(f"result type {names[0]} can't be cast to the desired output type {names[1]}")
    input, target = promote(input, target)
    return BinaryCrossEntropyWithLogits.apply(input, target, weight, pos_weight, reduction=reduction)
