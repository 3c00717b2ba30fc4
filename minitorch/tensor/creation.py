"""Making tensors from data and constants: ``tensor``, ``zeros``, ``arange``, ``eye``, …

All accept torch's keyword arguments ``dtype``, ``device``, ``requires_grad`` and ``pin_memory`` (host memory that a GPU
reads by itself, see ``backend/transfers.py``). Random tensors are in ``random.py``.
"""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import Array, HostArray, fill_if_wanted, module_of, to_device
from minitorch.device import CPU, device
from minitorch.memory_format import memory_format, preserve_format
from minitorch.ops.strided import made_like
from minitorch.tensor.data import Device, array_from_data, as_size, pinned, resolve_device
from minitorch.tensor.tensor import Tensor


def finish(array: Array, where: Device = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A tensor around a fresh array, on the device (and in the kind of host memory) that was asked for."""
    if where is not None:
        array = to_device(array, resolve_device(where))
    if pin_memory:
        array = pinned(array)
    result: Tensor = wrap(array, Tensor)
    if requires_grad:
        result.requires_grad = True
    return result


# ------------------------------------------------------------------------------------------------ from data


def tensor(
    data: Any,
    *,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor with a copy of ``data``: a number, nested lists, a NumPy array or a tensor.

    Without ``dtype``: bool for bools, int64 for ints, the default dtype for floats; arrays keep theirs.
    Raises: ValueError for ragged lists, RuntimeError for data that is not numeric or does not fit ``dtype``.

    >>> import minitorch as torch
    >>> torch.tensor([[1, 2], [3, 4]]), torch.tensor(1.5).dtype
    (tensor([[1, 2],
            [3, 4]]), torch.float32)
    """
    array = array_from_data(data, dtype)
    if isinstance(data, Variable):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    if isinstance(data, Variable) and device is None:
        return finish(array, None, requires_grad, pin_memory)
    return finish(array, device, requires_grad, pin_memory)


def as_tensor(data: Any, dtype: dtypes.dtype | None = None, device: Device = None) -> Tensor:
    """``data`` as a tensor, sharing memory with a tensor or NumPy array whose dtype and device already fit.

    >>> import numpy, minitorch as torch
    >>> values = numpy.zeros(2)
    >>> torch.as_tensor(values)[0] = 5
    >>> values
    array([5., 0.])
    """
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    if isinstance(data, HostArray):
        return from_numpy(data).to(device=device, dtype=dtype)
    return tensor(data, dtype=dtype, device=device)


asarray = as_tensor


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the memory of a NumPy array: a change of one is seen in the other.

    Raises TypeError for anything but an array, and for element types that tensors do not have.
    """
    if not isinstance(ndarray, HostArray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.from_numpy_dtype(ndarray.dtype)
    if any(stride < 0 for stride in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with "
            "array.copy().) "
        )
    return finish(
        ndarray.view(HostArray)
    )  # an array of its own: giving the caller's another shape changes nothing here


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor on the memory of another library's tensor, without a copy, through the DLPack protocol."""
    kind, index = ext_tensor.__dlpack_device__()
    where = CPU if int(kind) in (1, 3) else device("cuda", index)  # 1: CPU, 3: pinned host memory
    return finish(module_of(where).from_dlpack(ext_tensor))


# ------------------------------------------------------------------------------------------------- constants


def _filled(
    kind: str, sizes: tuple[int, ...], dtype: dtypes.dtype | None, where: Device, requires_grad: bool, pin: bool
) -> Tensor:
    chosen = dtypes.chosen_dtype(dtype, dtypes.get_default_dtype())
    xp = module_of(resolve_device(where))
    return finish(getattr(xp, kind)(sizes, dtype=chosen.numpy), where, requires_grad, pin)


def zeros(
    *size: Any,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of zeros.

    >>> import minitorch as torch
    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return _into(out, _filled("zeros", as_size("zeros", _sizes(size)), dtype, device, requires_grad, pin_memory))


def ones(
    *size: Any,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of ones.

    >>> import minitorch as torch
    >>> torch.ones(2, dtype=torch.int64)
    tensor([1, 1])
    """
    return _into(out, _filled("ones", as_size("ones", _sizes(size)), dtype, device, requires_grad, pin_memory))


def empty(
    *size: Any,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor whose elements are whatever the memory held."""
    made = _filled("empty", as_size("empty", _sizes(size)), dtype, device, requires_grad, pin_memory)
    fill_if_wanted(made.array)
    return _into(out, made)


def full(
    size: Any,
    fill_value: Any,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of one value; its dtype follows the value's type unless given.

    >>> import minitorch as torch
    >>> torch.full((2,), 7), torch.full((2,), 0.5)
    (tensor([7, 7]), tensor([0.5000, 0.5000]))
    """
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    chosen = dtypes.chosen_dtype(dtype, dtypes.dtype_of(fill_value))
    xp = module_of(resolve_device(device))
    array = xp.full(as_size("full", (size,)), value, dtype=chosen.numpy)
    return _into(out, finish(array, device, requires_grad, pin_memory))


def _sizes(size: tuple[Any, ...]) -> tuple[Any, ...]:
    if not size:
        raise TypeError('zeros() missing 1 required positional arguments: "size"')
    return size


def _into(out: Any, made: Tensor) -> Tensor:
    if out is None:
        return made
    out.resize_(made.shape)
    return out.copy_(made)


def _like(
    kind: str,
    input: Tensor,
    dtype: Any,
    where: Device,
    requires_grad: bool,
    layout: memory_format | None,
    pin_memory: bool,
) -> Tensor:
    target = input.device if where is None else resolve_device(where)
    chosen = dtypes.chosen_dtype(dtype, input.dtype)
    make = functools.partial(getattr(module_of(target), kind), dtype=chosen.numpy)
    return finish(made_like(input.array, layout or preserve_format, make), target, requires_grad, pin_memory)


def zeros_like(
    input: Tensor,
    *,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:
    """Zeros in the shape, dtype and device of ``input``.

    >>> import minitorch as torch
    >>> torch.zeros_like(torch.tensor([[1, 2]]))
    tensor([[0, 0]])
    """
    return _like("zeros", input, dtype, device, requires_grad, memory_format, pin_memory)


def ones_like(
    input: Tensor,
    *,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:
    """Ones in the shape, dtype and device of ``input``."""
    return _like("ones", input, dtype, device, requires_grad, memory_format, pin_memory)


def empty_like(
    input: Tensor,
    *,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:
    """Uninitialised memory in the shape, dtype and device of ``input``."""
    made = _like("empty", input, dtype, device, requires_grad, memory_format, pin_memory)
    fill_if_wanted(made.array)
    return made


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: memory_format | None = None,
) -> Tensor:
    """One value in the shape, dtype and device of ``input``."""
    made = _like("empty", input, dtype, device, requires_grad, memory_format, pin_memory)
    made.array[...] = fill_value
    return made


def scalar_tensor(s: float, *, dtype: dtypes.dtype | None = None, device: Device = None) -> Tensor:
    """A 0-d tensor of the default dtype (unless given) that holds ``s``."""
    return full((), s, dtype=dtype or dtypes.get_default_dtype(), device=device)


# ------------------------------------------------------------------------------------------------- sequences


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """start, start + step, … up to but not including ``end``.

    Formula: element i is start + i · step, for 0 ≤ i < ⌈(end − start) / step⌉, computed in double precision.
    Without ``dtype``: int64 if all three are integers, else the default dtype.
    Raises: RuntimeError if ``step`` is zero or leads away from ``end``.

    >>> import minitorch as torch
    >>> torch.arange(5), torch.arange(1, 2, 0.25)
    (tensor([0, 1, 2, 3, 4]), tensor([1.0000, 1.2500, 1.5000, 1.7500]))
    """
    if end is None:
        start, end = 0, start
    start, end, step = (each.item() if isinstance(each, Tensor) else each for each in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    is_integer = all(isinstance(each, int) for each in (start, end, step))
    chosen = dtypes.chosen_dtype(dtype, dtypes.int64 if is_integer else dtypes.get_default_dtype())
    xp = module_of(resolve_device(device))
    if not chosen.is_floating_point:
        start, end, step = int(start), (end if is_integer else math.ceil(end)), int(step)
        is_integer = True
    length = -((start - end) // step) if is_integer else math.ceil((end - start) / step)
    array = (start + xp.arange(int(length)) * step).astype(chosen.numpy)
    return _into(out, finish(array, device, requires_grad, pin_memory))


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """``steps`` values from ``start`` to ``end``, both included, evenly spaced.

    Formula: the first half counts up from ``start``, the second half down from ``end``, so both ends are exact.

    >>> import minitorch as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    chosen = dtypes.chosen_dtype(dtype, dtypes.get_default_dtype())
    start, end = float(start), float(end)
    index = module_of(resolve_device(device)).arange(steps)
    step = (end - start) / max(steps - 1, 1)
    if chosen.is_floating_point:
        step = float(chosen.numpy.type(step))
    array = module_of(resolve_device(device)).where(
        index < steps / 2, start + step * index, end - step * (steps - 1 - index)
    )
    return _into(out, finish(array.astype(chosen.numpy), device, requires_grad, pin_memory))


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """``steps`` values from base**start to base**end, evenly spaced on a logarithmic scale."""
    exponents = linspace(start, end, steps, dtype=dtypes.float64, device=device).array
    chosen = dtypes.chosen_dtype(dtype, dtypes.get_default_dtype())
    return _into(out, finish((base**exponents).astype(chosen.numpy), device, requires_grad, pin_memory))


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Any = None,
    dtype: dtypes.dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """An n × m matrix (m = n unless given) with ones on the diagonal.

    >>> import minitorch as torch
    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    for each in (n, n if m is None else m):
        if each < 0:
            raise RuntimeError(f"n must be greater or equal to 0, got {each}")
    chosen = dtypes.chosen_dtype(dtype, dtypes.get_default_dtype())
    array = module_of(resolve_device(device)).eye(n, m, dtype=chosen.numpy)
    return _into(out, finish(array, device, requires_grad, pin_memory))


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the tensor's elements are floating-point numbers."""
    return input.dtype.is_floating_point


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()
