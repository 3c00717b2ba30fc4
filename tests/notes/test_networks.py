"""Whole networks: walking them, changing and freezing parts, training and evaluation mode, normalisation."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

from tests.harness.both import same
from tests.notes.networks import classifier, model_with_features

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
