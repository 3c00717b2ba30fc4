"""``benchmarks/tiles.py``, on the emulator: everything but the times is real."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from minitorch.backend import accelerator
from minitorch.ops import conv2d_cuda, matmul_cuda, tiled_product

TILES = ((32, 64), (64, 64))
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def tiles(emulated: Any, monkeypatch: Any) -> Any:
    """The module, with one small layer and one small product; what it changes is set back."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import tiles

    monkeypatch.setattr(tiles, "NETWORKS", {"small": [(1, 3, 5, 4, 3, 1, 1)]})
    monkeypatch.setattr(tiles, "PRODUCTS", [(5, 300, 7)])
    monkeypatch.setattr(tiles, "CALLS", 2)
    monkeypatch.setattr(tiles, "_random", lambda *shape, dtype: emulated(numpy.ones(shape, dtype)))
    for module in (conv2d_cuda, matmul_cuda):
        monkeypatch.setattr(module, "cut", module.cut)
    monkeypatch.setattr(tiled_product, "WITH_TENSOR_CORES", dict(tiled_product.WITH_TENSOR_CORES))
    monkeypatch.setattr(tiled_product, "TF32", tiled_product.TF32._replace(tiles=TILES))
    switches, allowed = vars(accelerator.convolution).copy(), accelerator.tf32_is_allowed()
    yield tiles
    vars(accelerator.convolution).update(switches)
    accelerator.allow_tf32(allowed)
    conv2d_cuda._plan.cache_clear()
    matmul_cuda._plan.cache_clear()


def test_every_function_is_timed(tiles: Any, monkeypatch: Any, capsys: Any) -> None:
    arguments = ["tiles.py", "--shapes", "products", "small", "--parts", "1", "--all", "--tile", "32x64=16,2x2,1"]
    monkeypatch.setattr(sys, "argv", arguments)
    tiles.main()
    lines = capsys.readouterr().out.splitlines()
    assert tiled_product.WITH_TENSOR_CORES[32, 64].step == 16
    assert len(lines) == 5 * (1 + len(TILES))
    for name in ("5×300 @ 300×7 ", "5×300 @ (7×300).T", "convolve", "transpose", "correlate_kernel"):
        assert any(name in line and "best" in line and "TFLOP/s" in line for line in lines)


def test_other_ways_to_make_a_tile(tiles: Any) -> None:
    assert tiles.other_tile("128x256=16,2x4,1") == ((128, 256), tiled_product.Tile(16, (2, 4), 1, 0.5))
    with pytest.raises(argparse.ArgumentTypeError, match="is not like 128x128=16,2x4,1"):
        tiles.other_tile("128x256")
