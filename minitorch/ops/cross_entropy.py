"""Cross-entropy: how far the softmax of some scores is from a target.

The gradient is the reason for its fame: softmax(input) − target. The logarithm of the loss undoes the
exponential of the softmax, so that a wrong, confident score gets a gradient near 1 instead of a vanishing one.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.backend.launching import runs_kernels
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops import cross_entropy_cuda
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.loss_reduction import resolve_reduction
from minitorch.ops.nll_loss import (
    TrueClasses,
    backward_name,
    check_weight,
    class_dim,
    fit_target,
    reduce_weighted,
    scale_of_mean,
)
from minitorch.ops.operand import narrow, require, widen
from minitorch.ops.promotion import promote
from minitorch.ops.reduction import Sum
from minitorch.ops.shape import reshape
from minitorch.ops.softmax import LogSoftmax, Softmax, log_softmax_array


class CrossEntropy(Function):
    """−Σ_c q_c · log softmax(x)_c for class indices, where q is weight[t] at the true class t and 0 elsewhere.

    With label smoothing ε: q_c = (1 − ε) · weight[t] at t, plus ε/C · weight[c] at every class.
    """

    truth: TrueClasses | None

    def forward(
        self,
        input: Array,
        target: Array,
        weight: Array | None,
        *,
        ignore_index: int,
        reduction: str,
        smoothing: float,
    ) -> Array:
        self.backward_name = "AddBackward0" if smoothing else backward_name(input.shape)
        self.save(input, target, weight)
        self.options: dict[str, Any] = {"ignore_index": ignore_index, "reduction": reduction, "smoothing": smoothing}
        self.logarithms: Any
        self.truth: TrueClasses | None = None
        if runs_kernels(input):
            loss, self.logarithms = cross_entropy_cuda.cross_entropy(input, target, weight, **self.options)
            return loss
        scores = widen(input)
        dim = class_dim(input.shape)
        self.logarithms = logarithms = log_softmax_array(scores, (dim,))
        truth = self.truth = TrueClasses(scores, target, weight, ignore_index)
        losses = -truth.pick(logarithms) * truth.weights
        if smoothing:
            every_class = logarithms if weight is None else logarithms * along_classes(weight, input.ndim)
            smooth = truth.only_counted(-every_class.sum(axis=dim))
            losses = (1 - smoothing) * losses + smoothing / input.shape[dim] * smooth
        return narrow(reduce_weighted(losses, truth, reduction), input)

    def backward(self, grad_output: Any) -> Any:
        known = {"logarithms": self.logarithms, "truth": self.truth}
        return CrossEntropyGradient.apply(grad_output, *self.saved, **known, **self.options), None, None

    def free(self) -> None:
        """Drop the intermediate values, too, which are not among ``saved``."""
        super().free()
        self.logarithms = self.truth = None


class CrossEntropyGradient(Function):
    """g · (softmax(x) · Σ_c q_c − q), divided by Σ weight[t] for "mean".

    ``logarithms`` are log softmax(x), known from the forward pass, as is ``truth``. Its own gradient, for second
    derivatives, is computed from x, as they are no place of the graph.
    """

    def forward(
        self,
        grad_output: Array,
        input: Array,
        target: Array,
        weight: Array | None,
        *,
        logarithms: Any,
        truth: TrueClasses | None,
        ignore_index: int,
        reduction: str,
        smoothing: float,
    ) -> Array:
        self.save(grad_output, input, target, weight)
        self.known_truth, self.ignore_index = truth, ignore_index
        self.reduction, self.smoothing = reduction, smoothing
        if truth is None:
            return cross_entropy_cuda.cross_entropy_gradient(
                grad_output, input, target, weight, logarithms, ignore_index, reduction, smoothing
            )
        xp = array_module(input)
        scale = truth.only_counted(scale_of_mean(grad_output, truth, reduction))
        scaled_weights = scale * truth.weights
        grad_input = xp.exp(logarithms)
        if smoothing:
            C = input.shape[truth.dim]
            share = xp.full((C,), smoothing / C, logarithms.dtype)
            share = along_classes(share if weight is None else share * weight, input.ndim)
            grad_input *= truth.along_classes((1 - smoothing) * truth.weights + share.sum())
            grad_input -= share
            grad_input *= truth.along_classes(scale + xp.zeros_like(truth.weights))
        else:
            grad_input *= truth.along_classes(scaled_weights)
        truth.add_to(grad_input, (smoothing - 1) * scaled_weights)
        return narrow(grad_input, input)

    def backward(self, grad_output: Any) -> Any:
        grad, input, target, weight = self.saved
        truth = self.known_truth or TrueClasses(raw(input), raw(target), raw(weight), self.ignore_index)
        q = target_weights(truth, raw(input), raw(weight), self.smoothing)
        divisor = truth.total_weight if self.reduction == "mean" else 1
        dims = (truth.dim,)
        total = q.sum(axis=dims, keepdims=True)
        probabilities = Softmax.apply(input, dims=dims)
        grad_of_grad = grad_input = None
        if self.needs_input_grad[0]:
            summed = dims if self.reduction == "none" else tuple(range(input.ndim))
            grad_of_grad = Sum.apply((probabilities * total - q) * grad_output, dims=summed) / divisor
        if self.needs_input_grad[1]:
            scale = (reshape(grad, tuple(total.shape)) if self.reduction == "none" else grad) / divisor
            mean_change = Sum.apply(probabilities * grad_output, dims=dims, keepdim=True)
            change = probabilities * (grad_output - mean_change) * total * scale
            grad_input = where(truth.along_classes(truth.is_counted), change, 0)
        return grad_of_grad, grad_input, None, None


def along_classes(values: Array, ndim: int) -> Array:
    """One value a class in a shape that broadcasts against scores of ``ndim`` dimensions."""
    return values if ndim == 1 else reshape(values, (1, -1) + (1,) * (ndim - 2))


def target_weights(truth: TrueClasses, input: Array, weight: Array | None, smoothing: float) -> Array:
    """q of every class at every place, as an array of the shape of ``input``."""
    xp = array_module(input)
    q = xp.zeros(input.shape, truth.weights.dtype)
    if smoothing:
        q += smoothing / input.shape[truth.dim] * (1 if weight is None else along_classes(weight, input.ndim))
        q *= truth.along_classes(truth.is_counted)
    truth.add_to(q, (1 - smoothing) * truth.weights)
    return q


@autocasts
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Cross-entropy between a target and the softmax of ``input``, which holds scores (logits).

    Formula: loss[n, …] = −Σ_c weight[c] · q[n, c, …] · log_softmax(input)[n, c, …], where q is the target's
    probability of class c, smoothed: q = (1 − ε) · target + ε / C with ε = ``label_smoothing``. A target of
    class indices stands for probability 1 of that class. "mean" divides the sum by Σ weight[t] over the
    places that are not ignored; for a target of probabilities, by the number of places.
    Shapes: input (N, C), (N, C, d₁, …) or (C,); target either class indices (N,), (N, d₁, …) or (), or
    probabilities in the shape of ``input``; weight (C,) → (), or (N, d₁, …) for "none".
    Gradient: (softmax(input)_c · Σ_k w_k − w_c) · g with w_c = weight[c] · q_c; softmax(input) − target where
    nothing is weighted. Targets of probabilities (and then weights) have gradients, too.
    Args: ignore_index: a class index that counts nothing; reduction: "mean", "sum" or "none"; label_smoothing:
    between 0 and 1; size_average, reduce: deprecated forms of ``reduction``.
    Raises: IndexError for a class that does not exist (on a GPU the loss is nan instead, so as not to wait for
    it); RuntimeError and ValueError, with torch's texts, for shapes, dtypes and options that do not fit.
    Numerics: the softmax is never formed in the forward pass; scores of any size are safe.

    >>> import minitorch as torch
    >>> scores = torch.tensor([[2.0, 0.0], [0.0, 1000.0]])
    >>> torch.nn.functional.cross_entropy(scores, torch.tensor([0, 0]), reduction="none")
    tensor([1.2693e-01, 1.0000e+03])
    """
    reduction = resolve_reduction(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if tuple(raw(input).shape) == tuple(raw(target).shape):
        _check_probabilities(input, target, weight, ignore_index)
        return _with_probabilities(input, target, weight, reduction, label_smoothing)
    require(input, "f", "cross_entropy", "log_softmax_lastdim_kernel_impl")
    target = fit_target(input, target)
    check_weight(input, weight)
    return CrossEntropy.apply(
        input, target, weight, ignore_index=ignore_index, reduction=reduction, smoothing=label_smoothing
    )


def _check_probabilities(input: Any, target: Any, weight: Any, ignore_index: int) -> None:
    found = from_numpy_dtype(raw(target).dtype)
    if not found.is_floating_point:
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {found.legacy_name}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    count = raw(input).shape[class_dim(raw(input).shape)] if raw(input).ndim else 0
    if weight is not None and tuple(raw(weight).shape) != (count,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {count} classes or no classes "
            f"but got weight tensor of shape: {list(raw(weight).shape)}"
        )


def _with_probabilities(input: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    """The formula as written, in differentiable ops: every factor of it may want a gradient."""
    ndim = raw(input).ndim
    dim = class_dim(raw(input).shape)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / max(raw(input).shape[dim], 1)
    input, target = promote(input, target)
    products = LogSoftmax.apply(input, dims=(dim,)) * target
    if weight is not None:
        products = products * along_classes(weight, ndim)
    if reduction == "none":
        return -Sum.apply(products, dims=(dim,))
    total = -Sum.apply(products, dims=tuple(range(ndim)))
    if reduction == "sum":
        return total
    places = raw(input).size // max(raw(input).shape[dim], 1)
    return total / places
