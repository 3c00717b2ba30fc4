"""Modules: layers of one's own and the containers that put them together."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from tests.harness.both import same

# ------------------------------------------------------------------------------------------------ layers of one's own


def test_calling_a_module_calls_forward() -> None:
    def program(torch: Any) -> Any:
        class AddOne(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()

            def forward(self, input: Any) -> Any:
                return input + 1

        module = AddOne()
        output = module(torch.tensor(1.0))
        return output, str(output), module.forward(torch.tensor(1.0)), str(module)

    _, printed, _, shown = same(program)
    assert printed == "tensor(2.)"
    assert shown == "AddOne()"


def test_a_network_of_two_layers() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn

        class MLP(nn.Module):
            def __init__(self, **kwargs: Any) -> None:
                super(MLP, self).__init__(**kwargs)  # noqa: UP008
                self.hidden = nn.Linear(784, 256)
                self.act = nn.ReLU()
                self.output = nn.Linear(256, 10)

            def forward(self, x: Any) -> Any:
                return self.output(self.act(self.hidden(x)))

        device = torch.device("cpu")
        x = torch.rand(2, 784).to(device)
        net = MLP().to(device)
        result = net(x)
        return str(net), result, result.grad_fn.name(), f"Using {device} device"

    printed, _, name, _ = same(program)
    assert name == "AddmmBackward0"
    assert printed == (
        "MLP(\n"
        "  (hidden): Linear(in_features=784, out_features=256, bias=True)\n"
        "  (act): ReLU()\n"
        "  (output): Linear(in_features=256, out_features=10, bias=True)\n"
        ")"
    )


def test_a_module_takes_no_unknown_arguments() -> None:
    def program(torch: Any) -> Any:
        class MLP(torch.nn.Module):
            def __init__(self, **kwargs: Any) -> None:
                super().__init__(**kwargs)

        MLP(units=3)

    assert isinstance(same(program, message=True), TypeError)


def test_layers_before_init_are_refused() -> None:
    def program(torch: Any) -> Any:
        class Forgetful(torch.nn.Module):
            def __init__(self) -> None:
                self.fc = torch.nn.Linear(1, 1)

        Forgetful()

    assert str(same(program, message=True)) == "cannot assign module before Module.__init__() call"


def test_a_module_without_forward() -> None:
    same(lambda torch: type("Empty", (torch.nn.Module,), {})()(torch.ones(1)), message=True)


def test_a_layer_without_parameters() -> None:
    def program(torch: Any) -> Any:
        class MyLayer(torch.nn.Module):
            def __init__(self, **kwargs: Any) -> None:
                super(MyLayer, self).__init__(**kwargs)  # noqa: UP008

            def forward(self, x: Any) -> Any:
                return x - x.mean()

        return str(MyLayer()(torch.tensor([1, 2, 3, 4, 5], dtype=torch.float))), len(list(MyLayer().parameters()))

    assert same(program) == ("tensor([-2., -1.,  0.,  1.,  2.])", 0)


def test_a_list_of_parameters() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn

        class MyListDense(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.params = nn.ParameterList([nn.Parameter(torch.randn(4, 4)) for _ in range(3)])
                self.params.append(nn.Parameter(torch.randn(4, 1)))

            def forward(self, x: Any) -> Any:
                for i in range(len(self.params)):
                    x = torch.mm(x, self.params[i])
                return x

        net = MyListDense()
        return str(net), net(torch.ones(2, 4)), list(net.state_dict()), [name for name, _ in net.named_parameters()]

    printed, *_ = same(program)
    assert printed == (
        "MyListDense(\n"
        "  (params): ParameterList(\n"
        "      (0): Parameter containing: [torch.float32 of size 4x4]\n"
        "      (1): Parameter containing: [torch.float32 of size 4x4]\n"
        "      (2): Parameter containing: [torch.float32 of size 4x4]\n"
        "      (3): Parameter containing: [torch.float32 of size 4x1]\n"
        "  )\n"
        ")"
    )


def test_a_dictionary_of_parameters() -> None:
    """Older versions printed "torch.FloatTensor of size …" here."""

    def program(torch: Any) -> Any:
        nn = torch.nn

        class MyDictDense(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.params = nn.ParameterDict(
                    {"linear1": nn.Parameter(torch.randn(4, 4)), "linear2": nn.Parameter(torch.randn(4, 1))}
                )
                self.params.update({"linear3": nn.Parameter(torch.randn(4, 2))})

            def forward(self, x: Any, choice: str = "linear1") -> Any:
                return torch.mm(x, self.params[choice])

        net = MyDictDense()
        x = torch.ones(1, 4)
        return str(net), net(x), net(x, "linear2"), net(x, "linear3"), list(net.state_dict()), len(net.params)

    printed, *_ = same(program)
    assert printed == (
        "MyDictDense(\n"
        "  (params): ParameterDict(\n"
        "      (linear1): Parameter containing: [torch.FloatTensor of size 4x4]\n"
        "      (linear2): Parameter containing: [torch.FloatTensor of size 4x1]\n"
        "      (linear3): Parameter containing: [torch.FloatTensor of size 4x2]\n"
        "  )\n"
        ")"
    )


def test_a_parameter_is_a_tensor_that_registers_itself() -> None:
    def program(torch: Any) -> Any:
        class Scale(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.factor = torch.nn.Parameter(torch.tensor([2.0, 3.0]))
                self.constant = torch.ones(2)

        net = Scale()
        return (
            isinstance(net.factor, torch.Tensor),
            [name for name, _ in net.named_parameters()],
            str(net.factor),
            net.factor.requires_grad,
            list(net.state_dict()),
        )

    assert same(program)[2] == "Parameter containing:\ntensor([2., 3.], requires_grad=True)"


# ------------------------------------------------------------------------------------------------------- containers


def test_sequential() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn
        sizes = [128, 64]
        model = nn.Sequential(
            nn.Linear(784, sizes[0]),
            nn.ReLU(),
            nn.Linear(sizes[0], sizes[1]),
            nn.ReLU(),
            nn.Linear(sizes[1], 10),
            nn.Softmax(dim=1),
        )
        probabilities = model(torch.rand(64, 784))
        return str(model), str(model[0]), str(model[1]), model[0].weight, probabilities, probabilities.sum(dim=1)

    printed, first, second, *_ = same(program)
    assert (first, second) == ("Linear(in_features=784, out_features=128, bias=True)", "ReLU()")
    assert printed.splitlines()[-2] == "  (5): Softmax(dim=1)"


def test_sequential_with_names() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn
        model = nn.Sequential(
            OrderedDict(
                [
                    ("fc1", nn.Linear(784, 128)),
                    ("relu1", nn.ReLU()),
                    ("fc2", nn.Linear(128, 64)),
                    ("relu2", nn.ReLU()),
                    ("output", nn.Linear(64, 10)),
                    ("softmax", nn.Softmax(dim=1)),
                ]
            )
        )
        shown = [str(layer) for layer in (model[0], model[1], model.fc1, model.relu1)]
        return shown, model[0] is model.fc1, str(model), list(model.state_dict())

    shown, *_ = same(program)
    assert shown[1] == shown[3] == "ReLU()"


def test_the_same_name_twice_keeps_the_last() -> None:
    """The keys of a dictionary are unique, so each operation needs a name of its own."""

    def program(torch: Any) -> Any:
        nn = torch.nn
        return str(nn.Sequential(OrderedDict([("fc", nn.Linear(2, 3)), ("relu", nn.ReLU()), ("fc", nn.Linear(3, 1))])))

    assert "in_features=3, out_features=1" in same(program)


def test_module_list_registers_what_it_holds() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn

        class ResidualBlock(nn.Module):
            def __init__(self, channels: int, use_residual: bool = True, num_repeats: int = 1) -> None:
                super().__init__()
                self.layers = nn.ModuleList()
                for _ in range(num_repeats):
                    self.layers += [
                        nn.Sequential(
                            nn.Conv2d(channels, channels // 2, kernel_size=1),
                            nn.Conv2d(channels // 2, channels, kernel_size=3, padding=1),
                        )
                    ]
                self.use_residual = use_residual
                self.num_repeats = num_repeats

            def forward(self, x: Any) -> Any:
                for layer in self.layers:
                    x = layer(x) + x if self.use_residual else layer(x)
                return x

        block = ResidualBlock(4, num_repeats=2)
        block.layers.append(nn.Identity())
        block.layers.extend([nn.ReLU()])
        x = torch.randn(2, 4, 5, 5)
        return str(block), block(x), len(block.layers), [name for name, _ in block.named_parameters()]

    *_, names = same(program)
    assert names[0] == "layers.0.0.weight"


def test_a_python_list_registers_nothing() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn

        class Plain(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layers = [nn.Linear(2, 2)]

        return len(list(Plain().parameters())), str(Plain())

    assert same(program) == (0, "Plain()")


def test_module_list_is_no_network() -> None:
    same(lambda torch: torch.nn.ModuleList([torch.nn.ReLU()])(torch.ones(1)))


def test_blocks_that_share_a_recipe() -> None:
    """A block with an option for normalisation, put together by Sequential."""

    def program(torch: Any) -> Any:
        nn = torch.nn

        class CNNBlock(nn.Module):
            def __init__(self, in_channels: int, out_channels: int, bn_act: bool = True, **kwargs: Any) -> None:
                super().__init__()
                self.conv = nn.Conv2d(in_channels, out_channels, bias=not bn_act, **kwargs)
                self.bn = nn.BatchNorm2d(out_channels)
                self.leaky = nn.LeakyReLU(0.1)
                self.use_bn_act = bn_act

            def forward(self, x: Any) -> Any:
                return self.leaky(self.bn(self.conv(x))) if self.use_bn_act else self.conv(x)

        class ScalePrediction(nn.Module):
            def __init__(self, in_channels: int, num_classes: int) -> None:
                super().__init__()
                self.pred = nn.Sequential(
                    CNNBlock(in_channels, 2 * in_channels, kernel_size=3, padding=1),
                    CNNBlock(2 * in_channels, 3 * (num_classes + 5), bn_act=False, kernel_size=1),
                )

            def forward(self, x: Any) -> Any:
                return self.pred(x)

        net = ScalePrediction(4, 2)
        return str(net), net(torch.randn(2, 4, 6, 6)), list(net.state_dict())

    same(program)
