"""Losses: every one with an example, the printed value where the inputs are constants, the name of its node."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.harness.both import same

# ------------------------------------------------------------------------------------------------ inputs from chance

# The loss, its inputs (a gradient is wanted for the first), the name of the result's node. Older versions printed
# the names without a number, and PoissonNLLLoss and its like have always ended in a mean.
EXAMPLES = {
    "BCELoss": (
        lambda torch: (torch.nn.Sigmoid()(_leaf(torch, 3)), torch.empty(3).random_(2)),
        "BinaryCrossEntropyBackward0",
    ),
    "CrossEntropyLoss": (
        lambda torch: (_leaf(torch, 3, 5), torch.empty(3, dtype=torch.long).random_(5)),
        "NllLossBackward0",
    ),
    "L1Loss": (lambda torch: (_leaf(torch, 3, 5), torch.randn(3, 5)), "MeanBackward0"),
    "MSELoss": (lambda torch: (_leaf(torch, 3, 5), torch.randn(3, 5)), "MseLossBackward0"),
    "SmoothL1Loss": (lambda torch: (_leaf(torch, 3, 5), torch.randn(3, 5)), "SmoothL1LossBackward0"),
    "PoissonNLLLoss": (lambda torch: (_leaf(torch, 5, 2), torch.randn(5, 2)), "MeanBackward0"),
    "MarginRankingLoss": (
        lambda torch: (_leaf(torch, 3), _leaf(torch, 3), torch.randn(3).sign()),
        "MeanBackward0",
    ),
    "TripletMarginLoss": (
        lambda torch: (_leaf(torch, 100, 128), _leaf(torch, 100, 128), _leaf(torch, 100, 128)),
        "MeanBackward0",
    ),
}


def _leaf(torch: Any, *size: int) -> Any:
    return torch.randn(*size, requires_grad=True)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_losses_of_random_inputs(name: str, reduction: str) -> None:
    inputs, node = EXAMPLES[name]

    def program(torch: Any) -> Any:
        given = inputs(torch)
        leaves = [each for each in given if each.requires_grad and each.is_leaf]
        output = getattr(torch.nn, name)(reduction=reduction)(*given)
        output.backward(torch.ones_like(output))
        return output, [leaf.grad for leaf in leaves], output.grad_fn.name() if reduction == "mean" else None

    result = same(program)
    # The mean of the absolute difference has a node of its own only in older versions.
    assert result[-1] in (None, node)


def test_the_printed_loss() -> None:
    def program(torch: Any) -> Any:
        input = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        return [
            str(torch.nn.MSELoss()(input, torch.zeros(2, 2))),
            str(torch.nn.L1Loss()(input, torch.zeros(2, 2))),
            str(torch.nn.SmoothL1Loss()(input, torch.zeros(2, 2))),
        ]

    assert same(program) == [
        "tensor(7.5000, grad_fn=<MseLossBackward0>)",
        "tensor(2.5000, grad_fn=<MeanBackward0>)",
        "tensor(2., grad_fn=<SmoothL1LossBackward0>)",
    ]


# ------------------------------------------------------------------------------------------------- constant inputs


def test_mean_absolute_error() -> None:
    def program(torch: Any) -> Any:
        inputs = torch.tensor([1, 2, 3], dtype=torch.float32)
        targets = torch.tensor([1, 2, 5], dtype=torch.float32)
        nn = torch.nn
        return str(nn.L1Loss()(inputs, targets)), str(nn.L1Loss(reduction="sum")(inputs, targets))

    assert same(program) == ("tensor(0.6667)", "tensor(2.)")


def test_losses_want_floating_point() -> None:
    """Older versions said "mean(): input dtype should be either floating point or complex dtypes. …"."""
    same(lambda torch: torch.nn.L1Loss()(torch.tensor([1, 2, 3]), torch.tensor([1, 2, 5])), message=True)


def test_kl_divergence() -> None:
    def program(torch: Any) -> Any:
        inputs = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
        target = torch.tensor([[0.9, 0.05, 0.05], [0.1, 0.7, 0.2]], dtype=torch.float)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            printed = str(torch.nn.KLDivLoss()(inputs, target))
        return printed, [str(each.message) for each in seen], torch.nn.KLDivLoss(reduction="batchmean")(inputs, target)

    printed, messages, _ = same(program)
    assert printed == "tensor(-0.3335)"
    assert len(messages) == 1, "the mean over all elements is not the divergence, and a warning says so"


@pytest.mark.parametrize(
    ("compute", "printed"),
    [
        (
            lambda torch: torch.nn.MultiLabelMarginLoss()(
                torch.FloatTensor([[0.9, 0.2, 0.4, 0.8]]), torch.LongTensor([[3, 0, -1, 1]])
            ),
            # 0.25·((1 − (0.8 − 0.2)) + (1 − (0.8 − 0.4)) + (1 − (0.9 − 0.2)) + (1 − (0.9 − 0.4)))
            "tensor(0.4500)",
        ),
        (
            lambda torch: torch.nn.SoftMarginLoss()(
                torch.tensor([[0.3, 0.7], [0.5, 0.5]]), torch.tensor([[-1, 1], [1, -1]], dtype=torch.float)
            ),
            "tensor(0.6764)",
        ),
        (
            lambda torch: torch.nn.MultiMarginLoss()(
                torch.tensor([[0.3, 0.7], [0.5, 0.5]]), torch.tensor([0, 1], dtype=torch.long)
            ),
            "tensor(0.6000)",
        ),
        (
            lambda torch: torch.nn.HingeEmbeddingLoss()(torch.tensor([[1.0, 0.8, 0.5]]), torch.tensor([[1, 1, -1]])),
            "tensor(0.7667)",
        ),
        (
            lambda torch: torch.nn.CosineEmbeddingLoss()(
                torch.tensor([[0.3, 0.5, 0.7], [0.3, 0.5, 0.7]]),
                torch.tensor([[0.1, 0.3, 0.5], [0.1, 0.3, 0.5]]),
                torch.tensor([1, -1], dtype=torch.float),
            ),
            "tensor(0.5000)",
        ),
    ],
    ids=["MultiLabelMarginLoss", "SoftMarginLoss", "MultiMarginLoss", "HingeEmbeddingLoss", "CosineEmbeddingLoss"],
)
def test_losses_of_constants(compute: Any, printed: str) -> None:
    assert same(lambda torch: str(compute(torch))) == printed
    same(compute)


# ------------------------------------------------------------------------------------ cross entropy and its parts


def test_cross_entropy_is_log_softmax_and_nll() -> None:
    def program(torch: Any) -> Any:
        nn, F = torch.nn, torch.nn.functional
        logits, labels = torch.randn(64, 10), torch.randint(0, 10, (64,))
        whole = nn.CrossEntropyLoss()(logits, labels)
        layers = nn.NLLLoss()(nn.LogSoftmax(dim=1)(logits), labels)
        functions = F.nll_loss(F.log_softmax(logits, dim=1), labels)
        by_hand = -F.one_hot(labels, 10).mul(logits.log_softmax(1)).sum(dim=1).mean()
        return whole, layers, functions, by_hand, torch.exp(F.log_softmax(logits, dim=1)).sum(dim=1)

    same(program)


def test_the_dimension_of_softmax() -> None:
    def program(torch: Any) -> Any:
        x = torch.randn(8, 10)
        F = torch.nn.functional
        return F.softmax(x, dim=0).sum(0), F.softmax(x, dim=1).sum(1), F.log_softmax(x, dim=0).exp(), F.sigmoid(x)

    columns, rows, *_ = same(program)
    assert (columns.shape, rows.shape) == ((10,), (8,))


def test_the_options_of_cross_entropy() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn
        logits, labels = torch.randn(4, 3), torch.tensor([0, 2, -100, 1])
        weight = torch.tensor([1.0, 2.0, 0.5])
        return [
            nn.CrossEntropyLoss(weight=weight)(logits, labels),
            nn.CrossEntropyLoss(ignore_index=2)(logits, labels.clamp(min=0)),
            nn.CrossEntropyLoss(reduction="none")(logits, labels),
            nn.CrossEntropyLoss(size_average=False)(logits, labels),
            nn.CrossEntropyLoss(reduce=False)(logits, labels),
        ]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # size_average and reduce are deprecated in both
        same(program)


def test_labels_out_of_range() -> None:
    same(lambda torch: torch.nn.CrossEntropyLoss()(torch.zeros(2, 3), torch.tensor([0, 3])), message=True)


def test_the_classes_of_a_batch() -> None:
    """Input (N, C), target (N); anything else is an error."""
    same(lambda torch: torch.nn.CrossEntropyLoss()(torch.zeros(2, 3), torch.tensor([0, 1, 1])), message=True)


def test_binary_cross_entropy_wants_probabilities() -> None:
    same(lambda torch: torch.nn.BCELoss()(torch.tensor([1.5]), torch.tensor([1.0])), message=True)
    same(lambda torch: torch.nn.BCELoss()(torch.ones(3), torch.ones(2)), message=True)


def test_the_options_of_triplets() -> None:
    def program(torch: Any) -> Any:
        anchor, positive, negative = (torch.randn(6, 8) for _ in range(3))
        return [
            torch.nn.TripletMarginLoss(margin=margin, p=p, swap=swap)(anchor, positive, negative)
            for margin in (0.5, 1.0)
            for p in (1, 2)
            for swap in (False, True)
        ]

    same(program)


# ------------------------------------------------------------------------------------------------------------- CTC


def test_ctc_with_padded_targets() -> None:
    def program(torch: Any) -> Any:
        T, C, N, S, S_min = 50, 20, 16, 30, 10
        input = torch.randn(T, N, C).log_softmax(2).detach().requires_grad_()
        target = torch.randint(low=1, high=C, size=(N, S), dtype=torch.long)
        input_lengths = torch.full(size=(N,), fill_value=T, dtype=torch.long)
        target_lengths = torch.randint(low=S_min, high=S, size=(N,), dtype=torch.long)
        loss = torch.nn.CTCLoss()(input, target, input_lengths, target_lengths)
        loss.backward()
        return loss, input.grad, target, target_lengths, loss.grad_fn.name()

    assert same(program)[-1] == "MeanBackward0"


def test_ctc_with_targets_in_one_row() -> None:
    def program(torch: Any) -> Any:
        T, C, N = 50, 20, 16
        input = torch.randn(T, N, C).log_softmax(2).detach().requires_grad_()
        input_lengths = torch.full(size=(N,), fill_value=T, dtype=torch.long)
        target_lengths = torch.randint(low=1, high=T, size=(N,), dtype=torch.long)
        target = torch.randint(low=1, high=C, size=(sum(target_lengths),), dtype=torch.long)
        # Some targets are too long for their inputs: the loss is infinite there unless it is set to zero.
        with_infinities = torch.nn.CTCLoss()(input, target, input_lengths, target_lengths)
        loss = torch.nn.CTCLoss(zero_infinity=True)(input, target, input_lengths, target_lengths)
        loss.backward()
        return with_infinities, loss, input.grad, target.shape

    same(program)


# -------------------------------------------------------------------------------------------------------- as modules


@pytest.mark.parametrize(
    "name", [*EXAMPLES, "KLDivLoss", "MultiMarginLoss", "CTCLoss", "NLLLoss", "HingeEmbeddingLoss"]
)
def test_losses_are_modules(name: str) -> None:
    def program(torch: Any) -> Any:
        loss = getattr(torch.nn, name)()
        return str(loss), isinstance(loss, torch.nn.Module), len(list(loss.parameters())), loss.reduction

    assert same(program)[1] is True


def test_an_unknown_reduction() -> None:
    same(lambda torch: torch.nn.MSELoss(reduction="avg")(torch.ones(2), torch.ones(2)), message=True)
