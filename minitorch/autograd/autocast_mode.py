"""Whether ops cast their operands for mixed precision: a switch per thread and kind of device, as torch has it.

``amp.autocast`` turns it on for a region; ``ops/autocast.py`` reads it and casts. The functions here are torch's low
level: each sets or tells one thing.
"""

from __future__ import annotations

import threading
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.device import device

DEVICE_TYPES = ("cuda", "cpu")  # in this order: an op on tensors of both is cast as one of the first
NO_BFLOAT16 = "neither NumPy nor CuPy has bfloat16, so ask for dtype=torch.float16"


class _AutocastState(threading.local):
    devices: tuple[str, ...] = ()  # whose ops are cast now; read by every op that may be cast
    cache_enabled = True
    nesting = 0

    def __init__(self) -> None:  # called in every thread
        self.dtypes: dict[str, dtypes.dtype] = {"cuda": dtypes.float16}  # torch's for the CPU would be bfloat16
        self.regions: list[Any] = []  # what each region that this thread is in will restore
        self.cache: dict[int, Any] = {}  # casts of parameters, by the parameter's identity


class _Usage:
    """Whether mixed precision was ever turned on: a look that costs a third of one at a thread's own state."""

    def __init__(self) -> None:
        self.has_begun = False


state = _AutocastState()
usage = _Usage()


def is_autocast_available(device_type: str) -> bool:
    """Whether there is mixed precision for this kind of device.

    Raises: RuntimeError for a word that names no kind of device.

    >>> is_autocast_available("cpu")
    True
    """
    return _type("is_autocast_available", device_type) in DEVICE_TYPES


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether ops on tensors of this kind of device are being cast in this thread."""
    return _type("is_autocast_enabled", device_type) in state.devices


def set_autocast_enabled(device_type: str, enabled: bool) -> None:
    """Turn casting on or off for a kind of device in this thread, until it is set again."""
    changed = _type("set_autocast_enabled", device_type)
    if not isinstance(enabled, bool):
        raise TypeError(
            f"set_autocast_enabled(): argument 'enabled' (position 2) must be bool, not {type(enabled).__name__}"
        )
    usage.has_begun = usage.has_begun or enabled
    state.devices = tuple([each for each in DEVICE_TYPES if (enabled if each == changed else each in state.devices)])


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """The lower precision of a kind of device.

    Raises: RuntimeError for the CPU, until one is set: torch's is bfloat16, which is not to be had here.

    >>> import minitorch as torch
    >>> torch.get_autocast_dtype("cuda")
    torch.float16
    """
    found = state.dtypes.get(_type("get_autocast_dtype", device_type))
    if found is None:
        raise RuntimeError(f"autocast for the CPU has no default dtype: torch's is bfloat16, but {NO_BFLOAT16}")
    return found


def set_autocast_dtype(device_type: str, dtype: dtypes.dtype) -> None:
    """Set the lower precision of a kind of device in this thread."""
    kind = _type("set_autocast_dtype", device_type)
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError(
            f"set_autocast_dtype(): argument 'dtype' (position 2) must be torch.dtype, not {type(dtype).__name__}"
        )
    state.dtypes[kind] = dtype


def is_autocast_cache_enabled() -> bool:
    """Whether a parameter's cast is kept until the end of the region."""
    return state.cache_enabled


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Keep casts of parameters, or cast them anew for every op."""
    state.cache_enabled = enabled


def clear_autocast_cache() -> None:
    """Forget this thread's casts of parameters."""
    state.cache.clear()


def autocast_increment_nesting() -> int:
    """Enter a region; returns how many regions this thread is in."""
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting() -> int:
    """Leave a region; returns how many regions this thread is still in."""
    state.nesting -= 1
    return state.nesting


def _type(function: str, device_type: Any) -> str:
    """The kind of device that a word names, or torch's error for what names none."""
    if not isinstance(device_type, str):
        raise TypeError(
            f"{function}(): argument 'device_type' (position 1) must be str, not {type(device_type).__name__}"
        )
    return device(device_type).type
