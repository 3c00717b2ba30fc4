"""What all optimizers share, against torch: groups, printing, saving, closures, hooks, errors."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch as oracle

import minitorch
import minitorch as torch
from tests.optim.support import Run, as_numpy, assert_close, assert_same_state, to_other_library

NAMES = ["ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD"]
ALL = [*NAMES, "LBFGS", "SparseAdam"]
WITH_STATE = {"SGD": {"momentum": 0.9}, "Adam": {"amsgrad": True}, "RMSprop": {"momentum": 0.9, "centered": True}}


def parameter(library: Any = torch, *shape: int) -> Any:
    return library.nn.Parameter(library.ones(*(shape or (2,))))


@pytest.mark.parametrize("name", ALL)
def test_prints_as_torch(name):
    ours, theirs = (getattr(library.optim, name)([parameter(library)]) for library in (minitorch, oracle))
    assert repr(ours) == repr(theirs)
    assert ours.defaults == theirs.defaults
    assert list(ours.defaults) == list(theirs.defaults)


@pytest.mark.parametrize("name", NAMES)
def test_groups_and_late_groups_print_as_torch(name):
    made = []
    for library in (minitorch, oracle):
        optimizer = getattr(library.optim, name)(
            [{"params": [parameter(library)], "lr": 0.5}, {"params": parameter(library)}]
        )
        optimizer.add_param_group({"params": parameter(library, 3), "lr": 0.25, "colour": "red"})
        made.append(optimizer)
    assert repr(made[0]) == repr(made[1])
    assert [len(group["params"]) for group in made[0].param_groups] == [1, 1, 1]


def run_pair(name: str) -> tuple[Run, Run]:
    def make(library: Any, parameters: list[Any]) -> Any:
        return getattr(library.optim, name)(parameters, lr=0.02, **WITH_STATE.get(name, {}))

    return Run(minitorch, make), Run(oracle, make)


@pytest.mark.parametrize("name", NAMES)
def test_going_on_from_torchs_state(name):
    ours, theirs = run_pair(name)
    for _ in range(5):
        theirs.step()
    ours.optimizer.load_state_dict(to_other_library(theirs.optimizer.state_dict(), minitorch))
    theirs.optimizer.load_state_dict(theirs.optimizer.state_dict())  # loading casts even the 0-d tensors
    assert_same_state(ours.optimizer.state_dict(), theirs.optimizer.state_dict(), 1e-12)
    for mine, expected in zip(ours.parameters, theirs.parameters):
        mine.data = torch.from_numpy(as_numpy(expected))
    ours.steps = theirs.steps
    for _ in range(5):
        ours.step()
        theirs.step()
    for mine, expected in zip(ours.parameters, theirs.parameters):
        assert_close(as_numpy(mine), as_numpy(expected), 1e-9, name)


@pytest.mark.parametrize("name", NAMES)
def test_torch_goes_on_from_our_state(name):
    ours, theirs = run_pair(name)
    for _ in range(5):
        ours.step()
    theirs.optimizer.load_state_dict(to_other_library(ours.optimizer.state_dict(), oracle))
    ours.optimizer.load_state_dict(ours.optimizer.state_dict())  # loading casts even the 0-d tensors
    assert_same_state(ours.optimizer.state_dict(), theirs.optimizer.state_dict(), 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_copies_and_pickles_go_on_independently(name):
    ours, _ = run_pair(name)
    ours.step()
    for twin in (copy.deepcopy(ours.optimizer), pickle.loads(pickle.dumps(ours.optimizer))):
        assert repr(twin) == repr(ours.optimizer)
        first = twin.param_groups[0]["params"][0]
        assert first is not ours.parameters[0]
        assert first in twin.state or name == "SGD"
        first.grad = torch.ones_like(first)
        before = ours.parameters[0].tolist()
        twin.step()
        assert ours.parameters[0].tolist() == before
        assert first.tolist() != before


def test_loaded_tensors_take_the_parameters_dtype_and_are_copies():
    made = []
    for library in (minitorch, oracle):
        weight = library.nn.Parameter(library.ones(2, dtype=library.float64))
        source = library.optim.Adam([weight])
        weight.grad = library.ones(2, dtype=library.float64)
        source.step()
        target_weight = parameter(library)
        target = library.optim.Adam([target_weight])
        target.load_state_dict(source.state_dict())
        made.append((source.state[weight], target.state[target_weight]))
    (source_state, target_state), (_, expected) = made
    for key, value in expected.items():
        assert str(target_state[key].dtype) == str(value.dtype)
    target_state["exp_avg"].fill_(7)
    assert source_state["exp_avg"].tolist() == [0.1, 0.1] or source_state["exp_avg"][0].item() != 7


def test_named_parameters():
    made = []
    for library in (minitorch, oracle):
        optimizer = library.optim.SGD([("first", parameter(library)), ("second", parameter(library, 3))])
        made.append(optimizer)
    assert repr(made[0]) == repr(made[1])
    assert made[0].state_dict() == made[1].state_dict()


TWO_PARAMETERS = {"param_groups": [{"params": [0, 1]}], "state": {}}
ERRORS: list[tuple[type[Exception], Any]] = [
    (ValueError, lambda lib, p: lib.optim.SGD([])),
    (TypeError, lambda lib, p: lib.optim.SGD(p)),
    (TypeError, lambda lib, p: lib.optim.SGD([3])),
    (TypeError, lambda lib, p: lib.optim.SGD(3)),
    (ValueError, lambda lib, p: lib.optim.SGD([p * 2])),
    (ValueError, lambda lib, p: lib.optim.SGD([{"params": [p]}, {"params": [p]}])),
    (TypeError, lambda lib, p: lib.optim.SGD([{"params": {p}}])),
    (ValueError, lambda lib, p: lib.optim.SGD([("a", p), parameter(lib)])),
    (ValueError, lambda lib, p: lib.optim.SGD([{"params": [("a", p)]}, {"params": [parameter(lib)]}])),
    (TypeError, lambda lib, p: lib.optim.SGD([p]).add_param_group([parameter(lib)])),
    (ValueError, lambda lib, p: lib.optim.SGD([p]).add_param_group({"params": p})),
    (ValueError, lambda lib, p: lib.optim.SGD([p]).load_state_dict({"param_groups": [], "state": {}})),
    (ValueError, lambda lib, p: lib.optim.SGD([p]).load_state_dict(TWO_PARAMETERS)),
    (RuntimeError, lambda lib, p: with_gradient(lib.optim.SparseAdam([p]), lib).step()),
    *[
        (ValueError, lambda lib, p, name=name, options=options: getattr(lib.optim, name)([p], **options))
        for name, options in [
            *[(name, {"lr": -1}) for name in ALL],
            *[(name, {"weight_decay": -1}) for name in NAMES if name != "Rprop"],
            *[(name, {"eps": -1}) for name in NAMES if name not in ("ASGD", "Rprop", "SGD")],
            *[(name, {"betas": (1.0, 0.9)}) for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "SparseAdam")],
            *[(name, {"betas": (0.9, -0.1)}) for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "SparseAdam")],
            ("Adadelta", {"rho": 2}),
            ("Adagrad", {"lr_decay": -1}),
            ("Adagrad", {"initial_accumulator_value": -1}),
            ("NAdam", {"momentum_decay": -1}),
            ("RMSprop", {"momentum": -1}),
            ("RMSprop", {"alpha": -1}),
            ("Rprop", {"etas": (1.5, 1.2)}),
            ("SparseAdam", {"eps": 0}),
        ]
    ],
]  # fmt: skip


def with_gradient(optimizer: Any, library: Any) -> Any:
    for weight in optimizer.param_groups[0]["params"]:
        weight.grad = library.ones_like(weight)
    return optimizer


@pytest.mark.parametrize(("error", "make"), ERRORS, ids=[str(index) for index in range(len(ERRORS))])
def test_errors_are_torchs(error, make):
    messages = []
    for library in (minitorch, oracle):
        with pytest.raises(error) as caught:
            make(library, parameter(library))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Adamax", "NAdam", "RAdam", "ASGD", "Adadelta", "RMSprop", "Rprop"])
def test_what_is_not_supported_says_so(name):
    can_be_captured = name in ("Adam", "AdamW", "Adamax", "Adadelta", "RMSprop")
    for option in ("differentiable",) if can_be_captured else ("capturable", "differentiable"):
        with pytest.raises(NotImplementedError, match=f"{option}=True"):
            getattr(torch.optim, name)([parameter()], **{option: True})


def test_a_subclass_that_says_nothing():
    optimizer = torch.optim.Optimizer([parameter()], {"lr": 1})
    with pytest.raises(NotImplementedError):
        optimizer.step()


def test_duplicate_parameters_warn():
    weight = parameter()
    with pytest.warns(UserWarning, match="duplicate parameters"):
        torch.optim.SGD([weight, weight])


def test_zero_grad():
    weight, other = parameter(), parameter()
    optimizer = torch.optim.SGD([weight, other])
    weight.grad = torch.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert weight.grad.tolist() == [0, 0]
    assert other.grad is None
    optimizer.zero_grad()
    assert weight.grad is None


def test_closure_is_called_with_recording_on_and_its_loss_returned():
    weight = parameter()
    optimizer = torch.optim.SGD([weight], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (weight * weight).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 2
    assert weight.tolist() == [0.5, 0.5]


def test_hooks_around_a_step():
    calls = []
    optimizer = torch.optim.SGD([parameter()])
    before = optimizer.register_step_pre_hook(lambda *arguments: calls.append(("before", *arguments)))
    optimizer.register_step_post_hook(lambda *arguments: calls.append(("after", *arguments)))
    optimizer.step()
    assert calls == [("before", optimizer, (optimizer,), {}), ("after", optimizer, (optimizer,), {})]
    before.remove()
    optimizer.step()
    assert [name for name, *_ in calls] == ["before", "after", "after"]


def test_a_step_between_forward_and_backward_is_noticed():
    weight = parameter()
    loss = (weight * weight).sum()
    weight.grad = torch.ones(2)
    torch.optim.SGD([weight], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("name", NAMES)
def test_parameter_keeps_its_memory_and_gradient_is_left_alone(name):
    weight = parameter()
    memory = weight.array
    weight.grad = torch.tensor([1.0, -2.0])
    optimizer = getattr(torch.optim, name)([weight])
    for _ in range(3):
        optimizer.step()
    assert weight.array is memory
    assert weight.grad.tolist() == [1, -2]
    assert weight.is_leaf
    assert weight.requires_grad


def test_rate_as_a_tensor():
    weight = parameter()
    optimizer = torch.optim.SGD([weight], lr=torch.tensor(0.5))
    weight.grad = torch.ones(2)
    optimizer.step()
    assert weight.tolist() == [0.5, 0.5]
