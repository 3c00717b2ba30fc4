"""CTC against torch, and against the sum over all alignments written out."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import numpy
import pytest
from hypothesis import strategies as st

import minitorch
from tests.harness.both import same
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw


def samples(draw: Draw) -> Sample:
    N, C, T = draw(st.integers(1, 3)), draw(st.integers(2, 4)), draw(st.integers(1, 6))
    blank = draw(st.integers(0, C - 1))
    symbols = [each for each in range(C) if each != blank]
    target_lengths = draw(st.lists(st.integers(0, 3), min_size=N, max_size=N))
    input_lengths = draw(st.lists(st.integers(1, T), min_size=N, max_size=N))
    labels = [draw(st.lists(st.sampled_from(symbols), min_size=3, max_size=3)) for _ in range(N)]
    if draw(st.booleans()):
        flat = [each for row, length in zip(labels, target_lengths) for each in row[:length]]
        targets = Spec((len(flat),), "int64", values=flat)
    else:
        targets = Spec((N, 3), "int64", values=labels)
    are_tensors = draw(st.booleans())
    return Sample(
        Spec((T, N, C)),
        targets,
        Spec((N,), "int64", values=input_lengths) if are_tensors else tuple(input_lengths),
        Spec((N,), "int64", values=target_lengths) if are_tensors else tuple(target_lengths),
        blank=blank,
        reduction=draw(st.sampled_from(["none", "mean", "sum"])),
        # A label that does not fit has an infinite loss, and torch's gradient is then nan in some places only.
        zero_infinity=True,
    )


LOG_PROBS, TARGETS = Spec((5, 2, 4)), Spec((2, 3), "int64", values=[[1, 2, 3], [2, 2, 1]])


def _error(*arguments: Any, error: type[Exception] = RuntimeError, match: str = "", **options: Any) -> ErrorCase:
    return ErrorCase(Sample(*arguments, **options), error, match)


class TestCtcLoss(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.ctc_loss",
            samples,
            twice=False,  # torch: "derivative for _ctc_loss_backward is not implemented"
            # no tiny samples: what torch calls the gradient is that of the logits before a log-softmax
            errors=[
                _error(LOG_PROBS, TARGETS, (6, 4), (2, 3), match="at most 5, but got value 6"),
                _error(LOG_PROBS, TARGETS, (5, 4), (4, 3), match="Expected targets of size"),
                _error(LOG_PROBS, TARGETS, (5, 4), (2, 3), match="blank must be in label range", blank=4),
                _error(LOG_PROBS, TARGETS, (5,), (2, 3), match="input_lengths must be of size batch_size"),
                _error(LOG_PROBS, TARGETS, (5, 4), (2,), match="target_lengths must be of size batch_size"),
                _error(LOG_PROBS, TARGETS, (-1, 4), (2, 3), match="at least 0, but got value -1"),
                _error(LOG_PROBS, TARGETS, (5, 4), (2, 3), error=ValueError, match="not a valid value", reduction="x"),
                _error(LOG_PROBS, Spec((3,), "int64", values=[1, 2, 2]), (5, 4), (2, 3), match="to have size 5"),
                _error(Spec((5, 2, 4), "float16"), TARGETS, (5, 4), (2, 3), error=NotImplementedError, match="Half"),
                _error(Spec((0, 2, 4)), TARGETS, (0, 0), (0, 0), match="must not be empty"),
            ],
        )
    ]


def _merge(path: tuple[int, ...]) -> tuple[int, ...]:
    """What a path reads as: repeats merged, then blanks (0) dropped."""
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != 0)


@pytest.mark.parametrize("label", [(), (1,), (1, 2), (1, 1), (2, 1, 2)])
def test_equals_the_sum_over_all_alignments(label: tuple[int, ...]) -> None:
    T, C = 4, 3
    probabilities = numpy.random.default_rng(0).dirichlet(numpy.ones(C), T)
    total = sum(
        numpy.prod([probabilities[t, symbol] for t, symbol in enumerate(path)])
        for path in itertools.product(range(C), repeat=T)
        if _merge(path) == label
    )
    log_probs = minitorch.tensor(numpy.log(probabilities))[:, None]
    target = minitorch.tensor([list(label)], dtype=minitorch.int64).reshape(1, len(label))
    loss = minitorch.nn.functional.ctc_loss(log_probs, target, (T,), (len(label),), reduction="sum")
    assert abs(loss.item() + numpy.log(total)) < 1e-12


def test_gradient_at_the_logits_by_differences() -> None:
    target = minitorch.tensor([[1, 2, 1]])

    def loss(logits: Any) -> Any:
        return minitorch.nn.functional.ctc_loss(logits.log_softmax(2), target, (5,), (3,), reduction="sum")

    logits = minitorch.randn(5, 1, 3, dtype=minitorch.float64, requires_grad=True)
    assert minitorch.autograd.gradcheck(loss, logits)


def test_labels_that_do_not_fit() -> None:
    def program(torch: Any, zero: bool) -> Any:
        log_probs = torch.zeros(2, 2, 3).log_softmax(2)
        targets = torch.tensor([[1, 1], [1, 2]])
        return torch.nn.functional.ctc_loss(log_probs, targets, (2, 2), (2, 2), reduction="none", zero_infinity=zero)

    same(lambda torch: program(torch, False))
    same(lambda torch: program(torch, True))


def test_no_second_derivative() -> None:
    def program(torch: Any) -> Any:
        x = torch.randn(3, 1, 3, requires_grad=True)
        loss = torch.nn.functional.ctc_loss(x, torch.tensor([[1]]), (3,), (1,))
        (first,) = torch.autograd.grad(loss, x, create_graph=True)
        return torch.autograd.grad(first.sum(), x)

    same(program)
