"""Jobs on many arrays of a GPU in one launch: optimizers' steps, zeros, copies, unscaled gradients.

A model has some hundred parameters, most of them small; a kernel for each would take longer to launch than to run.
``TensorLists`` packs the addresses of up to ``TENSORS`` arrays into an argument of one launch (``tensor_table.cuh``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy

from minitorch.backend.arrays import Array, array_module, is_on_cpu
from minitorch.backend.kernels import KernelFile, kernels_available
from minitorch.backend.launching import BLOCK, TYPES, kind_of, wide_dtype
from minitorch.backend.layout import is_dense
from minitorch.backend.reduction import sum_of_shares

TENSORS = 48  # in a launch: with six lists the table takes 3,080 bytes of the 4,096 that arguments may have
CHUNK = 2048  # elements of a block
_SAME_SIZE = {2: "half", 4: "float", 8: "double"}  # types to move bits of this many bytes

_kernels = KernelFile(Path(__file__).with_suffix(".cu"))

Lists = Sequence[Sequence[Array | None]]


def can_step(*arrays: Array | None) -> bool:
    """Whether kernels can walk through these arrays side by side: on a GPU, floating, in one order without gaps."""
    present = [array for array in arrays if array is not None]
    first = present[0]
    if is_on_cpu(first) or first.dtype.name not in TYPES or not kernels_available():
        return False
    return all(_is_alike(each, first) for each in present[1:]) and is_dense(first)


def _is_alike(array: Array, other: Array) -> bool:
    same_order = array.strides == other.strides or (array.flags.c_contiguous and other.flags.c_contiguous)
    return not is_on_cpu(array) and array.dtype == other.dtype and array.shape == other.shape and same_order


def launch(kernels: KernelFile, name: str, lists: Lists, arguments: list[Any], defines: dict[str, Any]) -> None:
    """Run a kernel on lists of arrays: the arrays with the same place in each list are worked on together.

    None stands for an array that is not there. Arrays of one type and device; launches of ``TENSORS`` arrays each.
    """
    device = next(array.device for array in lists[0] if array is not None)
    for table, blocks in _tables(lists):
        with device:  # the arguments may have no array that would tell
            kernels.launch(name, (blocks,), (BLOCK,), [table, *arguments], _settings(lists) | defines)


def _settings(lists: Lists) -> dict[str, Any]:
    return {"TENSORS": TENSORS, "LISTS": len(lists), "CHUNK": CHUNK, "BLOCK": BLOCK}


def _tables(lists: Lists) -> Iterator[tuple[numpy.ndarray, int]]:
    """The tables of the launches, as ``TensorTable`` lies in memory, and how many blocks each needs."""
    for start in range(0, len(lists[0]), TENSORS):
        parts = [each[start : start + TENSORS] for each in lists]
        sizes = [array.size for array in parts[0] if array is not None]
        table = numpy.zeros(TENSORS + 1 + TENSORS * (1 + len(lists)), "int64")
        first_block, size, addresses = numpy.split(table, [TENSORS + 1, 2 * TENSORS + 1])
        first_block[1 : len(sizes) + 1] = numpy.cumsum([math.ceil(each / CHUNK) for each in sizes])
        first_block[len(sizes) :] = first_block[len(sizes)]
        size[: len(sizes)] = sizes
        for row, part in zip(addresses.reshape(len(lists), TENSORS), parts):
            row[: len(part)] = [0 if array is None else array.data.ptr for array in part]
        if first_block[-1]:
            yield table, int(first_block[-1])


def multi_tensor_zero(arrays: Sequence[Array]) -> None:
    """Fill arrays with zeros."""
    rest = _launch_by_size("zero", [arrays])
    for (array,) in rest:
        array.fill(0)


def multi_tensor_copy(targets: Sequence[Array], sources: Sequence[Array]) -> None:
    """``target[...] = source`` for each pair."""
    for target, source in _launch_by_size("copy", [targets, sources]):
        target[...] = source


def multi_tensor_add(arrays: Sequence[Array], amount: float, unless: Array | None = None) -> None:
    """Add a number to every element of arrays, unless the float32 at ``unless``, on their device, is not 0."""
    for group, rest in _by_type(arrays):
        if group:
            launch(_kernels, "add", [group], [float(amount), unless], {"ELEMENT": TYPES[group[0].dtype.name]})
        for array in rest:
            array += amount if unless is None else (unless == 0) * amount


def multi_tensor_unscale(grads: Sequence[Array], inverse_scale: Array, found_inf: Array) -> None:
    """Multiply gradients by ``inverse_scale``; set ``found_inf`` to 1 if an element is infinite or nan.

    Both are float32 arrays of one element, on the gradients' device: nothing waits for the device.
    """
    for group, rest in _by_type(grads):
        if group:
            settings = {"ELEMENT": TYPES[group[0].dtype.name]}
            launch(_kernels, "unscale", [group], [inverse_scale, found_inf], settings)
        for array in rest:
            is_finite = (array - array == 0).all()
            found_inf[...] = (found_inf != 0) | ~is_finite
            array *= inverse_scale.astype(array.dtype).reshape(())


def multi_tensor_norm(arrays: Sequence[Array]) -> Array | None:
    """√Σ x² over all elements of all arrays, as an array without dimensions; None if a kernel cannot compute it.

    Two stages, each with one order of additions: a block's sum, and the sum of those.
    """
    if not arrays or not all(can_step(array) and kind_of(array) == kind_of(arrays[0]) for array in arrays):
        return None
    tables, xp = list(_tables([arrays])), array_module(arrays[0])
    partial = xp.empty((sum(blocks for _, blocks in tables), 1), wide_dtype(arrays[0]))
    settings, start = _settings([arrays]) | {"ELEMENT": TYPES[arrays[0].dtype.name]}, 0
    for table, blocks in tables:
        _kernels.launch("sum_squares", (blocks,), (BLOCK,), [table, partial[start:]], settings)
        start += blocks
    return xp.sqrt(sum_of_shares(partial)).astype(arrays[0].dtype, copy=False).reshape(())


def multi_tensor_scale(arrays: Sequence[Array], factor: Array) -> None:
    """Multiply every element of arrays by a factor, which is an array of one element on their device."""
    for group, rest in _by_type(arrays):
        if group:
            settings = {"ELEMENT": TYPES[group[0].dtype.name]}
            launch(_kernels, "scale", [group], [factor.astype(wide_dtype(group[0]), copy=False)], settings)
        for array in rest:
            array *= factor.astype(array.dtype).reshape(())


def _by_type(arrays: Sequence[Array]) -> Iterator[tuple[list[Array], list[Array]]]:
    """The arrays that one launch can work on, for each dtype and device; the others beside them, once."""
    groups: dict[Any, list[Array]] = {}
    rest = []
    for array in arrays:
        if can_step(array):
            groups.setdefault(kind_of(array), []).append(array)
        else:
            rest.append(array)
    yield [], rest
    for group in groups.values():
        yield group, []


def _launch_by_size(name: str, lists: Sequence[Sequence[Array]]) -> list[tuple[Array, ...]]:
    """Run a kernel that moves bits on all tuples of arrays that it can; returns the others."""
    groups: dict[Any, list[tuple[Array, ...]]] = {}
    rest = []
    for arrays in zip(*lists):
        first = arrays[0]
        known = not is_on_cpu(first) and first.itemsize in _SAME_SIZE and kernels_available()
        if known and is_dense(first) and all(_is_alike(each, first) for each in arrays[1:]):
            groups.setdefault((first.itemsize, first.device.id), []).append(arrays)
        else:
            rest.append(arrays)
    for (itemsize, _), tuples in groups.items():
        launch(_kernels, name, list(zip(*tuples)), [], {"ELEMENT": _SAME_SIZE[itemsize]})
    return rest
