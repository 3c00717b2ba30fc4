"""Optimizers: making them, groups, state, steps, what is printed of them, saving their state."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.harness.both import same
from tests.notes.networks import cifar_network

NAMES = [
    *("SGD", "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax"),
    *("RAdam", "NAdam", "SparseAdam", "LBFGS", "RMSprop", "Rprop"),
]


# ----------------------------------------------------------------------------------------------------- every optimizer


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_has_defaults_and_groups(name: str) -> None:
    def program(torch: Any) -> Any:
        weight = torch.ones(2, 2, requires_grad=True)
        optimizer = getattr(torch.optim, name)([weight], **({"lr": 0.1} if name == "SGD" else {}))
        group = {key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
        return (
            isinstance(optimizer, torch.optim.Optimizer),
            optimizer.defaults,
            group,
            len(optimizer.state),
            optimizer.param_groups[0]["params"][0] is weight,
            str(optimizer),
        )

    same(program)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("SparseAdam", "LBFGS")])
def test_every_optimizer_steps(name: str) -> None:
    def program(torch: Any) -> Any:
        model = torch.nn.Linear(3, 2)
        optimizer = getattr(torch.optim, name)(model.parameters(), lr=0.01)
        x, y = torch.randn(5, 3), torch.randn(5, 2)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return losses, model.weight, model.bias

    same(program)


def test_lbfgs_calls_a_closure() -> None:
    def program(torch: Any) -> Any:
        x = torch.tensor([2.0, -3.0], requires_grad=True)
        optimizer = torch.optim.LBFGS([x], lr=0.5, max_iter=4)
        calls = []

        def closure() -> Any:
            optimizer.zero_grad()
            loss = ((x - 1) ** 2 * torch.tensor([1.0, 10.0])).sum()
            loss.backward()
            calls.append(loss.detach())
            return loss

        return optimizer.step(closure), calls, x

    same(program)


# ----------------------------------------------------------------------------------------------------- one by hand


def _made(torch: Any) -> tuple[Any, Any]:
    """A weight of whole numbers, so that what is printed does not depend on chance; its gradient is all ones."""
    weight = torch.tensor([[-1.0, 2.0], [3.0, -4.0]], requires_grad=True)
    weight.grad = torch.ones((2, 2))
    return weight, torch.optim.SGD([weight], lr=0.1, momentum=0.9)


def test_a_step() -> None:
    def program(torch: Any) -> Any:
        weight, optimizer = _made(torch)
        before = f"{weight.data}\n{weight.grad}"
        optimizer.step()
        after = f"{weight.data}\n{weight.grad}"
        optimizer.zero_grad(set_to_none=False)
        zeroed = str(weight.grad)
        optimizer.zero_grad()
        return before, after, zeroed, weight.grad, optimizer.param_groups[0]["params"][0] is weight

    before, after, zeroed, removed, same_object = same(program)
    ones = "tensor([[1., 1.],\n        [1., 1.]])"
    assert before == f"tensor([[-1.,  2.],\n        [ 3., -4.]])\n{ones}"
    assert after == f"tensor([[-1.1000,  1.9000],\n        [ 2.9000, -4.1000]])\n{ones}"
    assert zeroed == "tensor([[0., 0.],\n        [0., 0.]])"
    # In older versions zero_grad filled with zeros unless told otherwise; now it removes the gradient.
    assert removed is None
    assert same_object is True


def test_groups_are_printed() -> None:
    """Later versions have more options than the six of old, in the same order."""

    def program(torch: Any) -> Any:
        _, optimizer = _made(torch)
        optimizer.step()
        one = f"{optimizer.param_groups}"
        weight2 = torch.full((3, 3), 0.5, requires_grad=True)
        optimizer.add_param_group({"params": weight2, "lr": 0.0001, "nesterov": True})
        return one, f"{optimizer.param_groups}", list(optimizer.param_groups[0])

    one, two, keys = same(program)
    assert one.startswith(
        "[{'params': [tensor([[-1.1000,  1.9000],\n        [ 2.9000, -4.1000]], requires_grad=True)], 'lr': 0.1, "
        "'momentum': 0.9, 'dampening': 0, 'weight_decay': 0, 'nesterov': False"
    )
    assert "requires_grad=True)], 'lr': 0.0001, 'nesterov': True, 'momentum': 0.9, 'dampening': 0" in two
    assert keys[:6] == ["params", "lr", "momentum", "dampening", "weight_decay", "nesterov"]


def test_state_before_and_after_steps() -> None:
    def program(torch: Any) -> Any:
        weight, optimizer = _made(torch)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        optimizer.add_param_group({"params": torch.zeros(3, 3, requires_grad=True), "lr": 0.0001, "nesterov": True})
        before = str(optimizer.state_dict())
        for _ in range(50):
            optimizer.step()
        return before, str(optimizer.state_dict()), weight, optimizer.state_dict()

    before, after, *_ = same(program)
    assert before.startswith(
        "{'state': {0: {'momentum_buffer': tensor([[1., 1.],\n        [1., 1.]])}}, 'param_groups': [{'lr': 0.1, "
    )
    assert after.startswith("{'state': {0: {'momentum_buffer': tensor([[0.0052, 0.0052],\n        [0.0052, 0.0052]])}}")
    assert after.endswith("'params': [1]}]}")


def test_the_state_of_an_optimizer() -> None:
    def program(torch: Any) -> Any:
        weight, optimizer = _made(torch)
        empty = str(optimizer.state)
        optimizer.step()
        return empty, str(optimizer.state), list(optimizer.state[weight]), str(optimizer.defaults)

    empty, filled, keys, defaults = same(program)
    assert empty == "defaultdict(<class 'dict'>, {})"
    assert filled == (
        "defaultdict(<class 'dict'>, {tensor([[-1.1000,  1.9000],\n        [ 2.9000, -4.1000]], requires_grad=True): "
        "{'momentum_buffer': tensor([[1., 1.],\n        [1., 1.]])}})"
    )
    assert keys == ["momentum_buffer"]
    assert defaults.startswith("{'lr': 0.1, 'momentum': 0.9, 'dampening': 0, 'weight_decay': 0, 'nesterov': False")


def test_a_loaded_state_goes_on_where_it_stopped() -> None:
    def program(torch: Any) -> Any:
        weight, optimizer = _made(torch)
        for _ in range(3):
            optimizer.step()
        saved, at = copy.deepcopy(optimizer.state_dict()), weight.detach().clone()
        for _ in range(3):
            optimizer.step()
        again = at.requires_grad_()
        again.grad = torch.ones((2, 2))
        resumed = torch.optim.SGD([again], lr=7.0)
        resumed.load_state_dict(saved)
        for _ in range(3):
            resumed.step()
        return weight, again, torch.equal(weight, again), resumed.param_groups[0]["lr"], str(resumed.state_dict())

    assert same(program)[2:4] == (True, 0.1)


def test_a_state_of_another_shape_is_refused() -> None:
    def program(torch: Any) -> Any:
        _, optimizer = _made(torch)
        state = optimizer.state_dict()
        optimizer.add_param_group({"params": torch.zeros(1, requires_grad=True)})
        optimizer.load_state_dict(state)

    same(program, message=True)


# ------------------------------------------------------------------------------------------------------------ groups


def test_options_for_single_layers() -> None:
    def program(torch: Any) -> Any:
        net = cifar_network(torch)
        optimizer = torch.optim.SGD(
            [{"params": net.fc3.parameters()}, {"params": net.conv1.parameters(), "lr": 1e-2}], lr=1e-5
        )
        kept = net.fc1.weight.detach().clone()
        torch.nn.CrossEntropyLoss()(net(torch.randn(2, 3, 32, 32)), torch.tensor([3, 1])).backward()
        optimizer.step()
        rates = [group["lr"] for group in optimizer.param_groups]
        return rates, torch.equal(kept, net.fc1.weight), net.fc3.bias, net.conv1.bias

    assert same(program)[:2] == ([1e-5, 1e-2], True)


def test_what_cannot_be_optimised() -> None:
    def program_of(make: Any) -> Any:
        return lambda torch: make(torch, torch.ones(2, requires_grad=True))

    for make in (
        lambda torch, w: torch.optim.SGD([], lr=0.1),
        lambda torch, w: torch.optim.SGD(w, lr=0.1),
        lambda torch, w: torch.optim.SGD([w * 2], lr=0.1),
        lambda torch, w: torch.optim.SGD([w], lr=-1.0),
        lambda torch, w: torch.optim.SGD([w], lr=0.1, momentum=-1.0),
        lambda torch, w: torch.optim.SGD([w], lr=0.1, nesterov=True),
        lambda torch, w: torch.optim.SGD([{"params": [w]}, {"params": [w]}], lr=0.1),
        lambda torch, w: torch.optim.SGD([1.0], lr=0.1),
        lambda torch, w: torch.optim.Adam([w], betas=(1.0, 0.9)),
    ):
        assert isinstance(same(program_of(make), message=True), (ValueError, TypeError))


def test_gradients_add_up_until_they_are_zeroed() -> None:
    def program(torch: Any) -> Any:
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x = torch.tensor([[1.0, 2.0]])
        seen = []
        for _ in range(2):
            model(x).sum().backward()
            seen.append(model.weight.grad.clone())
        optimizer.zero_grad()
        seen.append(model.weight.grad)
        model(x).sum().backward()
        seen.append(model.weight.grad.clone())
        model.zero_grad()
        return [None if each is None else each.tolist() for each in [*seen, model.weight.grad]]

    assert same(program) == [[[1.0, 2.0]], [[2.0, 4.0]], None, [[1.0, 2.0]], None]


# ---------------------------------------------------------------------------------------------------------- schedules


def test_learning_rates_over_time() -> None:
    def program(torch: Any) -> Any:
        schedulers = torch.optim.lr_scheduler
        rates = []
        for make in (
            lambda o: schedulers.StepLR(o, step_size=2, gamma=0.1),
            lambda o: schedulers.MultiStepLR(o, milestones=[1, 3]),
            lambda o: schedulers.ExponentialLR(o, gamma=0.9),
            lambda o: schedulers.CosineAnnealingLR(o, T_max=4),
            lambda o: schedulers.LambdaLR(o, lambda epoch: 1 / (1 + epoch)),
        ):
            _, optimizer = _made(torch)
            scheduler = make(optimizer)
            for _ in range(5):
                optimizer.step()
                scheduler.step()
                rates.append(scheduler.get_last_lr()[0])
        return rates

    assert same(program)[:2] == pytest.approx([0.1, 0.01])
