"""Between a tensor and everything else: shape and type attributes, numbers, lists, NumPy, devices, DLPack."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, TypeVar

import minitorch.dtypes as dtypes
from minitorch.autograd.grad_mode import is_grad_enabled
from minitorch.autograd.primitive import copy_with_strides
from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import Array, accelerator, device_of, is_on_cpu, is_pinned, order_of, streams, to_numpy
from minitorch.device import CPU, device
from minitorch.memory_format import preserve_format
from minitorch.ops.copying import clone
from minitorch.ops.promotion import to_dtype
from minitorch.ops.strided import is_contiguous, suggested_format
from minitorch.ops.transfer import PinMemory, move
from minitorch.tensor.size import Size

T = TypeVar("T", bound="ConversionMethods")


class ConversionMethods(Variable):
    """What a tensor is (shape, dtype, device) and what it can be turned into."""

    # ---------------------------------------------------------------------------------------- what it is

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self.array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return Size(self.array.shape)
        limit = max(self.array.ndim, 1)
        if not -limit <= dim < limit or self.array.ndim == 0:
            raise IndexError(
                "Dimension specified as 0 but tensor has no dimensions"
                if self.array.ndim == 0
                else f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})"
            )
        return self.array.shape[dim]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self.array.size)

    nelement = numel

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.from_numpy_dtype(self.array.dtype)

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return int(self.array.itemsize)

    def element_size(self) -> int:
        """The bytes of one element."""
        return int(self.array.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return int(self.array.nbytes)

    @property
    def device(self) -> device:
        """Where the memory lies."""
        return device_of(self.array)

    @property
    def is_cuda(self) -> bool:
        """Whether the tensor is on a GPU."""
        return not is_on_cpu(self.array)

    def is_same_size(self, other: Variable) -> bool:
        """Whether the other tensor has the same shape."""
        return self.array.shape == other.array.shape

    def is_floating_point(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.array.dtype.kind == "f"

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self.array.ctypes.data if is_on_cpu(self.array) else self.array.data.ptr)

    # ---------------------------------------------------------------------------------- to Python and NumPy

    def item(self) -> Any:
        """The one element as a Python number; RuntimeError if there are more or none."""
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to Scalar")
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as nested Python lists (a number for a 0-d tensor)."""
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """The tensor as a NumPy array that shares its memory; ``force=True`` detaches and copies as needed."""
        if not force:
            if self.needs_grad and is_grad_enabled():
                raise RuntimeError(
                    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
                )
            if not is_on_cpu(self.array):
                raise TypeError(
                    f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor "
                    "to host memory first."
                )
        return to_numpy(self.array).view()  # an array of its own: giving it another shape leaves the tensor's alone

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"__array__: {array.dtype} cannot become {dtype} without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return wrap(array, self.result_class)  # so that numpy.sin(tensor) is a tensor

    def __dlpack__(self, **options: Any) -> Any:
        if self.needs_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self: T) -> Iterator[T]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))  # type: ignore[attr-defined]

    def __bool__(self) -> bool:
        if self.array.size == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        if self.array.size > 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self.array)

    def _only_element(self) -> Any:
        if self.array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.array.item()

    def __float__(self) -> float:
        return float(self._only_element())

    def __int__(self) -> int:
        return int(self._only_element())

    def __index__(self) -> int:
        if self.array.size != 1 or self.array.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.array.item())

    def __format__(self, specification: str) -> str:
        if self.array.ndim == 0:
            return format(self.item(), specification)
        return object.__format__(self, specification)

    def __hash__(self) -> int:
        return id(self)

    def __contains__(self, element: Any) -> bool:
        if not isinstance(element, (Variable, bool, int, float)):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
            )
        return bool((self.array == (element.array if isinstance(element, Variable) else element)).any())

    # ------------------------------------------------------------------------------------ copies and pickles

    def clone(self: T, *, memory_format: Any = None) -> T:
        """See ``minitorch.clone``."""
        return clone(self, memory_format=memory_format)

    def __deepcopy__(self: T, memo: dict[int, Any]) -> T:
        if self.grad_fn is not None:  # type: ignore[attr-defined]
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment.  If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_"
                "norm usage, see https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) in memo:
            return memo[id(self)]
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.array = copy_with_strides(self.array, self.array.strides)
        twin.needs_grad = self.needs_grad
        twin.grad = copy.deepcopy(self.grad, memo)
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        order = order_of(self.array.shape, self.array.strides)
        return _rebuild, (type(self), to_numpy(self.array).transpose(order), order, str(self.device), self.needs_grad)

    # ------------------------------------------------------------------------------------- types and devices

    def to(
        self: T,
        *args: Any,
        device: Any = None,
        dtype: dtypes.dtype | None = None,
        non_blocking: bool = False,
        copy: bool = False,
        memory_format: Any = None,
    ) -> T:
        """The tensor in another dtype and/or on another device: ``to(dtype)``, ``to(device, dtype)``, ``to(other)``.

        ``memory_format`` is the order of the elements in memory, such as ``channels_last``; unless given it stays.
        ``non_blocking``: the host goes on while a GPU copies on its current stream. From pinned memory to a GPU the
        tensor must not be changed before the copy is over; from a GPU the result, which is pinned, is right after that.
        Returns the tensor itself if nothing changes, unless ``copy``. Gradients flow through.
        Raises: RuntimeError if ``channels_last`` is asked of a tensor without four dimensions.
        """
        for position, arg in enumerate(args):
            if isinstance(arg, (dtypes.dtype, type)):  # a type: Python's float, int or bool
                dtype = dtypes.chosen_dtype(arg, None)
            elif isinstance(arg, Variable):
                dtype, device = dtypes.from_numpy_dtype(arg.array.dtype), device_of(arg.array)
            elif isinstance(arg, bool):
                non_blocking, copy = (arg, copy) if position < 3 and not copy else (non_blocking, arg)
            elif arg is not None:
                device = arg
        result = self
        if device is not None:
            result = move(result, _as_device(device), non_blocking)
        if dtype is not None:
            result = to_dtype(result, dtype)
        is_new = result is not self
        if memory_format in (None, preserve_format):
            return result.clone() if copy and not is_new else result
        if suggested_format(result.array) is memory_format and (
            is_contiguous(result, memory_format) if is_new else not copy
        ):
            return result
        return clone(result, memory_format=memory_format)

    def cpu(self: T, memory_format: Any = preserve_format) -> T:
        """The tensor in host memory; itself if it is there."""
        return self.to(CPU, memory_format=memory_format)

    def cuda(self: T, device: Any = None, non_blocking: bool = False, memory_format: Any = preserve_format) -> T:
        """The tensor on a GPU (the current one unless ``device`` is given); RuntimeError if there is none.

        ``non_blocking``: from pinned memory, the host goes on while the GPU copies.
        """
        where = "cuda" if device is None else device
        return self.to(_as_device(where), non_blocking=non_blocking, memory_format=memory_format)

    def pin_memory(self: T, device: Any = None) -> T:
        """The tensor in pinned host memory, which a GPU reads by itself while the host goes on; itself if it is there.

        ``device`` is deprecated in torch, and of no effect: all GPUs read it.
        Raises: RuntimeError without a GPU, or for a tensor on one.
        """
        if not is_on_cpu(self.array):
            raise RuntimeError(f"cannot pin '{self.type()}' only dense CPU tensors can be pinned")
        return self if self.is_pinned() else PinMemory.apply(self)

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the tensor lies in pinned host memory. ``device``: as for ``pin_memory``."""
        return is_pinned(self.array)

    def record_stream(self, stream: Any) -> None:
        """Say that another stream than the one on which the tensor was made uses it.

        When the tensor dies, its memory is not reused before that stream has done what it was given until then. What
        is used on its own stream alone needs no such call.
        Raises: TypeError unless it is a ``minitorch.cuda.Stream``, RuntimeError for a tensor on the CPU.
        """
        if not hasattr(stream, "backend_stream"):
            raise TypeError(f"record_stream() takes a torch.cuda.Stream, not {type(stream).__name__}")
        if is_on_cpu(self.array):
            raise RuntimeError("record_stream() is for tensors on a GPU: this one is on the CPU")
        streams.keep_for_stream(self.array, stream.backend_stream)

    def get_device(self) -> int:
        """The number of the tensor's GPU; -1 on the CPU."""
        return -1 if is_on_cpu(self.array) else self.device.index  # type: ignore[return-value]

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of the tensor's type, such as ``torch.FloatTensor``; with ``dtype`` the tensor in that type."""
        if dtype is None:
            prefix = "torch.cuda" if self.is_cuda else "torch"
            return f"{prefix}.{self.dtype.legacy_name}Tensor"
        return to_dtype(self, _dtype_named(dtype))

    def type_as(self: T, other: Variable) -> T:
        """The tensor in the dtype of ``other``."""
        return to_dtype(self, dtypes.from_numpy_dtype(other.array.dtype))

    def float(self: T) -> T:
        """The tensor as float32."""
        return to_dtype(self, dtypes.float32)

    def double(self: T) -> T:
        """The tensor as float64."""
        return to_dtype(self, dtypes.float64)

    def half(self: T) -> T:
        """The tensor as float16."""
        return to_dtype(self, dtypes.float16)

    def long(self: T) -> T:
        """The tensor as int64."""
        return to_dtype(self, dtypes.int64)

    def int(self: T) -> T:
        """The tensor as int32."""
        return to_dtype(self, dtypes.int32)

    def short(self: T) -> T:
        """The tensor as int16."""
        return to_dtype(self, dtypes.int16)

    def char(self: T) -> T:
        """The tensor as int8."""
        return to_dtype(self, dtypes.int8)

    def byte(self: T) -> T:
        """The tensor as uint8."""
        return to_dtype(self, dtypes.uint8)

    def bool(self: T) -> T:
        """The tensor as bool: true where an element is not zero."""
        return to_dtype(self, dtypes.bool_)


def _as_device(where: Any) -> device:
    target = where if isinstance(where, device) else device(where)
    if target.type == "cuda":
        accelerator.require(target.index)
    return target


def _dtype_named(name: Any) -> dtypes.dtype:
    """The dtype of ``torch.float64``, ``"torch.DoubleTensor"`` or a legacy class such as ``LongTensor``."""
    if isinstance(name, dtypes.dtype):
        return name
    found = getattr(name, "dtype", None)
    if isinstance(found, dtypes.dtype):
        return found
    for each in dtypes.ALL:
        if name in (f"torch.{each.legacy_name}Tensor", f"minitorch.{each.legacy_name}Tensor"):
            return each
    raise ValueError(f"invalid type: '{name}'")


def _rebuild(cls: Any, array: Array, order: tuple[int, ...], where: str, needs_grad: bool) -> Any:
    """Make a tensor again from what ``__reduce_ex__`` wrote: an array whose dimensions are in ``order``."""
    tensor = wrap(array.transpose([order.index(dim) for dim in range(array.ndim)]), cls)
    if where != "cpu":
        tensor = wrap(move(tensor, device(where)).array, cls)
    tensor.needs_grad = needs_grad
    return tensor
