"""``max_pool1d`` against torch."""

from __future__ import annotations

from hypothesis import strategies as st

import minitorch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw
from tests.ops.window_samples import draw_batch, draw_option, draw_pooling_axis

SEQUENCES = Spec((2, 3, 8))


def max_pool1d_samples(draw: Draw) -> Sample:
    L, kernel, stride, padding, dilation = draw_pooling_axis(draw, 2)
    return Sample(
        Spec((*draw_batch(draw), draw(st.integers(1, 3)), L), distinct=True),
        draw_option(draw, (kernel,)),
        draw(st.sampled_from([None, stride])),
        padding,
        dilation,
        draw(st.booleans()),
        draw(st.booleans()),
    )


def error(match: str, *args: object, **options: object) -> ErrorCase:
    return ErrorCase(Sample(*args, **options), RuntimeError, match)


class TestMaxPool1d(OpContract):
    declarations = [
        Declaration(
            "nn.functional.max_pool1d",
            max_pool1d_samples,
            tiny=[Sample(Spec((1, 2, 7), distinct=True), 3, 2, 1, return_indices=True)],
            errors=[
                error(r"max_pool1d: Expected 2D or 3D \(batch mode\) tensor .* but got:\[8\]", Spec((8,)), 2),
                error("kernel_size must be greater than zero, but got 0", SEQUENCES, 0),
                error("stride must be greater than zero, but got 0", SEQUENCES, 2, stride=0),
                error("padding should be at most half of kernel size, but got padding=2", SEQUENCES, 3, padding=2),
                error("padding must be non-negative, but got -1", SEQUENCES, 3, padding=-1),
                error("Invalid computed output size: 0", SEQUENCES, 9),
                error("tuple of ints of size 1 but got size 2", SEQUENCES, (1, 2)),
                error("dilation must be greater than zero, but got 0", SEQUENCES, 2, dilation=0),
            ],
        )
    ]


def test_the_node_is_called_as_in_torch() -> None:
    x = minitorch.ones(1, 2, 5, requires_grad=True)
    assert minitorch.max_pool1d(x, 2).grad_fn.name() == "SqueezeBackward1"
