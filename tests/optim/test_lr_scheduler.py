"""Every schedule against torch's: the rates (and momentums), the state, going on after an interruption, errors."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import torch as oracle

import minitorch
import minitorch as torch


class Growing:
    """A callable with state, which is saved."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, epoch: float) -> float:
        return 1 + self.factor * epoch


CASES: list[tuple[str, Any]] = [
    ("LambdaLR", lambda S, o: S.LambdaLR(o, lambda epoch: 0.9**epoch)),
    ("LambdaLR, one each", lambda S, o: S.LambdaLR(o, [lambda epoch: 0.9**epoch, Growing(0.1)])),
    ("MultiplicativeLR", lambda S, o: S.MultiplicativeLR(o, lambda epoch: 1 - 0.05 * (epoch % 3))),
    ("StepLR", lambda S, o: S.StepLR(o, 3)),
    ("StepLR gamma", lambda S, o: S.StepLR(o, step_size=2, gamma=0.7)),
    ("MultiStepLR", lambda S, o: S.MultiStepLR(o, [2, 5, 5, 9], gamma=0.5)),
    ("ConstantLR", lambda S, o: S.ConstantLR(o)),
    ("ConstantLR arguments", lambda S, o: S.ConstantLR(o, factor=0.5, total_iters=7)),
    ("LinearLR", lambda S, o: S.LinearLR(o)),
    ("LinearLR down", lambda S, o: S.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=8)),
    ("ExponentialLR", lambda S, o: S.ExponentialLR(o, 0.9)),
    ("PolynomialLR", lambda S, o: S.PolynomialLR(o)),
    ("PolynomialLR power", lambda S, o: S.PolynomialLR(o, total_iters=9, power=2.5)),
    ("CosineAnnealingLR", lambda S, o: S.CosineAnnealingLR(o, 5)),
    ("CosineAnnealingLR eta_min", lambda S, o: S.CosineAnnealingLR(o, T_max=4, eta_min=0.01)),
    ("CosineAnnealingWarmRestarts", lambda S, o: S.CosineAnnealingWarmRestarts(o, 3)),
    ("CosineAnnealingWarmRestarts longer", lambda S, o: S.CosineAnnealingWarmRestarts(o, 2, 2, 0.01)),
    ("CyclicLR", lambda S, o: S.CyclicLR(o, 0.01, 0.1, 4)),
    ("CyclicLR triangular2", lambda S, o: S.CyclicLR(o, [0.01, 0.02], [0.1, 0.3], 3, 5, mode="triangular2")),
    ("CyclicLR exp_range", lambda S, o: S.CyclicLR(o, 0.01, 0.1, 4, mode="exp_range", gamma=0.9)),
    (
        "CyclicLR scale_fn",
        lambda S, o: S.CyclicLR(o, 0.01, 0.1, 4, scale_fn=Growing(0.2), scale_mode="iterations", base_momentum=0.5),
    ),
    ("CyclicLR without momentum", lambda S, o: S.CyclicLR(o, 0.01, 0.1, 4, cycle_momentum=False)),
    ("OneCycleLR", lambda S, o: S.OneCycleLR(o, 0.3, 30)),
    (
        "OneCycleLR linear",
        lambda S, o: S.OneCycleLR(o, [0.3, 0.1], epochs=5, steps_per_epoch=6, anneal_strategy="linear"),
    ),
    (
        "OneCycleLR three phases",
        lambda S, o: S.OneCycleLR(o, 0.3, 30, three_phase=True, pct_start=0.4, div_factor=10.0),
    ),
    ("ChainedScheduler", lambda S, o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 4), S.ExponentialLR(o, 0.9)])),
    (
        "SequentialLR",
        lambda S, o: S.SequentialLR(o, [S.ConstantLR(o, 0.1, 3), S.ExponentialLR(o, 0.9), S.StepLR(o, 2)], [3, 8]),
    ),
    (
        "SequentialLR of a chain",
        lambda S, o: S.SequentialLR(
            o, [S.LinearLR(o), S.CosineAnnealingLR(o, 6), S.CosineAnnealingWarmRestarts(o, 4)], [4, 9]
        ),
    ),
]  # fmt: skip
NAMES = [name for name, _ in CASES]
OPTIMIZERS = {"SGD": {"momentum": 0.9}, "Adam": {}}


def make_optimizer(library: Any, name: str = "SGD") -> Any:
    """An optimizer with two groups."""
    first, second = (library.nn.Parameter(library.ones(1)) for _ in range(2))
    groups = [{"params": [first]}, {"params": [second], "lr": 0.05}]
    return getattr(library.optim, name)(groups, lr=0.1, **OPTIMIZERS[name])


def rates_of(optimizer: Any) -> list[float]:
    """The numbers that a schedule may change."""
    found = []
    for group in optimizer.param_groups:
        found += [group["lr"], group.get("momentum", 0), *group.get("betas", ())]
    return found


def assert_close(actual: list[float], expected: list[float], what: str) -> None:
    assert len(actual) == len(expected), what
    for mine, value in zip(actual, expected):
        assert math.isclose(mine, value, rel_tol=1e-13, abs_tol=1e-15), f"{what}: {actual} is not {expected}"


def step_together(ours: Any, theirs: Any, steps: int, *arguments: Any) -> None:
    """Step both libraries' optimizers and schedules, and compare after every step."""
    for step in range(steps):
        for scheduler in (ours, theirs):
            scheduler.optimizer.step()
            scheduler.step(*arguments)
        assert_close(rates_of(ours.optimizer), rates_of(theirs.optimizer), f"step {step}")
        assert_close(ours.get_last_lr(), theirs.get_last_lr(), f"get_last_lr, step {step}")


def make_both(make: Any, name: str = "SGD") -> tuple[Any, Any]:
    return tuple(make(library.optim.lr_scheduler, make_optimizer(library, name)) for library in (minitorch, oracle))


@pytest.fixture(autouse=True)
def silence_torch():
    """torch warns about its own internal calls in SequentialLR."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("name", "make"), CASES, ids=NAMES)
def test_rates_equal_torch(name, make, optimizer):
    ours, theirs = make_both(make, optimizer)
    assert_close(rates_of(ours.optimizer), rates_of(theirs.optimizer), "at first")
    step_together(ours, theirs, 25)


@pytest.mark.parametrize(("name", "make"), CASES, ids=NAMES)
def test_state_equals_torch(name, make):
    ours, theirs = make_both(make)
    step_together(ours, theirs, 4)
    assert_same_state(ours.state_dict(), theirs.state_dict())


def assert_same_state(mine: Any, expected: Any) -> None:
    """Nested dictionaries and lists of numbers are alike, keys in any order."""
    if isinstance(expected, dict):
        assert set(mine) == set(expected)
        for key in expected:
            assert_same_state(mine[key], expected[key])
    elif isinstance(expected, list):
        assert len(mine) == len(expected)
        for one, other in zip(mine, expected):
            assert_same_state(one, other)
    elif isinstance(expected, float):
        assert mine == pytest.approx(expected, rel=1e-13)
    else:
        assert mine == expected


@pytest.mark.parametrize(("name", "make"), CASES, ids=NAMES)
def test_going_on_from_a_saved_state(name, make):
    ours, theirs = make_both(make)
    step_together(ours, theirs, 6)
    again = make(minitorch.optim.lr_scheduler, make_optimizer(minitorch))
    again.optimizer.load_state_dict(ours.optimizer.state_dict())
    again.load_state_dict(ours.state_dict())
    step_together(again, theirs, 12)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("LambdaLR", lambda S, o, e: S.LambdaLR(o, lambda epoch: 0.9**epoch, last_epoch=e)),
        ("MultiplicativeLR", lambda S, o, e: S.MultiplicativeLR(o, lambda epoch: 0.9, last_epoch=e)),
        ("StepLR", lambda S, o, e: S.StepLR(o, 3, last_epoch=e)),
        ("MultiStepLR", lambda S, o, e: S.MultiStepLR(o, [2, 5], last_epoch=e)),
        ("ConstantLR", lambda S, o, e: S.ConstantLR(o, last_epoch=e)),
        ("LinearLR", lambda S, o, e: S.LinearLR(o, total_iters=9, last_epoch=e)),
        ("ExponentialLR", lambda S, o, e: S.ExponentialLR(o, 0.9, last_epoch=e)),
        ("PolynomialLR", lambda S, o, e: S.PolynomialLR(o, 9, last_epoch=e)),
        ("CosineAnnealingLR", lambda S, o, e: S.CosineAnnealingLR(o, 5, last_epoch=e)),
        ("CosineAnnealingWarmRestarts", lambda S, o, e: S.CosineAnnealingWarmRestarts(o, 3, last_epoch=e)),
        ("WarmRestarts longer", lambda S, o, e: S.CosineAnnealingWarmRestarts(o, 1, 2, last_epoch=e)),
        ("CyclicLR", lambda S, o, e: S.CyclicLR(o, 0.01, 0.1, 4, last_epoch=e)),
        ("OneCycleLR", lambda S, o, e: S.OneCycleLR(o, 0.3, 30, last_epoch=e)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("last_epoch", [0, 4, 5])
def test_going_on_by_last_epoch(name, make, last_epoch):
    schedulers = []
    for library in (minitorch, oracle):
        optimizer = make_optimizer(library)
        first = make(library.optim.lr_scheduler, optimizer, -1)
        for _ in range(last_epoch):
            optimizer.step()
            first.step()
        schedulers.append(make(library.optim.lr_scheduler, optimizer, last_epoch))
    ours, theirs = schedulers
    assert_close(rates_of(ours.optimizer), rates_of(theirs.optimizer), "at first")
    step_together(ours, theirs, 8)


@pytest.mark.parametrize("epoch", [0, 3, 8])
@pytest.mark.parametrize(("name", "make"), [case for case in CASES if "One" not in case[0]][:21], ids=NAMES[:21])
def test_jumping_to_an_epoch(name, make, epoch):
    ours, theirs = make_both(make)
    step_together(ours, theirs, 1, epoch)
    step_together(ours, theirs, 3)


def test_warm_restarts_at_fractions_of_an_epoch():
    ours, theirs = make_both(lambda S, o: S.CosineAnnealingWarmRestarts(o, 2, 2))
    for epoch in (0.3, 1.7, 2.0, 5.5, 13.9, 1.5):
        step_together(ours, theirs, 1, epoch)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "max", "factor": 0.5},
        {"patience": 1, "cooldown": 2, "threshold": 0.01},
        {"patience": 0, "threshold": 0.05, "threshold_mode": "abs", "min_lr": [0.01, 0.001]},
        {"patience": 0, "mode": "max", "threshold_mode": "abs", "min_lr": 0.02, "eps": 0.01},
    ],
    ids=str,
)
def test_plateau(options):
    ours, theirs = make_both(lambda S, o: S.ReduceLROnPlateau(o, **options))
    for step in range(60):
        loss = 1.0 + math.cos(step) / (1 + step // 10)
        step_together(ours, theirs, 1, loss)
    assert_same_state(ours.state_dict(), theirs.state_dict())
    again = torch.optim.lr_scheduler.ReduceLROnPlateau(ours.optimizer, **options)
    again.load_state_dict(ours.state_dict())
    step_together(again, theirs, 12, 1.5)


def test_a_rate_that_is_a_tensor_stays_one():
    rate = torch.tensor(0.5)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=rate)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25
    assert scheduler.base_lrs[0].item() == 0.5


def test_warnings_about_order():
    optimizer = make_optimizer(torch)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    optimizer = make_optimizer(torch)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scheduler.step()
    with pytest.warns(UserWarning, match=r"The epoch parameter in `scheduler.step\(\)` was not necessary"):
        scheduler.step(5)
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        scheduler.get_lr()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match=r"Seems like `optimizer.step\(\)` has been overridden"):
        scheduler.step()


def step_often(scheduler: Any) -> None:
    for _ in range(5):
        scheduler.step()


ERRORS: list[tuple[type[Exception], Any]] = [
    (TypeError, lambda S, o, p: S.StepLR(3, 2)),
    (TypeError, lambda S, o, p: S.ReduceLROnPlateau(3)),
    (KeyError, lambda S, o, p: S.StepLR(o, 2, last_epoch=3)),
    (ValueError, lambda S, o, p: S.LambdaLR(o, [lambda e: 1])),
    (ValueError, lambda S, o, p: S.MultiplicativeLR(o, [lambda e: 1])),
    (ValueError, lambda S, o, p: S.ConstantLR(o, factor=2)),
    (ValueError, lambda S, o, p: S.LinearLR(o, start_factor=0)),
    (ValueError, lambda S, o, p: S.LinearLR(o, end_factor=2)),
    (ValueError, lambda S, o, p: S.CosineAnnealingWarmRestarts(o, 0)),
    (ValueError, lambda S, o, p: S.CosineAnnealingWarmRestarts(o, 3, 0)),
    (ValueError, lambda S, o, p: S.CosineAnnealingWarmRestarts(o, 3).step(-1)),
    (ValueError, lambda S, o, p: S.CyclicLR(o, 0.1, 0.2, mode="x")),
    (ValueError, lambda S, o, p: S.CyclicLR(p, 0.1, 0.2)),
    (ValueError, lambda S, o, p: S.CyclicLR(o, [0.1], 0.2)),
    (ValueError, lambda S, o, p: S.OneCycleLR(o, 0.3)),
    (ValueError, lambda S, o, p: S.OneCycleLR(o, 0.3, -1)),
    (ValueError, lambda S, o, p: S.OneCycleLR(o, 0.3, epochs=-1, steps_per_epoch=3)),
    (ValueError, lambda S, o, p: S.OneCycleLR(o, 0.3, epochs=1, steps_per_epoch=-3)),
    (ValueError, lambda S, o, p: S.OneCycleLR(o, 0.3, 10, pct_start=2)),
    (ValueError, lambda S, o, p: S.OneCycleLR(o, 0.3, 10, anneal_strategy="x")),
    (ValueError, lambda S, o, p: S.OneCycleLR(p, 0.3, 10)),
    (ValueError, lambda S, o, p: S.OneCycleLR(o, [0.3], 10)),
    (ValueError, lambda S, o, p: step_often(S.OneCycleLR(o, 0.3, 3))),
    (ValueError, lambda S, o, p: S.ReduceLROnPlateau(o, factor=1)),
    (ValueError, lambda S, o, p: S.ReduceLROnPlateau(o, min_lr=[1])),
    (ValueError, lambda S, o, p: S.ReduceLROnPlateau(o, mode="x")),
    (ValueError, lambda S, o, p: S.ReduceLROnPlateau(o, threshold_mode="x")),
    (ValueError, lambda S, o, p: S.ChainedScheduler([])),
    (ValueError, lambda S, o, p: S.ChainedScheduler([S.StepLR(o, 1), S.StepLR(p, 1)])),
    (ValueError, lambda S, o, p: S.SequentialLR(o, [], [])),
    (ValueError, lambda S, o, p: S.SequentialLR(o, [S.StepLR(o, 1), S.StepLR(p, 1)], [3])),
    (ValueError, lambda S, o, p: S.SequentialLR(o, [S.StepLR(o, 1)], [3])),
    (ValueError, lambda S, o, p: S.SequentialLR(o, [S.ReduceLROnPlateau(o), S.StepLR(o, 1)], [2])),
]  # fmt: skip


@pytest.mark.parametrize(("error", "make"), ERRORS, ids=[str(index) for index in range(len(ERRORS))])
def test_errors_are_torchs(error, make):
    messages = []
    for library in (minitorch, oracle):
        other = library.optim.Adagrad([library.nn.Parameter(library.ones(1))])
        with pytest.raises(error) as caught:
            make(library.optim.lr_scheduler, make_optimizer(library), other)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
