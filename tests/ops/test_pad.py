"""Padding in its four modes."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import strategies as st

import minitorch
from tests.harness.both import same
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape


def constant_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 4)
    dims = draw(st.integers(0, len(shape)))
    widths = []
    for size in shape[::-1][:dims]:
        before = draw(st.integers(-size, 3))
        widths += [before, draw(st.integers(-(size - max(-before, 0)), 3))]
    return Sample(Spec(shape), tuple(widths), value=draw(st.sampled_from([None, 0, 1.5])))


def repeating_samples(draw: Draw) -> Sample:
    mode = draw(st.sampled_from(["reflect", "replicate", "circular"]))
    dims = draw(st.integers(1, 3))
    ndim = dims + draw(st.integers(1, 2))
    shape = draw_shape(draw, ndim, ndim, 1, 4)
    widths = []
    for size in shape[::-1][:dims]:
        limit = {"reflect": size - 1, "replicate": 4, "circular": size}[mode]
        before = draw(st.integers(0, limit))
        widths += [before, draw(st.integers(0, limit))]
    # A circular margin on a cropped image: torch copies from the margin it is about to write, so it is no judge.
    if draw(st.booleans()) and shape[-1] > 1 and mode != "circular":
        widths[0] = -1
    return Sample(Spec(shape), tuple(widths), mode=mode)


IMAGE = Spec((1, 2, 4, 5))
ERRORS = [
    ErrorCase(Sample(IMAGE, (1,)), RuntimeError, "must be divisible by 2"),
    ErrorCase(Sample(IMAGE, (1,) * 10), RuntimeError, "got padding length 10 and input of dimension 4"),
    ErrorCase(Sample(IMAGE, (-3, -3, 0, 0)), RuntimeError, r"length must be non-negative"),
    ErrorCase(Sample(IMAGE, (1, 1), mode="nowhere"), NotImplementedError, "Unrecognised padding mode nowhere"),
    ErrorCase(Sample(IMAGE, (6, 6, 1, 1), mode="reflect"), RuntimeError, "should be less than the corresponding input"),
    ErrorCase(Sample(IMAGE, (6, 6, 1, 1), mode="circular"), RuntimeError, "wrapping around more than once"),
    ErrorCase(Sample(IMAGE, (1, 1), mode="reflect"), NotImplementedError, "Padding size 2 is not supported for 4D"),
    ErrorCase(Sample(IMAGE, (1, 1, 1, 1), mode="reflect", value=2.0), RuntimeError, "doesn't take in value argument"),
    ErrorCase(Sample(IMAGE, (-3, -3, 0, 0), mode="replicate"), RuntimeError, "empty dimension"),
    ErrorCase(Sample(IMAGE, (-3, -3, 0, 0), mode="circular"), RuntimeError, "empty dimension"),
    ErrorCase(Sample(Spec((1, 1, 0, 3)), (1, 1, 1, 1), mode="reflect"), RuntimeError, "non-zero dimensions"),
    ErrorCase(Sample(Spec((1, 1, 3, 3), "bool"), (1, 1, 1, 1), mode="reflect"), NotImplementedError, "Bool"),
]


class TestPad(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.pad",
            constant_samples,
            tiny=[Sample(Spec((2, 3)), (1, 2, -1, 1)), Sample(Spec((3,)), (1, 0), value=2.0)],
            integer_dtypes=("int64", "bool"),
            errors=ERRORS,
        ),
        Declaration(
            "nn.functional.pad",
            repeating_samples,
            tiny=[Sample(Spec((1, 3, 3)), (2, 1, 1, 2), mode=mode) for mode in ("reflect", "replicate", "circular")],
            integer_dtypes=("int64",),
        ),
    ]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_empty_batch(mode: str) -> None:
    same(lambda torch: torch.nn.functional.pad(torch.ones(0, 1, 3, 3), (1, 1, 1, 1), mode=mode))


def test_circular_margin_of_a_cropped_image() -> None:
    assert minitorch.nn.functional.pad(minitorch.tensor([[1.0, 2.0, 3.0]]), (-1, 1), mode="circular").tolist() == [
        [2.0, 3.0, 2.0]
    ]
