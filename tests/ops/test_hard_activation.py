"""Activations of straight lines against torch; see ``tests/harness/contract.py``, ``tests/harness/unary_laws.py``."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape, unary
from tests.harness.unary_laws import UnaryLaws

WIDE = {"low": -5.0, "high": 5.0, "kinks": (-3.0, 3.0)}
NO_BOOL = ErrorCase(Sample(Spec((2,), "bool")), RuntimeError, "Bool inputs not supported for hardtanh")


def refused(kernel: str) -> list[ErrorCase]:
    return [
        ErrorCase(Sample(Spec((2,), dtype)), NotImplementedError, f"\"{kernel}\" not implemented for '{name}'")
        for dtype, name in (("int64", "Long"), ("bool", "Bool"))
    ]


def hardtanh_samples(draw: Draw) -> Sample:
    low, high = draw(st.sampled_from([(-1.0, 1.0), (0.0, 0.5), (-1.5, 2.5), (-4.0, 4.0)]))
    return Sample(Spec(draw_shape(draw), kinks=(low, high)), low, high)


def whole_hardtanh_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw), low=-5, high=5), *draw(st.sampled_from([(-1.0, 1.0), (-1.5, 2.5), (0, 3)])))


def shrink_samples(choices: list[float]) -> Any:
    def samples(draw: Draw) -> Sample:
        lambd = draw(st.sampled_from(choices))
        return Sample(Spec(draw_shape(draw), kinks=(-lambd, lambd), gap=0.05), lambd)

    return samples


class TestHardActivation(UnaryLaws, OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.hardtanh",
            hardtanh_samples,
            tiny=[Sample(Spec((2, 3), kinks=(-0.5, 1.0)), -0.5, 1.0)],
            errors=[
                NO_BOOL,
                ErrorCase(Sample(Spec((2,)), 1, -1), ValueError, "min_val cannot be greater than max_val"),
                ErrorCase(Sample(Spec((2,), "uint8")), RuntimeError, "an unsigned type with negative limits"),
            ],
        ),
        Declaration(
            "nn.functional.relu6",
            unary(low=-3, high=9, kinks=(0.0, 6.0)),
            tiny=[Sample(Spec((2, 3), low=-3, high=9, kinks=(0.0, 6.0)))],
            errors=[NO_BOOL],
            integer_dtypes=("int64", "uint8"),
        ),
        Declaration(
            "nn.functional.hardsigmoid",
            unary(**WIDE),
            tiny=[Sample(Spec((2, 3), **WIDE))],
            errors=refused("hardsigmoid_cpu"),
            twice=False,  # torch has none
        ),
        Declaration(
            "nn.functional.hardswish",
            unary(**WIDE),
            tiny=[Sample(Spec((2, 3), **WIDE))],
            errors=refused("hardswish_cpu"),
        ),
        Declaration(
            "nn.functional.hardshrink",
            shrink_samples([0.5, 0.0, 1.0, -1.0]),
            tiny=[Sample(Spec((2, 3), kinks=(-0.5, 0.5)))],
            errors=refused("hardshrink_cpu"),
        ),
        Declaration("hardshrink", shrink_samples([0.7]), tiny=[Sample(Spec((2, 3), kinks=(-0.7, 0.7)), 0.7)]),
        Declaration(
            "nn.functional.softshrink",
            shrink_samples([0.5, 0.0, 1.0]),
            tiny=[Sample(Spec((2, 3), kinks=(-0.5, 0.5)))],
            errors=[
                *refused("softshrink_check"),
                ErrorCase(
                    Sample(Spec((2,)), -1.0),
                    RuntimeError,
                    r"lambda must be in range \[0, 3\.40282e\+38\] for input dtype Float, but found -1",
                ),
            ],
        ),
    ]
    # torch's vector code and scalar code differ on whether nan lets a gradient through
    gradients_left_out: ClassVar = {each.name: (float("nan"),) for each in declarations}

    @pytest.mark.parametrize(
        ("name", "kinks"),
        [
            ("hardtanh", [-1.0, 1.0]),
            ("relu6", [0.0, 6.0]),
            ("hardsigmoid", [-3.0, 3.0]),
            ("hardswish", [-3.0, 3.0]),
            ("hardshrink", [-0.5, 0.5]),
            ("softshrink", [-0.5, 0.5]),
        ],
    )
    def test_kinks_have_the_values_and_gradients_that_torch_gives_them(self, name: str, kinks: list[float]) -> None:
        found = []
        for package in (oracle, minitorch):
            x = package.tensor(kinks, requires_grad=True)
            y = getattr(package.nn.functional, name)(x)
            y.sum().backward()
            found.append((y.tolist(), x.grad.tolist()))
        assert found[1] == found[0]


class TestWholeNumbers(OpContract):
    declarations: ClassVar = [
        Declaration("nn.functional.hardtanh", whole_hardtanh_samples, dtypes=("int64", "int32"), differentiable=False)
    ]
