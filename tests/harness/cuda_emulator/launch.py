"""``RawModule`` of CuPy, with kernels that the emulator runs, and every check that a GPU leaves to the programmer.

Refused are arguments that do not fit the parameters (their number, the dtype behind a pointer, the width of a number),
grids and blocks that no GPU has, barriers that not all threads reach, reads and writes outside of the arrays, and
results that depend on which thread came first.
"""

from __future__ import annotations

import ctypes
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from tests.harness.cuda_emulator.build import kernel_library, runtime
from tests.harness.strict_array import StrictArray, record

MOST_THREADS = 1024
LARGEST_GRID = (2**31 - 1, 65_535, 65_535)
LARGEST_BLOCK = (1024, 1024, 64)
MOST_SHARED_BYTES = 227 << 10  # of the largest GPUs; above 48 KB must be asked for
_SHARED_BYTES_OF_ANY_KERNEL = 48 << 10
_lock = threading.Lock()  # the emulator runs one grid at a time
launched: Counter[str] = Counter()  # how often each kernel has been launched


class EmulatedKernelError(RuntimeError):
    """What a kernel did wrong while it ran."""


class Parameter(NamedTuple):
    """A parameter of a kernel: ``kind`` is f (floating), i (integer or bool), s (struct) or v (void)."""

    is_pointer: bool
    kind: str
    size: int  # of the number, or of what the pointer points to


class EmulatedModule:
    """``cupy.RawModule(code=…)``."""

    def __init__(self, code: str, *, options: Sequence[str] = (), **unknown: Any) -> None:
        if unknown:
            raise TypeError(f"the emulated RawModule knows no {', '.join(unknown)}")
        macros = "".join(f"#define {option[2:].replace('=', ' ', 1)}\n" for option in options if option[:2] == "-D")
        self.code, self.options = macros + code, tuple(options)

    def get_function(self, name: str) -> EmulatedKernel:
        """The kernel of that name."""
        library, names = kernel_library(self.code)
        if name not in names:
            raise AttributeError(f"CUDA_ERROR_NOT_FOUND: no kernel {name} among {', '.join(names)}")
        return EmulatedKernel(library, name)


class EmulatedKernel:
    """``cupy.RawKernel``, made by a module."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self.name = name
        self.max_dynamic_shared_size_bytes = _SHARED_BYTES_OF_ANY_KERNEL
        self._entry = getattr(library, f"emulator_call_{name}")
        text, shared = ctypes.create_string_buffer(4096), (ctypes.c_void_p * 2)()
        getattr(library, f"emulator_signature_{name}")(text, shared)
        self._shared = shared[0], (shared[1] or 0) - (shared[0] or 0)
        parts = [part.split() for part in text.value.decode().split(";")[:-1]]
        self.parameters = [Parameter(pointer == "p", kind, int(size)) for pointer, kind, size in parts]

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: Sequence[Any], *, shared_mem: int = 0
    ) -> None:
        """Run it: forwards, and then backwards on the arrays as they were, which must give the same."""
        self._check_sizes(grid, block, shared_mem)
        if len(args) != len(self.parameters):
            raise TypeError(f"{self.name} takes {len(self.parameters)} arguments, not {len(args)}")
        launched[self.name] += 1
        sizes = [(*each, 1, 1)[:3] for each in (grid, block)]
        with _lock, _Guarded(args) as first, _Guarded(args) as second:
            self._run(first, sizes, args, shared_mem, False)
            # a table of pointers is not guarded, and a struct of 64-bit numbers may be one
            if not any(isinstance(each, numpy.ndarray) and each.dtype.itemsize >= 8 for each in args):
                self._run(second, sizes, args, shared_mem, True)
                first.compare(second, self.name)
            first.write_back()
        record(self.name, None, lambda: self(grid, block, args, shared_mem=shared_mem))

    def _check_sizes(self, grid: tuple[int, ...], block: tuple[int, ...], shared_mem: int) -> None:
        for what, sizes, largest in (("grid", grid, LARGEST_GRID), ("block", block, LARGEST_BLOCK)):
            if not isinstance(sizes, tuple) or not 1 <= len(sizes) <= 3 or any(type(each) is not int for each in sizes):
                raise TypeError(f"{self.name}: {what} {sizes!r} is no tuple of one to three ints")
            if any(not 1 <= size <= most for size, most in zip(sizes, largest)):
                raise ValueError(f"CUDA_ERROR_INVALID_VALUE: {self.name}: {what} {sizes}")
        if numpy.prod(block) > MOST_THREADS:
            raise ValueError(f"CUDA_ERROR_INVALID_VALUE: {self.name}: a block of {block} threads")
        if not 0 <= shared_mem <= min(self.max_dynamic_shared_size_bytes, MOST_SHARED_BYTES):
            raise ValueError(f"CUDA_ERROR_INVALID_VALUE: {self.name}: {shared_mem} bytes of shared memory")

    def _run(self, guarded: _Guarded, sizes: Any, args: Sequence[Any], shared_mem: int, backwards: bool) -> None:
        pairs = zip(args, self.parameters)
        values = [
            _as_c(value, parameter, guarded, f"{self.name}, argument {k}") for k, (value, parameter) in enumerate(pairs)
        ]
        pointers = (ctypes.c_void_p * max(len(values), 1))(*[ctypes.addressof(value) for value in values])
        grid, block = [(ctypes.c_uint * 3)(*each) for each in sizes]
        shared, shared_size = self._shared
        arguments = (self._entry, pointers, grid, block, ctypes.c_size_t(shared_mem))
        error = runtime().emulator_run(
            *arguments, ctypes.c_void_p(shared), ctypes.c_size_t(shared_size), int(backwards)
        )
        if error is not None:
            raise EmulatedKernelError(f"{self.name}: {error.decode()}")


def _as_c(value: Any, parameter: Parameter, guarded: _Guarded, what: str) -> Any:
    """The argument as the parameter lies in memory, by CuPy's rules."""
    is_pointer, kind, size = parameter
    if isinstance(value, StrictArray):
        _require(is_pointer, what, "is an array, but the parameter is no pointer")
        given = _kind(value.dtype)
        fits = kind in "vs" or (given, value.dtype.itemsize) == (kind, size)
        _require(fits, what, f"is an array of {value.dtype}, but the pointer is to {size} bytes of kind {kind}")
        return ctypes.c_void_p(guarded.address(value))
    if isinstance(value, numpy.ndarray):
        _require(kind == "s" and not is_pointer, what, "lies in host memory, and the parameter is no struct")
        _require(value.nbytes == size, what, f"has {value.nbytes} bytes, and the struct {size}")
        return (ctypes.c_char * size).from_buffer_copy(value.tobytes())
    if is_pointer:
        _require(type(value) is int, what, f"is {value!r}, but the parameter is a pointer")
        return ctypes.c_void_p(value)
    number = {int: numpy.int64, float: numpy.float64}.get(type(value), lambda each: each)(value)
    _require(isinstance(number, numpy.generic), what, f"is {value!r}, of a type that CuPy does not take")
    fits = (_kind(number.dtype), number.dtype.itemsize) == (kind, size)
    _require(fits, what, f"is a {number.dtype}, but the parameter has {size} bytes of kind {kind}")
    return (ctypes.c_char * size).from_buffer_copy(number.tobytes())


def _kind(dtype: Any) -> str:
    return "f" if dtype.kind == "f" else "i"


def _require(condition: bool, what: str, problem: str) -> None:
    if not condition:
        raise TypeError(f"{what} {problem}")


class _Guarded:
    """Copies of the memory of all arrays among the arguments, in places where reads and writes outside of them trap."""

    def __init__(self, args: Sequence[Any]) -> None:
        self.owners: dict[int, numpy.ndarray] = {}  # by address: the bytes of a whole allocation
        self.copies: dict[int, int] = {}
        self.places: dict[int, int] = {}
        for array in args:
            if isinstance(array, StrictArray) and array._host.size:
                owner = _allocation(array._host)
                self.owners.setdefault(owner.ctypes.data, owner)

    def __enter__(self) -> _Guarded:
        for start, owner in self.owners.items():
            copy = self.copies[start] = runtime().emulator_guarded(owner.nbytes)
            ctypes.memmove(copy, start, owner.nbytes)
        return self

    def address(self, array: StrictArray) -> int:
        """Where its first element lies among the copies."""
        if not array._host.size:
            return 0
        start, place = _allocation(array._host).ctypes.data, array._host.ctypes.data
        return self.copies[start] + place - start

    def compare(self, other: _Guarded, name: str) -> None:
        for start, owner in self.owners.items():
            first, second = [ctypes.string_at(each.copies[start], owner.nbytes) for each in (self, other)]
            if first != second:
                raise EmulatedKernelError(f"{name}: the result depends on the order in which threads run")

    def write_back(self) -> None:
        for start, owner in self.owners.items():
            ctypes.memmove(start, self.copies[start], owner.nbytes)

    def __exit__(self, kind: Any, *_: Any) -> None:
        untouched = [
            runtime().emulator_release(self.copies[start], owner.nbytes) for start, owner in self.owners.items()
        ]
        if kind is None and not all(untouched):
            raise EmulatedKernelError("a write just outside of an array")


def _allocation(host: numpy.ndarray) -> numpy.ndarray:
    """The array that owns the memory of a view; of memory that something else owns, the view's own extent."""
    while isinstance(host.base, numpy.ndarray):
        host = host.base
    low, high = numpy.lib.array_utils.byte_bounds(host)
    return numpy.ctypeslib.as_array((ctypes.c_uint8 * (high - low)).from_address(low))
