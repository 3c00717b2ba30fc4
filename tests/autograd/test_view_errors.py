"""In-place changes that torch forbids, and its words for them."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch as torch
from tests.harness.compare import to_ours, to_torch

PACKAGES = ((torch, to_ours), (oracle, to_torch))
VALUES = numpy.arange(1.0, 13.0).reshape(3, 4)


def leaf_changed(t: Any, x: Any) -> Any:
    x.detach().requires_grad_().add_(1)


def view_of_leaf_changed(t: Any, x: Any) -> Any:
    x.detach().requires_grad_()[0].add_(1)


def unbound_changed(t: Any, x: Any) -> Any:
    x.unbind()[0].add_(1)


def single_chunk_changed(t: Any, x: Any) -> Any:
    x.chunk(1)[0].add_(1)


def view_of_unbound_changed(t: Any, x: Any) -> Any:
    x.unbind()[0][1:].add_(1)


def unbound_base_changed(t: Any, x: Any) -> Any:
    row = x.unbind()[0]
    x.add_(1)
    row * 2


def unbound_base_changed_without_grad(t: Any, x: Any) -> Any:
    row = x.unbind()[0]
    with t.no_grad():
        x.add_(1)
    row * 2


def row_of_iteration_changed(t: Any, x: Any) -> Any:
    next(iter(x)).add_(1)


def no_grad_view_changed(t: Any, x: Any) -> Any:
    with t.no_grad():
        view = x[0]
    view.add_(1)


def no_grad_view_of_constant_changed(t: Any, x: Any) -> Any:
    base = t.zeros(3, 4, dtype=t.float64)
    with t.no_grad():
        view = base[0]
    view.mul_(x[0])


def no_grad_view_base_changed(t: Any, x: Any) -> Any:
    base = t.zeros(3, 4, dtype=t.float64)
    with t.no_grad():
        view = base[0]
    base.add_(x)
    view * 2


def saved_value_changed(t: Any, x: Any) -> Any:
    y = x * x
    z = y * y
    y.add_(1)
    z.sum().backward()


def saved_value_changed_through_view(t: Any, x: Any) -> Any:
    y = x * x
    z = y * y
    y[0, 0] = 1
    z.sum().backward()


def saved_view_changed_through_base(t: Any, x: Any) -> Any:
    view = x[0]
    z = view * view
    x.mul_(2)
    z.sum().backward()


def saved_result_changed(t: Any, x: Any) -> Any:
    y = x.exp()
    y.add_(1)
    y.sum().backward()


def saved_value_changed_through_detached(t: Any, x: Any) -> Any:
    y = x * 1
    z = y * y
    y.detach().add_(1)
    z.sum().backward()


def expanded_changed(t: Any, x: Any) -> Any:
    x[0].expand(3, 4).add_(1)


def result_too_large(t: Any, x: Any) -> Any:
    x[0].add_(x * 1)


ERRORS = [
    leaf_changed,
    view_of_leaf_changed,
    unbound_changed,
    single_chunk_changed,
    view_of_unbound_changed,
    unbound_base_changed,
    unbound_base_changed_without_grad,
    row_of_iteration_changed,
    no_grad_view_changed,
    no_grad_view_of_constant_changed,
    no_grad_view_base_changed,
    saved_value_changed,
    saved_value_changed_through_view,
    saved_view_changed_through_base,
    saved_result_changed,
    saved_value_changed_through_detached,
    expanded_changed,
    result_too_large,
]


@pytest.mark.parametrize("program", ERRORS)
def test_what_torch_forbids_is_forbidden_in_its_words(program) -> None:
    texts = []
    for package, make in PACKAGES:
        with pytest.raises(RuntimeError) as caught:
            program(package, make(VALUES.copy(), True) * 1)
        texts.append(str(caught.value))
    ours, theirs = texts
    if "modified by an inplace operation" in theirs:  # torch goes on with the tensor's type and shape
        start = "one of the variables needed for gradient computation has been modified by an inplace operation: "
        assert ours.startswith(start)
        assert theirs.startswith(start)
        return
    assert ours == theirs
