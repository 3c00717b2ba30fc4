"""``unfold`` and ``fold`` against torch and each other."""

from __future__ import annotations

from hypothesis import strategies as st

import minitorch
from minitorch.nn import functional
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.window_samples import draw_batch, draw_convolution_axis, draw_option

IMAGES, COLUMNS = Spec((2, 3, 8, 8)), Spec((2, 27, 36))


def draw_options(draw: Draw) -> tuple[tuple[int, int], dict[str, object], int]:
    """(H, W), the options, and the number of windows."""
    axes = draw_convolution_axis(draw), draw_convolution_axis(draw)
    size, kernel, stride, padding, dilation = zip(*axes)
    named = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    count = 1
    for s, k, step, p, d in axes:
        count *= (s + 2 * p - d * (k - 1) - 1) // step + 1
    return size, {name: draw_option(draw, pair) for name, pair in named.items()}, count


def unfold_samples(draw: Draw) -> Sample:
    size, options, _ = draw_options(draw)
    return Sample(Spec((*draw_batch(draw), draw(st.integers(1, 2)), *size)), **options)


def fold_samples(draw: Draw) -> Sample:
    size, options, count = draw_options(draw)
    kernel = options["kernel_size"]
    elements = kernel**2 if isinstance(kernel, int) else kernel[0] * kernel[1]
    return Sample(
        Spec((*draw_batch(draw), elements * draw(st.integers(1, 2)), count)), draw_option(draw, size), **options
    )


def error(match: str, *args: object, **options: object) -> ErrorCase:
    return ErrorCase(Sample(*args, **options), RuntimeError, match)


class TestUnfold(OpContract):
    declarations = [
        Declaration(
            "nn.functional.unfold",
            unfold_samples,
            tiny=[Sample(Spec((1, 2, 3, 4)), (2, 3), (1, 1), (1, 0), (2, 1))],
            errors=[
                error("kernel size should be greater than zero, but got kernel_height: 0 kernel_width: 0", IMAGES, 0),
                error("stride should be greater than zero, but got stride_height: 0", IMAGES, 2, stride=0),
                error("padding should be non-negative, but got pad_height: -1 pad_width: -1", IMAGES, 3, padding=-1),
                error("dilation should be greater than zero, but got dilation_height: 0", IMAGES, 3, dilation=0),
                error(r"sliding blocks as \(0, 0\), but its components must be at least one", IMAGES, 9),
                error("It is expected kernel_size equals to 2, but got size 3", IMAGES, (1, 2, 3)),
                error(r"non-zero dimensions for input, but got: \[2, 0, 8, 8\]", Spec((2, 0, 8, 8)), 2),
            ],
        ),
        Declaration(
            "nn.functional.fold",
            fold_samples,
            tiny=[Sample(Spec((1, 8, 2)), (2, 3), (2, 2))],
            errors=[
                error(
                    r"calculated number of sliding blocks 6 \* 5 = 30, but got input.size\(2\)=36", COLUMNS, (8, 7), 3
                ),
                error(r"divisible by the product of kernel_size, but got input.size\(1\)=27", COLUMNS, (8, 8), 2),
                error("kernel size should be greater than zero", COLUMNS, (8, 8), 0),
                error(r"but got: \[1, 2, 27, 36\]", Spec((1, 2, 27, 36)), (8, 8), 3),
            ],
        ),
    ]


def test_fold_counts_the_copies() -> None:
    """fold(unfold(x)) is x times the number of windows that each element lies in."""
    x = minitorch.arange(1, 10, dtype=minitorch.float64).reshape(1, 1, 3, 3)
    copies = minitorch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])
    assert functional.fold(functional.unfold(x, 2), (3, 3), 2).tolist() == (x * copies).tolist()


def test_the_nodes_are_called_as_in_torch() -> None:
    columns = functional.unfold(minitorch.ones(1, 1, 3, 3, requires_grad=True), 2)
    assert columns.grad_fn.name() == "Im2ColBackward0"
    assert functional.fold(columns, 3, 2).grad_fn.name() == "Col2ImBackward0"
