"""Initialisation: every function of nn.init, what layers start from, ways to apply it to a whole network."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest

from tests.harness.both import same

# (name, arguments after the tensor, shape)
CALLS = [
    ("uniform_", (), (3, 5)),
    ("uniform_", (-0.2, 0.3), (20,)),
    ("normal_", (), (3, 5)),
    ("normal_", (0.1,), (4, 4)),
    ("normal_", (0.0, 0.01), (20,)),
    ("constant_", (0.3,), (1, 10)),
    ("ones_", (), (2, 3)),
    ("zeros_", (), (2, 3)),
    ("eye_", (), (3, 5)),
    ("dirac_", (), (4, 2, 3, 3)),
    ("dirac_", (2,), (4, 2, 3)),
    ("xavier_uniform_", (), (6, 4)),
    ("xavier_uniform_", (2.0,), (6, 4, 3, 3)),
    ("xavier_normal_", (), (6, 4)),
    ("kaiming_uniform_", (), (6, 4)),
    ("kaiming_uniform_", (math.sqrt(5), "fan_in", "leaky_relu"), (6, 4, 3, 3)),
    ("kaiming_normal_", (), (3, 1, 3, 3)),
    ("kaiming_normal_", (0, "fan_out", "relu"), (6, 4)),
    ("orthogonal_", (), (5, 3)),
    ("orthogonal_", (2,), (3, 5)),
    ("sparse_", (0.3,), (10, 4)),
    ("sparse_", (0.5, 0.1), (6, 6)),
]


@pytest.mark.parametrize(("name", "arguments", "shape"), CALLS)
def test_every_function_fills_in_place(name: str, arguments: tuple[Any, ...], shape: tuple[int, ...]) -> None:
    def program(torch: Any) -> Any:
        tensor = torch.empty(shape)
        returned = getattr(torch.nn.init, name)(tensor, *arguments)
        return tensor, returned is tensor

    assert same(program)[1] is True


@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [
        *((name, None) for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu")),
        ("leaky_relu", 0.2),
        ("leaky_relu", math.sqrt(5)),
    ],
)
def test_gains(nonlinearity: str, param: float | None) -> None:
    assert same(lambda torch: torch.nn.init.calculate_gain(nonlinearity, param)) > 0


def test_an_unknown_nonlinearity() -> None:
    same(lambda torch: torch.nn.init.calculate_gain("maxout"), message=True)


def test_a_vector_has_no_fan() -> None:
    same(lambda torch: torch.nn.init.kaiming_normal_(torch.empty(3)), message=True)
    same(lambda torch: torch.nn.init.xavier_uniform_(torch.empty(3)), message=True)
    same(lambda torch: torch.nn.init.eye_(torch.empty(3)), message=True)
    same(lambda torch: torch.nn.init.dirac_(torch.empty(3, 3)), message=True)


def test_nothing_to_initialise_is_a_warning() -> None:
    def program(torch: Any) -> Any:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            torch.nn.init.kaiming_uniform_(torch.empty(0, 3))
        return [str(each.message) for each in seen]

    assert len(same(program)) == 1


# --------------------------------------------------------------------------------------------------------- layers


def test_what_layers_start_from() -> None:
    """kaiming_uniform_ with a = √5 for the weight, ± 1/√fan_in for the bias: the same draws by hand."""

    def program(torch: Any) -> Any:
        torch.manual_seed(3)
        layers = torch.nn.Conv2d(4, 6, 3), torch.nn.Linear(10, 5)
        torch.manual_seed(3)
        by_hand = []
        for layer in layers:
            weight = torch.nn.init.kaiming_uniform_(torch.empty(layer.weight.shape), a=math.sqrt(5))
            fan_in, _ = torch.nn.init._calculate_fan_in_and_fan_out(weight)
            bound = 1 / math.sqrt(fan_in)
            by_hand += [weight, torch.nn.init.uniform_(torch.empty(layer.bias.shape), -bound, bound)]
        made = [p for layer in layers for p in layer.parameters()]
        return made, by_hand, [torch.equal(a, b) for a, b in zip(made, by_hand)]

    assert same(program)[2] == [True] * 4


def test_kinds_of_layers() -> None:
    def program(torch: Any) -> Any:
        conv, linear = torch.nn.Conv2d(1, 3, 3), torch.nn.Linear(10, 1)
        before = conv.weight.data.clone(), linear.weight.data.clone()
        kinds = isinstance(conv, torch.nn.Conv2d), isinstance(linear, torch.nn.Conv2d)
        torch.nn.init.kaiming_normal_(conv.weight.data)
        torch.nn.init.constant_(linear.weight.data, 0.3)
        return kinds, before, conv.weight.data, str(linear.weight.data)

    kinds, *_, printed = same(program)
    assert kinds == (True, False)
    assert printed == (
        "tensor([[0.3000, 0.3000, 0.3000, 0.3000, 0.3000, 0.3000, 0.3000, 0.3000, 0.3000,\n         0.3000]])"
    )


def test_weights_filled_by_hand() -> None:
    def program(torch: Any) -> Any:
        fc1 = torch.nn.Linear(784, 128)
        fc1.bias.data.fill_(0)
        fc1.weight.data.normal_(std=0.01)
        return fc1.weight, fc1.bias, fc1.weight.requires_grad, fc1.weight.std()

    same(program)


def test_initialising_a_parameter_is_not_recorded() -> None:
    def program(torch: Any) -> Any:
        linear = torch.nn.Linear(3, 2)
        torch.nn.init.kaiming_normal_(linear.weight)
        return linear.weight, linear.weight.is_leaf, linear.weight.grad_fn, linear.weight.requires_grad

    assert same(program)[1:] == (True, None, True)


# -------------------------------------------------------------------------------------------------- whole networks


def _initialize_weights(torch: Any, model: Any) -> None:
    """By the kind of the layer: convolutions, linear layers, norms."""
    nn = torch.nn
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.zeros_(m.weight.data)
            if m.bias is not None:
                nn.init.constant_(m.bias.data, 0.3)
        elif isinstance(m, nn.Linear):
            nn.init.normal_(m.weight.data, 0.1)
            if m.bias is not None:
                nn.init.zeros_(m.bias.data)
        elif isinstance(m, nn.BatchNorm2d):
            m.weight.data.fill_(1)
            m.bias.data.zeros_()


def _network(torch: Any, norm: bool) -> Any:
    nn = torch.nn

    class MLP(nn.Module):
        def __init__(self, **kwargs: Any) -> None:
            super(MLP, self).__init__(**kwargs)  # noqa: UP008
            self.hidden = nn.Conv2d(1, 1, 3)
            self.act = nn.ReLU()
            self.output = nn.Linear(10, 1)
            if norm:
                self.norm = nn.BatchNorm2d(1)

        def forward(self, x: Any) -> Any:
            return self.output(self.act(self.hidden(x)))

    return MLP()


@pytest.mark.parametrize("by_apply", [True, False])
def test_initialising_a_network(by_apply: bool) -> None:
    """With ``apply`` the function sees every submodule and walks it again: linear layers are drawn twice."""

    def program(torch: Any) -> Any:
        mlp = _network(torch, norm=False)
        before = mlp.hidden.weight.data.clone()
        returned = mlp.apply(lambda m: _initialize_weights(torch, m)) if by_apply else _initialize_weights(torch, mlp)
        after = [p.data for p in mlp.parameters()]
        return before, str(mlp.hidden.weight.data), after, returned is mlp, mlp(torch.randn(2, 1, 12, 12))

    _, printed, *_ = same(program)
    assert printed == "tensor([[[[0., 0., 0.],\n          [0., 0., 0.],\n          [0., 0., 0.]]]])"


def test_zeros_is_no_method() -> None:
    """``bias.data.zeros_()`` is seen now and then; the method is called ``zero_``."""
    same(lambda torch: _initialize_weights(torch, _network(torch, norm=True)), message=True)
    same(lambda torch: torch.ones(2).data.zero_())
