"""``minitorch.cuda``: what there is in the way of GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minitorch.backend import accelerator, current_cuda_device
from minitorch.cuda.graphs import CUDAGraph, graph, graph_pool_handle, is_current_stream_capturing

__all__ = [
    "CUDAGraph",
    "current_device",
    "device_count",
    "graph",
    "graph_pool_handle",
    "is_available",
    "is_current_stream_capturing",
    "make_graphed_callables",
    "make_graphed_step",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def is_available() -> bool:
    """Whether tensors can be put on a GPU: CuPy is installed and finds a device."""
    return accelerator.is_available()


def device_count() -> int:
    """How many GPUs there are."""
    return accelerator.device_count()


def current_device() -> int:
    """The number of the GPU that ``"cuda"`` without an index means."""
    return current_cuda_device()


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has finished all work given to it; RuntimeError if there is none."""
    accelerator.require().cuda.Device().synchronize()


def manual_seed(seed: int) -> None:
    """Accepted for torch's sake: numbers for a GPU are drawn by the CPU generator (``minitorch.manual_seed``)."""


def manual_seed_all(seed: int) -> None:
    """As ``manual_seed``."""


if TYPE_CHECKING:
    from minitorch.cuda.graphed_callables import make_graphed_callables
    from minitorch.cuda.graphed_step import make_graphed_step
else:
    _LATER = {"make_graphed_callables": "graphed_callables", "make_graphed_step": "graphed_step"}

    def __getattr__(name):
        """Functions that know modules and optimizers, which are imported when they are first used."""
        if name not in _LATER:
            raise AttributeError(f"module 'minitorch.cuda' has no attribute {name!r}")
        from importlib import import_module

        globals()[name] = found = getattr(import_module(f"minitorch.cuda.{_LATER[name]}"), name)
        return found
