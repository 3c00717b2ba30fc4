"""Whether results must be the same, bit for bit, from run to run: ``use_deterministic_algorithms``.

Nearly everything here always is: every sum, product and convolution has one order of additions, on a CPU (for a number
of threads) and in our kernels. The exception is adding into places that an index picks, on a GPU: CuPy's threads add
whenever they come by, and floating-point sums depend on that order. If determinism is asked for, such sums are added up
in the order of the elements instead (``add_in_order``), which takes a sort more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from minitorch.backend.arrays import Array, array_module, is_on_cpu
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, blocks_for, element_types, runs_kernels

_kernels = KernelFile(Path(__file__).with_suffix(".cu"))
_CUPY_CANNOT_SCATTER = ("int8", "int16", "uint8", "bool")  # its atomic additions know wider types only


@dataclass
class DeterminismSwitches:
    """What was asked for."""

    algorithms: bool = False
    warn_only: bool = False  # without effect: there is a deterministic way for everything
    fill_uninitialized_memory: bool = True


switches = DeterminismSwitches()


def add_at(target: Array, index: Any, values: Array) -> None:
    """``target[index] += values`` where an index that occurs twice adds twice."""
    if is_on_cpu(target) or target.dtype.name not in _CUPY_CANNOT_SCATTER:
        if switches.algorithms and runs_kernels(target):
            add_in_order(target, index, values)
        else:
            array_module(target).add.at(target, index, values)
        return
    wide = target.astype("int32")  # exact: the narrow types wrap around only when cast back
    array_module(target).add.at(wide, index, values.astype("int32"))
    target[...] = wide.astype(target.dtype)


def add_in_order(target: Array, index: Any, values: Array) -> None:
    """``add_at`` on a GPU with one order of additions: that of ``values``, one after another, as on a CPU."""
    xp = array_module(target)
    places = xp.arange(target.size).reshape(target.shape)[index]
    values = xp.ascontiguousarray(xp.broadcast_to(values, places.shape).astype(target.dtype, copy=False))
    places = places.reshape(-1)
    order = xp.argsort(places, kind="stable")
    result = xp.ascontiguousarray(target)
    arguments = [places, order, values, result, places.size]
    _kernels.launch("add_in_order", (blocks_for(places.size),), (BLOCK,), arguments, element_types(result, places))
    if result is not target:
        target[...] = result


def fill_if_wanted(array: Array) -> Array:
    """Fresh memory, filled with what shows when it is read before it is written: nan, or the largest number."""
    if switches.algorithms and switches.fill_uninitialized_memory:
        kind = array.dtype.kind
        array.fill(numpy.nan if kind == "f" else True if kind == "b" else numpy.iinfo(array.dtype).max)
    return array
