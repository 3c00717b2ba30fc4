"""Whole slices along one dimension, by number: index_select, index_add, index_copy, index_fill."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, device_of, is_on_cpu, to_device
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.assignment import IndexPut, scalar_in
from minitorch.ops.autocast import autocasts
from minitorch.ops.dims import normalize_dim
from minitorch.ops.indexing import Index
from minitorch.ops.promotion import to_dtype
from minitorch.ops.shape import reshape

Shape = tuple[int, ...]


class IndexSelect(Index):
    """``index_select``: as ``Index``, under torch's name for it."""


class IndexAdd(IndexPut):
    """``index_add``: as ``IndexPut``, under torch's name for it."""


class IndexCopy(IndexPut):
    """``index_copy``: as ``IndexPut``, under torch's name for it."""


class IndexFill(IndexPut):
    """``index_fill``: as ``IndexPut``, but a slice that is named twice is still filled once."""

    def backward(self, grad_output: Any) -> Any:
        kept = IndexPut.apply(grad_output, 0, index=self.index)
        needs_input, needs_value = self.needs_input_grad[:2]
        return (kept if needs_input else None), (grad_output - kept if needs_value else None)


def along(index: Array, dim: int, like: Any) -> tuple[Any, ...]:
    """The full index of the slices ``index`` along ``dim``, on the device of ``like``."""
    return (*(slice(None),) * dim, to_device(index.reshape(-1), device_of(raw(like))))


def index_outside(index: Array, size: int, lowest: int = 0) -> int | None:
    """An index that is not in [lowest, size), if there is one.

    Looks on the CPU only: on a GPU everything would have to wait for the answer.
    """
    if not is_on_cpu(index) or index.size == 0:
        return None
    smallest, largest = int(index.min()), int(index.max())
    return largest if largest >= size else smallest if smallest < lowest else None


def _is_integer(index: Any) -> bool:
    return raw(index).dtype in ("int32", "int64")


def _dtype_name(value: Any) -> str:
    return from_numpy_dtype(raw(value).dtype).legacy_name


def index_select(input: Any, dim: int, index: Any, *, out: Any = None) -> Any:
    """The slices number ``index`` along ``dim``; a copy.

    Gradient: goes back to the slices, added up where one was taken twice.
    Raises: IndexError for a number out of range (negative ones included) or an index that is not a vector;
    RuntimeError for an index that is not of integers.

    >>> import minitorch as torch
    >>> torch.index_select(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    array, numbers = raw(input), raw(index)
    dim = normalize_dim(dim, array.ndim)
    if numbers.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not _is_integer(index):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if array.ndim == 0:
        if numbers.size != 1:
            raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {numbers.size} value(s)")
        return write_out(reshape(index_select(reshape(input, (1,)), 0, index), ()), out)
    if index_outside(numbers, array.shape[dim]) is not None:
        raise IndexError("index out of range in self")
    return write_out(IndexSelect.apply(input, index=along(numbers, dim, input)), out)


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1, out: Any = None) -> Any:
    """A copy of ``input`` with alpha · source[i] added to its slice index[i] along ``dim``; repeats add up.

    Gradient: g for ``input``, alpha · g[index] for ``source``.
    Raises: RuntimeError if shapes or dtypes do not fit, or for an index out of range.

    >>> import minitorch as torch
    >>> torch.index_add(torch.zeros(3), 0, torch.tensor([0, 0, 2]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    if raw(index).ndim > 1:
        raise IndexError(f"index_add_(): Index is supposed to be a vector, but got dim: {raw(index).ndim}")
    if not _is_integer(index):
        raise RuntimeError(f"index_add_(): Expected dtype int32/int64 for index but got: {_dtype_name(index)}")
    if _dtype_name(input) != _dtype_name(source):
        raise RuntimeError(
            f"index_add_(): self ({_dtype_name(input)}) and source ({_dtype_name(source)}) must have the same "
            "scalar type"
        )
    dim = normalize_dim(dim, raw(input).ndim)
    _check_added(raw(input).shape, raw(source).shape, dim, raw(index).size)
    source = source if alpha == 1 else source * alpha
    if raw(input).ndim == 0:  # a 0-d tensor counts as one slice
        whole = index_add(reshape(input, (1,)), 0, index, reshape(source, (1,)))
        return write_out(reshape(whole, ()), out)
    wrong = index_outside(raw(index), raw(input).shape[dim])
    if wrong is not None:
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {raw(input).shape[dim]}")
    return write_out(IndexAdd.apply(input, source, index=along(raw(index), dim, input), accumulate=True), out)


def _check_added(shape: Shape, found: Shape, dim: int, count: int) -> None:
    if len(shape) == len(found) and shape and found[dim] != count:
        raise RuntimeError(
            f"index_add_(): Number of indices ({count}) should be equal to source.size(dim): ({found[dim]}), for "
            f"dim: {dim}"
        )
    if len(shape) != len(found) or (*shape[:dim], *shape[dim + 1 :]) != (*found[:dim], *found[dim + 1 :]):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(shape)} source.shape = {list(found)}"
        )


@autocasts
def index_copy(input: Any, dim: int, index: Any, source: Any, *, out: Any = None) -> Any:
    """A copy of ``input`` with its slice index[i] along ``dim`` replaced by source[i].

    Gradient: zero in the replaced slices for ``input``; ``source`` gets theirs.
    Raises: RuntimeError if slices or dtypes do not fit; IndexError if numbers of dimensions or of indices do
    not, and for an index out of range.

    >>> import minitorch as torch
    >>> torch.index_copy(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([5.0, 7.0]))
    tensor([7., 0., 5.])
    """
    dim = normalize_dim(dim, raw(input).ndim)
    if raw(index).ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {raw(index).ndim})")
    if not _is_integer(index):
        raise RuntimeError("index_copy_(): Expected a long tensor for index, but got " + _dtype_name(index))
    if _dtype_name(input) != _dtype_name(source):
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {_dtype_name(input)} "
            f"and (source) {_dtype_name(source)}"
        )
    _check_copied(raw(input).shape, raw(source).shape, dim, raw(index).size)
    if raw(input).ndim == 0:
        return write_out(reshape(index_copy(reshape(input, (1,)), 0, index, reshape(source, (1,))), ()), out)
    size = raw(input).shape[dim]
    wrong = index_outside(raw(index), size)
    if wrong is not None:
        raise IndexError(f"index_copy_(): index {wrong} is out of bounds for dimension {dim} with size {size}")
    if raw(source).ndim == 0:
        source = reshape(source, (1,))
    return write_out(IndexCopy.apply(input, source, index=along(raw(index), dim, input)), out)


def _check_copied(shape: Shape, found: Shape, dim: int, count: int) -> None:
    if shape and found and len(shape) != len(found):
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({len(found)}), destination dimensionality ({len(shape)})"
        )
    slices = (*shape[:dim], *shape[dim + 1 :]), (*found[:dim], *found[dim + 1 :])
    if slices[0] != slices[1]:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{list(slices[0])} at dimension {dim} and source slice shape: {list(slices[1])} at dimension {dim}."
        )
    if count != (found[dim] if found else 1):
        raise IndexError(
            f"index_copy_(): Number of indices ({count}) should be equal to source.size(dim) "
            f"({found[dim] if found else 1})"
        )


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of ``input`` with the slices ``index`` along ``dim`` set to ``value``, a number or a 0-d tensor.

    Gradient: zero in the filled slices for ``input``; ``value`` gets their sum.
    Raises: RuntimeError if ``value`` has dimensions; IndexError for an index out of range.

    >>> import minitorch as torch
    >>> torch.index_fill(torch.zeros(3), 0, torch.tensor([0, 2]), 9)
    tensor([9., 0., 9.])
    """
    dim = normalize_dim(dim, raw(input).ndim)
    if not _is_integer(index):
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if raw(index).ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    if raw(input).ndim == 0:
        return reshape(index_fill(reshape(input, (1,)), 0, index, value), ())
    size = raw(input).shape[dim]
    wrong = index_outside(raw(index), size, -size)
    if wrong is not None:
        raise IndexError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")
    return IndexFill.apply(input, as_fill_value(input, value, "index_fill_"), index=along(raw(index), dim, input))


def as_fill_value(input: Any, value: Any, name: str) -> Any:
    """``value``, a number or a 0-d tensor, in the dtype of ``input``."""
    dtype = from_numpy_dtype(raw(input).dtype)
    if isinstance(value, (bool, int, float)):
        return scalar_in(value, dtype)
    if raw(value).ndim:
        raise RuntimeError(
            f"{name} only supports a 0-dimensional value tensor, but got tensor with {raw(value).ndim} dimension(s)."
        )
    return to_dtype(value, dtype)
