"""Hooks of modules against torch: what they see, what they replace, in which order they are called."""

from __future__ import annotations

from typing import Any

import pytest
import torch as oracle

import minitorch
import minitorch as torch
from tests.nn.support import as_numpy


class Product(minitorch.nn.Module):
    """Two inputs, an argument that is no tensor, two outputs."""

    def forward(self, a: Any, factor: Any, b: Any) -> Any:
        return a * b, b * factor


class OracleProduct(oracle.nn.Module):
    forward = Product.forward


def nested(value: Any) -> Any:
    """Tensors as lists, so that both libraries' values compare."""
    if isinstance(value, tuple):
        return tuple(nested(each) for each in value)
    return as_numpy(value).tolist() if hasattr(value, "detach") else value


def run(library: Any, module: Any, register: Any, use_second: bool = True, leaf_grads: str = "ab") -> list[Any]:
    log: list[Any] = []
    register(module, log)
    a = library.tensor([1.0, 2.0], requires_grad="a" in leaf_grads)
    b = library.tensor([3.0, 5.0], requires_grad="b" in leaf_grads)
    first, second = module(a, 10.0, b)
    log.append(("outputs", nested(first), nested(second)))
    if leaf_grads:
        loss = first.sum() + (second.sum() if use_second else 0)
        loss.backward()
        log.append(("gradients", *[None if leaf.grad is None else nested(leaf.grad) for leaf in (a, b)]))
    return log


def see(log: list[Any], name: str) -> Any:
    return lambda module, *seen: log.append((name, *nested(seen)))


REGISTRATIONS: list[Any] = [
    lambda m, log: m.register_forward_pre_hook(see(log, "pre")),
    lambda m, log: m.register_forward_hook(see(log, "post")),
    lambda m, log: m.register_full_backward_hook(see(log, "backward")),
    lambda m, log: m.register_full_backward_pre_hook(see(log, "backward pre")),
    lambda m, log: [
        m.register_full_backward_hook(see(log, "second")),
        m.register_full_backward_hook(see(log, "first"), prepend=True),
        m.register_full_backward_pre_hook(see(log, "pre")),
        m.register_forward_hook(see(log, "post 2")),
        m.register_forward_hook(see(log, "post 1"), prepend=True),
        m.register_forward_pre_hook(see(log, "pre 2")),
        m.register_forward_pre_hook(see(log, "pre 1"), prepend=True),
    ],
    lambda m, log: m.register_forward_pre_hook(lambda module, args: (args[0] * 2, *args[1:])),
    lambda m, log: m.register_forward_hook(lambda module, args, output: (output[0] * 3, output[1])),
    lambda m, log: m.register_full_backward_hook(lambda module, gi, go: (gi[0] * 2, None, gi[2] * 3)),
    lambda m, log: m.register_full_backward_pre_hook(lambda module, go: (go[0] * 2, go[1])),
    lambda m, log: m.register_forward_pre_hook(
        lambda module, args, kwargs: ((args[0] * 2, *args[1:]), kwargs), with_kwargs=True
    ),
    lambda m, log: m.register_forward_hook(
        lambda module, args, kwargs, output: log.append(("kwargs", kwargs)), with_kwargs=True
    ),
]


@pytest.mark.parametrize("leaf_grads", ["ab", "b", ""])
@pytest.mark.parametrize("use_second", [True, False])
@pytest.mark.parametrize("index", range(len(REGISTRATIONS)))
def test_equals_torch(index, use_second, leaf_grads):
    if leaf_grads == "b" and index == 7:
        pytest.skip("a hook that multiplies None")
    ours = run(minitorch, Product(), REGISTRATIONS[index], use_second, leaf_grads)
    assert ours == run(oracle, OracleProduct(), REGISTRATIONS[index], use_second, leaf_grads)
    assert len(ours) >= 1


def test_single_output_and_module_without_input_gradients():
    for library in (minitorch, oracle):
        seen: list[Any] = []
        module = library.nn.Linear(2, 2)
        module.register_full_backward_hook(lambda m, gi, go, seen=seen: seen.append((nested(gi), nested(go))))
        module(library.ones(1, 2)).sum().backward()
        assert seen == [((None,), ([[1.0, 1.0]],))]
        assert module.weight.grad.tolist() == [[1, 1], [1, 1]]


def test_removed_hooks_are_not_called():
    module = torch.nn.Identity()
    handles = [
        module.register_forward_pre_hook(lambda *seen: 1 / 0),
        module.register_forward_hook(lambda *seen: 1 / 0),
        module.register_full_backward_hook(lambda *seen: 1 / 0),
        module.register_full_backward_pre_hook(lambda *seen: 1 / 0),
    ]
    for handle in handles:
        handle.remove()
    x = torch.ones(2, requires_grad=True)
    assert module(x) is x


def test_always_called_hook():
    class Broken(torch.nn.Module):
        def forward(self, x):
            raise ValueError("broken")

    seen = []
    module = Broken()
    module.register_forward_hook(lambda m, args, output: seen.append(output), always_call=True)
    module.register_forward_hook(lambda m, args, output: seen.append("not this one"))
    with pytest.raises(ValueError, match="broken"):
        module(1)
    assert seen == [None]


def test_keyword_arguments_reach_forward():
    class Keyword(torch.nn.Module):
        def forward(self, x, *, scale=1):
            return x * scale

    module = Keyword()
    module.register_forward_pre_hook(lambda m, args, kwargs: (args, {"scale": 5}), with_kwargs=True)
    assert module(torch.ones(1), scale=3).tolist() == [5]


def test_errors_are_torchs():
    def wrong_count(library):
        module = library.nn.Linear(2, 2)
        module.register_full_backward_hook(lambda m, gi, go: (gi[0], 1))
        module(library.ones(1, 2, requires_grad=True)).sum().backward()

    def wrong_pre_hook(library):
        module = library.nn.Identity()
        module.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
        module(1)

    for cause in (wrong_count, wrong_pre_hook):
        messages = []
        for library in (minitorch, oracle):
            with pytest.raises(RuntimeError) as caught:
                cause(library)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


def test_inputs_and_outputs_of_a_hooked_module_cannot_change_in_place():
    module = torch.nn.ReLU()
    module.register_full_backward_hook(lambda m, gi, go: None)
    output = module(torch.ones(2, requires_grad=True) * 1)
    with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
        output.add_(1)
    module = torch.nn.ReLU(inplace=True)
    module.register_full_backward_hook(lambda m, gi, go: None)
    with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
        module(torch.ones(2, requires_grad=True) * 1)


def test_hooks_of_a_view():
    # the gate in front of the module must show the view's part of the base, not the base
    module = torch.nn.Identity()
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 2,))
    base = torch.ones(3, 2, requires_grad=True) * 1
    leaf = torch.ones(3, 2, requires_grad=True)
    module((leaf * 1)[1]).sum().backward()
    assert leaf.grad.tolist() == [[0, 0], [2, 2], [0, 0]]
    assert module(base[1]).tolist() == [1, 1]


def test_second_derivatives_pass_a_hooked_module():
    seconds = []
    for library in (minitorch, oracle):
        module = library.nn.Tanh()
        module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 2,))
        x = library.tensor(0.5, requires_grad=True, dtype=library.float64)
        (first,) = library.autograd.grad(module(x), x, create_graph=True)
        (second,) = library.autograd.grad(first, x)
        seconds.append(second.item())
    assert seconds[0] == pytest.approx(seconds[1], rel=1e-12)
