"""A stand-in for CuPy 14 that runs on any machine and is stricter than CuPy.

``strict`` is used like the module ``cupy`` and ``StrictArray`` like ``cupy.ndarray``, computed by NumPy. A
library run on StrictArrays fails at each stray ``np.`` call, at each host array met by a device array, and
at each function, method or keyword that NumPy has and CuPy has not. The tables of its names are in
``cupy_names.py``. Left out: kernels, random numbers, FFTs, files, printing, functions that call Python functions.
"""

from __future__ import annotations

import contextlib
import operator
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial, partialmethod
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from tests.harness.cupy_names import (
    BINARY_OPERATORS,
    FLAGS,
    FUNCTIONS,
    GENERALIZED_KEYWORDS,
    LACKING_KEYWORDS,
    LINALG_FUNCTIONS,
    METHODS,
    NEEDS_DEVICE_ARRAY,
    NEEDS_DEVICE_ARRAYS,
    NEEDS_PYTHON_NUMBERS,
    OTHER_OPERATORS,
    PROPERTIES,
    PYTHON_METHODS,
    SCALAR_IN_NUMPY,
    SCATTER_TYPES,
    SYNCHRONIZING,
    WAITING_METHODS,
    words,
)
from tests.harness.pinned_memory import is_memory_pinned

ARRAY_PRIORITY = 100
_owners: weakref.WeakValueDictionary[int, np.ndarray] = weakref.WeakValueDictionary()  # of which the allocator knows
_wrappers: weakref.WeakValueDictionary[int, StrictArray] = weakref.WeakValueDictionary()


class DeviceSynchronizedError(RuntimeError):
    """The host waited for the device inside ``strict.forbid_synchronization()``."""


def _synchronize(reason: str) -> None:
    """Count one wait for the device: each stops the queue of kernels, so hot paths must have none."""
    strict.synchronizations += 1
    if strict.synchronization_forbidden:
        raise DeviceSynchronizedError(f"{reason} waits for the device")
    _report(f"{reason} waits for the device")


def _report(event: str) -> None:
    """Tell ``strict.watch`` what moved or waited, before it does."""
    if strict.watch is not None:
        strict.watch(event)


def count_wait(reason: str) -> None:
    """As a wait that ``strict`` saw itself; for modules that extend it."""
    _synchronize(reason)


def _owner(host: np.ndarray) -> np.ndarray:
    """The array that has the memory of ``host``."""
    while isinstance(host.base, np.ndarray):
        host = host.base
    return host


def live_arrays() -> list[np.ndarray]:
    """The host arrays behind all device arrays that exist."""
    return [wrapper._host for wrapper in list(_wrappers.values())]


def _to_host(value: Any, name: str) -> Any:
    """``value`` with its StrictArrays unwrapped; a host array anywhere is the silent mix this file finds."""
    if isinstance(value, StrictArray):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"{name}: Unsupported type {type(value)}: a host array among device arrays")
    if isinstance(value, (list, tuple)):
        return type(value)(_to_host(item, name) for item in value)
    return value


def _to_device(value: Any) -> Any:
    """``value`` with its arrays wrapped, and NumPy's scalars too: CuPy returns 0-d arrays instead."""
    if isinstance(value, (np.ndarray, np.generic)):
        host = np.asarray(value)
        wrapper = _wrappers.get(id(host))
        return StrictArray(host) if wrapper is None else wrapper
    if isinstance(value, (list, tuple)):
        items = map(_to_device, value)
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def _holds_device_array(value: Any) -> bool:
    is_sequence = isinstance(value, (list, tuple))
    return isinstance(value, StrictArray) or (is_sequence and any(map(_holds_device_array, value)))


def _check_arguments(name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """Refuse what NumPy takes and CuPy does not: keywords, lists for arrays, 0-d arrays for Python ints."""
    for keyword in keywords:
        if keyword in ("like", "device") or name in LACKING_KEYWORDS.get(keyword, "").split():
            raise TypeError(f"cupy.{name}() got an unexpected keyword argument {keyword!r}")
    first = arguments[0] if arguments else next(iter(keywords.values()), None)
    if name in NEEDS_DEVICE_ARRAY and not isinstance(first, StrictArray):
        raise TypeError(f"cupy.{name}() takes a device array, not {type(first)}")
    if name in NEEDS_DEVICE_ARRAYS and not all(isinstance(item, StrictArray) for item in first or ()):
        raise TypeError("Only cupy arrays can be concatenated")
    numbers = [*arguments[isinstance(first, StrictArray) :], keywords.get("axis"), keywords.get("shape")]
    if name in NEEDS_PYTHON_NUMBERS and _holds_device_array(numbers):
        raise TypeError(f"cupy.{name}(): a device array has no __index__ and is no shape or axis")


def _call(function: Callable[..., Any], name: str, *arguments: Any, **keywords: Any) -> Any:
    """Run NumPy's function on the unwrapped arguments; without warnings, as a device gives none."""
    _check_arguments(name, arguments, keywords)
    counts_on_device = name == "repeat" and _holds_device_array(arguments[1:])
    if name in SYNCHRONIZING or counts_on_device or (name == "where" and len(arguments) == 1):
        _synchronize(name)
    if name in ("concatenate", "stack") and strict.recorder is not None and len(arguments[0]) > 8:
        _report("the addresses of many arrays are copied to the device")
    host_arguments = _to_host(arguments, name)
    host_keywords = {keyword: _to_host(value, name) for keyword, value in keywords.items()}

    def compute() -> Any:
        with np.errstate(all="ignore"):
            return function(*host_arguments, **host_keywords)

    result = compute()
    result = _to_device(np.asarray(result) if name in SCALAR_IN_NUMPY else result)
    record(getattr(function, "__name__", name), result, compute)
    return result


def record(name: str, result: Any, compute: Callable[[], Any]) -> None:
    """Tell ``strict.recorder`` how to do once more what gave ``result``."""
    if strict.recorder is not None:
        strict.recorder(name, result, compute)


def _operand(value: Any) -> Any:
    """What an operator or ufunc computes with: a device array or a scalar, no host array and no list."""
    if isinstance(value, StrictArray):
        return value._host
    if isinstance(value, (np.generic, bool, int, float, complex)):
        return value
    raise TypeError(f"Unsupported type {type(value)}")


def _host_index(key: Any) -> Any:
    """The index for NumPy. Host arrays would be uploaded unseen; CuPy takes at most one mask."""
    items = key if isinstance(key, tuple) else (key,)
    for item in items:
        if isinstance(item, slice) and _holds_device_array([item.start, item.stop, item.step]):
            raise TypeError("slice indices must be integers or None: a device array has no __index__")
    masks = sum(isinstance(item, StrictArray) and item._host.dtype == bool for item in items)
    if masks > 1:
        raise ValueError("CuPy does not support more than one boolean array in an index")
    if masks == 1:
        _synchronize("a boolean mask")
    if all(item is None or item is Ellipsis or isinstance(item, (slice, int, np.integer)) for item in items):
        return items if Ellipsis in items else (*items, Ellipsis)  # a view, even with no dimensions left
    return _to_host(key, "index")


def _refuse_repeated_targets(host: np.ndarray, index: Any, value: Any) -> None:
    """``x[i] = v`` with equal numbers in ``i`` keeps the last value in NumPy and any of them in CuPy."""
    if isinstance(value, StrictArray) and value._host.size > 1:
        targets = np.arange(host.size).reshape(host.shape)[index]
        if np.unique(targets).size < targets.size:
            raise ValueError("one element is assigned twice: which value stays is undefined in CuPy")


class StrictArray:
    """``cupy.ndarray`` on the host: the methods that class has, and its refusals."""

    __slots__ = ("__weakref__", "_host")
    __array_priority__ = ARRAY_PRIORITY
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, host: np.ndarray) -> None:
        """Wrap ``host`` without a copy. A device has no strings, objects, dates or long doubles."""
        if host.dtype.char not in "?bBhHiIlLqQefdFD":
            raise ValueError(f"Unsupported dtype {host.dtype}")
        self._host = host
        _wrappers[id(host)] = self
        owner = _owner(host)
        if strict.allocator is not None and id(owner) not in _owners:
            _owners[id(owner)] = owner
            strict.allocator(owner)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Refused as in CuPy: it would be a hidden copy to the host and a hidden wait."""
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Only ``NumPy scalar <operator> array`` passes; CuPy takes more, but a library must call ``xp``."""
        if method == "__call__" and len(inputs) == 2 and isinstance(inputs[0], np.generic) and not keywords:
            return _call(ufunc, ufunc.__name__, *inputs)
        if any(isinstance(item, np.ndarray) for item in inputs):
            raise TypeError(f"Unsupported type {np.ndarray}")
        raise TypeError(f"np.{ufunc.__name__} called on a device array: call xp.{ufunc.__name__}")

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        """Refused (CuPy dispatches): a stray ``np.`` call works on one device by luck."""
        raise TypeError(f"np.{function.__name__} called on a device array: call xp.{function.__name__}")

    def get(
        self, stream: Any = None, order: Any = "C", out: np.ndarray | None = None, blocking: bool = True
    ) -> np.ndarray:
        """The explicit copy to the host: counted as a transfer, and where waiting is forbidden refused."""
        if not blocking and (out is None or not is_memory_pinned(out.ctypes.data)):
            raise ValueError("a copy that is not waited for needs pinned memory that its caller keeps")
        if strict.synchronization_forbidden and blocking:
            raise DeviceSynchronizedError("get() waits for the device")
        strict.transfers += 1
        _report("get() copies to the host")
        if out is None:
            return self._host.copy(order)
        if (out.dtype, out.shape) != (self._host.dtype, self._host.shape) or not out.flags.forc:
            raise ValueError("`out` must have this dtype and shape, and no gaps")
        np.copyto(out, self._host, casting="no")
        return out

    def set(self, host: np.ndarray, stream: Any = None) -> None:
        """Fill from a host array of the same dtype and shape."""
        if not isinstance(host, np.ndarray) or (host.dtype, host.shape) != (
            self._host.dtype,
            self._host.shape,
        ):
            raise TypeError("Only numpy.ndarray of the same dtype and shape can be set to cupy.ndarray")
        strict.uploads += 1
        _report("set() copies to the device")
        self._host[...] = host

    def fill(self, value: Any) -> None:
        """Fill with a scalar or 0-d device array; lists and larger arrays are refused as in CuPy."""
        if np.ndim(_operand(value)) > 0:
            raise ValueError("non-scalar cupy.ndarray cannot be used for fill")
        number = _operand(value)
        self._host.fill(number)
        record("fill", None, lambda: self._host.fill(number))

    def __getitem__(self, key: Any) -> StrictArray:
        host, index = self._host, _host_index(key)
        result: StrictArray = _to_device(host[index])
        record("getitem", result, lambda: host[index])
        return result

    def __setitem__(self, key: Any, value: Any) -> None:
        """``value`` must be a device array or scalar: CuPy refuses lists and host arrays too."""
        host, index = _operand(value), _host_index(key)
        _refuse_repeated_targets(self._host, index, value)

        def write() -> None:
            with np.errstate(all="ignore"):
                self._host[index] = host

        write()
        record("setitem", None, write)

    def __iter__(self) -> Iterator[StrictArray]:
        return (self[position] for position in range(len(self._host)))

    def __reduce__(self) -> Any:
        return _upload, (self.get(),)


class _Memory:
    """``cupy.cuda.PooledMemory``: what all arrays on the same memory hold, and nobody else needs to."""

    device_id = 0
    _known: weakref.WeakValueDictionary[int, _Memory] = weakref.WeakValueDictionary()

    @classmethod
    def of(cls, array: StrictArray) -> _Memory:
        """The one of this array, for as long as an array on this memory, or somebody else, keeps it."""
        owner = _owner(array._host)
        memory = cls._known.get(id(owner))
        if memory is None:
            memory = cls._known[id(owner)] = cls()
            weakref.finalize(owner, cls._known.pop, id(owner), None).atexit = False
            _holds[id(memory)] = memory
            weakref.finalize(owner, _holds.pop, id(memory), None).atexit = False
        return memory


_holds: dict[int, _Memory] = {}  # what arrays hold

ATTRIBUTES: dict[str, Callable[[StrictArray], Any]] = {
    "base": lambda array: _to_device(array._host.base) if isinstance(array._host.base, np.ndarray) else None,
    "data": lambda array: SimpleNamespace(ptr=array._host.ctypes.data, device_id=0, mem=_Memory.of(array)),  # no buffer
    "device": lambda array: Device(),
    "flags": lambda array: SimpleNamespace(**{name: getattr(array._host.flags, name) for name in FLAGS}),
}


def _operator_method(function: Callable[..., Any], reflected: bool = False) -> Callable[..., Any]:
    def method(self: StrictArray, *others: Any) -> Any:
        for other in others:
            if getattr(other, "__array_priority__", 0) > ARRAY_PRIORITY:
                return NotImplemented
            if function in (operator.eq, operator.ne) and type(other).__eq__ is object.__eq__:
                return NotImplemented  # x == None is False, not an array
            _operand(other)
        return _call(function, "operator", *((*others, self) if reflected else (self, *others)))

    return method


def _named_method(name: str) -> Callable[..., Any]:
    def method(self: StrictArray, *arguments: Any, **keywords: Any) -> Any:
        known_as = "ndarray.clip" if name == "clip" else name  # the method takes min= and max=
        return _call(getattr(np.ndarray, name), known_as, self, *arguments, **keywords)

    return method


def _install_members() -> None:
    """Give StrictArray the operators, methods and attributes that need nothing but unwrapping."""
    for name in BINARY_OPERATORS | OTHER_OPERATORS | {"divmod"}:
        function = divmod if name == "divmod" else getattr(operator, f"__{name}__")
        setattr(StrictArray, f"__{name}__", _operator_method(function))
        if name not in OTHER_OPERATORS:
            setattr(StrictArray, f"__r{name}__", _operator_method(function, reflected=True))
    for name in BINARY_OPERATORS - {"matmul"}:  # CuPy has no __imatmul__
        setattr(StrictArray, f"__i{name}__", _operator_method(getattr(operator, f"__i{name}__")))
    for name in METHODS | WAITING_METHODS | PYTHON_METHODS:
        setattr(StrictArray, name, _named_method(name))
    for name in PROPERTIES:
        getter = partial(lambda name, self: _to_device(getattr(self._host, name)), name)
        setattr(StrictArray, name, property(getter))
    for name, attribute in ATTRIBUTES.items():
        setattr(StrictArray, name, property(attribute))
    StrictArray.__name__ = StrictArray.__qualname__ = "ndarray"


class StrictUfunc:
    """An elementwise function with the few keywords and methods that CuPy's have."""

    def __init__(self, ufunc: np.ufunc, name: str) -> None:
        self.ufunc, self.name, self.__name__ = ufunc, name, name
        self.nin, self.nout, self.nargs = ufunc.nin, ufunc.nout, ufunc.nargs

    def __call__(self, *operands: Any, **keywords: Any) -> Any:
        """Scalars and device arrays only; ``where=`` and ``order=`` do not exist in CuPy."""
        allowed = GENERALIZED_KEYWORDS if self.name == "matmul" else {"out", "dtype", "casting"}
        if not allowed.issuperset(keywords):
            raise TypeError(f"Wrong arguments {keywords}")
        for operand in operands:
            _operand(operand)
        return _call(self.ufunc, self.name, *operands, **keywords)

    def _method(self, name: str, supported: Iterable[str], array: StrictArray, *arguments: Any) -> Any:
        if self.name not in supported:
            raise NotImplementedError(f"`cupy_{self.name}.{name}` is not supported yet")
        _operand(array)
        return _call(getattr(self.ufunc, name), self.name, array, *arguments)

    def reduce(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
        """``add`` and ``multiply`` only: write ``xp.max(x)`` for ``xp.maximum.reduce(x)``."""
        return self._method("reduce", ("add", "multiply"), array, axis, dtype, out, keepdims)

    def accumulate(self, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        """``add`` and ``multiply`` only: there is no running maximum."""
        return self._method("accumulate", ("add", "multiply"), array, axis, dtype, out)

    def at(self, array: Any, indices: Any, values: Any = None) -> None:
        """Scatter, for the few functions and types for which CUDA has an atomic operation."""
        types = SCATTER_TYPES.get(self.name)
        if types and array.dtype.name not in types:
            raise TypeError(f"cupy.{self.name}.at only supports {sorted(types)} as data type")
        self._method("at", SCATTER_TYPES, array, _to_device(_host_index(indices)), values)


class StrictModule(ModuleType):
    """A namespace that hands out NumPy's functions, wrapped, for the names CuPy has too."""

    def __init__(self, name: str, source: Any, names: frozenset[str]) -> None:
        super().__init__(name)
        self._source, self._names = source, names

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise AttributeError(f"{self.__name__} has no {name!r}, or this stand-in leaves it out")
        value = getattr(self._source, name)
        if isinstance(value, np.ufunc):
            value = StrictUfunc(value, name)
        elif callable(value) and not isinstance(value, type):
            value = partial(_call, value, name)
        setattr(self, name, value)
        return value


class Strict(StrictModule):
    """The module ``cupy``: its functions, with counters of what moves and waits."""

    __version__ = "14.2.0"
    synchronizations = 0  # waits: float(), int(), bool(), item(), tolist(), masks, nonzero, unique, ...
    transfers = 0  # explicit copies to the host: get(), asnumpy()
    uploads = 0  # copies to the device: asarray(), array(), set()
    synchronization_forbidden = False
    watch: Callable[[str], None] | None = None  # told of each of these events
    recorder: Callable[[str, Any, Callable[[], Any]], None] | None = None  # given each operation, its result, its doing
    allocator: Callable[[np.ndarray], Any] | None = None  # asked for the memory of each new array
    ndarray = StrictArray

    @contextlib.contextmanager
    def forbid_synchronization(self) -> Iterator[None]:
        """Make every wait for the device raise DeviceSynchronizedError, an explicit ``get()`` too."""
        before, self.synchronization_forbidden = self.synchronization_forbidden, True
        try:
            yield
        finally:
            self.synchronization_forbidden = before

    def reset_counters(self) -> None:
        self.synchronizations = self.transfers = self.uploads = 0

    def asnumpy(self, array: Any, **keywords: Any) -> np.ndarray:
        return array.get(**keywords) if isinstance(array, StrictArray) else np.asarray(array)

    def get_array_module(self, *arguments: Any) -> Any:
        return self if any(isinstance(item, StrictArray) for item in arguments) else np


def _upload(value: Any, dtype: Any = None, copy: Any = True, order: Any = "K", ndmin: int = 0) -> StrictArray:
    """An array on the device; ``copy=False`` means "only if needed", where NumPy 2 raises."""
    if _holds_device_array(value):

        def compute() -> np.ndarray:
            return np.array(_to_host(value, "array"), dtype, copy=copy or None, order=order, ndmin=ndmin)

        result: StrictArray = _to_device(compute())
        record("array", result, compute)
        return result
    strict.uploads += 1
    _report("an array is made of host data")
    return StrictArray(np.array(value, dtype, order=order, ndmin=ndmin))


@dataclass(frozen=True)
class Device:
    """``cupy.cuda.Device``, also as a context manager: there is one, number 0."""

    id: int = 0

    def __post_init__(self) -> None:
        if self.id != 0:
            raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None: ...

    def use(self) -> None: ...

    def synchronize(self) -> None:
        _synchronize("Device.synchronize()")


_install_members()
strict: Any = Strict("cupy", np, FUNCTIONS)
strict.array = _upload
strict.asarray = lambda value, dtype=None, order="K", copy=None, blocking=False: _upload(value, dtype, copy, order)
strict.asanyarray = strict.asarray
strict.ascontiguousarray = lambda value, dtype=None: _upload(value, dtype, None, "C", ndmin=1)
strict.asfortranarray = lambda value, dtype=None: _upload(value, dtype, None, "F", ndmin=1)
strict.linalg = StrictModule("cupy.linalg", np.linalg, LINALG_FUNCTIONS)
tricks = StrictModule("cupy.lib.stride_tricks", np.lib.stride_tricks, words("as_strided sliding_window_view"))
strict.lib = SimpleNamespace(stride_tricks=tricks)
wait = partial(_synchronize, "an explicit synchronize()")
stream = SimpleNamespace(ptr=0, synchronize=wait)
strict.cuda = SimpleNamespace(is_available=lambda: True, Device=Device, get_current_stream=lambda: stream)
strict.cuda.runtime = SimpleNamespace(getDeviceCount=lambda: 1, getDevice=lambda: 0, deviceSynchronize=wait)
strict.cuda.Stream = SimpleNamespace(null=stream)
strict.cuda.get_allocator, strict.cuda.set_allocator = (lambda: None), (lambda allocator: None)
strict.cuda.memory = SimpleNamespace(OutOfMemoryError=MemoryError)
strict.cuda.pinned_memory = SimpleNamespace(is_memory_pinned=is_memory_pinned)
pool = SimpleNamespace(free_all_blocks=lambda: None, used_bytes=lambda: 0, total_bytes=lambda: 0)
strict.get_default_memory_pool = lambda: pool
strict_x = SimpleNamespace()  # the module cupyx
for method, function in (("scatter_add", "add"), ("scatter_max", "maximum"), ("scatter_min", "minimum")):
    setattr(strict_x, method, getattr(strict, function).at)
    setattr(StrictArray, method, partialmethod(getattr(strict, function).at))
