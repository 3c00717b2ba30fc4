"""How a product of matrices is cut for the engine of ``tiled_product.cuh``: arithmetic, tiles, parts.

A GPU runs a block of threads for each tile of the result, some hundred blocks at a time. Three things make a good cut:

- **large tiles**: each number read serves as many products as the tile is wide;
- **little waste**: a tile of 128 rows computes 128 even if the result has 6;
- **enough blocks** for all multiprocessors. A small result of long sums (a kernel's gradient, or the last layers of a
  network on few images) has few tiles: then each sum is split into parts, which are added up by a second kernel.

They pull in different directions, and ``cut`` takes the cheapest by an estimate. The numbers in it follow from counting
instructions and bytes; none was fitted to a measurement.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

THREADS = 256  # of a block, as in tiled_product.cuh
MOST_PARTS = 256
MOST_IN_GRID = 65_535  # blocks along y and z of a grid

# What share of the multiply instructions' rate a tile can reach. Per step along k, a thread of the largest reads 16
# numbers from shared memory for 64 products, one of the smallest 8 for 16.
EFFICIENCY = {(128, 128): 1.0, (64, 128): 0.9, (64, 64): 0.7, (32, 128): 0.65, (32, 64): 0.5, (16, 256): 0.5}
LAUNCH = 5_000  # clock cycles until the kernel that adds up the parts has started
CYCLES_A_PART = 100  # of a thread that adds up the parts, which waits for the memory again and again
CYCLES_A_STEP = 40  # of a block, lost at the barrier of each step
BYTES_A_CYCLE = 15  # of one multiprocessor's share of the memory


class Arithmetic(NamedTuple):
    """Which numbers are multiplied, and by what: the settings of the kernels, and what ``cut`` must know of them."""

    element: str  # the type in memory, in C
    tensor_cores: bool
    sums: str  # the dtype of the sums
    step: int  # numbers along K that a step takes
    rate: int  # products a multiprocessor does in a cycle
    tiles: tuple[tuple[int, int], ...]

    def defines(self, tile: tuple[int, int]) -> dict[str, Any]:
        """The settings, as the compiler wants them."""
        names = ("ELEMENT", "TENSOR_CORES", "TILE_M", "TILE_N")
        return dict(zip(names, (self.element, int(self.tensor_cores), *tile)))


_TILES = tuple(EFFICIENCY)
FLOAT64 = Arithmetic("double", False, "float64", 8, 64, ((64, 64), (32, 64)))  # larger ones would run out of registers
FLOAT32 = Arithmetic("float", False, "float32", 8, 128, _TILES)
TF32 = Arithmetic("float", True, "float32", 16, 512, _TILES)
FLOAT16 = Arithmetic("half", True, "float32", 32, 1024, _TILES[:-1])
FLOAT16_WITHOUT_TENSOR_CORES = Arithmetic("half", False, "float32", 8, 128, _TILES)
ALL = (FLOAT64, FLOAT32, TF32, FLOAT16, FLOAT16_WITHOUT_TENSOR_CORES)


def arithmetic_for(dtype: Any, allow_tf32: bool, has_tensor_cores: bool) -> Arithmetic | None:
    """How numbers of this dtype are multiplied on this device; None for integers (no kernel).

    NumPy and CuPy have no bfloat16, and so there is none here.
    """
    if dtype.name == "float32":
        return TF32 if allow_tf32 and has_tensor_cores else FLOAT32
    if dtype.name == "float16":
        return FLOAT16 if has_tensor_cores else FLOAT16_WITHOUT_TENSOR_CORES
    return FLOAT64 if dtype.name == "float64" else None


class Cut(NamedTuple):
    """The size of a tile, and into how many parts the sums are split."""

    tile: tuple[int, int]
    parts: int


@lru_cache(1024)
def cut(M: int, N: int, K: int, products: int, arithmetic: Arithmetic, multiprocessors: int) -> Cut:
    """The cheapest cut of ``products`` products (M × K) · (K × N), by estimate.

    >>> cut(512, 8192, 4608, 1, FLOAT32, 132)  # large in every direction
    Cut(tile=(128, 128), parts=1)
    >>> cut(6, 200704, 25, 1, FLOAT32, 132)  # six output channels
    Cut(tile=(16, 256), parts=1)
    >>> cut(64, 576, 32768, 1, FLOAT32, 132).parts > 8  # the gradient of a small kernel over many places
    True
    """
    choices = [Cut(tile, parts) for tile in arithmetic.tiles for parts in _part_counts(K, arithmetic)]
    return min(choices, key=lambda choice: _cycles(choice, M, N, K, products, arithmetic, multiprocessors))


def _part_counts(K: int, arithmetic: Arithmetic) -> Iterator[int]:
    """1, 2, 4, … as long as a part has a few steps."""
    parts = 1
    while parts == 1 or (parts <= MOST_PARTS and 4 * parts * arithmetic.step <= K):
        yield parts
        parts *= 2


def _cycles(choice: Cut, M: int, N: int, K: int, products: int, arithmetic: Arithmetic, multiprocessors: int) -> float:
    """About how many clock cycles the products take, cut like this."""
    (rows, columns), parts = choice
    steps = ceil_divide(ceil_divide(K, arithmetic.step), parts)
    blocks = tiles_in(choice, M, N) * products * parts
    cycles_a_step = rows * columns * arithmetic.step / (arithmetic.rate * EFFICIENCY[choice.tile]) + CYCLES_A_STEP
    cycles = ceil_divide(blocks, multiprocessors) * steps * cycles_a_step
    if parts > 1:
        moved = 2 * parts * M * N * products * (8 if arithmetic.sums == "float64" else 4)
        cycles += LAUNCH + CYCLES_A_PART * parts + moved / (BYTES_A_CYCLE * multiprocessors)
    return cycles


def ceil_divide(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def tiles_in(choice: Cut, M: int, N: int) -> int:
    """How many tiles the result of one product has."""
    return ceil_divide(M, choice.tile[0]) * ceil_divide(N, choice.tile[1])


def grid(blocks: int, problems: int) -> tuple[int, int, int]:
    """x counts ``blocks``; y and z together count ``problems``, of which neither holds more than 65,535."""
    y = min(problems, MOST_IN_GRID)
    return blocks, y, ceil_divide(problems, y)
