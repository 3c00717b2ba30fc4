"""One index for every element along one dimension: gather, scatter and their relatives.

For dim = 0 and three dimensions (the others alike):

    gather   result[i, j, k] = input[index[i, j, k], j, k]
    scatter  result[index[i, j, k], j, k] = src[i, j, k]

They are each other's gradient, so both are written with the functions of ``indexing``: the index along ``dim``
is completed by the running indices of all other dimensions.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, device_of, is_array, to_device
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.assignment import IndexPut, scalar_in
from minitorch.ops.autocast import autocasts
from minitorch.ops.dims import normalize_dim
from minitorch.ops.index_along import index_outside
from minitorch.ops.indexing import BasicIndex, Index
from minitorch.ops.promotion import is_variable
from minitorch.ops.scatter_reduction import ScatterReduce
from minitorch.ops.shape import broadcast_shapes, expand, reshape

Shape = tuple[int, ...]


class Gather(Index):
    """``gather``: as ``Index``, under torch's name for it."""


class Scatter(IndexPut):
    """``scatter``: as ``IndexPut``, under torch's name for it."""


class ScatterAdd(IndexPut):
    """``scatter_add``: as ``IndexPut``, under torch's name for it."""


def full_index(index: Array, dim: int) -> tuple[Array, ...]:
    """``index`` along ``dim``, completed by the running index of every other dimension.

    >>> from minitorch.backend import host
    >>> [part.shape for part in full_index(host.zeros((2, 3), int), 0)]
    [(2, 3), (1, 3)]
    """
    xp = array_module(index)
    parts = []
    for axis, size in enumerate(index.shape):
        shape = [1] * index.ndim
        shape[axis] = size
        parts.append(index if axis == dim else xp.arange(size).reshape(shape))
    return tuple(parts)


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False, out: Any = None) -> Any:
    """result[…, j, …] = input[…, index[…, j, …], …] along ``dim``.

    Shapes: ``index`` has as many dimensions as ``input`` and, except along ``dim``, no larger sizes; the result
    has its shape.
    Gradient: goes back to the elements, added up where one was taken twice.
    Raises: RuntimeError for an index out of range or that does not fit; NotImplementedError for sparse_grad.

    >>> import minitorch as torch
    >>> torch.gather(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    if sparse_grad:
        raise NotImplementedError("gather: sparse_grad=True needs sparse tensors, which minitorch does not have")
    shape, numbers = raw(input).shape, raw(index)
    dim = normalize_dim(dim, len(shape))
    _check_is_integer("gather", numbers)
    if max(numbers.ndim, 1) != max(len(shape), 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    _check_not_larger(numbers.shape, shape, dim)
    input, numbers = _with_dimensions(input), _with_dimensions(numbers)
    result = Gather.apply(input, index=full_index(_checked(numbers, input, dim), dim))
    return write_out(reshape(result, ()) if raw(index).ndim == 0 else result, out)


def _with_dimensions(value: Any) -> Any:
    return value if raw(value).ndim else reshape(value, (1,))


def _check_is_integer(name: str, index: Array) -> None:
    if index.dtype not in ("int32", "int64"):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


def _check_not_larger(index: Shape, shape: Shape, dim: int) -> None:
    for axis, (size, limit) in enumerate(zip(index, shape)):
        if axis != dim and size > limit:
            raise RuntimeError(
                f"Size does not match at dimension {axis} expected index {list(index)} to be no larger than self "
                f"{list(shape)} apart from dimension {dim}"
            )


def _checked(index: Array, input: Any, dim: int) -> Array:
    """``index`` on the input's device, after checking that it lies within the input."""
    size = raw(input).shape[dim]
    wrong = index_outside(index, size)
    if wrong is not None:
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {dim} with size {size}")
    return to_device(index, device_of(raw(input)))


def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None, out: Any = None
) -> Any:
    """A copy of ``input`` with result[…, index[…, j, …], …] = src[…, j, …] along ``dim``.

    ``src`` is a tensor at least as large as ``index``, or a number (also called ``value``). ``reduce`` "add" or
    "multiply" combines with what is there instead of replacing it. Which of two values for one place stays is
    not defined.
    Gradient: zero at the places for ``input``, theirs for ``src``; none with ``reduce``, as in torch.
    Raises: RuntimeError for an index out of range, for sizes or dtypes that do not fit.

    >>> import minitorch as torch
    >>> torch.scatter(torch.zeros(2, 2), 1, torch.tensor([[0], [1]]), 5.0)
    tensor([[5., 0.],
            [0., 5.]])
    """
    src = value if src is None else src
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    target, full, src = _prepare(input, dim, index, src)
    if reduce is None:
        result = Scatter.apply(target, src, index=full)
    else:
        kind = {"add": "sum", "multiply": "prod"}[reduce]
        result = ScatterReduce.apply(target, src, index=full, reduce=kind, has_gradient=False)
    return write_out(reshape(result, raw(input).shape), out)


def _prepare(input: Any, dim: int, index: Any, src: Any) -> tuple[Any, Any, Any]:
    """Input, full index and source of a scatter, checked and cut to the index's shape."""
    shape, numbers = raw(input).shape, raw(index)
    dim = normalize_dim(dim, len(shape))
    if numbers.size == 0:  # allowed whatever its shape
        nowhere = (array_module(raw(input)).zeros(0, "int64"),) * max(len(shape), 1)
        is_tensor = is_variable(src) or is_array(src)
        return _with_dimensions(input), nowhere, reshape(src, (-1,))[:0] if is_tensor else 0
    _check_is_integer("scatter", numbers)
    if max(numbers.ndim, 1) != max(len(shape), 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if is_variable(src) or is_array(src):
        src = _cut(input, numbers.shape, src, dim)
    else:
        _check_scattered(numbers.shape, shape, dim, None)
        src = scalar_in(src, from_numpy_dtype(raw(input).dtype))
    target, numbers = _with_dimensions(input), _with_dimensions(numbers)
    return target, full_index(_checked(numbers, target, dim), dim), src


def _cut(input: Any, index: Shape, src: Any, dim: int) -> Any:
    """The part of ``src`` that is scattered: its first index.shape elements."""
    found = raw(src).shape
    if raw(src).dtype != raw(input).dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if max(len(found), 1) != max(len(index), 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    _check_scattered(index, raw(input).shape, dim, found)
    if len(found) != len(index) or not found:
        return reshape(src, (1,)) if raw(src).size == 1 else src[:1]
    if found == index:
        return src
    return BasicIndex.apply(src, index=(*[slice(0, size) for size in index], Ellipsis))


def _check_scattered(index: Shape, shape: Shape, dim: int, src: Shape | None) -> None:
    fits = all(size <= limit for axis, (size, limit) in enumerate(zip(index, shape)) if axis != dim)
    if src is None and not fits:
        raise RuntimeError(
            f"Expected index {list(index)} to be no larger than self {list(shape)} apart from dimension {dim}"
        )
    if src is not None and not (fits and all(size <= limit for size, limit in zip(index, src))):
        raise RuntimeError(
            f"Expected index {list(index)} to be no larger than self {list(shape)} apart from dimension {dim} and to "
            f"be no larger size than src {list(src)}"
        )


@autocasts
def scatter_add(input: Any, dim: int, index: Any, src: Any, *, out: Any = None) -> Any:
    """A copy of ``input`` with src[…, j, …] added to result[…, index[…, j, …], …] along ``dim``; repeats add up.

    Gradient: g for ``input``, gather(g, dim, index) for ``src``.
    Raises: RuntimeError for an index out of range, for sizes or dtypes that do not fit.

    >>> import minitorch as torch
    >>> torch.scatter_add(torch.zeros(3), 0, torch.tensor([0, 0, 2]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    target, full, src = _prepare(input, dim, index, src)
    result = ScatterAdd.apply(target, src, index=full, accumulate=True)
    return write_out(reshape(result, raw(input).shape), out)


def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True, out: Any = None
) -> Any:
    """A copy of ``input`` where all src[…, j, …] that go to one place, and what is there, are reduced to one value.

    ``reduce`` is "sum", "prod", "mean", "amax" or "amin"; without ``include_self`` what is there does not count.
    Gradient: that of the reduction; for amax and amin shared equally between equal values.
    Raises: RuntimeError for an index out of range, for sizes or dtypes that do not fit, for another ``reduce``.

    >>> import minitorch as torch
    >>> torch.scatter_reduce(torch.ones(2), 0, torch.tensor([0, 0]), torch.tensor([2.0, 3.0]), "prod")
    tensor([6., 1.])
    """
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    target, full, src = _prepare(input, dim, index, src)
    result = ScatterReduce.apply(target, src, index=full, reduce=reduce, include_self=include_self)
    return write_out(reshape(result, raw(input).shape), out)


def take_along_dim(input: Any, indices: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """``gather`` where the other dimensions broadcast: what ``argmax`` and ``argsort`` point at.

    Without ``dim`` both are flattened.
    Gradient: as ``gather``.
    Raises: RuntimeError for an index out of range, if the numbers of dimensions differ, or if ``indices`` is not
    int64.

    >>> import minitorch as torch
    >>> x = torch.tensor([[30, 10, 20]])
    >>> torch.take_along_dim(x, torch.tensor([[1, 2, 0]]), 1)
    tensor([[10, 20, 30]])
    """
    if raw(indices).dtype != "int64":
        name = from_numpy_dtype(raw(indices).dtype).legacy_name
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {name}")
    if dim is None:
        input, indices, dim = reshape(input, (-1,)), reshape(indices, (-1,)), 0
    shape, wanted = raw(input).shape, raw(indices).shape
    if len(shape) != len(wanted):
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{len(shape)} dimensions for input, and {len(wanted)} dimensions for indices"
        )
    dim = normalize_dim(dim, len(shape))
    common = broadcast_shapes((*shape[:dim], 1, *shape[dim + 1 :]), (*wanted[:dim], 1, *wanted[dim + 1 :]))
    input = expand(input, (*common[:dim], shape[dim], *common[dim + 1 :]))
    index = expand(_checked(raw(indices), input, dim), (*common[:dim], wanted[dim], *common[dim + 1 :]))
    return write_out(Gather.apply(input, index=full_index(index, dim)), out)
