"""clone: values, layout, gradient."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.harness.both import same
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, Sample, Spec
from tests.harness.strategies import unary


class TestCopying(OpContract):
    declarations: ClassVar = [
        Declaration("clone", unary(), tiny=[Sample(Spec((2, 3)))], integer_dtypes=("int64", "bool")),
    ]


def test_layout() -> None:
    def program(torch: Any) -> Any:
        x = torch.zeros(1, 3, 2, 4).transpose(2, 3)
        kept = torch.clone(x).stride()
        plain = torch.clone(x, memory_format=torch.contiguous_format).stride()
        last = x.clone(memory_format=torch.channels_last).stride()
        return kept, plain, last

    same(program)


def test_memory_of_its_own() -> None:
    def program(torch: Any) -> Any:
        x = torch.zeros(2)
        y = x.clone()
        y += 1
        z = x.clone(memory_format=torch.contiguous_format)
        z += 2
        return x, y, z

    same(program)
