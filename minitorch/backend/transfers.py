"""Copies between host memory and GPUs, and host memory that is *pinned*: page-locked, so that a GPU reads it by itself.

To the GPU. CuPy copies pageable memory into pinned memory of its own before it returns, and from there while the host
goes on: whoever called may overwrite or drop the source at once. A pinned source is read in place. If the copy is
``non_blocking`` its owner must not write to it before the copy is over (as in torch); dropping it is safe, as CuPy
keeps it until then.

To the host. The host waits for the values, unless ``non_blocking``: then the result is pinned, and right once the
stream has been waited for.

Both keep the order of the elements in memory (channels last stays channels last).
"""

from __future__ import annotations

import math
from typing import Any

import numpy

from minitorch.backend import accelerator
from minitorch.backend.arrays import Array, HostArray, as_strided, current_cuda_device, is_on_cpu
from minitorch.backend.graphs import check_capture
from minitorch.backend.layout import is_dense, order_of
from minitorch.device import device


def to_device(array: Array, target: device, non_blocking: bool = False) -> Array:
    """The array on ``target``: itself if it is there, else a copy."""
    if target.type == "cpu":
        if is_on_cpu(array):
            return numpy.asarray(array)
        check_capture("it copies to the host")
        return _to_host(array, non_blocking)
    module = accelerator.require(target.index)
    index = target.index if target.index is not None else current_cuda_device()
    if not is_on_cpu(array) and array.device.id == index:
        return array
    with module.cuda.Device(index):
        if isinstance(array, HostArray):
            check_capture("it copies to the GPU")
            return _in_memory_order(array, lambda source: _upload(module, source, non_blocking))
        return module.asarray(array)


def copy_to_host(source: Array, target: Array, non_blocking: bool) -> bool:
    """Copy values of a GPU straight to where they shall lie; False where that cannot be done."""
    fits = target.shape == source.shape and target.dtype == source.dtype
    if not fits or not (target.flags.c_contiguous and target.flags.writeable):
        return False
    _download(source, target, non_blocking and is_pinned(target))
    return True


def _in_memory_order(array: Array, copy: Any) -> Array:
    """``copy(array)`` for a copy that knows row-major memory only, in the order in which the array lies."""
    if array.flags.c_contiguous or not is_dense(array):
        return copy(array)
    order = order_of(array.shape, array.strides)
    return copy(array.transpose(order)).transpose([order.index(dim) for dim in range(array.ndim)])


def _upload(module: Any, source: HostArray, non_blocking: bool) -> Array:
    if non_blocking or not is_pinned(source):
        return module.asarray(source)
    return module.asarray(source, blocking=True)  # in place, so that the owner may write to it now


def _to_host(array: Array, non_blocking: bool) -> HostArray:
    """A copy in host memory."""
    if not non_blocking:
        return _in_memory_order(array, lambda source: source.get())

    def copy(source: Array) -> HostArray:
        target = pinned_empty(source.shape, source.dtype)
        if target.size:
            _download(source, target, non_blocking=True)
        return target

    return _in_memory_order(array, copy)


def _download(source: Array, target: HostArray, non_blocking: bool) -> None:
    """Copy to host memory on the GPU's current stream, which keeps the target alive until it has written there."""
    cuda, index = accelerator.require().cuda, int(source.device.id)
    with cuda.Device(index):
        source.get(out=target, blocking=not non_blocking)
        if non_blocking:
            accelerator.memory().in_flight.until_done(target, cuda.get_current_stream(), index)


# ------------------------------------------------------------------------------------------------- pinned memory


def pinned_empty(shape: tuple[int, ...], dtype: Any) -> HostArray:
    """Pinned memory whose values are not set, row-major; from CuPy's pool, to which it returns when it is dropped.

    Raises: RuntimeError without a GPU.
    """
    count, kind = math.prod(shape), numpy.dtype(dtype)
    allocate = accelerator.require().cuda.alloc_pinned_memory
    if not count:
        return numpy.empty(shape, kind)
    if in_flight := accelerator.memory().in_flight:
        in_flight.release()
    return numpy.frombuffer(allocate(count * kind.itemsize), kind, count).reshape(shape)


def pinned_copy(array: HostArray) -> HostArray:
    """The values in pinned memory, with the same strides, gaps included."""
    if array.flags.c_contiguous:
        memory = pinned_empty(array.shape, array.dtype)
    else:
        last = sum((size - 1) * abs(stride) for size, stride in zip(array.shape, array.strides))
        memory = pinned_empty((last // array.itemsize + 1,), array.dtype)
    copied = memory if memory.strides == array.strides else as_strided(memory, array.shape, array.strides)
    copied[...] = array
    return copied


def is_pinned(array: Array) -> bool:
    """Whether the array lies in pinned host memory, whoever pinned it."""
    module = accelerator.loaded()
    if module is None or not isinstance(array, HostArray) or not array.size:
        return False
    return bool(module.cuda.pinned_memory.is_memory_pinned(array.ctypes.data))
