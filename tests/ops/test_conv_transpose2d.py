"""``conv_transpose2d`` against torch, differences, and as the transpose of ``conv2d``."""

from __future__ import annotations

from hypothesis import strategies as st

import minitorch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.test_conv2d import FLOAT32_SUMS
from tests.ops.window_samples import draw_batch, draw_option

IMAGES, WEIGHT = Spec((2, 6, 4, 4)), Spec((6, 3, 5, 5))


def draw_axis(draw: Draw) -> tuple[int, ...]:
    """(size, kernel_size, stride, padding, output_padding, dilation) such that the output is not empty."""
    size, kernel_size = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    whole = (size - 1) * stride + dilation * (kernel_size - 1) + 1
    padding = draw(st.integers(0, min(3, (whole - 1) // 2)))
    return size, kernel_size, stride, padding, draw(st.integers(0, max(stride, dilation) - 1)), dilation


def samples_of(dims: int):
    def samples(draw: Draw) -> Sample:
        size, kernel, stride, padding, output_padding, dilation = zip(*[draw_axis(draw) for _ in range(dims)])
        groups = draw(st.integers(1, 3))
        C_in, C_out = groups * draw(st.integers(1, 2)), draw(st.integers(1, 3))
        bias = (Spec((C_out * groups,)),) if draw(st.booleans()) else ()
        return Sample(
            Spec((*draw_batch(draw), C_in, *size)),
            Spec((C_in, C_out, *kernel)),
            *bias,
            stride=draw_option(draw, stride),
            padding=draw_option(draw, padding),
            output_padding=draw_option(draw, output_padding),
            groups=groups,
            dilation=draw_option(draw, dilation),
        )

    return samples


class TestConvTranspose2d(OpContract):
    declarations = [
        Declaration(
            "nn.functional.conv_transpose2d",
            samples_of(2),
            tolerance=FLOAT32_SUMS,
            tiny=[Sample(Spec((1, 2, 2, 3)), Spec((2, 1, 3, 2)), Spec((2,)), (2, 1), (1, 0), (1, 0), 2, (1, 2))],
            errors=[
                ErrorCase(
                    Sample(Spec((2, 3, 8, 8)), WEIGHT), RuntimeError, "weight expects 6 input channels, input has 3"
                ),
                ErrorCase(
                    Sample(IMAGES, WEIGHT, Spec((2,))),
                    RuntimeError,
                    r"Given transposed=1, weight of size \[6, 3, 5, 5\], expected bias to be 1-dimensional with 3 "
                    r"elements, but got bias of size \[2\] instead",
                ),
                ErrorCase(
                    Sample(IMAGES, WEIGHT, stride=2, output_padding=2),
                    RuntimeError,
                    "output padding must be smaller than either stride or dilation",
                ),
                ErrorCase(
                    Sample(IMAGES, WEIGHT, output_padding=-1), RuntimeError, "negative output_padding is not supported"
                ),
                ErrorCase(Sample(IMAGES, WEIGHT, stride=0), RuntimeError, "non-positive stride is not supported"),
                ErrorCase(Sample(Spec((2, 6, 1, 1)), WEIGHT, padding=3), RuntimeError, "is too small"),
                ErrorCase(Sample(IMAGES, WEIGHT, groups=4), RuntimeError, "to be divisible by 4 at dimension 0"),
                ErrorCase(Sample(IMAGES, WEIGHT, padding="same"), TypeError, "must be tuple of ints, not str"),
                ErrorCase(
                    Sample(Spec((4, 4)), WEIGHT), RuntimeError, r"input to conv_transpose2d, but got input of size"
                ),
            ],
        ),
        Declaration("nn.functional.conv_transpose1d", samples_of(1), tolerance=FLOAT32_SUMS),
    ]


def test_it_is_the_transpose() -> None:
    """⟨conv(x), y⟩ = ⟨x, conv_transpose(y)⟩, whatever the options."""
    generator = minitorch.Generator().manual_seed(0)
    weight = minitorch.randn(4, 3, 3, 2, generator=generator, dtype=minitorch.float64)
    x = minitorch.randn(2, 3, 7, 6, generator=generator, dtype=minitorch.float64)
    options = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}
    forward = minitorch.conv2d(x, weight, **options)
    y = minitorch.randn(*forward.shape, generator=generator, dtype=minitorch.float64)
    back = minitorch.conv_transpose2d(y, weight, **options)
    assert back.shape == x.shape
    assert abs((forward * y).sum().item() - (x * back).sum().item()) < 1e-10


def test_the_node_is_called_as_in_torch() -> None:
    x = minitorch.ones(1, 2, 3, 3, requires_grad=True)
    assert minitorch.conv_transpose2d(x, minitorch.ones(2, 1, 2, 2)).grad_fn.name() == "ConvolutionBackward0"
