"""The ``out=`` argument: who may be written into, and what becomes of its shape."""

from __future__ import annotations

import warnings
from typing import Any

from tests.harness.both import same


def test_same_shape_keeps_the_memory() -> None:
    def program(torch: Any) -> Any:
        out = torch.zeros(2)
        other = out.view(2)
        returned = torch.add(torch.ones(2), 1, out=out)
        return returned is out, other

    same(program)


def test_another_shape_is_resized() -> None:
    def program(torch: Any) -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            empty = torch.add(torch.ones(2), 1, out=torch.zeros(0))
            assert not caught
            resized = torch.add(torch.ones(2), 1, out=torch.zeros(3))
        return (
            empty,
            resized,
            ["An output with one or more elements was resized" in str(each.message) for each in caught],
        )

    same(program)


def test_errors() -> None:
    same(lambda torch: torch.add(torch.ones(2, requires_grad=True), 1, out=torch.zeros(2)), message=False)
    same(lambda torch: torch.add(torch.ones(2), 1.5, out=torch.zeros(2, dtype=torch.int64)), message=True)


def test_numpy_under_no_grad() -> None:
    def program(torch: Any) -> Any:
        x = torch.ones(2, requires_grad=True)
        with torch.no_grad():
            return x.numpy().tolist()

    same(program)
