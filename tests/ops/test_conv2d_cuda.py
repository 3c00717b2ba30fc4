"""The kernels of ``conv2d.cu``, run by the emulator, and on a GPU where there is one, against torch in float64."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from minitorch.backend import accelerator
from minitorch.backend.layout import is_channels_last
from minitorch.ops import conv2d_cuda, tiled_product
from minitorch.ops.conv2d import by_columns
from minitorch.ops.tiled_product import FLOAT16, FLOAT32, FLOAT64, TF32, Arithmetic, Cut
from tests.ops.cuda_convolution import Case, errors, operands, results

# The largest error of a sum of K products of normal numbers, relative to the largest of the sums. Rounding both factors
# to TF32 (11 significant bits, like float16) changes each product by up to 2⁻¹⁰; the changes partly cancel. The factors
# of float16 are exact here (torch gets the rounded ones), its result is rounded to 11 bits.
LARGEST_ERROR = {"float64": 2e-15, "float32": 1e-6, "tf32": 1e-3, "float16": 5e-4}
KINDS = {"float64": FLOAT64, "float32": FLOAT32, "tf32": TF32, "float16": FLOAT16}
SMALL_TILE = (32, 64)

CASES = [
    Case((2, 3, 7, 6), 4, (3, 2), padding=(1, 1)),
    Case((2, 4, 8, 7), 8, (3, 3), (2, 3), (1, 2), (1, 2)),
    Case((2, 16, 5, 5), 32, (3, 3), (1, 2), (2, 0), (2, 1), groups=2),
    Case((1, 40, 6, 6), 5, (1, 1), (2, 2)),  # the odd rows and columns meet no window: their gradient is 0
    Case((2, 3, 9, 9), 5, (2, 2), (4, 4), (1, 1), (3, 2)),
    Case((3, 1, 9, 1), 6, (5, 1), (1, 1), (2, 0)),
    Case((2, 6, 11, 8), 6, (2, 4), (3, 1), (0, 3), (2, 1), groups=6),  # depthwise
    Case((2, 4, 6, 5), 8, (3, 3), (1, 2), (1, 1), groups=2),  # few channels a group
]


def dtype_of(kind: str) -> str:
    return "float32" if kind == "tf32" else kind


@pytest.fixture
def switches() -> Any:
    """The switches of convolution, restored afterwards."""
    before = vars(accelerator.convolution).copy()
    yield accelerator.convolution
    vars(accelerator.convolution).update(before)


def force(monkeypatch: Any, tile: tuple[int, int], parts: int = 1) -> None:
    monkeypatch.setattr(conv2d_cuda, "_plan", conv2d_cuda._plan.__wrapped__)  # without its cache
    monkeypatch.setattr(conv2d_cuda, "cut", lambda *_: Cut(tile, parts))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_equals_torch(emulated: Any, monkeypatch: Any, switches: Any, kind: str, case: Case) -> None:
    switches.allow_tf32 = kind == "tf32"
    force(monkeypatch, SMALL_TILE)
    assert max(errors(case, dtype_of(kind), emulated)) < LARGEST_ERROR[kind]


@pytest.mark.parametrize("parts", [2, 5, 37])
@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_added_up(emulated: Any, monkeypatch: Any, switches: Any, kind: str, parts: int) -> None:
    """With a bias, with groups, and with phases of unlike size (a stride that does not divide the image)."""
    switches.allow_tf32 = kind == "tf32"
    force(monkeypatch, SMALL_TILE, parts)
    case = Case((2, 16, 7, 5), 16, (3, 2), (2, 1), (1, 1), groups=2)
    assert max(errors(case, dtype_of(kind), emulated)) < LARGEST_ERROR[kind]


ALL_TILES = [(kind, tile) for kind in ("float32", "float64", "tf32") for tile in KINDS[kind].tiles]


@pytest.mark.parametrize(("kind", "tile"), [*ALL_TILES, ("float16", (128, 128)), ("float16", (16, 256))])
def test_every_tile(emulated: Any, monkeypatch: Any, switches: Any, kind: str, tile: tuple[int, int]) -> None:
    """More than a tile in both directions, so that neighbours must not overlap; a rest in both."""
    switches.allow_tf32 = kind == "tf32"
    force(monkeypatch, tile)
    case = Case((1, 3, 13, 12), 133, (2, 2))
    assert max(errors(case, dtype_of(kind), emulated)) < LARGEST_ERROR[kind]


def test_results_do_not_change_from_run_to_run(emulated: Any, monkeypatch: Any) -> None:
    force(monkeypatch, SMALL_TILE, 3)
    case = Case((2, 8, 6, 6), 8, (3, 3), padding=(1, 1))
    given = operands(case, "float32")
    for first, second in zip(results(case, given, emulated), results(case, given, emulated)):
        numpy.testing.assert_array_equal(first, second)


def test_layouts(emulated: Any, monkeypatch: Any) -> None:
    """Channels-last images in, channels-last images out; other strides, and a cotangent that was broadcast."""
    force(monkeypatch, SMALL_TILE)
    case = Case((2, 8, 6, 5), 9, (3, 3), (2, 1), (1, 1))
    given, windows = operands(case, "float64"), case.windows()
    x, w, b, g = [emulated(array) for array in given[:4]]
    last = emulated(numpy.ascontiguousarray(given.input.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
    output = conv2d_cuda.convolve(last, w, b, windows, 1)
    assert is_channels_last(output)
    numpy.testing.assert_allclose(output.get(), given.output, 1e-12, 1e-12)
    wide = emulated(numpy.repeat(given.input, 2, 3))[..., ::2]
    numpy.testing.assert_allclose(conv2d_cuda.convolve(wide, w, b, windows, 1).get(), given.output, 1e-12, 1e-12)
    ones = emulated(numpy.ones((1, 1, 1, 1)))
    spread = accelerator.require().broadcast_to(ones, g.shape)
    expected = by_columns.correlate_kernel(numpy.ones(g.shape), given.input, windows, 1)
    numpy.testing.assert_allclose(conv2d_cuda.correlate_kernel(spread, x, windows, 1).get(), expected, 1e-12, 1e-12)


def test_error_of_long_sums(emulated: Any, monkeypatch: Any, switches: Any) -> None:
    """The figures in conv2d_cuda.py: K = 288."""
    force(monkeypatch, SMALL_TILE)
    case = Case((1, 32, 6, 6), 32, (3, 3), padding=(1, 1))
    found = {}
    for kind in KINDS:
        switches.allow_tf32 = kind == "tf32"
        found[kind] = errors(case, dtype_of(kind), emulated)
    assert max(found["float32"]) < 1e-6
    assert 1e-4 < max(found["tf32"]) < 5e-4
    assert 1e-4 < max(found["float16"]) < 5e-4


@pytest.mark.parametrize("shape", [(0, 3, 5, 5), (2, 0, 5, 5)])
def test_nothing_to_add_up(emulated: Any, monkeypatch: Any, shape: tuple[int, int, int, int]) -> None:
    force(monkeypatch, SMALL_TILE, 2)
    case = Case(shape, 4, (3, 3), padding=(1, 1))
    x, w, b = (emulated(numpy.ones(each)) for each in (shape, (4, shape[1], 3, 3), 4))
    windows = case.windows()
    output = conv2d_cuda.convolve(x, w, b, windows, 1)
    assert output.get().tolist() == numpy.ones((shape[0], 4, 5, 5)).tolist()
    grad_weight = conv2d_cuda.correlate_kernel(output, x, windows, 1)
    assert grad_weight.get().tolist() == numpy.zeros((4, shape[1], 3, 3)).tolist()
    assert conv2d_cuda.transpose(output, w, None, windows, 1).shape == shape


def test_tensors_take_the_kernels(emulated: Any, monkeypatch: Any) -> None:
    """conv2d, conv1d and conv_transpose2d, forward and backward, through tensors on the device."""
    launched = []
    launch = conv2d_cuda.KERNELS.launch
    monkeypatch.setattr(conv2d_cuda.KERNELS, "launch", lambda name, *rest: (launched.append(name), launch(name, *rest)))
    force(monkeypatch, SMALL_TILE)
    functional, generator = minitorch.nn.functional, numpy.random.default_rng(0)
    for name, x_shape, w_shape, options in (
        ("conv2d", (2, 3, 6, 5), (4, 3, 3, 2), {"stride": 2, "padding": 1}),
        ("conv1d", (2, 3, 9), (4, 3, 3), {"dilation": 2}),
        ("conv_transpose2d", (2, 4, 3, 3), (4, 3, 3, 2), {"stride": 2, "output_padding": 1}),
    ):
        arrays = [
            generator.standard_normal(shape) for shape in (x_shape, w_shape, (4 if name != "conv_transpose2d" else 3,))
        ]
        ours = [minitorch.tensor(array).to("cuda").requires_grad_() for array in arrays]
        theirs = [oracle.tensor(array, requires_grad=True) for array in arrays]
        output, expected = (
            getattr(functional, name)(*ours, **options),
            getattr(oracle.nn.functional, name)(*theirs, **options),
        )
        numpy.testing.assert_allclose(output.detach().cpu().numpy(), expected.detach().numpy(), 1e-12, 1e-12)
        cotangent = generator.standard_normal(expected.shape)
        output.backward(minitorch.tensor(cotangent).to("cuda"))
        expected.backward(oracle.tensor(cotangent))
        for mine, other in zip(ours, theirs):
            numpy.testing.assert_allclose(mine.grad.cpu().numpy(), other.grad.numpy(), 1e-12, 1e-12)
    assert launched == ["convolve", "correlate_kernel", "transpose"] * 2 + ["transpose", "correlate_kernel", "convolve"]


def test_when_the_kernels_apply(emulated: Any, switches: Any) -> None:
    windows = CASES[0].windows()
    x = numpy.ones(CASES[0].input)
    for dtype in ("float16", "float32", "float64"):
        assert conv2d_cuda.applies((emulated(x.astype(dtype)), emulated(x)), windows, 1)
    x = emulated(x)
    assert not conv2d_cuda.applies((x.astype("int32"), x), windows, 1)
    huge = accelerator.require().broadcast_to(x[:1, :1, :1, :1], (2**15, 2**10, 8, 8))
    assert not conv2d_cuda.applies((huge, x), windows._replace(input_size=(8, 8)), 1)
    far = emulated(numpy.ones(2**10))
    far = accelerator.require().lib.stride_tricks.as_strided(far, (2, 1, 1, 1), (2**34, 8, 8, 8))
    assert not conv2d_cuda.applies((far, x), windows, 1)
    minitorch.backends.cudnn.enabled = False
    assert not conv2d_cuda.applies((x, x), windows, 1)


@pytest.mark.parametrize(
    ("dtype", "allow_tf32", "has_tensor_cores", "expected"),
    [
        ("float64", True, True, FLOAT64),
        ("float32", True, True, TF32),
        ("float32", False, True, FLOAT32),
        ("float32", True, False, FLOAT32),
        ("float16", False, True, FLOAT16),
        ("float16", True, False, tiled_product.FLOAT16_WITHOUT_TENSOR_CORES),
        ("int32", True, True, None),
    ],
)
def test_arithmetic(dtype: str, allow_tf32: bool, has_tensor_cores: bool, expected: Arithmetic | None) -> None:
    assert tiled_product.arithmetic_for(numpy.dtype(dtype), allow_tf32, has_tensor_cores) is expected


def test_cuts() -> None:
    """Every multiprocessor has work where there is enough, and no sum is split where there are tiles enough."""
    for arithmetic in tiled_product.ALL:
        large = tiled_product.cut(4096, 4096, 4096, 1, arithmetic, 132)
        assert large.parts == 1
        gradient = tiled_product.cut(64, 576, 100_000, 1, arithmetic, 132)
        assert tiled_product.tiles_in(gradient, 64, 576) * gradient.parts >= 66
    assert tiled_product.grid(7, 100_000) == (7, 65_535, 2)


# ── on a GPU ─────────────────────────────────────────────────────────────────────────────────────────────────────────

LARGE_CASES = [
    Case((8, 64, 32, 32), 64, (3, 3), padding=(1, 1)),
    Case((16, 1, 64, 64), 96, (11, 11), (4, 4)),
    Case((4, 96, 26, 26), 256, (5, 5), padding=(2, 2)),
    Case((64, 3, 32, 32), 32, (5, 5), padding=(2, 2)),
    Case((8, 256, 8, 8), 512, (3, 3), padding=(1, 1)),
    Case((4, 64, 15, 17), 128, (3, 3), (2, 2), (1, 1), (1, 1), 4),
    Case((4, 64, 30, 30), 64, (3, 3), (1, 1), (2, 2), (2, 2), 64),
    Case((4, 32, 30, 30), 33, (1, 1), (2, 2)),
]


def on_gpu(array: numpy.ndarray) -> Any:
    return accelerator.require().asarray(array)


@pytest.mark.cuda
@pytest.mark.parametrize("case", LARGE_CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_large_cases_on_a_gpu(switches: Any, kind: str, case: Case) -> None:
    switches.allow_tf32 = kind == "tf32"
    assert max(errors(case, dtype_of(kind), on_gpu)) < 4 * LARGEST_ERROR[kind]


@pytest.mark.cuda
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize(("kind", "tile"), [(kind, tile) for kind in KINDS for tile in KINDS[kind].tiles])
def test_every_kernel_on_a_gpu(monkeypatch: Any, switches: Any, kind: str, tile: tuple[int, int], parts: int) -> None:
    switches.allow_tf32 = kind == "tf32"
    force(monkeypatch, tile, parts)
    for case in (
        Case((3, 40, 17, 15), 150, (3, 3), padding=(1, 1)),
        Case((2, 16, 20, 9), 16, (4, 2), (3, 2), groups=2),
    ):
        given = operands(case, dtype_of(kind))
        first, second = results(case, given, on_gpu), results(case, given, on_gpu)
        for actual, again, expected in zip(first, second, given[4:]):
            numpy.testing.assert_array_equal(actual, again)
            assert abs(actual - expected).max() < 4 * LARGEST_ERROR[kind] * abs(expected).max()
