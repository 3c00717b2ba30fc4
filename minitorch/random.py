"""``torch.random``: the functions of the default generators under their other address, and ``fork_rng``."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import minitorch.cuda as cuda
from minitorch.device import device as device_class
from minitorch.tensor.random import get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]

_has_warned = False


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """What is drawn inside does not count: afterwards the generators go on as if nothing had been drawn.

    Args: ``devices`` the GPUs whose generators are meant (numbers or devices; by default all, with a warning where
    there are several), beside the CPU's, which always is; ``enabled`` False to do nothing; ``device_type`` "cuda", the
    default, or "meta" for nothing.
    Raises: RuntimeError for another type of device.

    >>> import minitorch as torch
    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     inside = torch.rand(2)
    >>> bool((torch.rand(2) == inside).all())
    True
    """
    if not enabled or device_type == "meta":
        yield
        return
    if device_class(device_type or "cuda").type != "cuda":
        raise RuntimeError(f"fork_rng() has generators of the types 'cpu' and 'cuda', not of {device_type!r}")
    chosen = _all_devices(_caller, _devices_kw) if devices is None else list(devices)
    states = get_rng_state(), [cuda.get_rng_state(device) for device in chosen]
    try:
        yield
    finally:
        set_rng_state(states[0])
        for device, state in zip(chosen, states[1]):
            cuda.set_rng_state(state, device)


def _all_devices(caller: str, keyword: str) -> list[int]:
    """The numbers of all GPUs; warns the first time if there are several."""
    global _has_warned
    count = cuda.device_count()
    if count > 1 and not _has_warned:
        _has_warned = True
        message = (
            f"CUDA reports that you have {count} available devices, and you have used {caller} without explicitly "
            f"specifying which devices are being used. For safety, we initialize *every* CUDA device by default. If "
            f"you use only some of them, name those with the '{keyword}' keyword argument of {caller}, or hide the "
            f"others by the environment variable CUDA_VISIBLE_DEVICES."
        )
        warnings.warn(message, stacklevel=4)  # past contextlib, at the caller
    return list(range(count))
