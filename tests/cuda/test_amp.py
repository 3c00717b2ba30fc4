"""Mixed precision on a GPU, or on the emulator's: LeNet's losses, overflows, scaled steps in a graph, and exactness."""

from __future__ import annotations

import time
from typing import Any

import numpy
import pytest

import minitorch
from minitorch.autograd.variable import wrap
from minitorch.backend import accelerator
from tests.amp.training import train
from tests.harness.compare import as_numpy
from tests.harness.strict_array import strict

INF = float("inf")


@pytest.fixture(autouse=True)
def _float32(monkeypatch: Any) -> None:
    monkeypatch.setattr(minitorch.backends.cudnn, "allow_tf32", False)  # the CPU has no such digits to lose


# ------------------------------------------------------------------------------------------------ training


@pytest.mark.parametrize("fused", [None, True])
def test_training_in_the_emulator(emulated: Any, fused: bool | None) -> None:
    """Losses as on the CPU; with ``fused``, every wait for the device is forbidden."""
    guard = {"guard": strict.forbid_synchronization} if fused else {}
    losses, scales, _ = train(minitorch, "cuda", steps=2, fused=fused, **guard)
    expected, _, _ = train(minitorch, "cpu", steps=2)
    numpy.testing.assert_allclose(losses, expected, 2e-3)
    assert scales == [1024.0] * 2


def test_overflows_in_the_emulator(emulated: Any) -> None:
    losses, scales, model = train(
        minitorch, "cuda", steps=2, init_scale=2.0**30, fused=True, guard=strict.forbid_synchronization
    )
    assert losses[0] == losses[1]
    assert scales == [2.0**29, 2.0**28]
    untouched = train(minitorch, "cpu", steps=0)[2]
    for mine, their in zip(model.parameters(), untouched.parameters()):
        numpy.testing.assert_array_equal(as_numpy(mine), as_numpy(their))


@pytest.mark.cuda
@pytest.mark.parametrize("fused", [None, True])
def test_training_on_a_gpu(fused: bool | None) -> None:
    mixed, scales, model = train(minitorch, "cuda", steps=15, fused=fused)
    full, _, _ = train(minitorch, "cuda", steps=15, is_mixed=False)
    numpy.testing.assert_allclose(mixed[:6], full[:6], 1e-2)
    assert mixed[-1] < 0.85 * mixed[0]
    assert scales == [1024.0] * 15
    assert all(each.dtype is each.grad.dtype is minitorch.float32 for each in model.parameters())


@pytest.mark.cuda
@pytest.mark.parametrize("fused", [None, True])
def test_overflows_on_a_gpu(fused: bool | None) -> None:
    losses, scales, model = train(minitorch, "cuda", steps=24, init_scale=2.0**30, fused=fused)
    assert scales[0] == 2.0**29
    assert scales[-1] == scales[-2] > 1.0, "the scale has settled"
    assert losses[0] == losses[1]
    assert losses[-1] < losses[0]
    assert all(numpy.isfinite(as_numpy(each)).all() for each in model.parameters())


# --------------------------------------------------------------------------------------------------- graphs


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_scaled_steps_in_a_graph(to_device: Any, name: str) -> None:
    """The same graph steps or does not, by what the gradients are when it is launched; the count follows."""
    weight = minitorch.nn.Parameter(wrap(to_device(numpy.ones(4, "float32")), minitorch.Tensor))
    options = {"momentum": 0.5} if name == "SGD" else {"capturable": True}
    optimizer = getattr(minitorch.optim, name)([weight], lr=0.25, fused=True, **options)
    scaler = minitorch.amp.GradScaler("cuda", init_scale=4.0, growth_interval=2)
    scaler.scale(weight.detach())  # makes the scale
    weight.grad = wrap(to_device(numpy.full(4, 4.0, "float32")), minitorch.Tensor)

    def step() -> None:
        scaler.step(optimizer)
        scaler.update()

    step()  # the first makes the optimizer's state
    graph = captured(step)
    expected = [scaler.get_scale()]
    for gradient, is_finite in ((8.0, True), (INF, False), (float("nan"), False), (2.0, True)):
        weight.grad.array.fill(gradient)
        before = as_numpy(weight).copy()
        launch(graph)
        assert (as_numpy(weight) != before).all() == is_finite
        assert numpy.isfinite(as_numpy(weight)).all()
        expected.append(scaler.get_scale())
    assert expected == [4.0, 8.0, 4.0, 2.0, 2.0]
    if name != "SGD":
        assert float(as_numpy(optimizer.state[weight]["step"])) == 3


def captured(work: Any) -> Any:
    """The graph of what ``work`` gives the device to do."""
    cupy = accelerator.require()
    stream = cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.Device().synchronize()
    with stream:
        stream.begin_capture()
        try:
            work()
        finally:
            graph = stream.end_capture()
    return graph


def launch(graph: Any) -> None:
    """Run a graph, and wait for it."""
    cupy = accelerator.require()
    cupy.cuda.Device().synchronize()
    graph.launch(cupy.cuda.get_current_stream())
    cupy.cuda.Device().synchronize()


# ------------------------------------------------------------------------------------------------ exactness


@pytest.mark.cuda
def test_errors_against_float64() -> None:
    """Operands rounded to float16, sums in float32, one rounding of the result: as torch's on the CPU."""
    import torch as oracle

    generator = numpy.random.default_rng(0)
    a, b = generator.standard_normal((256, 512)), generator.standard_normal((512, 128))
    images, kernels = generator.standard_normal((4, 16, 20, 20)), generator.standard_normal((8, 16, 3, 3))
    exact = [a @ b, oracle.nn.functional.conv2d(oracle.tensor(images), oracle.tensor(kernels)).numpy()]
    errors = []
    for package, device in ((minitorch, "cuda"), (oracle, "cpu")):
        first, second, third, fourth = (
            package.tensor(each.tolist(), device=device) for each in (a, b, images, kernels)
        )
        with package.autocast(device, dtype=package.float16):
            found = [first @ second, package.nn.functional.conv2d(third, fourth)]
        assert all(str(each.dtype) == "torch.float16" for each in found)
        errors.append([abs(as_numpy(each) - true).max() for each, true in zip(found, exact)])
    for mine, their in zip(*errors):
        assert mine <= 4 * their


@pytest.mark.cuda
def test_products_are_faster_than_in_float32() -> None:
    """What it is for: a large product in mixed precision takes less time than in float32, its casts included."""
    a = minitorch.nn.Parameter(minitorch.rand(4096, 4096).to("cuda"))

    def seconds(is_mixed: bool) -> float:
        times = []
        for _ in range(5):
            minitorch.cuda.synchronize()
            start = time.perf_counter()
            with minitorch.autocast("cuda", enabled=is_mixed), minitorch.no_grad():
                for _ in range(5):
                    minitorch.nn.functional.linear(a, a)
            minitorch.cuda.synchronize()
            times.append(time.perf_counter() - start)
        return min(times)

    assert seconds(True) < seconds(False)
