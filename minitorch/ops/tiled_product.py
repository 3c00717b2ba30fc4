"""How a product of matrices is cut for the engine of ``tiled_product.cuh``: arithmetic, tiles, parts.

A GPU runs a block of threads for each tile of the result, some hundred blocks at a time. Three things make a good cut:

- **large tiles**: each number read serves as many products as the tile is wide;
- **little waste**: a tile of 128 rows computes 128 even if the result has 6;
- **enough blocks** for all multiprocessors. A small result of long sums (a kernel's gradient, or the last layers of a
  network on few images) has few tiles: then each sum is split into parts, which are added up by a second kernel.

They pull in different directions, and ``cut`` takes the cheapest by an estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from minitorch.backend import Array
from minitorch.backend.kernels import as_struct

THREADS = 256  # of a block where a thread makes an element: every kernel but those that work by tiles
MOST_PARTS = 256
MOST_IN_GRID = 65_535  # blocks along y and z of a grid
LANES = 32  # threads of a warp

# What `cut` believes of a GPU, in clock cycles.
LAUNCH = 5_000  # until the kernel that adds up the parts has started
START = 2_000  # of a block, from its first read to its first product, and for its results
A_PART = 100  # of a thread that adds up the parts, which waits for the memory again and again
BYTES_A_CYCLE = 15  # of one multiprocessor's share of the memory
BUSY = 0.6  # of the blocks that fit a multiprocessor: with fewer it mostly waits, and takes no less time


class Tile(NamedTuple):
    """A tile of the result, and how a block of threads works at it: the settings of ``tiled_product.cuh``."""

    rows: int
    columns: int
    step: int  # words along K that lie in shared memory at a time
    warp_rows: int  # the part of the tile that is a warp's
    warp_columns: int
    blocks: int  # at a time on a multiprocessor: the compiler gives a thread 65,536 / (blocks · threads) registers
    speed: float  # what share of the multiply instructions' rate it reaches: an estimate

    @property
    def threads(self) -> int:
        """How many a block has."""
        return self.rows // self.warp_rows * (self.columns // self.warp_columns) * LANES


# Per 8 words along K, a warp with 64 × 64 loads 128 rows and columns for 32 instructions of the tensor cores, one with
# 32 × 32 loads 64 for 8 of them. Four words of a step are one read: a step of 16 or 32.
TENSOR_CORE_TILES = (
    Tile(128, 128, 16, 64, 64, 2, 1.0),
    Tile(96, 128, 16, 48, 64, 2, 0.95),
    Tile(128, 64, 16, 64, 32, 3, 0.85),
    Tile(64, 128, 16, 32, 64, 3, 0.85),
    Tile(64, 64, 16, 32, 32, 4, 0.65),
    Tile(32, 128, 16, 32, 32, 4, 0.5),
    Tile(32, 64, 16, 16, 32, 5, 0.4),
    Tile(16, 128, 16, 16, 32, 4, 0.3),
)
# Per step along k, a thread of the largest reads 16 numbers from shared memory for 64 products, one of the smallest 8
# for 16.
OTHER_TILES = (
    Tile(128, 128, 8, 64, 32, 2, 1.0),
    Tile(64, 128, 8, 32, 32, 2, 0.9),
    Tile(64, 64, 8, 32, 16, 2, 0.7),
    Tile(32, 128, 8, 16, 32, 2, 0.65),
    Tile(32, 64, 8, 16, 16, 2, 0.5),
    Tile(16, 256, 8, 16, 32, 2, 0.5),
)
FLOAT64_TILES = (Tile(64, 64, 8, 32, 16, 2, 0.7), Tile(32, 64, 8, 16, 16, 2, 0.5))  # larger ones lack registers


class Arithmetic(NamedTuple):
    """Which numbers are multiplied, and by what: the settings of the kernels, and what ``cut`` must know of them."""

    element: str  # the type in memory, in C
    tensor_cores: bool
    sums: str  # the dtype of the sums
    pack: int  # numbers in a word
    rate: int  # products a multiprocessor does in a cycle
    tiles: tuple[Tile, ...]

    def defines(self, tile: Tile) -> tuple[tuple[str, Any], ...]:
        """The settings, as the compiler wants them."""
        names = ("ELEMENT", "TENSOR_CORES", "TILE_M", "TILE_N", "TILE_K", "WARP_M", "WARP_N", "BLOCKS")
        return tuple(zip(names, (self.element, int(self.tensor_cores), *tile[:6])))

    def shared_bytes(self, tile: Tile) -> int:
        """Two steps of words of both operands (``shared_words`` in tiled_product.cuh)."""
        padding = 0 if self.tensor_cores else 8
        return 2 * tile.step * (tile.rows + tile.columns + padding) * (8 if self.sums == "float64" else 4)


FLOAT64 = Arithmetic("double", False, "float64", 1, 64, FLOAT64_TILES)
FLOAT32 = Arithmetic("float", False, "float32", 1, 128, OTHER_TILES)
TF32 = Arithmetic("float", True, "float32", 1, 512, TENSOR_CORE_TILES)
FLOAT16 = Arithmetic("half", True, "float32", 2, 1024, TENSOR_CORE_TILES)
FLOAT16_WITHOUT_TENSOR_CORES = Arithmetic("half", False, "float32", 1, 128, OTHER_TILES)
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
    """The tile, and into how many parts the sums are split."""

    tile: Tile
    parts: int


@lru_cache(4096)
def cut(M: int, N: int, K: int, products: int, arithmetic: Arithmetic, multiprocessors: int) -> Cut:
    """The cheapest cut of ``products`` products (M × K) · (K × N), by estimate.

    >>> large = cut(512, 8192, 4608, 1, FLOAT32, 132)  # in every direction
    >>> large.tile[:2], large.parts
    ((128, 128), 1)
    >>> cut(6, 200704, 25, 1, FLOAT32, 132).tile.rows  # six output channels
    16
    >>> cut(64, 576, 32768, 1, FLOAT32, 132).parts > 8  # the gradient of a small kernel over many places
    True
    """
    choices = [Cut(tile, parts) for tile in arithmetic.tiles for parts in _part_counts(K, tile.step * arithmetic.pack)]
    return min(choices, key=lambda choice: _cycles(choice, M, N, K, products, arithmetic, multiprocessors))


def _part_counts(K: int, step: int) -> Iterator[int]:
    """1, 2, 3, 4, 6, 8, 12, … as long as a part has a few steps."""
    yield 1
    for parts in sorted([power * factor for power in (1, 2, 4, 8, 16, 32, 64, 128) for factor in (2, 3)]):
        if 4 * parts * step <= K and parts <= MOST_PARTS:
            yield parts


def _cycles(choice: Cut, M: int, N: int, K: int, products: int, arithmetic: Arithmetic, multiprocessors: int) -> float:
    """About how many clock cycles the products take, cut like this."""
    tile, parts = choice
    step = tile.step * arithmetic.pack
    steps = ceil_divide(ceil_divide(K, step), parts)
    cycles_a_step = tile.rows * tile.columns * step / (arithmetic.rate * tile.speed)
    blocks = ceil_divide(tiles_in(choice, M, N) * products * parts, multiprocessors)  # for the busiest
    together, rest = divmod(blocks, tile.blocks)
    turns = together * tile.blocks + (max(rest, BUSY * tile.blocks) if rest else 0)
    cycles = turns * steps * cycles_a_step + ceil_divide(blocks, tile.blocks) * START
    if parts > 1:
        moved = 2 * parts * M * N * products * (8 if arithmetic.sums == "float64" else 4)
        cycles += LAUNCH + A_PART * parts + moved / (BYTES_A_CYCLE * multiprocessors)
    return cycles


def ceil_divide(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def tiles_in(choice: Cut, M: int, N: int) -> int:
    """How many tiles the result of one product has."""
    return ceil_divide(M, choice.tile.rows) * ceil_divide(N, choice.tile.columns)


def grid(blocks: int, problems: int) -> tuple[int, int, int]:
    """x counts ``blocks``; y and z together count ``problems``, of which neither holds more than 65,535."""
    y = min(problems, MOST_IN_GRID)
    return blocks, y, ceil_divide(problems, y)


class Launch(NamedTuple):
    """A kernel, and how many blocks of how many threads, with how much shared memory."""

    kernel: str
    grid: tuple[int, ...]
    block: tuple[int, ...] = (THREADS,)
    shared_bytes: int = 0


class Plan(NamedTuple):
    """What to launch for a call, all with the same settings and numbers."""

    launches: tuple[Launch, ...]
    defines: tuple[tuple[str, Any], ...]
    numbers: Array  # a struct
    partial_sums: int  # how many there must be room for


def plan_for(
    kernel: str,
    chosen: Cut,
    sizes: tuple[int, int, int],
    arithmetic: Arithmetic,
    settings: tuple[tuple[str, Any], ...],
    numbers: Array,
) -> Plan:
    """Launches of ``kernel``, and where there are parts of ``<kernel>_parts``. ``sizes``: M, N, how many products."""
    (M, N, products), (tile, parts) = sizes, chosen
    blocks = grid(tiles_in(chosen, M, N), products * parts)
    launches = [Launch(kernel, blocks, (tile.threads,), arithmetic.shared_bytes(tile))]
    if parts > 1:
        launches.append(Launch(f"{kernel}_parts", grid(ceil_divide(M * N, THREADS), products)))
    partial_sums = products * parts * M * N if parts > 1 else 0
    return Plan(tuple(launches), (*arithmetic.defines(tile), *settings), as_struct(numbers), partial_sums)
