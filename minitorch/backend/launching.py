"""What the launches of our CUDA kernels have in common: when there is one to run, for which types, on how many threads.

The kernels lie beside their op (``max_pool2d.cu``), and so does what launches them (``max_pool2d_cuda.py``). They
compute on floating-point arrays on a GPU. Everything else (other dtypes, and the array types that stand in for CuPy's
in tests) takes the path that is written once for every array module.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from minitorch.backend.arrays import Array, array_module, is_on_cpu, row_major
from minitorch.backend.kernels import kernels_available
from minitorch.backend.layout import empty_in_order, image_order, in_order

TYPES = {"float16": "half", "float32": "float", "float64": "double"}  # NumPy's name, and the one in CUDA C
INTEGERS = {"uint8": "unsigned char", "int32": "int", "int64": "long long"}
_NAMES = {"e": "float16", "f": "float32", "d": "float64"}  # ``dtype.name`` takes NumPy 2 µs
_CHARACTERS = {character: TYPES[name] for character, name in _NAMES.items()}
BLOCK = 256  # threads of a block: eight warps, of which a multiprocessor holds several blocks
_WANTED_BLOCKS = 1024  # a few for each multiprocessor of any GPU
_MOST_IN_32_BITS = 2**31 - 16 * BLOCK  # the last block counts a little further
_MOST_BLOCKS_DOWN = 65535  # what a grid may have in its second and third direction


def runs_kernels(array: Any) -> bool:
    """Whether kernels of ours compute on ``array``: it lies on a GPU, its dtype is floating, and it is not empty.

    False for a Tensor: what is to be recorded takes the path of library ops.
    """
    return not is_on_cpu(array) and array.dtype.char in _CHARACTERS and array.size > 0 and kernels_available()


def element_types(array: Array, *others: Array) -> dict[str, str]:
    """The settings that say what the elements are, and whether the elements of each array can be counted in 32 bits."""
    most = max(array.size, *[each.size for each in others]) if others else array.size
    return {"ELEMENT": type_of(array), "INDEX": "int" if most < _MOST_IN_32_BITS else "long long"}


def type_of(array: Array) -> str:
    """What CUDA C calls the elements of a floating-point array."""
    return _CHARACTERS[array.dtype.char]


def name_of(array: Array) -> str:
    """The name of a floating-point dtype."""
    return _NAMES[array.dtype.char]


def wide_dtype(array: Array) -> str:
    """The dtype of formulas and of what they keep: float32 for float16."""
    return "float64" if array.dtype.char == "d" else "float32"


def pointer(array: Array | None) -> Any:
    """The argument for a pointer to what a kernel only reads: the array, row after row; None for nothing.

    Raises: TypeError for an array in host memory.
    """
    if array is None:
        return None
    if is_on_cpu(array):
        raise TypeError("a kernel was given an array in host memory")
    return row_major(array)


def kind_of(array: Array) -> Hashable:
    """What arrays must have in common to be worked on in one launch: dtype and device."""
    return array.dtype, array.device.id


def blocks_for(count: int, each: int = BLOCK) -> int:
    """How many blocks make ``count`` elements, if each makes ``each``."""
    return -(-count // each)


def shares_of(channels: int, samples: int, elements: int, rows: int) -> int:
    """Into how many shares to cut a channel's samples, so that all of a GPU has something to do.

    ``rows`` samples are visited at a time. Shares depend on sizes alone: then a sum has the same bits on every GPU.

    >>> shares_of(channels=64, samples=256, elements=256 * 1024, rows=1)
    16
    >>> shares_of(channels=2048, samples=256, elements=256 * 49, rows=4)
    1
    """
    useful = min(samples // rows, elements // (8 * BLOCK))  # 8 elements for a thread, or it is not worth it
    return max(min(_WANTED_BLOCKS // max(channels, 1), useful, _MOST_BLOCKS_DOWN), 1)


def power_of_two(at_least: int) -> int:
    """The least power of two that is not below a number."""
    return 1 << max(at_least - 1, 0).bit_length()


def dense_images(array: Array) -> Array:
    """Images in one of the two orders that kernels know, row-major or channels-last; a copy if there are gaps."""
    return in_order(array, image_order(array))


def empty_images(shape: tuple[int, ...], dtype: Any, like: Array) -> Array:
    """Fresh memory for images in the order of ``like``."""
    return empty_in_order(array_module(like), shape, dtype, image_order(like))


def ordered_like(array: Array, like: Array) -> Array:
    """Images in the order of ``like``, which has no gaps."""
    return in_order(array, image_order(like))
