"""nn.Module and nn.Parameter against torch: attributes, listings, state, conversions, printing, errors."""

from __future__ import annotations

import copy
import pickle
import types
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
import minitorch as torch
from tests.nn.support import as_numpy

LIBRARIES = (minitorch, oracle)


def build(library: Any) -> Any:
    """A network with everything: shared layers and parameters, buffers of both kinds, empty places, nesting."""
    nn = library.nn

    class Block(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.fc = nn.Linear(width, width)
            self.register_buffer("mean", library.zeros(width))
            self.register_buffer("scratch", library.zeros(1), persistent=False)
            self.register_buffer("missing", None)
            self.register_parameter("nothing", None)

        def forward(self, x: Any) -> Any:
            return self.fc(x) + self.mean

        def extra_repr(self) -> str:
            return "some=thing\nmore=lines"

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = Block(2)
            self.again = self.first
            self.layers = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 2), Block(2)))
            self.scale = nn.Parameter(library.ones(2))
            self.shared = self.scale
            self.layers[0].tied = self.scale
            self.none = None
            self.empty: Any = nn.Sequential()
            self.add_module("hole", None)

        def forward(self, x: Any) -> Any:
            return self.layers(self.again(self.first(x)) * self.scale)

    library.manual_seed(0)
    return Net()


LISTINGS: list[Any] = [
    lambda net: net,
    lambda net: [name for name, _ in net.named_parameters()],
    lambda net: [name for name, _ in net.named_parameters("prefix", recurse=False)],
    lambda net: [name for name, _ in net.named_parameters(remove_duplicate=False)],
    lambda net: [tuple(parameter.shape) for parameter in net.parameters()],
    lambda net: [tuple(parameter.shape) for parameter in net.parameters(recurse=False)],
    lambda net: [name for name, _ in net.named_buffers()],
    lambda net: [name for name, _ in net.named_buffers("p", remove_duplicate=False)],
    lambda net: len(list(net.buffers())),
    lambda net: [(name, type(module).__name__) for name, module in net.named_modules()],
    lambda net: [(name, type(module).__name__) for name, module in net.named_modules(prefix="p")],
    lambda net: [(name, type(module).__name__) for name, module in net.named_modules(remove_duplicate=False)],
    lambda net: [type(module).__name__ for module in net.modules()],
    lambda net: [(name, type(module).__name__) for name, module in net.named_children()],
    lambda net: [type(module).__name__ for module in net.children()],
    lambda net: list(net.state_dict()),
    lambda net: list(net.state_dict(prefix="p.")),
    lambda net: net.state_dict()._metadata,
    lambda net: [type(value).__name__ for value in net.state_dict(keep_vars=True).values()],
    lambda net: [value.requires_grad for value in net.state_dict().values()],
    lambda net: net.get_submodule("layers.2.0"),
    lambda net: net.get_submodule(""),
    lambda net: tuple(net.get_parameter("layers.0.weight").shape),
    lambda net: tuple(net.get_buffer("layers.2.1.mean").shape),
    lambda net: [name for name in dir(net) if name in ("first", "layers", "scale", "forward", "training")],
    lambda net: [name for name in dir(net.layers) if name[0].isdigit()],
    lambda net: sum(parameter.numel() for parameter in net.parameters()),
]


@pytest.mark.parametrize("index", range(len(LISTINGS)))
def test_listings_equal_torch(index):
    ours, theirs = (LISTINGS[index](build(library)) for library in LIBRARIES)
    if isinstance(theirs, oracle.nn.Module):
        assert repr(ours) == repr(theirs)
    else:
        assert ours == theirs


def test_start_values_and_outputs_equal_torch():
    results = []
    for library in LIBRARIES:
        net = build(library)
        output = net(library.tensor([[1.0, -2.0]]))
        output.sum().backward()
        results.append(
            [
                as_numpy(output),
                *[as_numpy(parameter.grad) for parameter in net.parameters() if parameter.grad is not None],
            ]
        )
    for mine, expected in zip(*results):
        numpy.testing.assert_allclose(mine, expected, 1e-6, 1e-6)
    assert len(results[0]) == len(results[1])


# ------------------------------------------------------------------------------------------------ errors


def without_init(library: Any, assign: Any) -> Any:
    class Late(library.nn.Module):
        def __init__(self) -> None:
            assign(self)

    return Late()


def block(library: Any) -> Any:
    module = library.nn.Linear(2, 2)
    module.register_buffer("b", library.ones(1))
    module.child = library.nn.ReLU()
    return module


ERRORS: list[Any] = [
    lambda t: without_init(t, lambda m: setattr(m, "x", t.nn.Linear(1, 1))),
    lambda t: without_init(t, lambda m: setattr(m, "x", t.nn.Parameter(t.ones(1)))),
    lambda t: without_init(t, lambda m: m.register_buffer("x", t.ones(1))),
    lambda t: without_init(t, lambda m: m.register_parameter("x", t.nn.Parameter(t.ones(1)))),
    lambda t: setattr(block(t), "weight", t.ones(3, 2)),
    lambda t: setattr(block(t), "weight", "a"),
    lambda t: setattr(block(t), "child", 3),
    lambda t: setattr(block(t), "b", 3),
    lambda t: block(t).register_buffer(3, t.ones(1)),
    lambda t: block(t).register_buffer("a.b", t.ones(1)),
    lambda t: block(t).register_buffer("", t.ones(1)),
    lambda t: block(t).register_buffer("weight", t.ones(1)),
    lambda t: block(t).register_buffer("q", 3),
    lambda t: block(t).register_parameter("q", t.ones(1)),
    lambda t: block(t).register_parameter(3, t.nn.Parameter(t.ones(1))),
    lambda t: block(t).register_parameter("a.b", t.nn.Parameter(t.ones(1))),
    lambda t: block(t).register_parameter("", t.nn.Parameter(t.ones(1))),
    lambda t: block(t).register_parameter("child", t.nn.Parameter(t.ones(1))),
    lambda t: block(t).add_module("q", 3),
    lambda t: block(t).add_module(3, t.nn.ReLU()),
    lambda t: block(t).add_module("a.b", t.nn.ReLU()),
    lambda t: block(t).add_module("", t.nn.ReLU()),
    lambda t: block(t).add_module("b", t.nn.ReLU()),
    lambda t: block(t).nope,
    lambda t: delattr(block(t), "nope"),
    lambda t: block(t).get_submodule("child.x"),
    lambda t: block(t).get_submodule("weight"),
    lambda t: block(t).get_parameter("child.x"),
    lambda t: block(t).get_parameter("b"),
    lambda t: block(t).get_buffer("weight"),
    lambda t: block(t).get_buffer("zz"),
    lambda t: block(t).load_state_dict(3),
    lambda t: block(t).load_state_dict({"x": t.ones(1), "weight": t.ones(3, 2)}),
    lambda t: block(t).load_state_dict({"weight": 3, "bias": t.ones(2), "b": t.ones(1)}),
    lambda t: block(t).load_state_dict({"weight": t.ones(3)}, strict=False),
    lambda t: block(t).load_state_dict({**block(t).state_dict(), "child.zz": 1, "weight.q": 2, "r": 3}),
    lambda t: build(t).load_state_dict({}),
    lambda t: t.nn.Module()(1),
    lambda t: block(t).to(t.int64),
    lambda t: block(t).train("a"),
    lambda t: t.nn.Module(3),
    lambda t: t.nn.Module(a=3),
    lambda t: t.nn.Parameter(t.ones(2, dtype=t.int64)),
    lambda t: t.nn.Parameter([1.0]),
]


@pytest.mark.parametrize("index", range(len(ERRORS)))
def test_errors_are_torchs(index):
    messages = []
    for library in LIBRARIES:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (the types are compared below)
            ERRORS[index](library)
        messages.append((type(caught.value).__name__, str(caught.value)))
    assert messages[0] == messages[1]


# -------------------------------------------------------------------------------------------- attributes


def test_an_attribute_is_of_one_kind_only():
    module = torch.nn.Module()
    module.x = 3
    module.x = torch.nn.Parameter(torch.ones(1))
    assert list(module._parameters) == ["x"]
    assert "x" not in module.__dict__
    module.x = None
    assert module.x is None
    del module.x
    module.register_buffer("x", torch.ones(1), persistent=False)
    module.x = torch.zeros(2)
    assert module.x.tolist() == [0, 0]
    module.x = torch.nn.Parameter(torch.ones(1))
    assert (list(module._parameters), list(module._buffers), module._non_persistent_buffers_set) == (["x"], [], set())
    module.x = torch.nn.ReLU() if module.__delattr__("x") is None else None
    assert list(module._modules) == ["x"]
    module.x = torch.nn.Parameter(torch.ones(1))
    assert (list(module._parameters), list(module._modules)) == (["x"], [])


def test_a_plain_tensor_is_a_plain_attribute():
    module = torch.nn.Module()
    module.x = torch.ones(1)
    assert "x" in module.__dict__
    assert list(module.state_dict()) == []


def test_registering_again_replaces():
    module = block(torch)
    module.register_buffer("b", torch.zeros(2), persistent=False)
    assert list(module.state_dict()) == ["weight", "bias"]
    module.register_buffer("b", torch.zeros(2))
    assert list(module.state_dict()) == ["weight", "bias", "b"]
    module.register_module("child", torch.nn.Tanh())
    assert repr(module.child) == "Tanh()"


# ------------------------------------------------------------------------------------------------- state


def test_loading_copies_into_the_same_tensors():
    source, target = build(torch), build(torch)
    with torch.no_grad():
        for value in source.state_dict().values():
            value.fill_(1)
    before = dict(target.named_parameters())
    result = target.load_state_dict(source.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert (result.missing_keys, result.unexpected_keys) == ([], [])
    for name, parameter in target.named_parameters():
        assert parameter is before[name]
        assert parameter.tolist() == source.get_parameter(name).tolist()
        assert not numpy.shares_memory(parameter.array, source.get_parameter(name).array)
    assert target.first.mean.tolist() == [1, 1]


def test_loading_reports_what_does_not_match():
    results = [repr(build(library).load_state_dict({"q": 1, "first.zz": 2}, strict=False)) for library in LIBRARIES]
    assert results[0] == results[1]


def test_loading_by_assignment():
    target = torch.nn.Linear(2, 2)
    weight, bias = torch.ones(2, 2, dtype=torch.float64), torch.nn.Parameter(torch.ones(2))
    target.weight.requires_grad_(False)
    target.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    assert target.weight.dtype is torch.float64
    assert target.weight.array is weight.array
    assert target.weight.requires_grad is False
    assert target.bias is bias


def test_loading_converts_the_dtype():
    target = torch.nn.Linear(2, 2).double()
    target.load_state_dict(torch.nn.Linear(2, 2).state_dict())
    assert target.weight.dtype is torch.float64


def test_a_scalar_saved_as_a_vector():
    for library in LIBRARIES:
        module = library.nn.Module()
        module.x = library.nn.Parameter(library.tensor(0.0))
        module.load_state_dict({"x": library.tensor([3.0])})
        assert module.x.item() == 3


def test_state_shares_memory():
    net = torch.nn.Linear(2, 2)
    state = net.state_dict()
    state["weight"].fill_(7)
    assert net.weight.tolist() == [[7, 7], [7, 7]]


def test_extra_state():
    for library in LIBRARIES:

        class Counter(library.nn.Module):
            count = 0

            def get_extra_state(self) -> Any:
                return {"count": self.count}

            def set_extra_state(self, state: Any) -> None:
                self.count = state["count"]

        net, other = library.nn.Sequential(Counter()), library.nn.Sequential(Counter())
        net[0].count = 5
        assert list(net.state_dict()) == ["0._extra_state"]
        other.load_state_dict(net.state_dict())
        assert other[0].count == 5
        with pytest.raises(RuntimeError, match=r'Missing key.*"0\._extra_state"'):
            other.load_state_dict({})
        with pytest.raises(RuntimeError, match=r'Unexpected key.*"0\._extra_state"'):
            library.nn.Sequential(library.nn.ReLU()).load_state_dict(net.state_dict())


def test_state_hooks():
    net = torch.nn.Linear(1, 1)
    calls = []
    net.register_state_dict_pre_hook(lambda module, prefix, keep: calls.append((prefix, keep)))
    net.register_state_dict_post_hook(lambda module, state, prefix, metadata: state.pop(prefix + "bias"))
    net.register_load_state_dict_pre_hook(
        lambda module, state, prefix, *rest: state.update({prefix + "bias": torch.ones(1)})
    )
    net.register_load_state_dict_post_hook(lambda module, keys: calls.append(keys))
    state = net.state_dict(prefix="p.")
    assert list(state) == ["p.weight"]
    net.load_state_dict({"weight": torch.ones(1, 1)})
    assert net.bias.tolist() == [1]
    assert calls == [("p.", False), ([], [])]


# -------------------------------------------------------------------------------------- changing everything


def test_conversions():
    net = build(torch)
    weight = net.layers[0].weight
    net.register_buffer("count", torch.tensor(3))
    weight.grad = torch.ones_like(weight)
    assert net.double() is net
    assert net.layers[0].weight is weight
    assert (weight.dtype, weight.grad.dtype, net.first.mean.dtype) == (torch.float64,) * 3
    assert net.count.dtype is torch.int64
    assert weight.is_leaf
    assert weight.requires_grad
    assert net.half().first.mean.dtype is torch.float16
    assert net.float().first.mean.dtype is torch.float32
    assert net.to(torch.float64).first.mean.dtype is torch.float64
    assert net.to("cpu", torch.float32).first.mean.dtype is torch.float32
    assert net.to(torch.ones(1, dtype=torch.float64)).first.mean.dtype is torch.float64
    assert net.to(device="cpu", dtype=torch.float32, non_blocking=True).first.mean.dtype is torch.float32
    assert net.cpu() is net
    assert net.type(torch.float64).count.dtype is torch.float64
    assert net.scale is net.shared


def test_asking_for_a_gpu_without_one():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match="a CUDA device was asked for"):
        torch.nn.Linear(1, 1).cuda()
    with pytest.raises(RuntimeError, match="a CUDA device was asked for"):
        torch.nn.Linear(1, 1).to("cuda")


def test_train_and_eval_reach_everything():
    net = build(torch)
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert net.train() is net
    assert all(module.training for module in net.modules())
    net.layers.train(False)
    assert net.training
    assert not net.layers[2][1].training


def test_apply_visits_children_first():
    results = []
    for library in LIBRARIES:
        seen: list[str] = []
        net = build(library)
        assert net.apply(lambda module, seen=seen: seen.append(type(module).__name__)) is net
        results.append(seen)
    assert results[0] == results[1]


def test_zero_grad_and_requires_grad():
    net = torch.nn.Linear(2, 1)
    net(torch.ones(1, 2)).sum().backward()
    gradient = net.weight.grad
    net.zero_grad(set_to_none=False)
    assert net.weight.grad.tolist() == [[0, 0]]
    assert gradient.tolist() == [[0, 0]]
    net.zero_grad()
    assert net.weight.grad is None
    assert net.requires_grad_(False) is net
    assert not net(torch.ones(1, 2)).requires_grad


def test_forward_can_be_replaced_on_an_instance():
    net = torch.nn.Identity()
    net.forward = types.MethodType(lambda self, x: x + 1, net)
    assert net(1) == 2


def test_copies_and_pickles():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 2))
    net[2].weight = net[0].weight
    net(torch.randn(4, 2)).sum().backward()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(twin) == repr(net)
        assert twin[2].weight is twin[0].weight
        assert twin[0].weight is not net[0].weight
        assert type(twin[0].weight) is torch.nn.Parameter
        assert twin.state_dict()["1.running_mean"].tolist() == net[1].running_mean.tolist()
        twin[0].weight.data.fill_(0)
        assert net[0].weight.tolist() != twin[0].weight.tolist()
        assert len(list(twin.parameters())) == len(list(net.parameters())) == 5


# --------------------------------------------------------------------------------------------- parameters


def test_parameter_prints_as_torch():
    for make in (
        lambda t: t.nn.Parameter(t.ones(2, 2)),
        lambda t: t.nn.Parameter(),
        lambda t: t.nn.Parameter(t.ones(2, dtype=t.int64), requires_grad=False),
        lambda t: t.nn.Parameter(t.tensor(2.5, dtype=t.float64)),
    ):
        assert repr(make(torch)) == repr(make(oracle))


def test_parameter_is_a_leaf_on_the_same_memory():
    data = torch.ones(2)
    parameter = torch.nn.Parameter(data)
    data.add_(1)
    assert parameter.tolist() == [2, 2]
    assert isinstance(parameter, torch.Tensor)
    assert isinstance(parameter, torch.nn.Parameter)
    assert type(parameter * 2) is torch.Tensor
    assert type(parameter.data) is torch.Tensor
    assert type(parameter.detach()) is torch.Tensor
    assert torch.nn.Parameter(data * data.requires_grad_()).is_leaf


def test_parameter_copies():
    parameter = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    for twin in (copy.deepcopy(parameter), pickle.loads(pickle.dumps(parameter))):
        assert type(twin) is torch.nn.Parameter
        assert twin.requires_grad is False
        twin.add_(1)
        assert parameter.tolist() == [1, 1]


def test_gradient_reaches_a_parameter():
    parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    (parameter * parameter).sum().backward()
    assert parameter.grad.tolist() == [2, 4]
    assert type(parameter.grad) is torch.Tensor
