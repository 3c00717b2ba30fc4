"""The CUDA side of the backend: finding CuPy, lazily, and saying clearly why it cannot be used.

CuPy is imported on the first request for a GPU, never before: ``import minitorch`` stays quick, and works
where CuPy is not installed. Tests put a strict stand-in for CuPy here (``install``), so that the same ops
run through a second array type on any machine.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from minitorch.backend.allocation import DeviceMemory

_module: Any = None
_failure: str | None = None
_allow_tf32 = False


@dataclass
class ConvolutionSwitches:
    """How convolutions run on a GPU; ``minitorch.backends.cudnn`` sets this."""

    kernels: bool = True  # our own, instead of matrix products with columns
    allow_tf32: bool = True


convolution = ConvolutionSwitches()


def load() -> Any:
    """The array module of the GPU (``cupy``), or None; the reason for None is kept for ``require``."""
    global _module, _failure
    if _module is None and _failure is None:
        try:
            candidate: ModuleType = importlib.import_module("cupy")
        except ImportError as error:
            _failure = f"CuPy cannot be imported ({error}); install it with: pip install 'minitorch[cuda]'"
            return None
        if not candidate.cuda.is_available():
            _failure = "CuPy is installed but finds no CUDA device or driver (see: nvidia-smi)"
            return None
        _module = candidate
        _memory_of(candidate)  # from the first allocation on
        _apply_tf32()
    return _module


def install(module: Any) -> Any:
    """Use ``module`` in CuPy's place and return what was there; for tests."""
    global _module
    previous, _module = _module, module
    if module is not None:
        _memory_of(module)
    return previous


def loaded() -> Any:
    """The array module of the GPU if a GPU has been used already, else None."""
    return _module


def memory() -> DeviceMemory:
    """The allocator of the GPUs and what it has counted; RuntimeError without one."""
    return _memory_of(require())


@cache
def _memory_of(module: Any) -> DeviceMemory:
    return DeviceMemory(module)


def is_available() -> bool:
    """Whether tensors can be put on a GPU."""
    return load() is not None


def device_count() -> int:
    """How many GPUs there are; 0 without CuPy or a driver."""
    module = load()
    return 0 if module is None else _count_devices(module)


@cache
def _count_devices(module: Any) -> int:
    return int(module.cuda.runtime.getDeviceCount())


def require(index: int | None = None) -> Any:
    """The array module of the GPU, or a RuntimeError that says what was looked for and what to install."""
    module = load() if _module is None else _module
    if module is None:
        raise RuntimeError(f"a CUDA device was asked for, but none can be used: {_failure}")
    if index is not None and index >= device_count():
        raise RuntimeError(f"CUDA error: invalid device ordinal {index}: {device_count()} device(s) found")
    return module


def multiprocessors() -> int:
    """How many multiprocessors the current GPU has: the number of blocks of threads that run side by side."""
    return _facts(require(), require().cuda.Device().id)[0]


def has_tensor_cores() -> bool:
    """Whether the current GPU multiplies small matrices of TF32 and float16 in one instruction (8.0, Ampere)."""
    return _facts(require(), require().cuda.Device().id)[1] >= 80


@cache
def _facts(module: Any, index: int) -> tuple[int, int]:
    """(multiprocessors, compute capability times ten) of a GPU."""
    device = module.cuda.Device(index)
    return int(device.attributes["MultiProcessorCount"]), int(device.compute_capability)


def tf32_is_allowed() -> bool:
    """Whether float32 matrix products on a GPU may round their factors to TF32."""
    return _allow_tf32


def allow_tf32(allowed: bool) -> None:
    """Allow or forbid TF32, now or, if the GPU has not been used yet, from its first use on."""
    global _allow_tf32
    _allow_tf32 = allowed
    if _module is not None:
        _apply_tf32()


def _apply_tf32() -> None:
    routines = getattr(getattr(_module, "_core", None), "_routines_linalg", None)  # CuPy has no public switch
    if routines is not None:
        kind = routines.COMPUTE_TYPE_TF32 if _allow_tf32 else routines.COMPUTE_TYPE_DEFAULT
        routines.set_compute_type(_module.dtype("float32"), kind)
