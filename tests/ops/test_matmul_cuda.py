"""The kernel of ``matmul.cu``, run by the emulator, and on a GPU where there is one, against NumPy in float64."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from minitorch.backend import accelerator
from minitorch.ops import matmul_cuda
from minitorch.ops.matmul_cuda import device_matrix_product
from minitorch.ops.tiled_product import FLOAT16, FLOAT32, FLOAT64, TF32, Tile
from tests.ops.forced_cut import forced_cut

# Relative to the largest element of the result; see test_conv2d_cuda.py.
LARGEST_ERROR = {"float64": 2e-15, "float32": 1e-6, "tf32": 1e-3, "float16": 5e-4}
KINDS = {"float64": FLOAT64, "float32": FLOAT32, "tf32": TF32, "float16": FLOAT16}
SMALL_TILE = (32, 64)
LAYOUTS = ["nn", "nt", "tn", "tt"]  # n: as it is, t: stored transposed


def force(monkeypatch: Any, tile: Tile | tuple[int, int], parts: int = 1) -> None:
    monkeypatch.setattr(matmul_cuda, "_plan", matmul_cuda._plan.__wrapped__)  # without its cache
    monkeypatch.setattr(matmul_cuda, "cut", forced_cut(tile, parts))


@pytest.fixture
def tf32() -> Any:
    """Sets whether products round to TF32, and sets it back."""
    before = accelerator.tf32_is_allowed()
    yield accelerator.allow_tf32
    accelerator.allow_tf32(before)


def random(*shape: int, dtype: str = "float64", transposed: bool = False) -> numpy.ndarray:
    """Normal numbers, the last two dimensions exchanged in memory if ``transposed``."""
    shape = (*shape[:-2], shape[-1], shape[-2]) if transposed else shape
    array = numpy.random.default_rng(len(shape)).standard_normal(shape).astype(dtype)
    return array.swapaxes(-1, -2) if transposed else array


def error(a: numpy.ndarray, b: numpy.ndarray, to_device: Any) -> float:
    """The largest error of the product, relative to its largest element."""
    actual = device_matrix_product(to_device(a), to_device(b)).get()
    expected = numpy.matmul(a.astype("float64"), b.astype("float64"))
    assert actual.dtype == a.dtype
    assert actual.shape == expected.shape
    return float(abs(actual - expected).max() / abs(expected).max())


# 45 and 37 leave rests everywhere, and no number is aligned to 16 bytes; 48 and 40 make every read one of 16 bytes
SIZES = [(70, 45, 37), (40, 48, 72)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(
    ("kind", "layout"),
    [*(("float32", layout) for layout in LAYOUTS), ("float64", "nn"), ("tf32", "tn"), ("float16", "nt")],
)
def test_layouts(
    emulated: Any, monkeypatch: Any, tf32: Any, kind: str, layout: str, sizes: tuple[int, int, int]
) -> None:
    tf32(kind == "tf32")
    force(monkeypatch, SMALL_TILE)
    (M, K, N), dtype = sizes, "float32" if kind == "tf32" else kind
    a = random(2, M, K, dtype=dtype, transposed=layout[0] == "t")
    b = random(2, K, N, dtype=dtype, transposed=layout[1] == "t")
    assert error(a, b, emulated) < LARGEST_ERROR[kind]


@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((5, 7), (7, 3)),
        ((7,), (7, 3)),
        ((5, 7), (7,)),
        ((7,), (7,)),
        ((2, 1, 5, 7), (3, 7, 4)),
        ((2, 3, 2, 5, 7), (2, 3, 2, 7, 4)),
        ((7,), (2, 7, 4)),
        ((2, 3, 5, 7), (7,)),
    ],
)
def test_shapes(emulated: Any, monkeypatch: Any, a: tuple[int, ...], b: tuple[int, ...], parts: int) -> None:
    force(monkeypatch, SMALL_TILE, parts)
    assert error(random(*a), random(*b), emulated) < LARGEST_ERROR["float64"]


def test_strides(emulated: Any, monkeypatch: Any) -> None:
    """Heads of attention, of which two batch dimensions cannot be one; three that cannot be two; every other row."""
    force(monkeypatch, SMALL_TILE)
    heads = random(2, 5, 3, 8).swapaxes(1, 2)
    assert error(heads, heads.swapaxes(2, 3), emulated) < LARGEST_ERROR["float64"]
    wild = random(3, 2, 2, 5, 7).swapaxes(0, 2)
    assert error(wild, random(1, 2, 3, 7, 4), emulated) < LARGEST_ERROR["float64"]
    assert error(random(9, 12)[::2], random(24, 6)[::2, ::2], emulated) < LARGEST_ERROR["float64"]


@pytest.mark.parametrize("parts", [1, 3])
def test_what_is_added(emulated: Any, monkeypatch: Any, parts: int) -> None:
    force(monkeypatch, SMALL_TILE, parts)
    a, b, bias, out = random(5, 30), random(30, 4), random(4), random(4, 5).T
    given = [emulated(each) for each in (a, b, out, bias)]
    result = device_matrix_product(*given[:3], alpha=2, beta=0.5, bias=given[3])
    assert result is given[2]
    numpy.testing.assert_allclose(result.get(), 2 * a @ b + 0.5 * out + bias, 1e-12)


def test_nothing_to_add_up(emulated: Any) -> None:
    empty = device_matrix_product(emulated(numpy.ones((0, 3))), emulated(numpy.ones((3, 4))))
    assert empty.shape == (0, 4)
    zeros = device_matrix_product(emulated(numpy.ones((2, 0))), emulated(numpy.ones((0, 4))))
    assert zeros.get().tolist() == numpy.zeros((2, 4)).tolist()


def test_no_result_is_read_before_it_is_written(emulated: Any, monkeypatch: Any) -> None:
    """With beta = 0, ``out`` may hold anything."""
    force(monkeypatch, SMALL_TILE)
    out = emulated(numpy.full((2, 2), numpy.nan))
    assert device_matrix_product(emulated(numpy.eye(2)), emulated(numpy.eye(2)), out).get().tolist() == [
        [1, 0],
        [0, 1],
    ]


@pytest.mark.parametrize(
    ("a", "b", "options", "expected", "text"),
    [
        (numpy.ones((2, 3)), numpy.ones((3, 2), "float32"), {}, TypeError, "not float64 and float32"),
        (numpy.ones((2, 3), "int32"), numpy.ones((3, 2), "int32"), {}, TypeError, "expected floating dtypes"),
        (numpy.ones((2, 3)), numpy.ones((2, 3)), {}, ValueError, r"\(2, 3\) and \(2, 3\) do not fit"),
        (numpy.ones(()), numpy.ones((2, 3)), {}, ValueError, "do not fit"),
        (numpy.ones((2, 3)), numpy.ones((3, 2)), {"beta": 1}, ValueError, r"out must be \(2, 2\), float64, not None"),
        (numpy.ones((2, 3)), numpy.ones((3, 2)), {"out": numpy.ones((2, 3))}, ValueError, r"not \(2, 3\)"),
    ],
)
def test_errors(a: Any, b: Any, options: Any, expected: type[Exception], text: str) -> None:
    with pytest.raises(expected, match=text):
        device_matrix_product(a, b, **options)


def on_gpu(array: numpy.ndarray) -> Any:
    return accelerator.require().asarray(array)


@pytest.mark.cuda
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("kind", "tile"), [(kind, tile) for kind in KINDS for tile in KINDS[kind].tiles])
def test_every_kernel_on_a_gpu(monkeypatch: Any, tf32: Any, kind: str, tile: Tile, layout: str, parts: int) -> None:
    tf32(kind == "tf32")
    force(monkeypatch, tile, parts)
    dtype = "float32" if kind == "tf32" else kind
    for M, K, N in ((301, 203, 405), (512, 256, 384)):
        a = random(2, M, K, dtype=dtype, transposed=layout[0] == "t")
        b = random(2, K, N, dtype=dtype, transposed=layout[1] == "t")
        assert error(a, b, on_gpu) < 4 * LARGEST_ERROR[kind]
