"""Every loss module against torch's: how it prints, its state, values and gradients for each reduction."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle

import minitorch as torch
from tests.nn.support import assert_same_behaviour, assert_same_state, both

RANDOM = numpy.random.default_rng(3)
CLASSES = RANDOM.integers(0, 4, 5)
SIGNS = numpy.array([1, -1, 1, 1, -1])
PROBABILITIES = RANDOM.uniform(0.1, 0.9, (5, 4))
LABELS = RANDOM.integers(0, 2, (5, 4)).astype("float64")
LABEL_LISTS = numpy.array([[0, 2, -1, 0], [1, -1, 0, 0], [3, 2, 1, 0], [-1, 0, 0, 0], [2, 0, -1, 1]])
WEIGHT = numpy.array([0.5, 1.0, 2.0, 0.2])
LOG_PROBABILITIES = numpy.log(PROBABILITIES / PROBABILITIES.sum(1, keepdims=True))

CASES = [
    ("NLLLoss", {}, [LOG_PROBABILITIES, CLASSES]),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 2}, [LOG_PROBABILITIES, CLASSES]),
    ("CrossEntropyLoss", {}, [(5, 4), CLASSES]),
    ("CrossEntropyLoss", {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.1}, [(5, 4), CLASSES]),
    ("CrossEntropyLoss", {}, [(5, 4), PROBABILITIES]),
    ("BCELoss", {}, [PROBABILITIES, LABELS]),
    ("BCELoss", {"weight": WEIGHT}, [PROBABILITIES, LABELS]),
    ("BCEWithLogitsLoss", {}, [(5, 4), LABELS]),
    ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": WEIGHT + 1}, [(5, 4), LABELS]),
    ("L1Loss", {}, [(5, 4), (5, 4)]),
    ("MSELoss", {}, [(5, 4), (5, 4)]),
    ("SmoothL1Loss", {}, [(5, 4), (5, 4)]),
    ("SmoothL1Loss", {"beta": 0.3}, [(5, 4), (5, 4)]),
    ("HuberLoss", {"delta": 0.7}, [(5, 4), (5, 4)]),
    ("PoissonNLLLoss", {"full": True}, [(5, 4), LABELS * 3]),
    ("PoissonNLLLoss", {"log_input": False, "eps": 1e-3}, [PROBABILITIES, LABELS * 3]),
    ("GaussianNLLLoss", {"full": True}, [(5, 4), (5, 4), PROBABILITIES]),
    ("GaussianNLLLoss", {"eps": 0.5}, [(5, 4), (5, 4), PROBABILITIES]),
    ("KLDivLoss", {}, [LOG_PROBABILITIES, PROBABILITIES]),
    ("KLDivLoss", {"log_target": True}, [LOG_PROBABILITIES, LOG_PROBABILITIES - 0.1]),
    ("MarginRankingLoss", {"margin": 0.3}, [(5,), (5,), SIGNS.astype("float64")]),
    ("MultiLabelMarginLoss", {}, [(5, 4), LABEL_LISTS]),
    ("MultiLabelSoftMarginLoss", {}, [(5, 4), LABELS]),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, [(5, 4), LABELS]),
    ("SoftMarginLoss", {}, [(5, 4), 2 * LABELS - 1]),
    ("MultiMarginLoss", {}, [(5, 4), CLASSES]),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, [(5, 4), CLASSES]),
    ("TripletMarginLoss", {}, [(5, 4), (5, 4), (5, 4)]),
    ("TripletMarginLoss", {"margin": 0.5, "p": 1, "swap": True}, [(5, 4), (5, 4), (5, 4)]),
    ("TripletMarginWithDistanceLoss", {"margin": 2.0}, [(5, 4), (5, 4), (5, 4)]),
    ("HingeEmbeddingLoss", {"margin": 0.5}, [(5,), SIGNS.astype("float64")]),
    ("CosineEmbeddingLoss", {"margin": 0.1}, [(5, 4), (5, 4), SIGNS]),
    (
        "CTCLoss",
        {"zero_infinity": True},
        [
            numpy.log(RANDOM.dirichlet(numpy.ones(4), (6, 2))),
            numpy.array([[1, 2, 3], [2, 2, 1]]),
            numpy.array([6, 5]),
            numpy.array([3, 2]),
        ],
    ),
]


def label(value):
    return value if isinstance(value, str) else ",".join(value) if isinstance(value, dict) else "inputs"


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "options", "inputs"), CASES, ids=label)
def test_loss_equals_torch(name, options, inputs, reduction):
    if name == "KLDivLoss" and reduction == "mean":
        reduction = "batchmean"  # what torch recommends; its "mean" warns
    ours, theirs = both(name, **options, reduction=reduction)
    assert repr(ours) == repr(theirs)
    assert_same_state(ours, theirs, "weights", exact=True)
    assert_same_behaviour(_without_target_gradient(ours), _without_target_gradient(theirs), inputs)


def _without_target_gradient(module):
    """Where torch has no gradient for the target, the target must not ask for one."""
    name = type(module).__name__
    if name in ("BCELoss", "BCEWithLogitsLoss", "MarginRankingLoss", "SoftMarginLoss", "HingeEmbeddingLoss"):
        plain = module.forward
        module.forward = lambda *inputs: plain(*inputs[:-1], inputs[-1].detach())
    if name in ("PoissonNLLLoss", "MultiLabelSoftMarginLoss", "KLDivLoss"):
        plain = module.forward
        module.forward = lambda *inputs: plain(inputs[0], inputs[1].detach())
    return module


@pytest.mark.parametrize(
    ("size_average", "reduce"), [(True, None), (False, None), (None, False), (None, True), (False, False)]
)
def test_older_form_of_reduction(size_average, reduce):
    with pytest.warns(UserWarning, match="please use reduction='(mean|sum|none)' instead") as warned:
        ours = torch.nn.MSELoss(size_average, reduce)
    assert warned[0].filename == __file__
    with pytest.warns(UserWarning, match="reduction"):
        theirs = oracle.nn.MSELoss(size_average, reduce)
    assert ours.reduction == theirs.reduction


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda nn: nn.MultiMarginLoss(p=3), "only p == 1 and p == 2 supported"),
        (
            lambda nn: nn.TripletMarginLoss(margin=-1),
            "TripletMarginLoss: expected margin to be greater than 0, got -1 instead",
        ),
        (
            lambda nn: nn.TripletMarginWithDistanceLoss(margin=-1),
            "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got -1 instead",
        ),
        (
            lambda nn: nn.MultiMarginLoss(weight=(torch if nn is torch.nn else oracle).ones(2, 2)),
            "MultiMarginLoss: expected weight to be None or 1D tensor, got 2D instead",
        ),
    ],
)
def test_errors(make, message):
    for nn in (torch.nn, oracle.nn):
        with pytest.raises(ValueError, match=message):
            make(nn)


def test_unknown_reduction_is_found_when_it_is_used():
    loss = torch.nn.MSELoss(reduction="foo")
    with pytest.raises(ValueError, match="foo is not a valid value for reduction"):
        loss(torch.ones(1), torch.ones(1))


def test_weights_move_with_the_module():
    loss = torch.nn.CrossEntropyLoss(weight=torch.ones(3)).double()
    assert loss.weight.dtype is torch.float64
    assert list(loss.state_dict()) == ["weight"]
