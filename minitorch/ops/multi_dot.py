"""``multi_dot``: the product of several matrices in the order that needs the fewest multiplications.

(A·B)·C and A·(B·C) are equal but not equally cheap: for sizes (10, 100), (100, 5), (5, 50) they need 7500 and
75000 multiplications. The cheapest order is found by dynamic programming over all ranges of matrices.

Source: Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms", section "Matrix-chain multiplication".
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import Array
from minitorch.ops.autocast import autocasts
from minitorch.ops.matmul import matmul
from minitorch.ops.matmul_checks import C_NAMES, arrays_of, write_product
from minitorch.ops.shape import squeeze, unsqueeze


@autocasts
def multi_dot(tensors: Sequence[Any], *, out: Any = None) -> Any:
    """The product of two or more matrices, multiplied in the cheapest order.

    Shapes: (N, K₁), (K₁, K₂), …, (K, M) → (N, M). The first may be a vector (one row) and the last too (one
    column); the result then lacks that dimension.
    Raises: RuntimeError for fewer than two tensors, other ranks, or sizes or dtypes that do not fit.

    >>> import minitorch as torch
    >>> torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(3, 4), torch.ones(4)])
    tensor([12., 12.])
    """
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    arrays = arrays_of("multi_dot", ("tensors",) * len(tensors), *tensors)
    matrices = list(tensors)
    if arrays[0].ndim == 1:
        matrices[0] = unsqueeze(matrices[0], 0)
    if arrays[-1].ndim == 1:
        matrices[-1] = unsqueeze(matrices[-1], 1)
    _check([raw(each) for each in matrices])
    sizes = [raw(matrices[0]).shape[0], *[raw(each).shape[1] for each in matrices]]
    result = _multiply(matrices, best_splits(sizes), 0, len(matrices) - 1)
    dropped = [dim for dim, array in ((0, arrays[0]), (1, arrays[-1])) if array.ndim == 1]
    return write_product(squeeze(result, dropped) if dropped else result, out)


@autocasts
def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """``linalg.multi_dot`` of matrices only, given one by one.

    >>> import minitorch as torch
    >>> torch.chain_matmul(torch.ones(2, 3), torch.ones(3, 4), torch.ones(4, 1)).shape
    torch.Size([2, 1])
    """
    for array in arrays_of("chain_matmul", ("matrices",) * len(matrices), *matrices):
        if array.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {array.ndim}, expected 2 instead.")
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices, out=out)


def best_splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """For matrices (sizes[0], sizes[1]), (sizes[1], sizes[2]), …: where to split each range of them in two.

    >>> best_splits([10, 100, 5, 50])[0, 2]  # after the second matrix, number 1
    1
    """
    count = len(sizes) - 1
    cost = {(index, index): 0 for index in range(count)}
    split = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            costs = [
                (cost[first, k] + cost[k + 1, last] + sizes[first] * sizes[k + 1] * sizes[last + 1], k)
                for k in range(first, last)
            ]
            cost[first, last], split[first, last] = min(costs)
    return split


def _multiply(matrices: list[Any], split: dict[tuple[int, int], int], first: int, last: int) -> Any:
    if first == last:
        return matrices[first]
    middle = split[first, last]
    return matmul(_multiply(matrices, split, first, middle), _multiply(matrices, split, middle + 1, last))


def _check(arrays: list[Array]) -> None:
    """Raise torch's error unless these are matrices of one dtype whose sizes fit."""
    for number, array in enumerate(arrays):
        if array.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {number} must be 2D but got {array.ndim}D")
        if array.dtype != arrays[0].dtype:
            first, found = C_NAMES[arrays[0].dtype.name], C_NAMES[array.dtype.name]
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{first} and tensor {number} {found}"
            )
    for number, (left, right) in enumerate(itertools.pairwise(arrays)):
        if left.shape[1] != right.shape[0]:
            shapes = f"{list(left.shape)} and {list(right.shape)}"
            raise RuntimeError(
                f"multi_dot(): tensors {number} and {number + 1} with shapes {shapes} cannot be multiplied"
            )
