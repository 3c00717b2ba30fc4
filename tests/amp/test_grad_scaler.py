"""``GradScaler``, step by step against torch's on the CPU, and its kernels on the stand-in for a GPU."""

from __future__ import annotations

import contextlib
import copy
import pickle
import warnings
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from minitorch.autograd.variable import wrap
from tests.harness.both import outcome, same
from tests.harness.compare import as_numpy
from tests.harness.strict_array import strict

INF = float("inf")
SIZES = ((3,), (2, 2))
OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1}),
    ("RMSprop", {"lr": 0.1}),
]
FUSED = [(name, options | {"fused": True}) for name, options in OPTIMIZERS if name != "RMSprop"]
OVERFLOWS = (3, 4, 7)  # iterations with an infinite or nan gradient
FIRST_OVERFLOWS = (0, *OVERFLOWS)  # scales start too high: the first step is often left out


def scaler_of(package: Any, **options: Any) -> Any:
    """A scaler whose scale grows soon."""
    return package.amp.GradScaler("cpu", **{"init_scale": 1024.0, "growth_interval": 2, **options})


def parameters(package: Any) -> list[Any]:
    """Two parameters."""
    generator = numpy.random.default_rng(0)
    return [package.nn.Parameter(package.tensor(generator.standard_normal(shape).tolist())) for shape in SIZES]


def backward(package: Any, scaler: Any, weights: list[Any], step: int, bad: tuple[int, ...]) -> None:
    """Gradients of a scaled loss, infinite or nan in some iterations."""
    factor = {0: 1.0, 1: INF, 2: float("nan")}[0 if step not in bad else 1 + step % 2]
    scaler.scale(sum((weight * weight).sum() for weight in weights) * factor).backward()


def history(
    package: Any, name: str, options: dict[str, Any], clip: bool = False, bad: tuple[int, ...] = OVERFLOWS
) -> list[Any]:
    """Parameters, gradients, scale and tracker of ten iterations."""
    weights, scaler = parameters(package), scaler_of(package)
    optimizer = getattr(package.optim, name)(weights, **options)
    found = []
    for step in range(10):
        optimizer.zero_grad()
        backward(package, scaler, weights, step, bad)
        if clip:
            scaler.unscale_(optimizer)
            package.nn.utils.clip_grad_norm_(weights, 1.0)
        scaler.step(optimizer)
        scaler.update()
        found.append([scaler.get_scale(), scaler.state_dict(), [weight.detach().clone() for weight in weights]])
        found.append([weight.grad.clone() for weight in weights])
    return found


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize(("name", "options"), [*OPTIMIZERS, *FUSED], ids=str)
def test_training_as_torch(name: str, options: dict[str, Any], clip: bool) -> None:
    same(lambda package: history(package, name, options, clip))


@pytest.mark.parametrize(("name", "options"), [*OPTIMIZERS, *FUSED], ids=str)
def test_first_steps_left_out(name: str, options: dict[str, Any]) -> None:
    """Against torch's plain optimizers: its fused SGD goes on from an uninitialised buffer here."""
    plain = {key: value for key, value in options.items() if key != "fused"}
    ours, theirs = (
        history(minitorch, name, options, bad=FIRST_OVERFLOWS),
        history(oracle, name, plain, bad=FIRST_OVERFLOWS),
    )
    for mine, their in zip(ours[::2], theirs[::2]):
        assert mine[:2] == their[:2]
        for weight, judge in zip(mine[2], their[2]):
            numpy.testing.assert_allclose(as_numpy(weight), as_numpy(judge), 1e-6, 1e-6)


def test_steps_left_out_do_not_count() -> None:
    def program(package: Any) -> Any:
        weights, scaler = parameters(package), scaler_of(package)
        optimizer = package.optim.Adam(weights, fused=True)
        counts = []
        for step in range(5):
            optimizer.zero_grad()
            backward(package, scaler, weights, step, (0, 3))
            scaler.step(optimizer)
            scaler.update()
            counts.append(float(optimizer.state[weights[0]]["step"]))
        return counts

    assert same(program) == [0, 1, 2, 2, 3]


# ---------------------------------------------------------------------------------------------------- scale


def test_scale_keeps_the_shape_of_what_it_gets() -> None:
    def program(package: Any) -> Any:
        scaler, x = scaler_of(package), package.tensor([1.0, 2.0])
        half = x.to(package.float16)
        nested = scaler.scale([x, (half, [x])])
        return scaler.scale(x), nested, list(scaler.scale(each for each in (x, half))), type(nested[1]).__name__

    same(program)
    for package in (oracle, minitorch):
        disabled = package.amp.GradScaler("cpu", enabled=False)
        assert disabled.scale("anything") == "anything"


def test_several_losses_and_optimizers() -> None:
    """One optimizer's overflow stops its own step only, and shrinks the common scale."""

    def program(package: Any) -> Any:
        (a, b), scaler = parameters(package), scaler_of(package)
        first, second = package.optim.SGD([a], lr=0.1), package.optim.SGD([b], lr=0.1)
        for loss in scaler.scale([(a * INF).sum(), b.sum()]):
            loss.backward()
        scaler.step(first)
        scaler.step(second)
        scaler.update()
        return a.detach(), b.detach(), scaler.get_scale()

    same(program)


def test_update_to_a_given_scale() -> None:
    def program(package: Any) -> Any:
        scaler = scaler_of(package)
        scaler.scale(package.ones(1))
        scaler.update(8.0)
        found = [scaler.get_scale()]
        scaler.update(package.tensor(4.0))
        return [*found, scaler.get_scale()]

    same(program)
    for bad in ("integer", "two elements", "gradient"):

        def wrong(package: Any, bad: str = bad) -> None:
            scaler = scaler_of(package)
            scaler.scale(package.ones(1))
            values = {
                "integer": 3,
                "one dimension": package.ones(1),
                "two elements": package.ones(2),
                "gradient": package.ones(1, requires_grad=True),
            }
            scaler.update(values[bad])

        same(wrong, message=True)


def test_scale_stops_growing_before_it_overflows() -> None:
    def program(package: Any) -> Any:
        scaler = scaler_of(package, init_scale=2.0**127, growth_interval=1)
        weight = package.nn.Parameter(package.zeros(1))
        optimizer = package.optim.SGD([weight], lr=0.1)
        scaler.scale((weight * 1e-30).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        return scaler.get_scale(), scaler.state_dict()

    same(program)


def test_options() -> None:
    def program(package: Any) -> Any:
        scaler = scaler_of(package)
        found = [scaler.get_growth_factor(), scaler.get_backoff_factor(), scaler.get_growth_interval()]
        scaler.set_growth_factor(3.0)
        scaler.set_backoff_factor(0.25)
        scaler.set_growth_interval(1)
        found += [scaler.state_dict(), scaler.is_enabled(), scaler.get_scale()]
        weights = parameters(package)
        optimizer = package.optim.SGD(weights, lr=0.1)
        for step in range(4):
            backward(package, scaler, weights, step, (2,))
            scaler.step(optimizer)
            scaler.update()
            found.append(scaler.state_dict())
            optimizer.zero_grad()
        return found

    same(program)


# --------------------------------------------------------------------------------------------------- errors


def stepped(package: Any) -> tuple[Any, Any]:
    """A scaler and an optimizer that have stepped."""
    weights, scaler = parameters(package), scaler_of(package)
    optimizer = package.optim.SGD(weights, lr=0.1)
    backward(package, scaler, weights, 0, ())
    scaler.step(optimizer)
    return scaler, optimizer


def unscaled_twice(package: Any) -> None:
    weights, scaler = parameters(package), scaler_of(package)
    optimizer = package.optim.SGD(weights, lr=0.1)
    backward(package, scaler, weights, 0, ())
    scaler.unscale_(optimizer)
    scaler.unscale_(optimizer)


def unscaled_after_step(package: Any) -> None:
    scaler, optimizer = stepped(package)
    scaler.unscale_(optimizer)


def stepped_twice(package: Any) -> None:
    scaler, optimizer = stepped(package)
    scaler.step(optimizer)


def with_closure(package: Any) -> None:
    scaler, optimizer = stepped(package)
    scaler.step(optimizer, closure=lambda: None)


def half_gradients(package: Any) -> None:
    weight = package.nn.Parameter(package.ones(2, dtype=package.float16))
    scaler = scaler_of(package)
    scaler.scale(weight.sum()).backward()
    scaler.step(package.optim.SGD([weight], lr=0.1))


def without_gradients(package: Any) -> None:
    scaler = scaler_of(package)
    scaler.scale(package.ones(1))
    scaler.step(package.optim.SGD(parameters(package), lr=0.1))


def update_without_step(package: Any) -> None:
    scaler = scaler_of(package)
    scaler.scale(package.ones(1))
    scaler.update()


@pytest.mark.parametrize(
    "program",
    [
        unscaled_twice,
        unscaled_after_step,
        stepped_twice,
        with_closure,
        half_gradients,
        without_gradients,
        update_without_step,
        lambda package: scaler_of(package).update(),
        lambda package: scaler_of(package).unscale_(package.optim.SGD(parameters(package), lr=0.1)),
        lambda package: scaler_of(package).step(package.optim.SGD(parameters(package), lr=0.1)),
        lambda package: scaler_of(package).scale(3),
        lambda package: scaler_of(package, growth_factor=1.0),
        lambda package: scaler_of(package, backoff_factor=1.0),
        lambda package: scaler_of(package).load_state_dict({}),
    ],
)
def test_errors_as_torch(program: Any) -> None:
    assert outcome(program, oracle)[0] == "error"
    same(program, message=True)


def test_without_a_gpu_it_is_disabled_with_a_warning() -> None:
    texts = []
    for package in (oracle, minitorch):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert not package.amp.GradScaler().is_enabled()
        texts.append(str(caught[0].message))
    assert texts[0] == texts[1]


def test_disabled() -> None:
    def program(package: Any) -> Any:
        (weight, _), scaler = parameters(package), package.amp.GradScaler("cpu", enabled=False)
        optimizer = package.optim.SGD([weight], lr=0.1)

        def closure() -> Any:
            optimizer.zero_grad()
            loss = weight.sum()
            loss.backward()
            return loss

        loss = scaler.step(optimizer, closure=closure)
        scaler.unscale_(optimizer)
        scaler.update()
        scaler.load_state_dict({})
        return loss.detach(), weight.detach(), scaler.state_dict(), scaler.get_scale(), scaler._get_growth_tracker()

    same(program)


# --------------------------------------------------------------------------------------------------- saving


def test_state_goes_to_another_scaler() -> None:
    def program(package: Any) -> Any:
        weights, scaler = parameters(package), scaler_of(package, growth_interval=3)
        optimizer = package.optim.SGD(weights, lr=0.1)
        backward(package, scaler, weights, 0, ())
        scaler.step(optimizer)
        scaler.update()
        fresh, used = scaler_of(package), scaler_of(package)
        used.scale(package.ones(1))
        for other in (fresh, used):
            other.load_state_dict(scaler.state_dict())
        copied, loaded = copy.deepcopy(scaler), pickle.loads(pickle.dumps(scaler))
        scaled = [each.scale(package.ones(1)) for each in (fresh, used, copied, loaded)]
        return scaled, [each.state_dict() for each in (fresh, used, copied, loaded)]

    same(program)


def test_a_scaler_is_not_pickled_in_an_iteration() -> None:
    def program(package: Any) -> None:
        scaler, _ = stepped(package)
        pickle.dumps(scaler)

    same(program, message=True)


def test_optimizers_that_want_the_scaler_itself() -> None:
    def program(package: Any) -> Any:
        class Own(package.optim.SGD):  # type: ignore[misc, name-defined]
            _step_supports_amp_scaling = True

            def step(self, closure: Any = None, grad_scaler: Any = None) -> Any:
                grad_scaler.unscale_(self)
                return super().step(closure)

        (weight, _), scaler = parameters(package), scaler_of(package)
        optimizer = Own([weight], lr=0.1)
        optimizer._step_supports_amp_scaling = True
        scaler.scale(weight.sum()).backward()
        with pytest.warns(FutureWarning, match="GradScaler is going to stop passing itself as a keyword argument"):
            scaler.step(optimizer)
        scaler.update()
        return weight.detach(), weight.grad

    same(program)


# ------------------------------------------------------------------------------------------------ on a device


def on_device(to_device: Any, name: str, options: dict[str, Any], bad: tuple[int, ...], clip: bool, guard: Any) -> Any:
    """What ``history`` gives, from gradients put on the device; each iteration runs under ``guard``."""
    start = [wrap(to_device(as_numpy(each)), minitorch.Tensor) for each in parameters(minitorch)]
    weights = [minitorch.nn.Parameter(each) for each in start]
    optimizer = getattr(minitorch.optim, name)(weights, **options)
    scaler = minitorch.amp.GradScaler("cuda", init_scale=1024.0, growth_interval=2)
    found = []
    for step in range(10):
        with guard():
            optimizer.zero_grad()
            backward(minitorch, scaler, weights, step, bad)
            if clip:
                scaler.unscale_(optimizer)
                minitorch.nn.utils.clip_grad_norm_(weights, 1.0)
            scaler.step(optimizer)
            scaler.update()
        found.append([scaler.get_scale(), scaler.state_dict(), [weight.detach().cpu() for weight in weights]])
        found.append([weight.grad.cpu() for weight in weights])
    return found, optimizer, weights


@pytest.mark.parametrize(("name", "options"), [*OPTIMIZERS, *FUSED], ids=str)
@pytest.mark.parametrize("bad", [OVERFLOWS, FIRST_OVERFLOWS], ids=["later", "first"])
@pytest.mark.parametrize("clip", [False, True])
def test_training_on_a_device(
    to_device: Any, name: str, options: dict[str, Any], bad: tuple[int, ...], clip: bool
) -> None:
    found, _, _ = on_device(to_device, name, options, bad, clip, contextlib.nullcontext)
    plain = {key: value for key, value in options.items() if key != "fused"}
    judges = history(oracle, name, plain, clip, bad)
    for step, (mine, their) in enumerate(zip(found[::2], judges[::2])):
        assert mine[:2] == their[:2]
        pairs = [*zip(mine[2], their[2])]
        if step not in bad:  # else a fused optimizer leaves the gradients as they are
            pairs += zip(found[2 * step + 1], judges[2 * step + 1])
        for value, judge in pairs:
            numpy.testing.assert_allclose(as_numpy(value), as_numpy(judge), 2e-6, 2e-6)


@pytest.mark.parametrize(("name", "options"), [each for each in FUSED if "dampening" not in each[1]], ids=str)
@pytest.mark.parametrize("clip", [False, True])
def test_fused_steps_wait_for_nothing(emulated: Any, name: str, options: dict[str, Any], clip: bool) -> None:
    _, optimizer, weights = on_device(emulated, name, options, FIRST_OVERFLOWS, clip, strict.forbid_synchronization)
    if name != "SGD":
        assert optimizer.state[weights[0]]["step"].is_cuda
        assert optimizer.state[weights[0]]["step"].item() == 10 - len(FIRST_OVERFLOWS)


def test_plain_steps_wait_once(emulated: Any) -> None:
    weights = [minitorch.nn.Parameter(each.detach().to("cuda")) for each in parameters(minitorch)]
    optimizer, scaler = minitorch.optim.SGD(weights, lr=0.1), minitorch.amp.GradScaler("cuda")
    for _ in range(2):
        backward(minitorch, scaler, weights, 0, ())
        before = strict.synchronizations
        scaler.unscale_(optimizer)
        assert strict.synchronizations == before
        scaler.step(optimizer)
        assert strict.synchronizations == before + 1
        scaler.update()
        assert strict.synchronizations == before + 1
