"""Local response normalisation against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st

from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape


def samples(draw: Draw) -> Sample:
    shape = (draw(st.integers(1, 2)), *draw_shape(draw, 2, 4, min_size=1, max_size=3))
    return Sample(
        Spec(shape),
        draw(st.integers(1, 5)),
        draw(st.sampled_from([1e-4, 0.5])),
        draw(st.sampled_from([0.75, 2.0])),
        draw(st.sampled_from([1.0, 2.0])),
    )


class TestLocalResponseNorm(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.local_response_norm",
            samples,
            tiny=[Sample(Spec((1, 4, 2)), 3, 0.5), Sample(Spec((2, 2, 1)), 4, 0.5)],
            check_layouts=False,  # torch refuses inputs that are not contiguous
            errors=[ErrorCase(Sample(Spec((2, 3)), 2), ValueError, "Expected 3D or higher dimensionality")],
        )
    ]
