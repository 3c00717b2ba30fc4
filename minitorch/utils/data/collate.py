"""From a list of samples to a batch: ``default_collate``, and ``default_convert`` for loaders without batches.

Both walk through nested samples (dicts, tuples, lists, named tuples) and keep the containers' types. What
becomes of a leaf is a table from types to functions, ``default_collate_fn_map``, which callers may extend.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any, TypeAlias

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import wrap
from minitorch.backend import HostArray, host
from minitorch.backend.threads import parallel, split
from minitorch.ops.joining import stack
from minitorch.tensor.creation import as_tensor, tensor
from minitorch.tensor.tensor import Tensor
from minitorch.utils.data.shared_blocks import empty_for_sending

CollateMap: TypeAlias = dict[Any, Callable[..., Any]]

_LARGE_ROW = 1 << 15  # bytes; from here on copying takes longer than Python's part in it

_REFUSED = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def default_convert(data: Any) -> Any:
    """NumPy arrays inside ``data`` as tensors, the rest as it is; tuples become lists.

    >>> import numpy
    >>> default_convert({"image": numpy.zeros(2), "name": "a"})
    {'image': tensor([0., 0.], dtype=torch.float64), 'name': 'a'}
    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (HostArray, host.generic)) and not isinstance(data, host.str_):
        return data if isinstance(data, HostArray) and _holds_no_numbers(data) else as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(value) for value in data])
    return data


def default_collate(batch: Sequence[Any]) -> Any:
    """The samples of ``batch`` put together: tensors, arrays and numbers stacked along a new first dimension.

    Inside containers, field by field: dicts of samples become a dict of batches, tuples and lists a list of
    them. Strings and bytes stay a list. Python floats become float64.
    Raises: TypeError for samples of other types, RuntimeError for lists or tensors of different sizes.

    >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    >>> default_collate([(1.0, 0), (2.0, 1)])
    [tensor([1., 2.], dtype=torch.float64), tensor([0, 1])]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """``default_collate`` with another table of what to do with leaves.

    Args:
        collate_fn_map: from a type, or a tuple of types, to ``function(batch, *, collate_fn_map)``; the exact
            type of the first sample is looked up first, then the first entry that it is an instance of.
    """
    first = batch[0]
    function = _function_for(first, collate_fn_map or {})
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        fields = {key: collate([each[key] for each in batch], collate_fn_map=collate_fn_map) for key in first}
        return _mapping_like(first, fields)
    if isinstance(first, Sequence):
        is_named_tuple = isinstance(first, tuple) and hasattr(first, "_fields")
        if not is_named_tuple and any(len(each) != len(first) for each in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
        return _sequence_like(first, columns)
    raise TypeError(_REFUSED.format(type(first)))


def _function_for(first: Any, table: CollateMap) -> Callable[..., Any] | None:
    if type(first) in table:
        return table[type(first)]
    return next((function for kind, function in table.items() if isinstance(first, kind)), None)


# ------------------------------------------------------------------------------- containers of the same type


def _mapping_like(original: Any, items: dict[Any, Any]) -> Any:
    """``items`` in a mapping of the original's type, with what else the original carries; else a dict."""
    try:
        if not isinstance(original, MutableMapping):
            return type(original)(items)
        twin = copy.copy(original)
        twin.update(items)
        return twin
    except TypeError:  # a type that cannot be copied, or made from a dict
        return items


def _sequence_like(original: Any, values: list[Any]) -> Any:
    """``values`` in a sequence of the original's type; a list for tuples, and for types that cannot be made."""
    if isinstance(original, tuple):
        return type(original)(*values) if hasattr(original, "_fields") else values
    try:
        if not isinstance(original, MutableSequence):
            return type(original)(values)
        twin = copy.copy(original)
        for index, value in enumerate(values):
            twin[index] = value
        return twin
    except TypeError:
        return values


# ------------------------------------------------------------------------------------------------- leaves


def collate_tensor(batch: Sequence[Tensor], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Tensors stacked; in a worker process straight into memory that the main process sees, too."""
    first = batch[0].array
    if not _is_plain(batch):
        return stack(list(batch), 0)
    arrays = [each.array for each in batch]
    stacked = empty_for_sending((len(arrays), *first.shape), first.dtype)
    if first.ndim == 0:
        stacked[:] = host.array(arrays)
    elif first.nbytes < _LARGE_ROW:  # to put them one after another is the same, and quickest for many small ones
        host.concatenate(arrays, out=stacked.reshape(len(arrays) * first.shape[0], *first.shape[1:]))
    else:
        parallel(split(len(arrays), stacked.size), lambda part: _copy_rows(arrays[part], stacked[part]))
    return wrap(stacked, batch[0].result_class)


def _copy_rows(arrays: list[HostArray], rows: HostArray) -> None:
    for row, array in zip(rows, arrays):
        row[...] = array  # unlike concatenate, lets other threads work at the same time


def _is_plain(batch: Sequence[Tensor]) -> bool:
    """Whether the tensors lie in host memory, are alike, and have no gradients to record."""
    array = batch[0].array
    shape, dtype = array.shape, array.dtype
    for each in batch:
        other = getattr(each, "array", None)  # a caller may mix tensors with something else: stack refuses it
        if other.__class__ is not HostArray or other.shape != shape or other.dtype != dtype or each.needs_grad:
            return False
    return True


def collate_array(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """NumPy arrays as tensors, then as the table says."""
    if _holds_no_numbers(batch[0]):
        raise TypeError(_REFUSED.format(batch[0].dtype))
    return collate([as_tensor(each) for each in batch], collate_fn_map=collate_fn_map)


def _holds_no_numbers(array: HostArray) -> bool:
    return array.dtype.kind in "SaUO"


def collate_number(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Python ints and bools, and NumPy's numbers, as a tensor of the dtype that they have."""
    if _are_all(batch, int) and min(batch) >= -(2**63) and max(batch) < 2**63:
        return as_tensor(host.array(batch, dtype="int64"))  # several times faster than looking at each value
    return tensor(batch)


def collate_float(batch: Sequence[float], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    """Python floats as float64."""
    if _are_all(batch, float):
        return as_tensor(host.array(batch, dtype="float64"))
    return tensor(batch, dtype=dtypes.float64)


def _are_all(values: Iterable[Any], kind: type) -> bool:
    return set(map(type, values)) == {kind}


def collate_string(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Sequence[Any]:
    """Strings and bytes as they are."""
    return batch


default_collate_fn_map: CollateMap = {
    Tensor: collate_tensor,
    HostArray: collate_array,
    (host.bool_, host.number, host.object_): collate_number,
    float: collate_float,
    int: collate_number,
    str: collate_string,
    bytes: collate_string,
}
