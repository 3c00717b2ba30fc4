"""``minitorch.cuda``: GPUs, their streams and their memory, under torch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minitorch.cuda import amp as amp  # torch.cuda.amp
from minitorch.cuda import random as random
from minitorch.cuda.devices import (
    can_device_access_peer,
    current_device,
    device,
    device_count,
    device_of,
    get_device_capability,
    get_device_name,
    get_device_properties,
    init,
    is_available,
    is_initialized,
    set_device,
    synchronize,
)
from minitorch.cuda.graphs import CUDAGraph, graph, graph_pool_handle, is_current_stream_capturing
from minitorch.cuda.memory import (
    OutOfMemoryError,
    empty_cache,
    get_per_process_memory_fraction,
    max_memory_allocated,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    memory_stats,
    memory_summary,
    reset_max_memory_allocated,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
)
from minitorch.cuda.random import (
    get_rng_state,
    get_rng_state_all,
    initial_seed,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)
from minitorch.cuda.streams import (
    Event,
    ExternalStream,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    get_stream_from_external,
    set_stream,
    stream,
)

__all__ = [
    "CUDAGraph",
    "Event",
    "ExternalStream",
    "OutOfMemoryError",
    "Stream",
    "StreamContext",
    "can_device_access_peer",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "device_of",
    "empty_cache",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_per_process_memory_fraction",
    "get_rng_state",
    "get_rng_state_all",
    "get_stream_from_external",
    "graph",
    "graph_pool_handle",
    "init",
    "initial_seed",
    "is_available",
    "is_current_stream_capturing",
    "is_initialized",
    "make_graphed_callables",
    "make_graphed_step",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "stream",
    "synchronize",
]


if TYPE_CHECKING:
    from minitorch.cuda.graphed_callables import make_graphed_callables
    from minitorch.cuda.graphed_step import make_graphed_step
    from minitorch.tensor.random import Generator

    default_generators: tuple[Generator, ...]
else:
    _LATER = {"make_graphed_callables": "graphed_callables", "make_graphed_step": "graphed_step"}

    def __getattr__(name):
        """Functions that know modules and optimizers, which are imported when they are first used."""
        if name == "default_generators":  # one for each GPU: not counted before someone asks
            return random.default_generators()
        if name not in _LATER:
            raise AttributeError(f"module 'minitorch.cuda' has no attribute {name!r}")
        from importlib import import_module

        globals()[name] = found = getattr(import_module(f"minitorch.cuda.{_LATER[name]}"), name)
        return found
