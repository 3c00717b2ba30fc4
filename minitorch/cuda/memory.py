"""The memory of a GPU: what is used, what was used at most, what is kept for later, and the limit.

*Allocated* memory belongs to living tensors. *Reserved* memory is what the pool (CuPy's) has taken from the GPU: the
allocated, and free blocks that wait for the next tensor of their stream.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from minitorch.backend import OutOfMemoryError, accelerator
from minitorch.cuda.devices import WhichDevice, existing_index

__all__ = [
    "OutOfMemoryError",
    "empty_cache",
    "get_per_process_memory_fraction",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_peak_memory_stats",
    "set_per_process_memory_fraction",
]


def memory_allocated(device: WhichDevice = None) -> int:
    """Bytes of living tensors on a GPU (the current one unless given), in units of 512; 0 where no GPU is in use."""
    return int(memory_stats(device).get("allocated_bytes.all.current", 0))


def max_memory_allocated(device: WhichDevice = None) -> int:
    """The most that ``memory_allocated`` has been since the start, or since ``reset_peak_memory_stats``."""
    return int(memory_stats(device).get("allocated_bytes.all.peak", 0))


def memory_reserved(device: WhichDevice = None) -> int:
    """Bytes that the pool has taken from a GPU, for living tensors and for later."""
    return int(memory_stats(device).get("reserved_bytes.all.current", 0))


def max_memory_reserved(device: WhichDevice = None) -> int:
    """The most that ``memory_reserved`` has been.

    Seen whenever the library gives memory back, or more is allocated than ever. A peak between that is given back by
    somebody else (``free_all_blocks`` of CuPy's pool) may be missed.
    """
    return int(memory_stats(device).get("reserved_bytes.all.peak", 0))


def reset_peak_memory_stats(device: WhichDevice = None) -> None:
    """Let the two peaks start again from what is allocated and reserved now."""
    if accelerator.loaded() is not None:
        accelerator.memory().reset_peaks(existing_index(device))


reset_max_memory_allocated = reset_peak_memory_stats


def empty_cache() -> None:
    """Give reserved memory that no tensor uses back to the GPUs; nothing happens where none is in use."""
    if accelerator.loaded() is not None:
        memory = accelerator.memory()
        memory.in_flight.release(all_blocks=True)
        for index in range(accelerator.device_count()):
            memory.empty_cache(index)


def mem_get_info(device: WhichDevice = None) -> tuple[int, int]:
    """Bytes that a GPU has left, for whichever process, and bytes that it has; RuntimeError without a GPU."""
    accelerator.require()
    return accelerator.memory().free_and_total(existing_index(device))


def set_per_process_memory_fraction(fraction: float, device: WhichDevice = None) -> None:
    """Let the pool take at most this part of a GPU's memory; what is beyond raises OutOfMemoryError.

    Raises: TypeError unless it is a float, ValueError unless it is from 0 to 1, RuntimeError without a GPU.
    """
    accelerator.require()
    index = existing_index(device)
    if not isinstance(fraction, float):
        raise TypeError("Invalid type for fraction argument, must be `float`")
    if fraction < 0 or fraction > 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    memory = accelerator.memory()
    total = memory.free_and_total(index)[1]
    memory.set_limit(index, 0 if fraction == 1 else max(int(fraction * total), 1))  # for the pool, 0 is no limit


def get_per_process_memory_fraction(device: WhichDevice = None) -> float:
    """The part of a GPU's memory that the pool may take: 1.0 unless it was set."""
    accelerator.require()
    memory, index = accelerator.memory(), existing_index(device)
    limit = memory.limit(index)
    return limit / memory.free_and_total(index)[1] if limit else 1.0


def memory_stats(device: WhichDevice = None) -> dict[str, Any]:
    """What the pool of a GPU has done, under torch's names; empty where no GPU is in use.

    ``allocated_bytes.all`` and ``reserved_bytes.all`` with ``.current`` and ``.peak``,
    ``allocated_bytes.all.allocated`` and ``.freed`` (all that was, since the start), and ``num_ooms``. torch counts
    more: its pool has two parts.
    """
    found: dict[str, Any] = OrderedDict()
    if accelerator.loaded() is None:
        return found
    memory, index = accelerator.memory(), existing_index(device)
    used, reserved, handed_out = memory.used(index), memory.reserved(index), memory.handed_out(index)
    found["allocated_bytes.all.allocated"] = handed_out
    found["allocated_bytes.all.current"] = used
    found["allocated_bytes.all.freed"] = max(handed_out - used, 0)
    found["allocated_bytes.all.peak"] = memory.peak(index)
    found["num_ooms"] = memory.failures(index)
    found["reserved_bytes.all.current"] = reserved
    found["reserved_bytes.all.peak"] = memory.reserved_peak(index)
    return found


_ROWS = (("Allocated memory", "allocated_bytes.all."), ("GPU reserved memory", "reserved_bytes.all."))


def memory_summary(device: WhichDevice = None, abbreviated: bool = False) -> str:
    """A table of ``memory_stats`` to print, in MiB. ``abbreviated`` is accepted for torch's sake.

    Raises: RuntimeError without a GPU.
    """
    accelerator.require()
    stats, index = memory_stats(device), existing_index(device)
    rule = "|" + "=" * 74 + "|"
    lines = [rule, f"|{f'minitorch CUDA memory summary, device ID {index}':^74}|", rule.replace("=", "-")]
    lines += [f"| {'CUDA OOMs: ' + str(stats['num_ooms']):<72} |", rule]
    lines.append(f"| {'Metric':<21} | {'Cur Usage':>14} | {'Peak Usage':>14} | {'Tot Alloc':>14} |")
    for title, key in _ROWS:
        cells = [stats.get(key + kind) for kind in ("current", "peak", "allocated")]
        texts = ["-" if cell is None else f"{cell / (1 << 20):.1f} MiB" for cell in cells]
        lines.append(f"| {title:<21} | " + " | ".join(f"{text:>14}" for text in texts) + " |")
    return "\n".join([*lines, rule]) + "\n"
