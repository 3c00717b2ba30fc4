"""Arithmetic against torch; see ``tests/harness/contract.py`` for what each declaration is put through."""

from __future__ import annotations

from hypothesis import strategies as st

from reference import elementwise as reference
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, binary, draw_broadcastable

INTEGERS = ("int64", "int32", "uint8", "bool")
MISMATCH = ErrorCase(
    Sample(Spec((2, 3)), Spec((2, 4))), RuntimeError, r"The size of tensor a \(3\) must match the size of tensor b \(4\)"
)


def add_samples(draw: Draw) -> Sample:
    a, b = draw_broadcastable(draw, 2)
    return Sample(Spec(a), Spec(b), alpha=draw(st.sampled_from([1, 2, -3])))


class TestArithmetic(OpContract):
    declarations = [
        Declaration(
            "add",
            add_samples,
            reference=reference.add,
            tiny=[Sample(Spec((2, 3)), Spec((3,))), Sample(Spec(()), Spec((2, 1)))],
            errors=[MISMATCH],
        ),
        Declaration(
            "mul",
            binary(),
            reference=reference.mul,
            tiny=[Sample(Spec((2, 3)), Spec((3,)))],
            errors=[MISMATCH],
            integer_dtypes=INTEGERS,
        ),
    ]
