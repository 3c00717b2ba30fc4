"""Convolution and pooling: by hand, as functions, as layers; LeNet, AlexNet and their kin."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.both import same
from tests.notes.networks import alexnet, cifar_network, lenet, three_convolutions

IMAGE = [[1, 2, 0, 3, 1], [0, 1, 2, 3, 1], [1, 2, 1, 0, 0], [5, 2, 3, 1, 1], [2, 1, 0, 1, 1]]
KERNEL = [[1, 2, 1], [0, 1, 0], [2, 1, 0]]

# ---------------------------------------------------------------------------------------------------------- by hand


def corr2d(torch: Any, X: Any, K: Any) -> Any:
    """Cross-correlation as two loops."""
    h, w = K.shape
    X, K = X.float(), K.float()
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i : i + h, j : j + w] * K).sum()
    return Y


def pool2d(torch: Any, X: Any, pool_size: tuple[int, int], mode: str = "max") -> Any:
    """Pooling with stride 1 as two loops."""
    p_h, p_w = pool_size
    Y = torch.zeros((X.shape[0] - p_h + 1, X.shape[1] - p_w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            if mode == "max":
                Y[i, j] = X[i : i + p_h, j : j + p_w].max()
            elif mode == "avg":
                Y[i, j] = X[i : i + p_h, j : j + p_w].mean()
    return Y


def test_cross_correlation_by_hand() -> None:
    def program(torch: Any) -> Any:
        X, K = torch.tensor(IMAGE), torch.tensor(KERNEL)
        by_hand = corr2d(torch, X, K)
        function = torch.nn.functional.conv2d(X.view(1, 1, 5, 5).float(), K.view(1, 1, 3, 3).float())
        return by_hand, torch.equal(by_hand, function[0, 0]), str(by_hand)

    _, equal, printed = same(program)
    assert equal is True
    assert printed == "tensor([[10., 12., 12.],\n        [18., 16., 16.],\n        [13.,  9.,  3.]])"


def test_a_convolution_layer_by_hand_learns() -> None:
    """Gradients flow through the assignments to single elements."""

    def program(torch: Any) -> Any:
        nn = torch.nn

        class Conv2D(nn.Module):
            def __init__(self, kernel_size: tuple[int, int]) -> None:
                super().__init__()
                self.weight = nn.Parameter(torch.randn(kernel_size))
                self.bias = nn.Parameter(torch.randn(1))

            def forward(self, x: Any) -> Any:
                return corr2d(torch, x, self.weight) + self.bias

        X = torch.ones(6, 8)
        X[:, 2:6] = 0
        Y = corr2d(torch, X, torch.tensor([[1.0, -1.0]]))
        layer, losses = Conv2D(kernel_size=(1, 2)), []
        for _ in range(5):
            loss = ((layer(X) - Y) ** 2).sum()
            loss.backward()
            losses.append(loss.detach())
            layer.weight.data -= 0.01 * layer.weight.grad
            layer.bias.data -= 0.01 * layer.bias.grad
            layer.weight.grad.fill_(0)
            layer.bias.grad.fill_(0)
        return losses, layer.weight, layer.bias, layer.weight.grad

    losses, *_ = same(program)
    assert losses[-1] < losses[0]


def test_pooling_by_hand() -> None:
    def program(torch: Any) -> Any:
        X = torch.tensor([[0, 1, 2], [3, 4, 5], [6, 7, 8]], dtype=torch.float)
        F = torch.nn.functional
        results = pool2d(torch, X, (2, 2)), pool2d(torch, X, (2, 2), "avg")
        functions = F.max_pool2d(X[None, None], 2, 1)[0, 0], F.avg_pool2d(X[None, None], 2, 1)[0, 0]
        return [str(each) for each in results], [torch.equal(a, b) for a, b in zip(results, functions)]

    printed, equal = same(program)
    assert printed == ["tensor([[4., 5.],\n        [7., 8.]])", "tensor([[2., 3.],\n        [5., 6.]])"]
    assert equal == [True, True]


# ----------------------------------------------------------------------------------------------------- as functions


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({"stride": 1}, "[[[[10, 12, 12],\n          [18, 16, 16],\n          [13,  9,  3]]]]"),
        ({"stride": 2}, "[[[[10, 12],\n          [13,  3]]]]"),
        (
            {"stride": 1, "padding": 1},
            "[[[[ 1,  3,  4, 10,  8],\n          [ 5, 10, 12, 12,  6],\n          [ 7, 18, 16, 16,  8],\n"
            "          [11, 13,  9,  3,  4],\n          [14, 13,  9,  7,  4]]]]",
        ),
        ({"stride": 2, "padding": 1}, "[[[[ 1,  4,  8],\n          [ 7, 16,  8],\n          [14,  9,  4]]]]"),
    ],
)
def test_convolution_of_whole_numbers(options: dict[str, int], printed: str) -> None:
    def program(torch: Any) -> Any:
        input = torch.reshape(torch.tensor(IMAGE), (1, 1, 5, 5))
        kernel = torch.reshape(torch.tensor(KERNEL), (1, 1, 3, 3))
        output = torch.nn.functional.conv2d(input=input, weight=kernel, **options)
        return output, str(output), str(output.shape)

    assert same(program)[1] == f"tensor({printed})"


def test_padding_by_name() -> None:
    def program(torch: Any) -> Any:
        x, weight = torch.randn(1, 2, 6, 6), torch.randn(3, 2, 3, 3)
        F = torch.nn.functional
        return F.conv2d(x, weight, padding="same"), F.conv2d(x, weight, padding="valid")

    same(program)
    same(lambda torch: torch.nn.functional.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3), None, 2, "same"))


def test_max_pooling_with_ceil_mode() -> None:
    def program(torch: Any) -> Any:
        x = torch.reshape(torch.tensor(IMAGE, dtype=torch.float32), (-1, 1, 5, 5))
        nn = torch.nn
        return (
            str(nn.MaxPool2d(kernel_size=3, ceil_mode=True)(x)),
            str(nn.MaxPool2d(3, ceil_mode=False)(x)),
            str(x.shape),
        )

    assert same(program) == (
        "tensor([[[[2., 3.],\n          [5., 1.]]]])",
        "tensor([[[[2.]]]])",
        "torch.Size([1, 1, 5, 5])",
    )


def test_the_stride_of_pooling_is_its_size() -> None:
    def program(torch: Any) -> Any:
        nn, x = torch.nn, torch.randn(1, 2, 8, 8)
        by_default, halved = nn.MaxPool2d(2), nn.MaxPool2d(2, 2)
        return (
            by_default.stride,
            torch.equal(by_default(x), halved(x)),
            str(by_default),
            nn.AdaptiveAvgPool2d((5, 1))(x),
        )

    assert same(program)[:2] == (2, True)


def test_activations() -> None:
    """One example feeds the same input to both and returns the second; the first, relu, is the one it prints."""

    def program(torch: Any) -> Any:
        x = torch.reshape(torch.tensor([[1, -0.5], [-1, 3]]), (-1, 1, 2, 2))
        kept = x.clone()
        relu, sigmoid, inplace = torch.nn.ReLU(inplace=False), torch.nn.Sigmoid(), torch.nn.ReLU(inplace=True)
        results = str(relu(x)), sigmoid(x), torch.equal(x, kept)
        returned = inplace(x)
        return results, returned is x, x

    (printed, _, untouched), same_object, _ = same(program)
    assert printed == "tensor([[[[1., 0.],\n          [0., 3.]]]])"
    assert untouched is same_object is True


# -------------------------------------------------------------------------------------------------------- as layers


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"kernel_size": 3, "padding": 1}, (8, 8)),
        ({"kernel_size": (5, 3), "padding": (2, 1)}, (8, 8)),
        ({"kernel_size": (3, 5), "padding": (0, 1), "stride": (3, 4)}, (2, 2)),
    ],
)
def test_the_shape_after_a_convolution(options: dict[str, Any], shape: tuple[int, int]) -> None:
    def program(torch: Any) -> Any:
        conv2d = torch.nn.Conv2d(in_channels=1, out_channels=1, **options)
        X = torch.rand(8, 8)
        raised = X.view((1, 1) + X.shape)  # noqa: RUF005 (a tuple and a Size add up)
        Y = conv2d(raised)
        return Y.view(Y.shape[2:]), str(raised.shape), Y.view(Y.shape[2:]).shape

    result, before, after = same(program)
    assert before == "torch.Size([1, 1, 8, 8])"
    assert after == shape == result.shape


def test_a_layer_prints_its_options() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn

        class Test(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv1 = nn.Conv2d(in_channels=3, out_channels=6, kernel_size=3, stride=1, padding=0)

            def forward(self, x: Any) -> Any:
                return self.conv1(x)

        test = Test()
        outputs = test(torch.rand(16, 3, 32, 32))
        return str(test), outputs.shape, torch.reshape(outputs, (-1, 3, 30, 30)).shape, outputs[0, 0, :2]

    printed, shape, as_images, _ = same(program)
    assert printed == "Test(\n  (conv1): Conv2d(3, 6, kernel_size=(3, 3), stride=(1, 1))\n)"
    assert (shape, as_images) == ((16, 6, 30, 30), (32, 3, 30, 30))


def test_a_kernel_size_in_a_tuple_of_one() -> None:
    """Some notes write (5,) for 5. It ran in older versions; now the layer is made but refuses its input."""
    same(lambda torch: str(torch.nn.Conv2d(in_channels=3, out_channels=4, kernel_size=(5,), padding=2)))
    error = same(lambda torch: torch.nn.Conv2d(3, 4, kernel_size=(5,), padding=2)(torch.ones(1, 3, 8, 8)))
    assert isinstance(error, RuntimeError)


def test_max_pooling_of_integers() -> None:
    """Older versions wanted floating point here."""
    same(lambda torch: torch.nn.MaxPool2d(2)(torch.arange(16).view(1, 1, 4, 4)))


def test_channels_that_do_not_fit() -> None:
    assert isinstance(same(lambda torch: torch.nn.Conv2d(3, 6, 5)(torch.ones(1, 1, 32, 32))), RuntimeError)


# -------------------------------------------------------------------------------------------------------- networks


def test_lenet() -> None:
    def program(torch: Any) -> Any:
        net = lenet(torch)
        params = list(net.parameters())
        out = net(torch.randn(1, 1, 32, 32))
        net.zero_grad()
        out.backward(torch.randn(1, 10))
        printed = str(net), len(params), str(params[0].size()), out.grad_fn.name()
        return printed, out, net.conv1.bias.grad, net.conv2.weight.grad

    (printed, count, size, name), *_ = same(program)
    assert printed == (
        "Net(\n"
        "  (conv1): Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))\n"
        "  (conv2): Conv2d(6, 16, kernel_size=(5, 5), stride=(1, 1))\n"
        "  (fc1): Linear(in_features=400, out_features=120, bias=True)\n"
        "  (fc2): Linear(in_features=120, out_features=84, bias=True)\n"
        "  (fc3): Linear(in_features=84, out_features=10, bias=True)\n"
        ")"
    )
    assert (count, size, name) == (10, "torch.Size([6, 1, 5, 5])", "AddmmBackward0")


def test_alexnet_prints_itself() -> None:
    printed = same(lambda torch: str(alexnet(torch)))
    assert (
        printed
        == """AlexNet(
  (conv): Sequential(
    (0): Conv2d(1, 96, kernel_size=(11, 11), stride=(4, 4))
    (1): ReLU()
    (2): MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)
    (3): Conv2d(96, 256, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    (4): ReLU()
    (5): MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)
    (6): Conv2d(256, 384, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (7): ReLU()
    (8): Conv2d(384, 384, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (9): ReLU()
    (10): Conv2d(384, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    (11): ReLU()
    (12): MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=False)
  )
  (fc): Sequential(
    (0): Linear(in_features=6400, out_features=4096, bias=True)
    (1): ReLU()
    (2): Dropout(p=0.5, inplace=False)
    (3): Linear(in_features=4096, out_features=4096, bias=True)
    (4): ReLU()
    (5): Dropout(p=0.5, inplace=False)
    (6): Linear(in_features=4096, out_features=10, bias=True)
  )
)"""
    )


def test_the_shapes_inside_alexnet() -> None:
    """Channels and sides after each stage, on a network of an eighth of the width; and one pass backwards."""

    def program(torch: Any) -> Any:
        net, x = alexnet(torch, width=8), torch.randn(1, 1, 224, 224)
        out = net(x)
        out.sum().backward()
        shapes = []
        for layer in net.conv:
            x = layer(x)
            shapes.append(tuple(x.shape))
        return shapes, out, net.conv[0].weight.grad, net.fc[6].bias.grad

    shapes, *_ = same(program)
    assert [shapes[index] for index in (1, 2, 4, 5, 7, 12)] == [
        (1, 12, 54, 54),
        (1, 12, 26, 26),
        (1, 32, 26, 26),
        (1, 32, 12, 12),
        (1, 48, 12, 12),
        (1, 32, 5, 5),
    ]


def test_global_pooling_in_place_of_linear_layers() -> None:
    """The tail of a network in network: ten channels, averaged, flattened."""

    def program(torch: Any) -> Any:
        nn, x = torch.nn, torch.randn(1, 24, 5, 5)
        tail = nn.Sequential(nn.Conv2d(24, 10, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())
        shapes = []
        for layer in tail:
            x = layer(x)
            shapes.append(str(x.shape))
        return x, shapes

    assert same(program)[1][1:] == ["torch.Size([1, 10, 5, 5])", "torch.Size([1, 10, 1, 1])", "torch.Size([1, 10])"]


def test_three_convolutions_in_a_sequential() -> None:
    def program(torch: Any) -> Any:
        net = three_convolutions(torch)
        return str(net), net(torch.ones((4, 3, 32, 32)))

    printed, output = same(program)
    assert output.shape == (4, 10)
    assert (
        printed
        == """Test(
  (model1): Sequential(
    (0): Conv2d(3, 32, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    (1): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    (2): Conv2d(32, 32, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    (3): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    (4): Conv2d(32, 64, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    (5): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    (6): Flatten(start_dim=1, end_dim=-1)
    (7): Linear(in_features=1024, out_features=64, bias=True)
    (8): Linear(in_features=64, out_features=10, bias=True)
  )
)"""
    )


def test_the_parameters_of_a_network() -> None:
    def program(torch: Any) -> Any:
        return [f"{name} : {parameters.size()}" for name, parameters in cifar_network(torch).named_parameters()]

    lines = same(program)
    assert lines[:2] == ["conv1.weight : torch.Size([6, 3, 5, 5])", "conv1.bias : torch.Size([6])"]


def test_lenet_with_sigmoids_and_norms() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn
        net = nn.Sequential(
            nn.Conv2d(1, 6, 5),
            nn.BatchNorm2d(6),
            nn.Sigmoid(),
            nn.MaxPool2d(2, 2),
            nn.Conv2d(6, 16, 5),
            nn.BatchNorm2d(16),
            nn.Sigmoid(),
            nn.MaxPool2d(2, 2),
            nn.Flatten(),
            nn.Linear(16 * 4 * 4, 120),
            nn.BatchNorm1d(120),
            nn.Sigmoid(),
            nn.Linear(120, 84),
            nn.BatchNorm1d(84),
            nn.Sigmoid(),
            nn.Linear(84, 10),
        )
        out = net(torch.randn(4, 1, 28, 28))
        return str(net), out.shape, net[1].running_mean, net[1].running_var, net.eval()(torch.randn(4, 1, 28, 28))

    same(program)
