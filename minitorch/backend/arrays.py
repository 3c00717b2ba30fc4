"""Arrays of either device: which module computes on one, where it lies, how it moves.

An op says ``xp = array_module(x)`` and calls ``xp.exp(x)``: NumPy for an array in host memory, CuPy for one
on a GPU. Everything else that differs between the two is a function in this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from minitorch.backend import accelerator
from minitorch.backend.graphs import check_capture, is_capturing
from minitorch.device import CPU, device

host = numpy  # the array module of host memory, for the few places that build arrays from Python data
Array = Any  # numpy.ndarray or cupy.ndarray: no common base class exists

HostArray = numpy.ndarray
as_strided = numpy.lib.stride_tricks.as_strided  # of arrays in host memory
_numpy_array = HostArray
_CUPY_JOINS_ONE_BY_ONE = 8  # arrays, and more at once
_CUDA_DEVICES = tuple(device("cuda", index) for index in range(64))


def array_module(array: Array) -> Any:
    """``numpy`` for a NumPy array, scalar or Python number, the GPU's module for a GPU array."""
    if array.__class__ is _numpy_array or not hasattr(array, "get"):
        return numpy
    return accelerator.require()


def common_module(*values: Any) -> Any:
    """The array module of the arrays among ``values``; the others may be numbers, of Python or NumPy."""
    for value in values:
        if value.__class__ is not _numpy_array and hasattr(value, "get"):
            return accelerator.require()
    return numpy


def is_array(value: Any) -> bool:
    """Whether ``value`` is a raw array (or NumPy scalar) of either device."""
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return True
    module = accelerator.load() if value.__class__.__name__ == "ndarray" else None
    return module is not None and isinstance(value, module.ndarray)


def as_array(value: Array) -> Array:
    """``value`` as an array: NumPy's functions return scalars, not arrays, where the result has no dimensions."""
    if value.__class__ is _numpy_array or hasattr(value, "get"):
        return value
    return numpy.asarray(value)


def as_array_of(xp: Any, value: Any) -> Array:
    """``value`` as an array of the module ``xp``: a number, of Python or NumPy, becomes one without dimensions.

    On a GPU the number is an argument of the launch that fills the array: nothing is copied, nothing waits.
    """
    return value if isinstance(value, xp.ndarray) else xp.full((), value)


def row_major(array: Array) -> Array:
    """The array laid out row after row: itself if it is already, else a copy.

    NumPy's results follow the layout of the inputs. Those of torch's reductions, indexing and joining do not, and
    callers rely on that: ``view`` refuses what is not laid out row after row.
    """
    return array if array.flags.c_contiguous else array.copy()


def device_of(array: Array) -> device:
    """The device that holds the array's memory."""
    if array.__class__ is _numpy_array or not hasattr(array, "get"):
        return CPU
    return _CUDA_DEVICES[array.device.id]


def is_on_cpu(array: Array) -> bool:
    """Whether the array lies in host memory."""
    return array.__class__ is _numpy_array or not hasattr(array, "get")


def to_numpy(array: Array) -> numpy.ndarray:
    """The values in host memory: the array itself if it is there, else a copy (waits for the device)."""
    if is_on_cpu(array):
        return numpy.asarray(array)
    check_capture("it waits for the GPU and copies from it")
    return array.get()


def current_cuda_device() -> int:
    """The number of the GPU that new CUDA tensors go to."""
    return int(accelerator.require().cuda.Device().id)


def module_of(target: device) -> Any:
    """The array module that makes arrays on ``target``."""
    return numpy if target.type == "cpu" else accelerator.require(target.index)


def memory_object(array: Any) -> Any:
    """The piece of a GPU's memory that an array lies in: all its views have the same object; None on the host."""
    try:
        return array.data.mem
    except AttributeError:
        return None


def joined(arrays: Sequence[Array], axis: int) -> Array:
    """Arrays of one dtype, one after another along ``axis``.

    CuPy joins many arrays in one launch, with a table of their addresses that it copies from the host. In the capture
    of a CUDA graph that cannot be: there each is copied to its place.
    """
    xp = array_module(arrays[0])
    if not is_capturing() or len(arrays) <= _CUPY_JOINS_ONE_BY_ONE:
        return xp.concatenate(arrays, axis=axis)
    shape = list(arrays[0].shape)
    shape[axis] = sum(each.shape[axis] for each in arrays)
    result, start = xp.empty(tuple(shape), arrays[0].dtype), 0
    for each in arrays:
        place = (*[slice(None)] * (axis % len(shape)), slice(start, start + each.shape[axis]))
        result[place] = each
        start += each.shape[axis]
    return result


def is_same_memory(array: Array, view: Any) -> bool:
    """Whether ``view`` is a view of all of ``array``, an array on a GPU, element for element."""
    if view.__class__ is not array.__class__ or view.strides != array.strides or view.dtype != array.dtype:
        return False
    return bool(view.data.ptr == array.data.ptr and view.shape == array.shape)
