"""pixel_shuffle and pixel_unshuffle."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st

from tests.harness.both import same
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape


# No empty batches: for those torch returns the shape of the input instead (and fails in backward).
def shuffle_samples(draw: Draw) -> Sample:
    r = draw(st.integers(1, 3))
    *batch, C, H, W = (*draw_shape(draw, 0, 2, 1, 2), *draw_shape(draw, 3, 3, 1, 3))
    return Sample(Spec((*batch, C * r * r, H, W)), r)


def unshuffle_samples(draw: Draw) -> Sample:
    r = draw(st.integers(1, 3))
    *batch, C, H, W = (*draw_shape(draw, 0, 2, 1, 2), *draw_shape(draw, 3, 3, 1, 3))
    return Sample(Spec((*batch, C, H * r, W * r)), r)


class TestPixelShuffle(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.pixel_shuffle",
            shuffle_samples,
            tiny=[Sample(Spec((4, 1, 2)), 2)],
            errors=[
                ErrorCase(Sample(Spec((1, 6, 2, 2)), 2), RuntimeError, r"input.size\(-3\)=6 is not divisible by 4"),
                ErrorCase(Sample(Spec((8, 2)), 2), RuntimeError, "at least 3 dimensions"),
                ErrorCase(Sample(Spec((8, 2, 2)), -1), RuntimeError, "positive upscale_factor"),
            ],
        ),
        Declaration(
            "nn.functional.pixel_unshuffle",
            unshuffle_samples,
            tiny=[Sample(Spec((1, 2, 4)), 2)],
            errors=[
                ErrorCase(Sample(Spec((1, 2, 4, 3)), 2), RuntimeError, r"input.size\(-1\)=3 is not divisible by 2")
            ],
        ),
    ]


def test_one_undoes_the_other() -> None:
    def program(torch: object) -> object:
        x = torch.arange(36.0).reshape(1, 1, 6, 6)  # type: ignore[attr-defined]
        functional = torch.nn.functional  # type: ignore[attr-defined]
        return functional.pixel_shuffle(functional.pixel_unshuffle(x, 3), 3), x

    shuffled, x = same(program)
    assert shuffled.tolist() == x.tolist()
