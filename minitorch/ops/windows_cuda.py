"""Launching the kernels of pooling: what ``windows.cuh`` wants to know."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from minitorch.backend import Array, is_channels_last
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, blocks_for, element_types
from minitorch.ops.windows import Windows


def launch_over(
    target: Array, kernels: KernelFile, name: str, arguments: list[Any], windows: Windows, defines: dict[str, Any]
) -> None:
    """Run a pooling kernel with a thread for each element of ``target``."""
    types = element_types(target, arguments[0]) | defines | {"CHANNELS_LAST": int(is_channels_last(target))}
    sizes = [target.size, target.shape[-3], *windows.input_size, *windows.output_size]
    settings = _with_window(windows, tuple(types.items()))
    kernels.launch(name, (blocks_for(target.size),), (BLOCK,), [*arguments, *sizes], settings)


@lru_cache(4096)
def _with_window(windows: Windows, settings: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*settings, *window_settings(windows).items())


def window_settings(windows: Windows) -> dict[str, int]:
    """The numbers of the window as ``windows.cuh`` calls them.

    >>> window_settings(Windows((8, 8), (2, 2), (2, 2), (0, 0), (1, 1), (4, 4)))["K_H"]
    2
    """
    fields = {"K": windows.kernel_size, "S": windows.stride, "P": windows.padding, "D": windows.dilation}
    return {f"{letter}_{axis}": pair[i] for letter, pair in fields.items() for i, axis in enumerate("HW")}
