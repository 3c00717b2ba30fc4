"""``conv1d`` against torch, with its errors; ``conv_transpose1d`` is tested with its larger sister."""

from __future__ import annotations

from hypothesis import strategies as st

import minitorch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.test_conv2d import FLOAT32_SUMS
from tests.ops.window_samples import draw_batch, draw_convolution_axis, draw_option

SEQUENCES, WEIGHT = Spec((2, 3, 8)), Spec((4, 3, 3))


def conv1d_samples(draw: Draw) -> Sample:
    L, kernel, stride, padding, dilation = draw_convolution_axis(draw)
    groups = draw(st.integers(1, 3))
    C_in, C_out = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 3))
    bias = (Spec((C_out,)),) if draw(st.booleans()) else ()
    named = "same" if stride == 1 and draw(st.booleans()) else draw_option(draw, (padding,))
    return Sample(
        Spec((*draw_batch(draw), C_in, L)),
        Spec((C_out, C_in // groups, kernel)),
        *bias,
        stride=draw_option(draw, (stride,)),
        padding=named,
        dilation=dilation,
        groups=groups,
    )


class TestConv1d(OpContract):
    declarations = [
        Declaration(
            "nn.functional.conv1d",
            conv1d_samples,
            tolerance=FLOAT32_SUMS,
            tiny=[Sample(Spec((1, 2, 6)), Spec((2, 1, 3)), Spec((2,)), 2, 1, 1, 2)],
            errors=[
                ErrorCase(
                    Sample(Spec((1, 2, 3, 8)), WEIGHT),
                    RuntimeError,
                    r"2D \(unbatched\) or 3D \(batched\) input to conv1d, but got input of size: \[1, 2, 3, 8\]",
                ),
                ErrorCase(Sample(SEQUENCES, Spec((4, 3, 3, 3))), RuntimeError, "expected a 3-dimensional weight"),
                ErrorCase(
                    Sample(Spec((2, 3, 2)), WEIGHT),
                    RuntimeError,
                    r"padded input size per channel: \(2\). Kernel size: \(3\). Kernel size can't be greater",
                ),
                ErrorCase(
                    Sample(Spec((2, 4, 8)), WEIGHT),
                    RuntimeError,
                    "conv1d: weight expects 3 input channels",
                ),
                ErrorCase(Sample(SEQUENCES, WEIGHT, stride=(1, 1)), RuntimeError, "a list of 1 values to match"),
            ],
        )
    ]


def test_the_node_is_called_as_in_torch() -> None:
    x = minitorch.ones(1, 2, 5, requires_grad=True)
    assert minitorch.conv1d(x, minitorch.ones(1, 2, 2)).grad_fn.name() == "ConvolutionBackward0"
