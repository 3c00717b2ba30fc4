"""From Python data to arrays: nested lists, sizes and devices as callers write them, checked as torch does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import Variable
from minitorch.backend import Array, HostArray, as_array, host, is_array, is_available, is_on_cpu, pinned_copy
from minitorch.device import CPU, device

Device = Any  # a device, a string such as "cuda:0", an index, or None for the CPU


def resolve_device(where: Device) -> device:
    """What the caller said about a device, as a ``device``."""
    if where is None:
        return CPU
    return where if isinstance(where, device) else device(where)


def pinned(array: Array) -> Array:
    """What a constructor has made, in pinned memory, for ``pin_memory=True``.

    Raises: RuntimeError without a GPU, or if it was made on one.
    """
    if not is_available():
        raise RuntimeError(
            "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is available on "
            "this system."
        )
    if not is_on_cpu(array):
        raise RuntimeError("Only dense CPU tensors can be pinned")
    return pinned_copy(array)


def as_size(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes of ``zeros(2, 3)`` or ``zeros((2, 3))`` as a tuple of ints; torch's errors otherwise."""
    if len(size) == 1 and isinstance(size[0], (list, tuple)):
        size = tuple(size[0])
    for each in size:
        if not hasattr(each, "__index__") or isinstance(each, bool):
            raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {type(each).__name__}")
    sizes = tuple(int(each.__index__()) for each in size)
    if any(each < 0 for each in sizes):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {list(sizes)}")
    if math.prod(sizes) >= 2**63:
        raise RuntimeError("Storage size calculation overflowed with sizes=" + str(list(sizes)))
    return sizes


def array_from_data(data: Any, dtype: dtypes.dtype | None) -> Array:
    """A fresh array with the values of ``data``; see ``creation.tensor``."""
    dtype = dtypes.chosen_dtype(dtype, None)
    if isinstance(data, Variable):
        data = data.array
    if is_array(data):
        array = as_array(data)
        dtypes.from_numpy_dtype(array.dtype)  # refuses what no tensor can hold
        return array.astype(dtype.numpy if dtype else array.dtype, copy=True, order="C")
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    numbers = _as_lists(data)
    inferred = _infer_dtype(numbers) if dtype is None else dtype
    return _from_lists(numbers, inferred)


def _as_lists(data: Any) -> Any:
    """Nested sequences as nested lists, tensors and arrays inside them as numbers and lists."""
    if isinstance(data, Variable):
        if data.array.ndim and data.array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return data.array.item()
    if isinstance(data, HostArray):
        return [_as_lists(each) for each in data] if data.ndim else data[()]
    if isinstance(data, str):
        raise ValueError("too many dimensions 'str'")
    if isinstance(data, Sequence):
        return [_as_lists(each) for each in data]
    return data


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, list):
        for each in data:
            yield from _leaves(each)
    else:
        yield data


def _infer_dtype(data: Any) -> dtypes.dtype:
    found: dtypes.dtype | None = None
    for leaf in _leaves(data):
        kind = getattr(leaf, "dtype", None)
        if kind is None and not isinstance(leaf, (bool, int, float)):
            raise RuntimeError(f"Could not infer dtype of {type(leaf).__name__}")
        each = dtypes.from_numpy_dtype(kind) if kind is not None else dtypes.dtype_of(leaf)
        found = each if found is None else dtypes.promote_types(found, each)
    return dtypes.get_default_dtype() if found is None else found


def _from_lists(data: Any, dtype: dtypes.dtype) -> Array:
    shape = _shape_of(data)
    _check_not_ragged(data, shape, 0)
    flat = list(_leaves(data))
    for leaf in flat:
        if isinstance(leaf, int) and not -(2**63) <= leaf < 2**63:
            raise ValueError("Overflow when unpacking long long")
    try:
        return host.array(flat, dtype=dtype.numpy).reshape(shape)
    except OverflowError as error:
        raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow") from error
    except (TypeError, ValueError) as error:
        raise TypeError(f"tensor: cannot make a {dtype} tensor from {type(data).__name__}: {error}") from error


def _shape_of(data: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(data, list):
        shape.append(len(data))
        if not data:
            break
        data = data[0]
    return tuple(shape)


def _check_not_ragged(data: Any, shape: tuple[int, ...], depth: int) -> None:
    if depth == len(shape):
        if isinstance(data, list):
            raise TypeError(f"not a number: {data!r} at dim {depth}")
        return
    if not isinstance(data, list):
        raise TypeError(f"not a sequence: {data!r} at dim {depth}")
    if len(data) != shape[depth]:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    for each in data:
        _check_not_ragged(each, shape, depth + 1)
