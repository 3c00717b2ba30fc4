"""``einsum`` and its special cases ``tensordot`` and ``kron``: sums of products over named dimensions.

    einsum("ij,jk->ik", A, B)   C[i, k] = Σ_j A[i, j] · B[j, k]

Operands are taken two at a time, from left to right. For each pair a dimension that only one of them has, and
that nobody needs later, is summed out first; then the two are multiplied element by element if no shared
dimension is to be summed, and otherwise contracted at the speed of matrix products (``contraction.py``).
Everything is made of differentiable steps, so the gradients need no code of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import Array
from minitorch.ops.arithmetic import mul
from minitorch.ops.autocast import autocasts, cast_operands
from minitorch.ops.contraction import Contract
from minitorch.ops.diagonal import diagonal
from minitorch.ops.dims import normalize_dims
from minitorch.ops.einsum_notation import Label, Labels, read
from minitorch.ops.matmul_checks import arrays_of, check_bmm_dtypes, refuse_bool, write_product
from minitorch.ops.permutation import permute
from minitorch.ops.reduction import sum as sum_
from minitorch.ops.shape import UnsafeView, reshape


@autocasts
def einsum(*args: Any) -> Any:
    """Sum of products of the operands, with the dimensions named by letters.

    Formula: ``einsum("bij,bjk->bik", A, B)`` is C[b, i, k] = Σ_j A[b, i, j] · B[b, j, k]: multiply where letters
    agree, sum over those that the result lacks.
    Args: ``einsum(equation, *operands)`` or ``einsum(equation, [operands])``, or with numbers (0–51) for letters
    ``einsum(a, [0, 1], b, [1, 2], [0, 2])``. A letter repeated in one operand takes its diagonal. ``...`` stands
    for any further dimensions, which broadcast. Without an arrow the result has the dimensions of ``...``, then
    the letters that occur once, in alphabetical order.
    Raises: RuntimeError if the equation does not make sense or does not fit the operands, or dtypes differ.
    Numerics: operands are contracted from left to right, as torch does without ``opt_einsum``.

    >>> import minitorch as torch
    >>> torch.einsum("ii", torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    >>> torch.einsum("...ij,jk->...ik", torch.ones(5, 2, 3), torch.ones(3, 4)).shape
    torch.Size([5, 2, 4])
    """
    labels, wanted, operands = read(args[0] if args else "", args[1:])
    terms = [_take_diagonals(*term) for term in zip(operands, labels)]
    result, found = terms[0]
    for number, (operand, names) in enumerate(terms[1:], 2):
        later = {label for _, others in terms[number:] for label in others}
        result, found = _multiply(result, found, operand, names, wanted, later)
    result, found = _sum_out(result, found, set(wanted))
    order = tuple([found.index(label) for label in wanted])
    if order == tuple(range(len(order))) and result is not operands[0]:
        return result
    return permute(result, order)


def _take_diagonals(operand: Any, labels: Labels) -> tuple[Any, Labels]:
    """No label twice."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            operand = diagonal(operand, 0, first, second)
            labels = [each for dim, each in enumerate(labels) if dim not in (first, second)] + [label]
    return operand, labels


def _sum_out(operand: Any, labels: Labels, kept: set[Label]) -> tuple[Any, Labels]:
    """Sum over the dimensions whose label nobody needs."""
    dims = [dim for dim, label in enumerate(labels) if label not in kept]
    if not dims:
        return operand, labels
    return sum_(operand, dims), [label for label in labels if label in kept]


def _drop_broadcast(operand: Any, labels: Labels, other: Any, others: Labels) -> tuple[Any, Labels]:
    """Drop dimensions of size 1 that the other operand has in another size: there the label lives on."""
    shape, sizes = raw(operand).shape, dict(zip(others, raw(other).shape))
    kept = [dim for dim, label in enumerate(labels) if shape[dim] != 1 or sizes.get(label, 1) == 1]
    if len(kept) == len(labels):
        return operand, labels
    return reshape(operand, [shape[dim] for dim in kept]), [labels[dim] for dim in kept]


def _multiply(a: Any, of_a: Labels, b: Any, of_b: Labels, wanted: Labels, later: set[Label]) -> tuple[Any, Labels]:
    """The product of two operands, summed over what neither ``wanted`` nor a ``later`` operand needs."""
    (a, of_a), (b, of_b) = _drop_broadcast(a, of_a, b, of_b), _drop_broadcast(b, of_b, a, of_a)
    kept = later.union(wanted)
    a, of_a = _sum_out(a, of_a, kept.union(of_b))
    b, of_b = _sum_out(b, of_b, kept.union(of_a))
    present = list(dict.fromkeys([*of_a, *of_b]))
    result = [label for label in present if label in kept]
    if not later:
        result = [label for label in wanted if label in present]  # in the final order at once
    if len(result) == len(present):
        return mul(_spread(a, of_a, result), _spread(b, of_b, result)), result
    a, b = cast_operands("bmm", a, b)
    check_bmm_dtypes(raw(a), raw(b))
    return Contract.apply(a, b, labels=(tuple(of_a), tuple(of_b), tuple(result))), result


def _spread(operand: Any, labels: Labels, wanted: Labels) -> Any:
    """The operand with its dimensions in the order ``wanted``, and size 1 for labels that it lacks."""
    sizes = dict(zip(labels, raw(operand).shape))
    order = [labels.index(label) for label in wanted if label in sizes]
    if order != list(range(len(order))):
        operand = permute(operand, order)
    if len(order) == len(wanted):
        return operand
    return reshape(operand, [sizes.get(label, 1) for label in wanted])


@autocasts
def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> Any:
    """Sum of products over chosen dimensions of two tensors.

    Shapes: the dimensions of ``a`` that are left, then those of ``b``.
    Args: dims: how many of the last of ``a`` and first of ``b`` to sum over, or two lists that pair dimensions
    of ``a`` with dimensions of ``b``; also a tensor of either.
    Raises: RuntimeError if paired sizes differ (1 broadcasts), dtypes differ, or ``dims`` makes no sense.

    >>> import minitorch as torch
    >>> torch.tensordot(torch.ones(2, 3, 4), torch.ones(4, 3, 5), dims=([1, 2], [1, 0])).shape
    torch.Size([2, 5])
    """
    left, right = arrays_of("tensordot", ("a", "b"), a, b)
    of_left, of_right = _paired_dims(dims, left, right)
    if left.dtype != right.dtype:
        raise RuntimeError("both inputs should have same dtype")
    refuse_bool(left, "addmm_impl_cpu_")
    labels_a: Labels = [("a", dim) for dim in range(left.ndim)]
    labels_b: Labels = [("b", dim) for dim in range(right.ndim)]
    for number, (dim_a, dim_b) in enumerate(zip(of_left, of_right)):
        sizes = left.shape[dim_a], right.shape[dim_b]
        if sizes[0] != sizes[1] and 1 not in sizes:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {sizes[0]} in dim {dim_a} and second "
                f"has size {sizes[1]} in dim {dim_b}"
            )
        labels_a[dim_a] = labels_b[dim_b] = number
    wanted = [label for label in labels_a + labels_b if isinstance(label, tuple)]
    (a, labels_a), (b, labels_b) = _drop_broadcast(a, labels_a, b, labels_b), _drop_broadcast(b, labels_b, a, labels_a)
    a, labels_a = _sum_out(a, labels_a, {*wanted, *labels_b})
    b, labels_b = _sum_out(b, labels_b, {*wanted, *labels_a})
    labels = tuple(labels_a), tuple(labels_b), tuple(wanted)
    if wanted:  # else it is a dot product
        a, b = cast_operands("mm", a, b)
    return write_product(Contract.apply(a, b, labels=labels), out)


def _paired_dims(dims: Any, left: Array, right: Array) -> tuple[Sequence[int], Sequence[int]]:
    """The dimensions of each side that are summed over, as they were named but counted from the front."""
    array = raw(dims)
    if hasattr(array, "tolist"):
        dims = array.tolist()
    if isinstance(dims, (tuple, list)) and len(dims) == 2 and not isinstance(dims[0], int):
        of_left, of_right = list(dims[0]), list(dims[1])
    elif isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(left.ndim, right.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        of_left, of_right = list(range(-dims, 0)), list(range(dims))
    else:
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] containing two "
            f"lists, but got dims={dims}"
        )
    if len(of_left) != len(of_right):
        raise RuntimeError("both dimension lists should have same length")
    return normalize_dims(of_left, left.ndim), normalize_dims(of_right, right.ndim)


def kron(input: Any, other: Any, *, out: Any = None) -> Any:
    """The Kronecker product: every element of ``input`` times the whole of ``other``, side by side.

    Formula: output[i·Q + p, j·R + r] = input[i, j] · other[p, r] for ``other`` (Q, R), and so for any rank.
    Shapes: sizes multiply, dimension by dimension; the smaller rank is filled up with 1 in front.
    Args: dtypes are promoted.

    >>> import minitorch as torch
    >>> torch.kron(torch.eye(2), torch.tensor([[1.0, 2.0]]))
    tensor([[1., 2., 0., 0.],
            [0., 0., 1., 2.]])
    """
    a, b = arrays_of("kron", ("input", "other"), input, other)
    ndim = max(a.ndim, b.ndim)
    of_a = (1,) * (ndim - a.ndim) + a.shape
    of_b = (1,) * (ndim - b.ndim) + b.shape
    shape_a = [size for pair in zip(of_a, (1,) * ndim) for size in pair]  # (2, 1, 3, 1)
    shape_b = [size for pair in zip((1,) * ndim, of_b) for size in pair]  # (1, 4, 1, 5)
    product = mul(reshape(input, shape_a), reshape(other, shape_b))
    result = UnsafeView.apply(product, shape=tuple([p * q for p, q in zip(of_a, of_b)]))
    return write_product(result, out)
