"""Finding places in sorted numbers: searchsorted, bucketize."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.backend import Array, array_module, is_array
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.index_along import index_outside


def _insertion_points(sequence: Array, values: Array, right: bool) -> Array:
    """Binary search in all rows at once: each value's place is narrowed down to [low, high) and halved.

    A comparison with NaN is false, which sends a NaN to the end.
    """
    xp = array_module(sequence)
    size = sequence.shape[-1]
    low = xp.zeros(values.shape, "int64")
    high = xp.full(values.shape, size, "int64")
    for _ in range(size.bit_length()):
        is_open = low < high
        middle = (low + high) // 2
        inside = xp.minimum(middle, size - 1)
        found = sequence[inside] if sequence.ndim == 1 else xp.take_along_axis(sequence, inside, axis=-1)
        goes_left = found > values if right else found >= values
        low = xp.where(is_open & ~goes_left, middle + 1, low)
        high = xp.where(is_open & goes_left, middle, high)
    return low


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
    out: Any = None,
) -> Any:
    """Where each value would have to be inserted to keep the last dimension of ``sorted_sequence`` sorted.

    Before equal elements, or after them with ``right`` (or ``side="right"``). ``sorter``: the indices that sort
    the sequence. The other dimensions must be equal, unless the sequence has just one.
    Gradient: none.
    Raises: RuntimeError if shapes do not fit or ``side`` contradicts ``right``.

    >>> import minitorch as torch
    >>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 6, 0]))
    tensor([1, 3, 0])
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    sequence = raw(sorted_sequence)
    xp = array_module(sequence)
    values = raw(input) if is_array(raw(input)) else xp.asarray(input)
    _check_shapes(sequence, values, is_number=not is_array(raw(input)))
    if sorter is not None:
        sequence = _sorted(sequence, raw(sorter))
    if sequence.dtype != values.dtype and sequence.dtype.kind == values.dtype.kind == "f":
        values, sequence = values.astype("float64"), sequence.astype("float64")
    places = _insertion_points(sequence, values, right or side == "right")
    return write_out(_like(sorted_sequence, places.astype("int32") if out_int32 else places), out)


def _like(tensor: Any, array: Array) -> Any:
    return wrap(array, tensor.result_class) if isinstance(tensor, Variable) else array


def _check_shapes(sequence: Array, values: Array, is_number: bool) -> None:
    if sequence.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if values.ndim == 0 and sequence.ndim != 1:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we "
            f"got boundaries tensor dim({sequence.ndim}) and input value's dim(0) numel(1)"
        )
    if sequence.ndim != 1 and (sequence.ndim != values.ndim or sequence.shape[:-1] != values.shape[:-1]):
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            "boundaries tensor and input value tensor must match, but we got boundaries tensor "
            f"{list(sequence.shape)} and input value tensor {list(values.shape)}"
        )


def _sorted(sequence: Array, sorter: Array) -> Array:
    if sorter.shape != sequence.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(sequence.shape)}and got sorter tensor {list(sorter.shape)}"
        )
    if sorter.dtype != "int64":
        found = from_numpy_dtype(sorter.dtype).legacy_name
        raise RuntimeError(f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {found}")
    if index_outside(sorter, sequence.shape[-1]) is not None:
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return array_module(sequence).take_along_axis(sequence, sorter, axis=-1)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False, out: Any = None) -> Any:
    """The number of the bucket each value falls into, the boundaries being sorted and one-dimensional.

    boundaries[i − 1] < value ≤ boundaries[i] gives i; with ``right``, boundaries[i − 1] ≤ value < boundaries[i].
    Raises: RuntimeError for boundaries with more than one dimension.

    >>> import minitorch as torch
    >>> torch.bucketize(torch.tensor([1, 4, 9]), torch.tensor([4, 8]))
    tensor([0, 0, 2])
    """
    if raw(boundaries).ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({raw(boundaries).ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)
