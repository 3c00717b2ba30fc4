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

THREADS = 256  # of a block of the kernels that make no tiles
MOST_PARTS = 512
MANY_PARTS, TOGETHER = 32, 8  # from so many parts on, so many threads add up one sum together
MOST_IN_GRID = 65_535  # blocks along y and z of a grid

GAPS = 500  # clock cycles of a step that a block alone waits: for memory, shared memory, its barrier
LAUNCH = 5_000  # clock cycles until the kernel that adds up the parts has started
CYCLES_A_PART = 100  # of a thread that adds up the parts, which waits for the memory again and again
CYCLES_A_TILE = 1_500  # of a block before its first step and after its last
BYTES_A_CYCLE = 15  # of one multiprocessor's share of the memory


class Tile(NamedTuple):
    """How a block of threads makes one tile of the result: settings of ``tiled_product.cuh``."""

    step: int  # words along K at a time
    warps: tuple[int, int]  # rows and columns of them
    blocks: int  # that shall fit on a multiprocessor side by side
    efficiency: float  # the share of the multiply instructions' rate that it can reach with as many blocks


Tiles = dict[tuple[int, int], Tile]

# By the size (rows, columns). With tensor cores, a thread has room for 32 numbers on their way from memory, beside 128
# sums in the largest tile: step · (rows + columns) is about 32 times the number of threads. The efficiency is that of a
# convolution, whose addresses cost more instructions than its products: 7 for each of them in the largest tile, 30 in
# the smallest.
WITH_TENSOR_CORES: Tiles = {
    (128, 128): Tile(16, (2, 2), 2, 0.8),
    (96, 128): Tile(16, (2, 2), 2, 0.7),
    (64, 128): Tile(16, (2, 2), 3, 0.6),
    (64, 64): Tile(32, (2, 2), 3, 0.55),
    (32, 128): Tile(32, (1, 4), 3, 0.4),
    (32, 64): Tile(32, (2, 2), 4, 0.3),
    (16, 256): Tile(16, (1, 4), 3, 0.2),
    (16, 128): Tile(32, (1, 4), 4, 0.25),
}

# Per step along k, a thread of the largest tile reads 16 numbers from shared memory for 64 products, one of the
# smallest 8 for 16.
WITHOUT_TENSOR_CORES: Tiles = {
    (128, 128): Tile(8, (2, 4), 2, 0.9),
    (64, 128): Tile(8, (2, 4), 2, 0.8),
    (64, 64): Tile(8, (2, 4), 3, 0.65),
    (32, 128): Tile(8, (2, 4), 3, 0.6),
    (32, 64): Tile(8, (2, 4), 4, 0.45),
    (16, 256): Tile(8, (1, 8), 3, 0.5),
}


class Arithmetic(NamedTuple):
    """Which numbers are multiplied, and by what: the settings of the kernels, and what ``cut`` must know of them."""

    element: str  # the type in memory, in C
    tensor_cores: bool
    sums: str  # the dtype of the sums
    pack: int  # numbers in a word
    rate: int  # products a multiprocessor does in a cycle
    tiles: tuple[tuple[int, int], ...]

    def tile(self, size: tuple[int, int]) -> Tile:
        """How a tile of this size is made."""
        return (WITH_TENSOR_CORES if self.tensor_cores else WITHOUT_TENSOR_CORES)[size]

    def threads(self, size: tuple[int, int]) -> int:
        """The threads of a block that makes such a tile."""
        rows, columns = self.tile(size).warps
        return 32 * rows * columns

    def defines(self, size: tuple[int, int]) -> dict[str, Any]:
        """The settings, as the compiler wants them."""
        names = ("ELEMENT", "TENSOR_CORES", "TILE_M", "TILE_N", "TILE_K", "WARP_ROWS", "WARP_COLUMNS", "BLOCKS")
        tile = self.tile(size)
        return dict(zip(names, (self.element, int(self.tensor_cores), *size, tile.step, *tile.warps, tile.blocks)))


_TENSOR_CORE_TILES, _TILES = tuple(WITH_TENSOR_CORES), tuple(WITHOUT_TENSOR_CORES)
FLOAT64 = Arithmetic("double", False, "float64", 1, 64, ((64, 64), (32, 64)))  # larger ones would run out of registers
FLOAT32 = Arithmetic("float", False, "float32", 1, 128, _TILES)
TF32 = Arithmetic("float", True, "float32", 1, 512, _TENSOR_CORE_TILES)
FLOAT16 = Arithmetic("half", True, "float32", 2, 1024, _TENSOR_CORE_TILES)
FLOAT16_WITHOUT_TENSOR_CORES = Arithmetic("half", False, "float32", 1, 128, _TILES)
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
    problem = _Problem(M, N, K, products, arithmetic, multiprocessors)
    choices = [Cut(size, parts) for size in arithmetic.tiles for parts in problem.part_counts(size)]
    return min(choices, key=problem.cycles)


class _Problem(NamedTuple):
    """What is to be cut, and for which device."""

    M: int
    N: int
    K: int
    products: int
    arithmetic: Arithmetic
    multiprocessors: int

    def steps(self, size: tuple[int, int]) -> int:
        """Of a sum that is not split."""
        return ceil_divide(self.K, self.arithmetic.tile(size).step * self.arithmetic.pack)

    def part_counts(self, size: tuple[int, int]) -> Iterator[int]:
        """1, and what fills the device once, twice, … as long as a part has a few steps."""
        yield 1
        tiles = tiles_in(Cut(size, 1), self.M, self.N) * self.products
        for blocks in range(1, 4 * self.arithmetic.tile(size).blocks + 1):
            parts = blocks * self.multiprocessors // max(tiles, 1)
            if 1 < parts <= min(MOST_PARTS, self.steps(size) // 4):
                yield parts

    def cycles(self, choice: Cut) -> float:
        """About how many clock cycles the products take, cut like this."""
        tile, parts = self.arithmetic.tile(choice.tile), choice.parts
        steps = ceil_divide(self.steps(choice.tile), parts)
        blocks = ceil_divide(tiles_in(choice, self.M, self.N) * self.products * parts, self.multiprocessors)
        rows, columns = choice.tile
        work = rows * columns * tile.step * self.arithmetic.pack / (self.arithmetic.rate * tile.efficiency)
        full, rest = divmod(blocks, tile.blocks)  # on one multiprocessor; those of a wave run side by side
        waves = [tile.blocks] * full + [rest] * (rest > 0)
        cycles = sum(steps * max(side_by_side * work, work + GAPS) + CYCLES_A_TILE for side_by_side in waves)
        return cycles + (self._cycles_to_add_up(parts) if parts > 1 else 0)

    def _cycles_to_add_up(self, parts: int) -> float:
        moved = 2 * parts * self.M * self.N * self.products * (8 if self.arithmetic.sums == "float64" else 4)
        return LAUNCH + CYCLES_A_PART * parts / adding_block(parts)[1] + moved / (BYTES_A_CYCLE * self.multiprocessors)


def adding_block(parts: int) -> tuple[int, int]:
    """The block of threads that adds up parts: how many elements it makes, and how many threads make one."""
    together = TOGETHER if parts >= MANY_PARTS else 1
    return THREADS // together, together


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
