"""dtypes: every pair and kind of operand promotes as in torch."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import pytest
import torch as oracle

import minitorch
from minitorch import dtypes
from tests.harness.both import same

NAMES = [each.name for each in dtypes.ALL]


def _value(torch: Any, name: str, rank: int) -> Any:
    dtype = getattr(torch, name)
    return torch.ones((2,) if rank == 2 else (), dtype=dtype)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(NAMES, NAMES)))
def test_promote_and_cast(first: str, second: str) -> None:
    same(lambda torch: torch.promote_types(getattr(torch, first), getattr(torch, second)))
    same(lambda torch: torch.can_cast(getattr(torch, first), getattr(torch, second)))


@pytest.mark.parametrize(("first", "second"), list(itertools.product(NAMES, NAMES)))
def test_result_type_of_tensors_of_any_rank(first: str, second: str) -> None:
    for ranks in itertools.product((1, 2), repeat=2):
        same(
            lambda torch, ranks=ranks: torch.result_type(
                _value(torch, first, ranks[0]), _value(torch, second, ranks[1])
            )
        )


@pytest.mark.parametrize(("name", "number"), list(itertools.product(NAMES, (True, 2, 2.5))))
def test_result_type_with_a_number(name: str, number: Any) -> None:
    for rank in (1, 2):
        same(lambda torch, rank=rank: torch.result_type(_value(torch, name, rank), number))


def test_names_and_attributes() -> None:
    for each in dtypes.ALL:
        theirs = getattr(oracle, each.name)
        assert repr(each) == repr(theirs)
        assert (each.itemsize, each.is_floating_point, each.is_signed) == (
            theirs.itemsize,
            theirs.is_floating_point,
            theirs.is_signed,
        )
        assert pickle.loads(pickle.dumps(each)) is each
    for alias in ("half", "float", "double", "short", "int", "long"):
        assert repr(getattr(minitorch, alias)) == repr(getattr(oracle, alias))


@pytest.mark.parametrize("text", ["cpu", "cuda", "cuda:1"])
def test_device(text: str) -> None:
    for form in (repr, str):
        same(lambda torch, form=form: form(torch.device(text)))
    same(lambda torch: [torch.device(text).type, torch.device(text).index])
    same(lambda torch: torch.device(text) == torch.device(text))
    same(lambda torch: torch.device("cuda", 1) == torch.device("cuda:1"))


@pytest.mark.parametrize("text", ["nowhere", "cuda:x", "cuda:-1", "cuda:"])
def test_malformed_device(text: str) -> None:
    same(lambda torch: torch.device(text))
