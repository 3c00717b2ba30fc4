"""Tensors: making them, asking about them, printing, arithmetic, NumPy and devices."""

from __future__ import annotations

from typing import Any

import numpy

import minitorch
from tests.harness.both import same

# ------------------------------------------------------------------------------------------------ making tensors


def test_the_ways_to_make_a_tensor() -> None:
    def program(torch: Any) -> Any:
        uninitialised = torch.empty(5, 3)
        x = torch.zeros(5, 3, dtype=torch.long)
        random = torch.rand(5, 3)
        data = torch.tensor([5.5, 3])
        alike = torch.randn_like(x, dtype=torch.float)
        return uninitialised.shape, uninitialised.dtype, x, random, data, alike, alike.size(), str(x), str(data)

    *_, printed_zeros, printed_data = same(program)
    assert printed_data == "tensor([5.5000, 3.0000])"
    assert printed_zeros.splitlines()[0] == "tensor([[0, 0, 0],"


def test_the_type_follows_the_data() -> None:
    def program(torch: Any) -> Any:
        values = ([1, 2], [1.0, 2], True, 1, 1.0, [[1, 2], [3, 4]], [True, False], [])
        return [(torch.tensor(value), torch.tensor(value).type(), torch.tensor(value).dim()) for value in values]

    same(program)


def test_legacy_constructors() -> None:
    def program(torch: Any) -> Any:
        scores = torch.FloatTensor([[0.9, 0.2, 0.4, 0.8]])
        labels = torch.LongTensor([[3, 0, -1, 1]])
        return scores, labels, scores.type(), labels.type(), torch.FloatTensor(2, 3).shape, str(scores), str(labels)

    *_, printed_scores, printed_labels = same(program)
    assert printed_scores == "tensor([[0.9000, 0.2000, 0.4000, 0.8000]])"
    assert printed_labels == "tensor([[ 3,  0, -1,  1]])"


def test_the_single_neuron() -> None:
    """Features, weights and a bias from the generator; a product summed in two ways and by a matrix product."""

    def program(torch: Any) -> Any:
        torch.manual_seed(7)
        features = torch.randn((1, 5))
        weights = torch.randn_like(features)
        bias = torch.randn((1, 1))
        activation = lambda x: 1 / (1 + torch.exp(-x))  # noqa: E731
        return (
            features,
            weights,
            bias,
            activation(torch.sum(features * weights) + bias),
            activation((features * weights).sum() + bias),
            activation(torch.mm(features, weights.view(5, 1)) + bias),
            activation(torch.matmul(features, weights.reshape(5, 1)) + bias),
        )

    same(program)


def test_integers_drawn_in_place() -> None:
    def program(torch: Any) -> Any:
        return torch.empty(3).random_(2), torch.empty(3, dtype=torch.long).random_(5), torch.randn(3).sign()

    same(program)


def test_the_module_lists_its_names() -> None:
    """``dir`` and ``help`` are the first two functions a beginner learns."""
    assert {"tensor", "nn", "cuda", "no_grad"} <= set(dir(minitorch))
    assert "is_available" in dir(minitorch.cuda)
    assert minitorch.cuda.is_available.__doc__


# ---------------------------------------------------------------------------------------------- asking and printing


def test_sizes() -> None:
    def program(torch: Any) -> Any:
        x = torch.zeros(2, 3, 4)
        size = x.size()
        features = 1
        for side in size[1:]:
            features *= side
        return (
            str(size),
            size == (2, 3, 4),
            x.ndimension(),
            x.ndim,
            x.numel(),
            len(x),
            features,
            x.size(-1),
            (1, *size),
        )

    printed, *rest = same(program)
    assert printed == "torch.Size([2, 3, 4])"
    assert rest == [True, 3, 3, 24, 2, 12, 4, (1, 2, 3, 4)]


def test_brackets_tell_the_number_of_dimensions() -> None:
    def program(torch: Any) -> Any:
        line = torch.tensor([9.8609e07, 1.3485e06, 6.7135e09])
        square = torch.tensor([[1, 2], [3, 4]])
        block = torch.tensor(
            [[[0.1205, 0.1218], [0.1326, 0.1112], [0.1276, 0.1477], [0.1228, 0.1192]]], requires_grad=True
        )
        return str(line), str(line.shape), str(square), str(square.shape), str(block), str(block.shape)

    line, line_shape, square, square_shape, block, block_shape = same(program)
    assert line == "tensor([9.8609e+07, 1.3485e+06, 6.7135e+09])"
    assert (line_shape, square_shape, block_shape) == (
        "torch.Size([3])",
        "torch.Size([2, 2])",
        "torch.Size([1, 4, 2])",
    )
    assert square == "tensor([[1, 2],\n        [3, 4]])"
    assert block == (
        "tensor([[[0.1205, 0.1218],\n         [0.1326, 0.1112],\n         [0.1276, 0.1477],\n"
        "         [0.1228, 0.1192]]], requires_grad=True)"
    )


def test_large_tensors_are_printed_with_dots() -> None:
    def program(torch: Any) -> Any:
        rows = torch.tensor([-3, 0, 15, -29, 41, 3]).view(6, 1) / 10000
        return str(rows.expand(6, 784)), str(rows.repeat(300, 1)), str(torch.arange(2000).view(2, 1000))

    few_rows, many_rows, _ = same(program)
    assert few_rows.splitlines()[0] == "tensor([[-0.0003, -0.0003, -0.0003,  ..., -0.0003, -0.0003, -0.0003],"
    assert few_rows.splitlines()[1] == "        [ 0.0000,  0.0000,  0.0000,  ...,  0.0000,  0.0000,  0.0000],"
    assert many_rows.splitlines()[3] == "        ...,"


def test_long_rows_are_wrapped() -> None:
    def program(torch: Any) -> Any:
        return (
            str(torch.full((1, 10), 0.3)),
            str(torch.zeros(1, 1, 3, 3)),
            str(torch.zeros(2, 0)),
            str(torch.tensor(2.0)),
        )

    row, block, _, number = same(program)
    assert row == (
        "tensor([[0.3000, 0.3000, 0.3000, 0.3000, 0.3000, 0.3000, 0.3000, 0.3000, 0.3000,\n         0.3000]])"
    )
    assert block == "tensor([[[[0., 0., 0.],\n          [0., 0., 0.],\n          [0., 0., 0.]]]])"
    assert number == "tensor(2.)"


def test_item_makes_a_python_number() -> None:
    def program(torch: Any) -> Any:
        y_pred, y = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 1.0, 1.0])
        loss = (y_pred - y).pow(2).sum()
        return loss.item(), type(loss.item()), torch.tensor([[3]]).item(), f"{loss.item():.2f}", f"{loss:.3f}"

    assert same(program) == (10.0, float, 3, "10.00", "10.000")
    same(lambda torch: torch.zeros(2).item(), message=True)


# ------------------------------------------------------------------------------------------------------ arithmetic


def test_four_ways_to_add() -> None:
    def program(torch: Any) -> Any:
        x, y = torch.rand(5, 3), torch.rand(5, 3)
        result = torch.empty(5, 3)
        torch.add(x, y, out=result)
        before = x + y
        returned = y.add_(x)
        return before, torch.add(x, y - x), result, y, returned is y

    assert same(program)[-1] is True


def test_methods_with_an_underscore_change_the_tensor() -> None:
    def program(torch: Any) -> Any:
        x, y = torch.rand(2, 3), torch.ones(2, 3)
        x.copy_(y)
        x.mul_(3)
        turned = torch.arange(6).view(2, 3)
        turned.t_()
        return x, turned, turned.shape, turned.stride(), torch.ones(2).zero_(), torch.ones(2).fill_(7)

    same(program)


def test_matrix_products_want_matching_sides() -> None:
    """Older versions said "size mismatch, m1: [1 x 5], m2: [1 x 5]"."""
    error = same(lambda torch: torch.mm(torch.ones(1, 5), torch.ones(1, 5)), message=True)
    assert str(error) == "mat1 and mat2 shapes cannot be multiplied (1x5 and 1x5)"
    same(lambda torch: torch.matmul(torch.ones(1, 5), torch.ones(1, 5)), message=True)


def test_sums_along_a_dimension() -> None:
    def program(torch: Any) -> Any:
        x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        return torch.sum(x), torch.sum(x, dim=0), torch.sum(x, dim=1), x.sum(1, keepdim=True), str(x.sum(dim=1))

    assert same(program)[-1] == "tensor([ 6., 15.])"


def test_softmax_by_hand_needs_a_column() -> None:
    """(64, 10) / (64,) does not broadcast; a column of sums does."""

    def by_hand(torch: Any) -> Any:
        x = torch.randn(64, 10)
        probabilities = torch.exp(x) / torch.sum(torch.exp(x), dim=1).view(-1, 1)
        return probabilities, probabilities.shape, probabilities.sum(dim=1), torch.softmax(x, dim=1)

    same(by_hand)
    error = same(lambda torch: torch.ones(64, 10) / torch.ones(64), message=True)
    assert str(error) == ("The size of tensor a (10) must match the size of tensor b (64) at non-singleton dimension 1")


def test_mean_and_variance_of_channels() -> None:
    """Three means in a row, as in a batch normalisation by hand, equal one mean over three dimensions."""

    def program(torch: Any) -> Any:
        x = torch.randn(4, 3, 5, 5)
        mean = x.mean(dim=0, keepdim=True).mean(dim=2, keepdim=True).mean(dim=3, keepdim=True)
        var = ((x - mean) ** 2).mean(dim=0, keepdim=True).mean(dim=2, keepdim=True).mean(dim=3, keepdim=True)
        flat = torch.randn(4, 3)
        return (
            mean,
            var,
            mean.shape,
            x.mean(dim=(0, 2, 3)),
            flat.mean(dim=0),
            ((flat - flat.mean(dim=0)) ** 2).mean(dim=0),
        )

    same(program)


# ------------------------------------------------------------------------------------------------- NumPy and devices


def test_numpy_and_tensors_share_memory() -> None:
    def program(torch: Any) -> Any:
        array = numpy.arange(12.0).reshape(4, 3)
        tensor = torch.from_numpy(array)
        tensor.mul_(2)
        array[0, 0] = -1
        back = tensor.numpy()
        back[1, 1] = 50
        return tensor, tensor.dtype, array.tolist(), type(back).__name__, back is not array

    assert same(program)[-2] == "ndarray"


def test_a_new_shape_for_an_array_leaves_the_tensor_s() -> None:
    """The memory is shared, the shape is not."""

    def program(torch: Any) -> Any:
        array = numpy.arange(6.0)
        tensor = torch.from_numpy(array)
        array.shape = (2, 3)
        tensor.numpy().shape = (3, 2)
        return tensor.shape, array.shape

    assert same(program) == ((6,), (2, 3))


def test_numpy_of_a_tensor_with_gradient_is_refused() -> None:
    error = same(lambda torch: torch.ones(2, requires_grad=True).numpy(), message=True)
    assert str(error) == "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
    same(lambda torch: torch.ones(2, requires_grad=True).detach().numpy().tolist())


def test_the_device_of_a_tensor() -> None:
    def program(torch: Any) -> Any:
        device = torch.device("cpu")
        x = torch.ones(2).to(device)
        return device, x.device, str(device), repr(device), device.type, x.cpu() is x, x.to("cpu") is x, x.is_cuda

    _, _, printed, shown, *_ = same(program)
    assert (printed, shown) == ("cpu", "device(type='cpu')")


def test_devices_have_names_and_numbers() -> None:
    def program(torch: Any) -> Any:
        return [(str(each), each.type, each.index) for each in map(torch.device, ("cuda", "cuda:0", "cuda:1"))]

    assert same(program)[2] == ("cuda:1", "cuda", 1)


def test_choosing_a_device() -> None:
    """The usual three-way choice: CUDA, else Apple's, else the CPU. We have nothing for Apple's."""
    torch = minitorch
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert device == ("cuda" if torch.cuda.is_available() else "cpu")
    assert torch.backends.mps.is_available() is False
    tensor = torch.rand(2, 784).to(device)
    assert tensor.device.type == device
