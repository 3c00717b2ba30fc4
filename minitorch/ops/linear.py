"""The fully connected layer: every output is a weighted sum of all inputs, plus a bias; and ``bilinear``.

    output = input · weightᵀ + bias

Leading dimensions of ``input`` are all rows of one matrix, so that each of the three products (the output, the
gradient of the input, the gradient of the weight) is a single GEMM, however many of them there are.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.primitive import BroadcastTo, is_broadcastable_to
from minitorch.backend import Array, array_module, is_on_cpu
from minitorch.backend.reduction import sum_axes
from minitorch.ops.arithmetic import add
from minitorch.ops.autocast import autocasts
from minitorch.ops.contraction import Contract
from minitorch.ops.matmul import Mm, SumOfOuterProducts, as_rows, matmul, multiply, multiply_rows
from minitorch.ops.matmul_checks import arrays_of, check_bmm_dtypes, check_mm, legacy_name, refuse_bool, refuse_sizes
from minitorch.ops.shape import reshape

_FEW_ROWS = 64  # which NumPy adds at least as fast as BLAS


class Linear(Function):
    """input · weightᵀ + bias for a bias of one element an output (or one for all)."""

    def forward(self, input: Array, weight: Array, bias: Array) -> Array:
        needs_input, needs_weight = self.needs_input_grad[:2]
        self.save(input if needs_weight else None, weight if needs_input else None)
        # torch's names for what it does around the product
        self.backward_name = "AddmmBackward0" if input.ndim == 2 else "ViewBackward0"
        if input.dtype.char == "e" and is_on_cpu(input):
            wide = [each.astype("float32") for each in (input, weight, bias)]
            return _affine(*wide).astype("float16")
        return _affine(input, weight, bias)

    def backward(self, grad_output: Any) -> Any:
        input, weight = self.saved
        flop = 0 if weight is None else 2.0 * math.prod(grad_output.shape) * weight.shape[1]
        # Gᵀ · input comes out in the weight's own layout
        grad_weight = None if input is None else SumOfOuterProducts.apply_later(flop, grad_output, input)
        grad_input = None if weight is None else Mm.apply(grad_output, weight)
        return grad_input, grad_weight, (sum_of_rows(grad_output) if self.needs_input_grad[2] else None)


def _affine(input: Array, weight: Array, bias: Array) -> Array:
    output = multiply_rows(input, weight.T)
    output += bias  # in place: the product is ours
    return output


class SumOfRows(Function):
    """Σ of all rows of a (…, M) array; of many, as the product of a row of ones with it, as BLAS adds faster."""

    backward_name = "SumBackward1"

    def forward(self, value: Array) -> Array:
        self.input_shape = value.shape
        rows = as_rows(value)
        if not is_on_cpu(rows):
            total = sum_axes(rows, (0,))
            return rows.sum(axis=0) if total is None else total
        if len(rows) <= _FEW_ROWS and rows.dtype.char != "e":
            return rows.sum(axis=0)
        return multiply(array_module(rows).ones(len(rows), rows.dtype), rows)

    def backward(self, grad_output: Any) -> Any:
        return BroadcastTo.apply(grad_output, shape=self.input_shape)


def sum_of_rows(value: Any) -> Any:
    """The sum over all dimensions but the last."""
    return value if value.ndim == 1 else SumOfRows.apply(value)


@autocasts
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """Affine map of the last dimension: input · weightᵀ + bias.

    Formula: output[…, o] = Σ_i input[…, i] · weight[o, i] + bias[o]
    Shapes: input (…, in_features), weight (out_features, in_features) or (in_features), bias (out_features)
    → (…, out_features), or (…) for a weight of one dimension.
    Gradient: G · weight for ``input``, Gᵀ · input over all rows for ``weight``, Σ rows of G for ``bias``.
    Raises: RuntimeError if sizes or dtypes do not match.
    Numerics: float16 accumulates in float32 and is rounded once.

    >>> import minitorch as torch
    >>> weight, bias = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0.5, 0.0])
    >>> torch.nn.functional.linear(torch.tensor([1.0, 10.0]), weight, bias)
    tensor([21.5000, 43.0000])
    """
    x, w = arrays_of("linear", ("input", "weight"), input, weight)
    if not (x.ndim and w.ndim):
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and {w.ndim}D")
    if w.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D")
    if bias is None:
        return _linear_without_bias(input, weight, x, w)
    (b,) = arrays_of("linear", ("bias",), bias)
    _check_with_bias(x, w, b)
    if b.ndim <= 1:
        return Linear.apply(input, weight, bias)
    return add(Mm.apply(input, weight, transposed=True), bias)


def _linear_without_bias(input: Any, weight: Any, x: Array, w: Array) -> Any:
    if w.ndim == 1:
        return matmul(input, weight)
    check_mm(x, w.T)
    return Mm.apply(input, weight, transposed=True)


def _check_with_bias(x: Array, w: Array, b: Array) -> None:
    """Raise torch's error unless the three fit."""
    if w.ndim == 1:
        raise RuntimeError("mat2 must be a matrix, got 1-D tensor")
    for array in (b, x):
        if array.dtype != w.dtype:
            names = f"{legacy_name(array)} and {legacy_name(w)}"
            raise RuntimeError(f"self and mat2 must have the same dtype, but got {names}")
    if x.shape[-1] != w.shape[1]:
        refuse_sizes(math.prod(x.shape[:-1]), x.shape[-1], *w.shape[::-1])
    refuse_bool(x, "addmm_impl_cpu_")
    if b.shape != w.shape[:1] and not is_broadcastable_to(b.shape, (*x.shape[:-1], len(w))):
        rows = math.prod(x.shape[:-1])
        raise RuntimeError(
            f"The expanded size of the tensor ({len(w)}) must match the existing size ({b.shape[-1]}) at "
            f"non-singleton dimension 1.  Target sizes: {[rows, len(w)]}.  Tensor sizes: {list(b.shape)}"
        )


@autocasts
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """A weighted sum of all products of an element of one input with one of the other, plus a bias.

    Formula: output[…, o] = Σ_ij input1[…, i] · weight[o, i, j] · input2[…, j] + bias[o]
    Shapes: input1 (…, I), input2 (…, J), weight (O, I, J), bias (O) → (…, O)
    Raises: RuntimeError if sizes do not match; ``input1`` and ``input2`` do not broadcast.

    >>> import minitorch as torch
    >>> torch.nn.functional.bilinear(torch.ones(5, 2), torch.ones(5, 3), torch.ones(1, 2, 3)).shape
    torch.Size([5, 1])
    """
    operands = (input1, input2, weight) if bias is None else (input1, input2, weight, bias)
    x, y, w, *b = arrays_of("bilinear", ("input1", "input2", "weight", "bias"), *operands)
    _check_bilinear(x, y, w, b[0] if b else None)
    rows = math.prod(x.shape[:-1])
    I, J, O = x.shape[-1], y.shape[-1], len(w)  # noqa: E741
    first, second = reshape(input1, (rows, I)), reshape(input2, (rows, J))
    # One GEMM with the weight, then a small product for each row
    partial = Contract.apply(first, weight, labels=(("r", "i"), ("o", "i", "j"), ("r", "o", "j")))
    product = Contract.apply(partial, second, labels=(("r", "o", "j"), ("r", "j"), ("r", "o")))
    result = reshape(product, (*x.shape[:-1], O))
    return result if bias is None else add(result, bias)


def _check_bilinear(x: Array, y: Array, w: Array, b: Array | None) -> None:
    """Raise torch's error unless the operands of ``bilinear`` fit."""
    if x.ndim != y.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {x.ndim} and {y.ndim}")
    for dim in range(x.ndim - 1):
        if x.shape[dim] != y.shape[dim]:
            sizes = f"got {x.shape[dim]} and {y.shape[dim]}"
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {dim}: {sizes}")
    if w.ndim != 3:
        raise RuntimeError(f"bilinear(): weight must have 3 dimensions (out, in1, in2), got {w.ndim}")
    for name, array, size in (("input1", x, w.shape[1]), ("input2", y, w.shape[2])):
        if array.shape[-1] != size:
            sizes = f"got {array.shape[-1]} but expected {size}"
            raise RuntimeError(f"bilinear(): {name} size does not match weight size: {sizes}")
    if b is not None and b.shape[:1] != w.shape[:1]:
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {b.size} but expected {len(w)}")
    for array in (x, y):
        check_bmm_dtypes(array, w)
