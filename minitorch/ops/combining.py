"""Grids, combinations and blocks: meshgrid, cartesian_prod, combinations, block_diag."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.backend import Array, array_module, host
from minitorch.ops.indexing import Index
from minitorch.ops.joining import stack
from minitorch.ops.promotion import promote
from minitorch.ops.shape import expand, reshape

Shape = tuple[int, ...]


def _several(tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    """Tensors that were given one by one or as one list."""
    is_one_list = len(tensors) == 1 and isinstance(tensors[0], (tuple, list))
    return tuple(tensors[0]) if is_one_list else tensors


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """For n vectors, n tensors with n dimensions: the i-th holds vector i along dimension i, repeated; views.

    ``indexing="xy"`` swaps the first two dimensions (as in plots); the default is "ij".
    Raises: RuntimeError for no tensors, several dtypes, more than one dimension, or another ``indexing``.

    >>> import minitorch as torch
    >>> rows, columns = torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4, 5]), indexing="ij")
    >>> columns
    tensor([[3, 4, 5],
            [3, 4, 5]])
    """
    tensors = _several(tensors)
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=2,
        )
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if len({raw(tensor).dtype for tensor in tensors}) > 1:
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    for tensor in tensors:
        if raw(tensor).ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {tensor}")
    swap = indexing == "xy" and len(tensors) >= 2
    if swap:
        tensors = (tensors[1], tensors[0], *tensors[2:])
    shape = [raw(tensor).size for tensor in tensors]
    grids = []
    for dim, tensor in enumerate(tensors):
        alone = [1] * len(shape)
        alone[dim] = shape[dim]
        grids.append(expand(reshape(tensor, alone), shape))
    return (grids[1], grids[0], *grids[2:]) if swap else tuple(grids)


def cartesian_prod(*tensors: Any) -> Any:
    """All ways of taking one element of each vector, a row each; a single vector is returned as it is.

    >>> import minitorch as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    tensors = _several(tensors)
    for tensor in tensors:
        _check_is_vector(tensor)
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(grid, (-1,)) for grid in meshgrid(*tensors, indexing="ij")], 1)


def _check_is_vector(tensor: Any) -> None:
    if raw(tensor).ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(raw(tensor).shape)}")


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All ways of choosing ``r`` elements of a vector, order kept, a row each.

    >>> import minitorch as torch
    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    _check_is_vector(input)
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    array = raw(input)
    if r == 0:
        empty = array_module(array).zeros(0, array.dtype)
        return wrap(empty, input.result_class) if isinstance(input, Variable) else empty
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = host.array(list(choose(range(array.size), r)), "int64").reshape(-1, r)
    return Index.apply(input, index=(array_module(array).asarray(chosen),))


class BlockDiag(Function):
    """The matrices along the diagonal, zeros elsewhere;  each gets its block of the gradient."""

    def forward(self, *values: Array, shapes: list[Shape]) -> Array:
        self.shapes, self.input_shapes = shapes, [value.shape for value in values]
        totals = tuple([sum(sizes) for sizes in zip(*shapes)])
        result = array_module(values[0]).zeros(totals, values[0].dtype)
        for value, shape, block in zip(values, shapes, _blocks(shapes)):
            result[block] = value.reshape(shape)
        return result

    def backward(self, grad_output: Any) -> Any:
        blocks = zip(_blocks(self.shapes), self.input_shapes, self.needs_input_grad)
        return tuple([reshape(grad_output[block], shape) if needed else None for block, shape, needed in blocks])


def _blocks(shapes: list[Shape]) -> list[tuple[slice, slice]]:
    """Rows and columns of each block."""
    blocks, row, column = [], 0, 0
    for rows, columns in shapes:
        blocks.append((slice(row, row + rows), slice(column, column + columns)))
        row, column = row + rows, column + columns
    return blocks


def block_diag(*tensors: Any) -> Any:
    """The matrix that has these (a vector is a row, a 0-d tensor one element) along its diagonal.

    Raises: RuntimeError for a tensor of more than two dimensions.

    >>> import minitorch as torch
    >>> torch.block_diag(torch.tensor([[1, 2]]), torch.tensor([3]))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    tensors = _several(tensors)
    if not tensors:
        raise RuntimeError("block_diag expects at least one tensor")
    for position, tensor in enumerate(tensors):
        if raw(tensor).ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{position} has {raw(tensor).ndim} dimensions"
            )
    tensors = promote(*tensors)
    shapes = [(*(1,) * (2 - raw(tensor).ndim), *raw(tensor).shape) for tensor in tensors]
    return BlockDiag.apply(*tensors, shapes=shapes)
