"""``conv2d`` against torch, its reference, differences, and itself by other means."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from minitorch.backend import threads as threads_module
from minitorch.ops import (
    conv2d_batch_last,
    conv2d_blocks,
    conv2d_channels_last,
    conv2d_choice,
    conv2d_flat,
    conv2d_plan,
    conv2d_rows,
)
from minitorch.ops.conv2d import by_columns
from minitorch.ops.windows import Windows
from reference import conv2d as reference
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.window_samples import draw_batch, draw_convolution_axis, draw_option

# A sum of many float32 products, each at most 4 · 4: its rounding errors grow with their number and size, not with
# the sum itself, which may be near 0. torch's own error against float64 reaches the same bound.
FLOAT32_SUMS = {"float32": (1.3e-6, 5e-5)}


def conv2d_samples(draw: Draw) -> Sample:
    axes = draw_convolution_axis(draw), draw_convolution_axis(draw)
    (H, W), kernel, stride, padding, dilation = zip(*axes)
    groups = draw(st.integers(1, 3))
    C_in, C_out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 3))
    batch = draw_batch(draw)
    bias = (Spec((C_out,)),) if draw(st.booleans()) else ()
    return Sample(
        Spec((*batch, C_in, H, W)),
        Spec((C_out, C_in // groups, *kernel)),
        *bias,
        stride=draw_option(draw, stride),
        padding=draw_option(draw, padding),
        dilation=draw_option(draw, dilation),
        groups=groups,
    )


def named_padding_samples(draw: Draw) -> Sample:
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    padding = draw(st.sampled_from(["same", "valid"]))
    least = [2 * (k - 1) + 1 if padding == "valid" else 1 for k in kernel]
    H, W = [draw(st.integers(low, low + 3)) for low in least]
    dilation = draw(st.integers(1, 2))
    return Sample(Spec((2, 2, H, W)), Spec((3, 2, *kernel)), None, 1, padding, dilation)


def tiny(input: Any, weight: Any, bias: bool, **options: Any) -> Sample:
    rest = (Spec((weight[0],)),) if bias else (None,)
    return Sample(Spec(input), Spec(weight), *rest, **options)


IMAGES = Spec((2, 3, 8, 8))


def error(error: type[Exception], match: str, *args: Any, **options: Any) -> ErrorCase:
    torch_error = options.pop("torch_error", Exception)
    return ErrorCase(Sample(*args, **options), error, match, torch_error=torch_error)


ERRORS = [
    error(
        RuntimeError,
        r"conv2d: weight expects 4 input channels, input has 3 \(input \(2, 3, 8, 8\), weight \(6, 4, 5, 5\)\)",
        IMAGES,
        Spec((6, 4, 5, 5)),
    ),
    error(RuntimeError, "expects 8 input channels in 4 groups", IMAGES, Spec((4, 2, 3, 3)), groups=4),
    error(
        RuntimeError,
        r"Calculated padded input size per channel: \(4 x 4\). Kernel size: \(5 x 5\). Kernel size can't be greater "
        "than actual input size",
        Spec((1, 3, 4, 4)),
        Spec((6, 3, 5, 5)),
    ),
    error(RuntimeError, r"\(6 x 6\). Kernel size: \(9 x 9\)", Spec((1, 3, 4, 4)), Spec((6, 3, 5, 5)), None, 1, 1, 2),
    error(RuntimeError, "non-positive stride is not supported", IMAGES, Spec((6, 3, 5, 5)), stride=0),
    error(RuntimeError, "negative padding is not supported", IMAGES, Spec((6, 3, 5, 5)), padding=-1),
    error(RuntimeError, "non-positive dilation is not supported", IMAGES, Spec((6, 3, 5, 5)), dilation=(1, 0)),
    error(RuntimeError, "non-positive groups is not supported", IMAGES, Spec((6, 3, 5, 5)), groups=0),
    error(
        RuntimeError,
        r"expected weight to be divisible by 2 at dimension 0, but got weight of size \[\[5, 2, 3, 3\]\] instead",
        Spec((2, 4, 8, 8)),
        Spec((5, 2, 3, 3)),
        groups=2,
    ),
    error(RuntimeError, "to be at least 4 at dimension 0", Spec((2, 4, 8, 8)), Spec((2, 1, 3, 3)), groups=4),
    error(
        RuntimeError,
        r"expected bias to be 1-dimensional with 6 elements, but got bias of size \[5\] instead",
        IMAGES,
        Spec((6, 3, 5, 5)),
        Spec((5,)),
    ),
    error(RuntimeError, r"bias of size \[6, 1\]", IMAGES, Spec((6, 3, 5, 5)), Spec((6, 1))),
    error(
        RuntimeError,
        r"Input type \(float\) and bias type \(double\) should be the same",
        IMAGES,
        Spec((6, 3, 5, 5)),
        Spec((6,), dtype="float64"),
    ),
    error(
        RuntimeError,
        r"Input type \(double\) and weight type \(float\) should be the same",
        Spec((2, 3, 8, 8), dtype="float64"),
        Spec((6, 3, 5, 5)),
    ),
    error(
        RuntimeError,
        r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d, but got input of size: \[8, 8\]",
        Spec((8, 8)),
        Spec((6, 3, 5, 5)),
    ),
    error(RuntimeError, "expected a 4-dimensional weight", IMAGES, Spec((6, 3, 5))),
    error(
        RuntimeError,
        r"expected stride to be a single integer value or a list of 2 values .* got stride=\[1, 2, 3\]",
        IMAGES,
        Spec((6, 3, 5, 5)),
        stride=(1, 2, 3),
    ),
    error(RuntimeError, "padding='same' is not supported for strided", IMAGES, Spec((6, 3, 5, 5)), None, 2, "same"),
    error(RuntimeError, "Invalid padding string: 'full'", IMAGES, Spec((6, 3, 5, 5)), padding="full"),
    error(RuntimeError, "kernel size should be greater than zero", IMAGES, Spec((6, 3, 0, 3))),
    error(RuntimeError, "Only zero batch or zero channel", Spec((2, 3, 0, 8)), Spec((6, 3, 5, 5)), padding=3),
    error(TypeError, "argument 'stride' must be tuple of ints, not float", IMAGES, Spec((6, 3, 5, 5)), stride=1.5),
    error(TypeError, r"argument 'weight' \(position 2\) must be Tensor", IMAGES, None),
    ErrorCase(Sample(IMAGES, Spec((6, 3, 5, 5))), NotImplementedError, "not implemented for 'Bool'", dtype="bool"),
]


class TestConv2d(OpContract):
    declarations = [
        Declaration(
            "nn.functional.conv2d",
            conv2d_samples,
            reference=reference.conv2d,
            tiny=[
                tiny((1, 1, 3, 4), (2, 1, 2, 3), True),
                tiny((2, 2, 4, 3), (2, 1, 3, 2), True, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
                tiny((1, 2, 3, 3), (2, 2, 2, 2), False, stride=(2, 3), padding=(1, 0)),
                tiny((1, 1, 2, 2), (1, 1, 4, 4), False, padding=(1, 1)),
            ],
            errors=ERRORS,
            tolerance=FLOAT32_SUMS,
        ),
        Declaration("conv2d", named_padding_samples, tolerance=FLOAT32_SUMS),
    ]


def stride_one_samples(draw: Draw) -> Sample:
    """What the algorithms for stride 1 compute, often with the kernels that Winograd's takes."""
    kernel = draw(st.sampled_from([(3, 3), (5, 5), (3, 5), (5, 3), (2, 3), (1, 4)]))
    padding, dilation = [draw(st.tuples(st.integers(0, 3), st.integers(0, 3))), draw(st.sampled_from([1, 1, 2]))]
    least = [max(1, dilation * (k - 1) + 1 - 2 * p) for k, p in zip(kernel, padding)]
    H, W = [draw(st.integers(low, low + 4)) for low in least]
    C_in, C_out, N = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    bias = (Spec((C_out,)),) if draw(st.booleans()) else ()
    return Sample(Spec((N, C_in, H, W)), Spec((C_out, C_in, *kernel)), *bias, padding=padding, dilation=dilation)


def pointwise_samples(draw: Draw) -> Sample:
    C_in, C_out, N = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    bias = (Spec((C_out,)),) if draw(st.booleans()) else ()
    return Sample(Spec((N, C_in, draw(st.integers(1, 4)), draw(st.integers(1, 4)))), Spec((C_out, C_in, 1, 1)), *bias)


class ForcedAlgorithm(OpContract):
    """The whole contract, with one algorithm computing whatever it can."""

    algorithm = ""

    @pytest.fixture(autouse=True)
    def _force(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(conv2d_choice, "forced", self.algorithm)


class TestRows(ForcedAlgorithm):
    algorithm = "rows"
    declarations = [Declaration("conv2d", conv2d_samples, tolerance=FLOAT32_SUMS)]


class TestBatchLast(ForcedAlgorithm):
    algorithm = "batch_last"
    declarations = [Declaration("conv2d", conv2d_samples, tolerance=FLOAT32_SUMS)]


class TestFlat(ForcedAlgorithm):
    algorithm = "flat"
    declarations = [Declaration("conv2d", stride_one_samples, tolerance=FLOAT32_SUMS)]


class TestChannelsLast(ForcedAlgorithm):
    algorithm = "channels_last"
    declarations = [Declaration("conv2d", stride_one_samples, tolerance=FLOAT32_SUMS)]


class TestWinograd(ForcedAlgorithm):
    algorithm = "winograd"
    declarations = [Declaration("conv2d", stride_one_samples, tolerance=FLOAT32_SUMS)]


class TestPointwise(ForcedAlgorithm):
    algorithm = "pointwise"
    declarations = [Declaration("conv2d", pointwise_samples, tolerance=FLOAT32_SUMS)]


SHAPES = [
    # input, kernel_size, stride, padding, dilation, output channels, groups: large enough for several blocks
    ((7, 3, 9, 10), (3, 2), (1, 1), (1, 1), (1, 1), 4, 1),
    ((5, 24, 8, 7), (3, 3), (2, 3), (1, 2), (1, 2), 8, 1),
    ((4, 32, 9, 9), (3, 3), (1, 2), (2, 0), (2, 1), 32, 2),
    ((3, 6, 11, 8), (2, 4), (3, 1), (0, 3), (2, 1), 6, 6),
    ((3, 40, 6, 6), (1, 1), (2, 2), (0, 0), (1, 1), 5, 1),
]


STRIDE_ONE = [
    ((5, 20, 9, 10), (3, 3), (1, 1), (1, 1), (1, 1), 18, 1),
    ((4, 3, 11, 7), (5, 5), (1, 1), (2, 2), (1, 1), 7, 1),
    ((3, 70, 6, 5), (3, 5), (1, 1), (0, 3), (1, 1), 66, 1),
    ((2, 5, 9, 9), (3, 2), (1, 1), (1, 0), (2, 1), 4, 1),
    ((3, 9, 4, 5), (1, 1), (1, 1), (0, 0), (1, 1), 8, 1),
]


def problem(shape: Any) -> tuple[Windows, list[tuple[str, tuple[Any, ...]]]]:
    """The windows, and for each of the three functions operands of float64."""
    (N, C_in, H, W), kernel, stride, padding, dilation, C_out, groups = shape
    counts = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in zip((H, W), kernel, stride, padding, dilation)
    ]
    windows = Windows((H, W), kernel, stride, padding, dilation, (counts[0], counts[1]))
    generator = numpy.random.default_rng(0)
    x, w, b = (generator.normal(size=s) for s in ((N, C_in, H, W), (C_out, C_in // groups, *kernel), C_out))
    g, input_bias = generator.normal(size=(N, C_out, *counts)), generator.normal(size=C_in)
    return windows, [
        ("convolve", (x, w, b)),
        ("transpose", (g, w, None)),
        ("transpose", (g, w, input_bias)),
        ("correlate_kernel", (g, x)),
    ]


def applicable() -> list[tuple[str, Any]]:
    """The algorithms other than ``rows``, with the shapes of the kind that they compute."""
    return [
        (name, shape)
        for name, algorithm in conv2d_choice.ALGORITHMS.items()
        for shape in [*SHAPES, *STRIDE_ONE]
        if name != "rows" and algorithm.applies(problem(shape)[0], shape[-1])
    ]


def check_against_columns(algorithm: Any, shape: Any) -> None:
    windows, calls = problem(shape)
    for name, operands in calls:
        actual = getattr(algorithm, name)(*operands, windows, shape[-1])
        expected = getattr(by_columns, name)(*operands, windows, shape[-1])
        numpy.testing.assert_allclose(actual, expected, 1e-10, 1e-10)


@pytest.mark.parametrize("most_column_rows", [0, 10**9])
@pytest.mark.parametrize("block_bytes", [1, 20_000, 10**9])
@pytest.mark.parametrize("sharing_factor", [0, 10**9])
@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_of_rows_do_not_show(
    monkeypatch: Any, shape: Any, sharing_factor: int, block_bytes: int, most_column_rows: int
) -> None:
    """However the work is cut, the three functions give what plain matrix products give."""
    conv2d_plan.plan_for.cache_clear()
    monkeypatch.setattr(conv2d_plan, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(conv2d_plan, "SHARING_FACTOR", sharing_factor)
    monkeypatch.setattr(conv2d_plan, "MOST_COLUMN_ROWS", most_column_rows)
    check_against_columns(conv2d_rows, shape)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("unpacked", [500, 10**6])
@pytest.mark.parametrize("block_bytes", [1, 20_000, 10**9])
@pytest.mark.parametrize(("name", "shape"), applicable())
def test_blocks_do_not_show(
    monkeypatch: Any, name: str, shape: Any, block_bytes: int, unpacked: int, threads: int
) -> None:
    """The same for the other algorithms, where they apply; with pieces of a block, on one thread and on two."""
    algorithm: Any = conv2d_choice.ALGORITHMS[name]
    for constant, value in (("BLOCK_BYTES", block_bytes), ("UNPACKED", unpacked), ("PIECE_BYTES", block_bytes)):
        monkeypatch.setattr(algorithm, constant, value, raising=False)
    for constant in ("LEAST_PIECE", "LONG_PIECE"):
        monkeypatch.setattr(algorithm, constant, 2, raising=False)
    monkeypatch.setattr(threads_module, "LEAST_FLOP", 1.0)
    for module in (conv2d_batch_last, conv2d_channels_last, conv2d_flat):
        module._plan.cache_clear()
    for module in (algorithm, conv2d_blocks):
        monkeypatch.setattr(module, "LEAST_FLOP", 1.0, raising=False)
    monkeypatch.setattr(threads_module, "_requested", threads)
    check_against_columns(algorithm, shape)


@pytest.mark.parametrize("name", ["convolve", "transpose", "correlate_kernel"])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("algorithm", conv2d_choice.ALGORITHMS.values())
def test_accuracy(algorithm: Any, kernel: int, name: str) -> None:
    """No algorithm errs more than four times as much as torch does (against float64)."""
    if algorithm is conv2d_choice.ALGORITHMS["pointwise"]:
        kernel = 1
    shape = ((8, 64, 12, 12), (kernel, kernel), (1, 1), (kernel // 2, kernel // 2), (1, 1), 48, 1)
    windows, calls = problem(shape)
    operands = [None if each is None else each.astype("float32") for each in dict(calls)[name]]
    ours = getattr(algorithm, name)(*operands, windows, 1)
    exact, theirs = [by_torch(name, operands, kernel // 2, dtype) for dtype in (oracle.float64, oracle.float32)]
    assert abs(ours - exact.numpy()).max() <= 4 * (theirs - exact).abs().max().item()


def by_torch(name: str, operands: list[Any], padding: int, dtype: Any) -> Any:
    first, second, *rest = [None if each is None else oracle.from_numpy(each).to(dtype) for each in operands]
    if name == "convolve":
        return oracle.conv2d(first, second, rest[0], padding=padding)
    if name == "transpose":
        return oracle.conv_transpose2d(first, second, rest[0], padding=padding)
    size = first.shape[1], second.shape[1], *(2 * [2 * padding + 1])
    return oracle.nn.grad.conv2d_weight(second, size, first, padding=padding)


@pytest.mark.parametrize("value", [numpy.inf, -numpy.inf, numpy.nan, 3e38])
def test_what_is_not_finite_stays_where_it_belongs(value: float) -> None:
    """Winograd's sums would spread it over the tile: one window's infinity is none of its neighbour's business."""
    x = numpy.random.default_rng(0).normal(size=(2, 96, 16, 16)).astype("float32")
    w = numpy.random.default_rng(1).normal(size=(96, 96, 3, 3)).astype("float32")
    x[1, 5, 7, 8] = value
    ours = minitorch.conv2d(minitorch.tensor(x), minitorch.tensor(w), padding=1).numpy()
    theirs = oracle.conv2d(oracle.from_numpy(x), oracle.from_numpy(w), padding=1).numpy()
    assert (numpy.isfinite(ours) == numpy.isfinite(theirs)).all()
    finite = numpy.isfinite(theirs)
    numpy.testing.assert_allclose(ours[finite], theirs[finite], 1e-4, 1e-3)


def kernel_gradient(torch: Any, x: numpy.ndarray, g: numpy.ndarray) -> numpy.ndarray:
    weight = torch.zeros(6, 1, 5, 5, requires_grad=True)
    torch.nn.functional.conv2d(torch.tensor(x), weight).backward(torch.tensor(g))
    return weight.grad.numpy()


@pytest.mark.parametrize("value", [numpy.inf, numpy.nan])
def test_a_kernel_gradient_sees_only_what_its_windows_see(value: float) -> None:
    """Where rows lie end to end, what a window does not see is multiplied by zero: that must not make nan of it."""
    x = numpy.random.default_rng(0).normal(size=(4, 1, 28, 28)).astype("float32")
    g = numpy.random.default_rng(1).normal(size=(4, 6, 24, 24)).astype("float32")
    x[1, 0, 7, 0] = value  # in the first column: only the first elements of a kernel's rows meet it
    ours, theirs = (kernel_gradient(torch, x, g) for torch in (minitorch, oracle))
    assert (numpy.isfinite(ours) == numpy.isfinite(theirs)).all()
    assert 0 < numpy.isfinite(theirs).sum() < theirs.size
    numpy.testing.assert_allclose(ours[numpy.isfinite(theirs)], theirs[numpy.isfinite(theirs)], 1e-4, 1e-3)


@pytest.mark.parametrize(
    ("shape", "name", "expected"),
    [
        # N, C_in, H, W; C_out, kernel, stride, padding, groups
        ((64, 32, 16, 16, 32, 5, 1, 2, 1), "convolve", "channels_last"),
        ((8, 64, 64, 64, 64, 3, 1, 1, 1), "correlate_kernel", "channels_last"),
        ((8, 64, 32, 32, 128, 3, 1, 1, 1), "convolve", "batch_last"),
        ((256, 6, 14, 14, 16, 5, 1, 0, 1), "convolve", "batch_last"),
        ((64, 3, 32, 32, 32, 5, 1, 2, 1), "convolve", "flat"),
        ((64, 3, 32, 32, 32, 5, 1, 2, 1), "transpose", "batch_last"),
        ((64, 3, 32, 32, 32, 5, 1, 2, 1), "correlate_kernel", "rows"),
        ((256, 1, 28, 28, 6, 5, 1, 2, 1), "correlate_kernel", "flat"),
        ((256, 6, 14, 14, 16, 5, 1, 0, 1), "transpose", "batch_last"),
        ((4, 6, 14, 14, 16, 5, 1, 0, 1), "transpose", "channels_last"),
        ((16, 384, 12, 12, 384, 3, 1, 1, 1), "transpose", "winograd"),
        ((8, 512, 4, 4, 512, 3, 1, 1, 1), "correlate_kernel", "rows"),
        ((8, 64, 14, 14, 128, 1, 1, 0, 1), "convolve", "pointwise"),
        ((8, 32, 14, 14, 32, 3, 1, 1, 32), "convolve", "rows"),
        ((1, 1, 28, 28, 6, 5, 1, 2, 1), "convolve", "flat"),
        ((1, 1, 28, 28, 6, 5, 1, 2, 1), "transpose", "batch_last"),
        ((1, 3, 224, 224, 64, 3, 1, 1, 1), "convolve", "rows"),
        ((1, 64, 56, 56, 64, 3, 1, 1, 1), "convolve", "rows"),
    ],
)
def test_choice(shape: Any, name: str, expected: str) -> None:
    N, C_in, H, W, C_out, kernel, stride, padding, groups = shape
    count = (H + 2 * padding - kernel) // stride + 1
    windows = Windows((H, W), (kernel, kernel), (stride, stride), (padding, padding), (1, 1), (count, count))
    images = numpy.empty((N, 1), "float32")
    chosen = conv2d_choice.choose(name, images, C_in, C_out, windows, groups)
    assert chosen is conv2d_choice.ALGORITHMS[expected]


def test_float16_is_rounded_once() -> None:
    generator = numpy.random.default_rng(0)
    x, w = (generator.uniform(-1, 1, shape).astype("float16") for shape in ((2, 8, 6, 6), (4, 8, 3, 3)))
    ours = minitorch.conv2d(minitorch.tensor(x), minitorch.tensor(w))
    exact = oracle.conv2d(oracle.from_numpy(x).float(), oracle.from_numpy(w).float()).half()
    assert ours.dtype is minitorch.float16
    numpy.testing.assert_allclose(ours.numpy(), exact.numpy(), 1e-3, 1e-5)  # a last bit where float32 sums differ


def test_no_input_channels_leaves_the_bias() -> None:
    """torch returns a tensor without output channels here, against its own formula of shapes."""
    result = minitorch.conv2d(minitorch.zeros(2, 0, 5, 5), minitorch.zeros(3, 0, 2, 2), minitorch.ones(3))
    assert result.tolist() == [[[[1.0] * 4] * 4] * 3] * 2


@pytest.mark.parametrize("unbatched", [False, True])
def test_the_node_is_called_as_in_torch(unbatched: bool) -> None:
    names = []
    for package in (minitorch, oracle):
        x = package.ones((1, 3, 3) if unbatched else (2, 1, 3, 3), requires_grad=True)
        names.append(package.conv2d(x, package.ones(2, 1, 2, 2)).grad_fn.name())
    assert names[0] == names[1]


def test_only_what_is_needed_is_saved() -> None:
    x, w = minitorch.ones(1, 1, 3, 3), minitorch.ones(1, 1, 2, 2, requires_grad=True)
    node = minitorch.conv2d(x, w).grad_fn
    assert [saved is None for saved in node.saved] == [False, True]


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers(dtype: str) -> None:
    """On a CPU torch convolves integers too, without dilation."""
    generator = numpy.random.default_rng(0)
    x, w = (generator.integers(0, 9, shape).astype(dtype) for shape in ((2, 3, 5, 6), (4, 3, 2, 3)))
    ours = minitorch.conv2d(minitorch.tensor(x), minitorch.tensor(w), stride=2, padding=1)
    theirs = oracle.conv2d(oracle.from_numpy(x), oracle.from_numpy(w), stride=2, padding=1)
    assert ours.tolist() == theirs.tolist()
    assert ours.numpy().dtype == dtype
