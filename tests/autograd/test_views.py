"""Views and in-place changes: what they do to values and gradients, against torch."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch as torch
from tests.harness.compare import as_numpy, to_ours, to_torch

PACKAGES = ((torch, to_ours), (oracle, to_torch))
VALUES = numpy.arange(1.0, 13.0).reshape(3, 4)

# ---------------------------------------------------------------------------------- programs written by hand


def view_of_view_modified(t: Any, x: Any) -> Any:
    x[1:].t()[2].mul_(10)
    return x


def base_changed_view_used(t: Any, x: Any) -> Any:
    view = x[0]
    x.mul_(3)
    return view * view


def view_changed_base_and_other_view_used(t: Any, x: Any) -> Any:
    first, second = x.view(12), x.t()
    first[:5].mul_(2)
    return second * x.t() + first.sum()


def both_changed_in_turn(t: Any, x: Any) -> Any:
    row, column = x[1], x[:, 2]
    row.mul_(2)
    column.add_(row[:3].clone())
    x.mul_(column.sum())
    row.mul_(row.clone())
    return x * 1


def view_taken_before_another_change(t: Any, x: Any) -> Any:
    y = x * 1
    view = y[0]
    y[1] = view * 2
    view.mul_(y[2].clone())
    return y


def value_with_history_into_constant(t: Any, x: Any) -> Any:
    base = t.zeros(2, 3, 4, dtype=t.float64)
    view = base[1]
    view[1:] = x[:2]
    assert view.requires_grad
    assert view.grad_fn is not None  # torch needs to be asked before it notices
    view.mul_(2)
    return base


def constant_into_history(t: Any, x: Any) -> Any:
    x.view(-1)[3:7] = 5
    x[2, 3] = 7
    return x


def value_overwritten_whole(t: Any, x: Any) -> Any:
    y = x * 2
    x[...] = y
    return x


def copy_of_broadcast_value(t: Any, x: Any) -> Any:
    x[:, 1:3] = x[0, 0]
    return x


def swap_rows(t: Any, x: Any) -> Any:
    x[0], x[1] = x[1].clone(), x[0].clone()
    return x


def reshaped_copy_is_independent(t: Any, x: Any) -> Any:
    copy = x.t().reshape(12)
    copy.mul_(2)
    return x + copy.view(3, 4)


def in_place_shapes(t: Any, x: Any) -> Any:
    y = x * 1
    row = y[1]
    y.unsqueeze_(0)
    y.mul_(2)
    row.mul_(3)
    column = y[0, :, 1]
    y.transpose_(1, 2)
    column.mul_(5)
    y[0, 3].add_(row.sum())
    return y.squeeze_(0) * column.sum() * row.sum()


def in_place_shape_of_a_view(t: Any, x: Any) -> Any:
    view = x[1:]
    view.t_()
    view[0].mul_(view[1].clone())
    return x


def in_place_on_diagonal_and_windows(t: Any, x: Any) -> Any:
    x.diagonal().mul_(3)
    x.unfold(1, 2, 2)[..., 0].add_(x[0, 0].detach().clone())
    return x


def as_strided_changed(t: Any, x: Any) -> Any:
    x.as_strided((2, 2), (4, 1), 5).mul_(2)
    return x


def non_contiguous_base(t: Any, x: Any) -> Any:
    base = x.t().contiguous().t() * 1  # an op keeps the layout of its input
    base.t().view(-1)[:4].mul_(7)
    return base


def expanded_read_after_change(t: Any, x: Any) -> Any:
    wide = x[0].expand(3, 4)
    x[0].mul_(2)
    return wide * x


def masked_change_of_view(t: Any, x: Any) -> Any:
    x[1:].masked_fill_(x[1:] > 8, 0)
    x[0][x[0] > 2] = x[1, :2].sum()
    return x


def indexed_change_of_view(t: Any, x: Any) -> Any:
    x[:, 1:].index_put_((t.tensor([0, 2]), t.tensor([1, 1])), x[1, :2] * 3)
    x.view(12).index_add_(0, t.tensor([1, 1, 4]), x[0, 1:] * 1)
    return x


def change_under_no_grad(t: Any, x: Any) -> Any:
    view = x[1]
    with t.no_grad():
        view.mul_(3)
        x[0] = 9
    return x * view.sum()


def detached_change_is_seen(t: Any, x: Any) -> Any:
    x.detach()[0] = 4
    return x * 1


def gradient_of_overwritten_square(t: Any, x: Any) -> Any:
    y = x.exp()
    z = y * 1
    z[0].mul_(2)
    return z * y


def view_stays_when_base_is_rebound(t: Any, x: Any) -> Any:
    view = x[0]
    x = x * 2
    view.mul_(5)
    return x + view


def unbound_reads(t: Any, x: Any) -> Any:
    first, second, _ = x.unbind()
    return first * second


def chunks_reads(t: Any, x: Any) -> Any:
    first, second = x.chunk(2, 1)
    return first * second


def list_of_rows_written_in_a_loop(t: Any, x: Any) -> Any:
    out = t.zeros(3, 4, dtype=t.float64)
    state = x[0]
    for step in range(3):
        state = state * x[step]
        out[step] = state
    return out


PROGRAMS = [
    view_of_view_modified,
    base_changed_view_used,
    view_changed_base_and_other_view_used,
    both_changed_in_turn,
    view_taken_before_another_change,
    value_with_history_into_constant,
    constant_into_history,
    value_overwritten_whole,
    copy_of_broadcast_value,
    swap_rows,
    reshaped_copy_is_independent,
    in_place_shapes,
    in_place_shape_of_a_view,
    in_place_on_diagonal_and_windows,
    as_strided_changed,
    non_contiguous_base,
    expanded_read_after_change,
    masked_change_of_view,
    indexed_change_of_view,
    change_under_no_grad,
    detached_change_is_seen,
    gradient_of_overwritten_square,
    view_stays_when_base_is_rebound,
    unbound_reads,
    chunks_reads,
    list_of_rows_written_in_a_loop,
]


def run(program: Any, package: Any, make: Any, create_graph: bool) -> Any:
    """Value and gradient (or second gradient) of a program, or the error that it ends with."""
    leaf = make(VALUES.copy(), True)
    try:
        result = program(package, leaf * 1)
        generator = numpy.random.default_rng(0)
        cotangent = make(generator.uniform(-1, 1, tuple(result.shape)), create_graph)
        (grad,) = package.autograd.grad(result, leaf, cotangent, create_graph=create_graph)
        found = [as_numpy(result), as_numpy(grad)]
        if create_graph and grad.requires_grad:
            second = package.autograd.grad(grad.sum(), [leaf, cotangent], allow_unused=True)
            found += [as_numpy(each) for each in second if each is not None]
        return found
    except RuntimeError as error:
        return str(error)[:60]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program, create_graph) -> None:
    ours, theirs = [run(program, package, make, create_graph) for package, make in PACKAGES]
    assert not isinstance(theirs, str), "the program is meant to run in torch"
    assert not isinstance(ours, str), ours
    for actual, expected in zip(ours, theirs, strict=False):
        numpy.testing.assert_allclose(actual, expected, 1e-9)


# ------------------------------------------------------------------------------------ what is shared, and how


def test_views_share_the_version_and_know_their_base() -> None:
    for package in (torch, oracle):
        x = package.zeros(2, 3)
        view, deeper = x[0], x[0][1:]
        deeper.add_(1)
        view.add_(1)
        x.detach().add_(1)
        assert x._version == view._version == deeper._version == 3
        assert view._base is x
        assert deeper._base is x
        assert x._base is None
        assert x.tolist() == [[2, 3, 3], [1, 1, 1]]


def test_changes_without_grad_leave_the_history_of_views_alone() -> None:
    for package in (torch, oracle):
        weight = package.ones(3, requires_grad=True)
        view = weight[1:]
        name = view.grad_fn.name()
        with package.no_grad():
            weight.mul_(2)
            assert view.requires_grad
        assert view.grad_fn.name().split("Backward")[0] in (name.split("Backward")[0], "AsStrided")
        (view * view).sum().backward()
        assert weight.grad.tolist() == [0, 4, 4]


def test_a_view_that_was_made_a_leaf_stays_one() -> None:
    for package in (torch, oracle):
        base = package.zeros(2, 3)
        view = base[0].requires_grad_()
        base[1].add_(1)
        assert view.requires_grad
        assert view.is_leaf
        (view * 2).sum().backward()
        assert view.grad.tolist() == [2, 2, 2]


def test_the_engine_does_not_copy_the_base_for_every_row_that_is_written() -> None:
    out = torch.zeros(3, 4, dtype=torch.float64)
    memory = out.array
    row = torch.ones(4, dtype=torch.float64, requires_grad=True)
    for index in range(3):
        out[index] = row * (index + 1)
    assert out.array is memory
    out.backward(torch.tensor(VALUES))
    assert row.grad.tolist() == [38.0, 44.0, 50.0, 56.0]
