"""Modules: layers of one's own, containers, walking a network, changing and freezing its parts."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from tests.harness.both import same
from tests.notes.networks import cifar_network, classifier, hidden_network, model_with_features

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


# -------------------------------------------------------------------------------------------------- walking a network


def test_modules_walks_the_whole_tree() -> None:
    def program(torch: Any) -> Any:
        return [f"{index} - {module}" for index, module in enumerate(model_with_features(torch).modules())]

    lines = same(program)
    assert len(lines) == 8
    assert lines[0] == (
        "0 - Model(\n"
        "  (conv1): Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1))\n"
        "  (conv2): Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1))\n"
        "  (maxpool1): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
        "  (features): Sequential(\n"
        "    (conv3): Conv2d(64, 128, kernel_size=(3, 3), stride=(1, 1))\n"
        "    (conv4): Conv2d(128, 128, kernel_size=(3, 3), stride=(1, 1))\n"
        "    (relu1): ReLU()\n"
        "  )\n"
        ")"
    )
    assert lines[3] == "3 - MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    assert lines[7] == "7 - ReLU()"


def test_children_stay_on_the_first_level() -> None:
    def program(torch: Any) -> Any:
        model = model_with_features(torch)
        return (
            [type(child).__name__ for child in model.children()],
            [name for name, _ in model.named_children()],
            [name for name, _ in model.named_modules()],
            [(name, str(value.size())) for name, value in model.named_parameters()],
            len(list(model.parameters())),
        )

    children, names, all_names, parameters, _ = same(program)
    assert children == ["Conv2d", "Conv2d", "MaxPool2d", "Sequential"]
    assert names == ["conv1", "conv2", "maxpool1", "features"]
    assert all_names[0] == ""
    assert "features.conv3" in all_names
    assert parameters[0] == ("conv1.weight", "torch.Size([64, 3, 3, 3])")


def test_the_stages_of_a_backbone() -> None:
    """Parts of a network as networks of their own; they share its parameters."""

    def program(torch: Any) -> Any:
        nn = torch.nn
        features = list(model_with_features(torch).features.children())
        first, second = nn.Sequential(*features[0:1]), nn.Sequential(*features[1:3])
        x = torch.randn(1, 64, 6, 6)
        return str(first), str(second), second(first(x)).shape, first[0].weight is features[0].weight

    assert same(program)[-1] is True


def test_parts_can_be_added_and_replaced() -> None:
    """What one does with a trained VGG: a layer more at the end, one more in the classifier, another last layer."""

    def program(torch: Any) -> Any:
        nn = torch.nn
        net = nn.Sequential(
            OrderedDict(
                features=nn.Sequential(nn.Conv2d(3, 4, kernel_size=3, padding=1), nn.ReLU(inplace=True)),
                avgpool=nn.AdaptiveAvgPool2d((7, 7)),
                classifier=nn.Sequential(nn.Linear(196, 40), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(40, 20)),
            )
        )
        printed = [str(net)]
        net.add_module("add_linear", nn.Linear(20, 10))
        printed.append(str(net))
        net.classifier.add_module("add_linear", nn.Linear(20, 10))
        printed.append(str(net))
        net.classifier[3] = nn.Linear(40, 10)
        printed.append(str(net))
        return printed

    before, *_, after = same(program)
    assert "    (0): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))" in before.splitlines()
    assert "    (1): ReLU(inplace=True)" in before.splitlines()
    assert "  (avgpool): AdaptiveAvgPool2d(output_size=(7, 7))" in before.splitlines()
    assert after.splitlines()[-6:] == [
        "    (2): Dropout(p=0.5, inplace=False)",
        "    (3): Linear(in_features=40, out_features=10, bias=True)",
        "    (add_linear): Linear(in_features=20, out_features=10, bias=True)",
        "  )",
        "  (add_linear): Linear(in_features=20, out_features=10, bias=True)",
        ")",
    ]


def test_freezing_all_but_a_new_classifier() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn
        model = nn.Module()
        model.features, model.classifier = nn.Linear(6, 16), nn.Linear(16, 3)
        for param in model.parameters():
            param.requires_grad = False
        model.classifier = nn.Sequential(
            OrderedDict(
                [
                    ("fc1", nn.Linear(16, 8)),
                    ("relu", nn.ReLU()),
                    ("fc2", nn.Linear(8, 2)),
                    ("output", nn.LogSoftmax(dim=1)),
                ]
            )
        )
        before = model.features.weight.clone()
        optimizer = torch.optim.SGD(model.classifier.parameters(), lr=0.1)
        log_probabilities = model.classifier(model.features(torch.randn(4, 6)))
        nn.NLLLoss()(log_probabilities, torch.tensor([0, 1, 1, 0])).backward()
        optimizer.step()
        return (
            str(model.classifier),
            [(name, p.requires_grad) for name, p in model.named_parameters()],
            torch.equal(before, model.features.weight),
            model.classifier.fc2.weight,
        )

    printed, flags, unchanged, _ = same(program)
    assert printed.splitlines()[-2] == "  (output): LogSoftmax(dim=1)"
    assert flags[0] == ("features.weight", False)
    assert flags[-1] == ("classifier.fc2.bias", True)
    assert unchanged is True


# --------------------------------------------------------------------------------------------------- train and eval


def test_train_and_eval_reach_every_module() -> None:
    def program(torch: Any) -> Any:
        model = classifier(torch)
        modes = [all(m.training for m in model.modules())]
        returned = model.eval()
        modes.append(any(m.training for m in model.modules()))
        model.train(mode=True)
        modes.append(all(m.training for m in model.modules()))
        return modes, returned is model

    assert same(program) == ([True, False, True], True)


def test_dropout_is_for_training_only() -> None:
    def program(torch: Any) -> Any:
        dropout = torch.nn.Dropout(p=0.2)
        x = torch.ones(20, 20)
        trained = dropout(x)
        dropout.eval()
        return trained, trained.unique(), dropout(x), dropout(x) is x, str(dropout)

    _, values, _, _, printed = same(program)
    assert values.tolist() == [0.0, 1.25]
    assert printed == "Dropout(p=0.2, inplace=False)"


@pytest.mark.parametrize("mode", [True, False])
def test_the_classifier_in_both_modes(mode: bool) -> None:
    def program(torch: Any) -> Any:
        model = classifier(torch).train(mode)
        images = torch.rand(8, 1, 28, 28)
        first, second = model(images), model(images)
        return first, second, torch.equal(first, second), torch.exp(first).sum(dim=1)

    assert same(program)[2] is not mode


def test_batch_norm_keeps_running_statistics() -> None:
    def program(torch: Any) -> Any:
        bn = torch.nn.BatchNorm2d(3)
        x = torch.randn(4, 3, 5, 5) * 2 + 1
        trained = bn(x)
        moved = bn.running_mean.clone(), bn.running_var.clone(), bn.num_batches_tracked.clone()
        bn.eval()
        return trained, moved, bn(x), bn.running_mean, str(bn), list(bn.state_dict())

    *_, printed, keys = same(program)
    assert printed == "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"
    assert keys == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]


def test_batch_norm_by_hand() -> None:
    """The textbook's own: statistics over all but the channels, moving averages with momentum 0.9."""

    def program(torch: Any) -> Any:
        nn = torch.nn

        def batch_norm(training: bool, x: Any, gamma: Any, beta: Any, mean0: Any, var0: Any) -> Any:
            if not training:
                return gamma * (x - mean0) / torch.sqrt(var0 + 1e-5) + beta, mean0, var0
            if len(x.shape) == 2:
                mean = x.mean(dim=0)
                var = ((x - mean) ** 2).mean(dim=0)
            else:
                mean = x.mean(dim=0, keepdim=True).mean(dim=2, keepdim=True).mean(dim=3, keepdim=True)
                var = ((x - mean) ** 2).mean(dim=0, keepdim=True).mean(dim=2, keepdim=True).mean(dim=3, keepdim=True)
            x_hat = (x - mean) / torch.sqrt(var + 1e-5)
            return gamma * x_hat + beta, 0.9 * mean0 + 0.1 * mean, 0.9 * var0 + 0.1 * var

        class BatchNorm(nn.Module):
            def __init__(self, shape: tuple[int, ...]) -> None:
                super().__init__()
                self.gamma, self.beta = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))
                self.moving_mean, self.moving_var = torch.zeros(shape), torch.ones(shape)

            def forward(self, x: Any) -> Any:
                y, self.moving_mean, self.moving_var = batch_norm(
                    self.training, x, self.gamma, self.beta, self.moving_mean, self.moving_var
                )
                return y

        results = []
        for shape, x, layer in (
            ((1, 6), torch.randn(8, 6), nn.BatchNorm1d(6)),
            ((1, 6, 1, 1), torch.randn(8, 6, 4, 4), nn.BatchNorm2d(6)),
        ):
            by_hand = BatchNorm(shape)
            y = by_hand(x)
            y.pow(3).mean().backward()
            close = torch.allclose(y, layer(x), atol=1e-5)
            by_hand.eval()
            results += [y, by_hand.gamma.grad, by_hand.beta.grad, by_hand.moving_mean, by_hand(x), close]
        return results

    results = same(program)
    assert results[5] is results[11] is True


def test_bias_before_batch_norm_changes_nothing() -> None:
    def program(torch: Any) -> Any:
        x, shift = torch.randn(4, 3, 5, 5), torch.randn(3, 1, 1)
        bn = torch.nn.BatchNorm2d(3)
        return torch.allclose(bn(x), bn(x + shift), atol=1e-5)

    assert same(program) is True


# ------------------------------------------------------------------------------------------------- what state is


def test_the_keys_of_the_state() -> None:
    def program(torch: Any) -> Any:
        model = hidden_network(torch, 784, 10, [512, 256, 128])
        return str(model), str(model.state_dict().keys()), [each.out_features for each in model.hidden_layers]

    printed, keys, sizes = same(program)
    assert printed == (
        "Network(\n"
        "  (hidden_layers): ModuleList(\n"
        "    (0): Linear(in_features=784, out_features=512, bias=True)\n"
        "    (1): Linear(in_features=512, out_features=256, bias=True)\n"
        "    (2): Linear(in_features=256, out_features=128, bias=True)\n"
        "  )\n"
        "  (output): Linear(in_features=128, out_features=10, bias=True)\n"
        "  (dropout): Dropout(p=0.5, inplace=False)\n"
        ")"
    )
    assert keys == (
        "odict_keys(['hidden_layers.0.weight', 'hidden_layers.0.bias', 'hidden_layers.1.weight', "
        "'hidden_layers.1.bias', 'hidden_layers.2.weight', 'hidden_layers.2.bias', 'output.weight', 'output.bias'])"
    )
    assert sizes == [512, 256, 128]


def test_loading_a_state() -> None:
    def program(torch: Any) -> Any:
        trained, fresh = hidden_network(torch, 8, 2, [6, 5]), hidden_network(torch, 8, 2, [6, 5])
        result = fresh.load_state_dict(trained.state_dict())
        trained.eval()
        fresh.eval()
        x = torch.randn(3, 8)
        return str(result), torch.equal(trained(x), fresh(x)), fresh.output.weight is not trained.output.weight

    assert same(program) == ("<All keys matched successfully>", True, True)


def test_a_network_rebuilt_from_sizes_and_state() -> None:
    def program(torch: Any) -> Any:
        model = hidden_network(torch, 8, 2, [6, 5])
        checkpoint = {
            "input_size": 8,
            "output_size": 2,
            "hidden_layers": [each.out_features for each in model.hidden_layers],
            "state_dict": model.state_dict(),
        }
        rebuilt = hidden_network(
            torch, checkpoint["input_size"], checkpoint["output_size"], checkpoint["hidden_layers"]
        )
        rebuilt.load_state_dict(checkpoint["state_dict"])
        return str(rebuilt) == str(model), rebuilt.state_dict()

    assert same(program)[0] is True


def test_a_state_of_other_sizes_is_refused() -> None:
    def program(torch: Any) -> Any:
        state_dict = hidden_network(torch, 784, 10, [512, 256, 128]).state_dict()
        hidden_network(torch, 784, 10, [400, 200, 100]).load_state_dict(state_dict)

    error = str(same(program, message=True))
    assert error == "Error(s) in loading state_dict for Network:" + "".join(
        f"\n\tsize mismatch for {name}: copying a param with shape torch.Size({saved}) from checkpoint, "
        f"the shape in current model is torch.Size({current})."
        for name, saved, current in (
            ("hidden_layers.0.weight", [512, 784], [400, 784]),
            ("hidden_layers.0.bias", [512], [400]),
            ("hidden_layers.1.weight", [256, 512], [200, 400]),
            ("hidden_layers.1.bias", [256], [200]),
            ("hidden_layers.2.weight", [128, 256], [100, 200]),
            ("hidden_layers.2.bias", [128], [100]),
            ("output.weight", [10, 128], [10, 100]),
        )
    )


def test_missing_and_unexpected_keys() -> None:
    def strict(torch: Any) -> Any:
        torch.nn.Linear(2, 3).load_state_dict({"weight": torch.zeros(3, 2), "scale": torch.ones(1)})

    def lenient(torch: Any) -> Any:
        linear = torch.nn.Linear(2, 3)
        result = linear.load_state_dict({"weight": torch.zeros(3, 2), "scale": torch.ones(1)}, strict=False)
        return result.missing_keys, result.unexpected_keys, linear.weight, str(result)

    same(strict, message=True)
    assert same(lenient)[:2] == (["bias"], ["scale"])


def test_state_shows_the_parameters_themselves() -> None:
    def program(torch: Any) -> Any:
        linear = torch.nn.Linear(2, 1)
        state = linear.state_dict()
        linear.weight.data.fill_(0.5)
        return state["weight"], state["weight"].requires_grad, type(state).__name__

    same(program)


# ------------------------------------------------------------------------------------------------------ devices, errors


def test_a_network_and_its_data_move_together() -> None:
    def program(torch: Any) -> Any:
        device = torch.device("cpu")
        net, loss = cifar_network(torch).to(device), torch.nn.CrossEntropyLoss().to(device)
        inputs, labels = torch.randn(2, 3, 32, 32).to(device), torch.tensor([1, 2]).to(device)
        return loss(net(inputs), labels), net.cpu() is net, {str(p.device) for p in net.parameters()} == {"cpu"}

    same(program)


def test_a_layer_that_does_not_fit() -> None:
    """The last, smaller batch flattened into a layer that expects a whole batch."""

    def program(torch: Any) -> Any:
        layer = torch.nn.Linear(48, 10)
        layer(torch.flatten(torch.ones(3, 2, 2, 2)))

    assert str(same(program, message=True)) == "mat1 and mat2 shapes cannot be multiplied (1x24 and 48x10)"
    same(lambda torch: torch.nn.Linear(4, 2)(torch.ones(3, 5)), message=True)


def test_an_attribute_that_is_not_there() -> None:
    same(lambda torch: torch.nn.Linear(1, 1).wieght, message=True)
