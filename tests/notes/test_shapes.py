"""Shapes, views and indices; picking the most likely class and counting how often it is right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.both import same

# ------------------------------------------------------------------------------------------------- shapes and views


def test_view_shares_memory_and_infers_a_side() -> None:
    def program(torch: Any) -> Any:
        x = torch.randn(4, 4)
        y, z = x.view(16), x.view(-1, 8)
        z[0, 0] = 100.0
        flat = torch.zeros(4, 16, 5, 5).view(-1, 16 * 5 * 5)
        return x, y, z.shape, flat.shape, x.view(-1).shape, x.view(2, -1).shape, z.data_ptr() == x.data_ptr()

    *_, shared = same(program)
    assert shared is True


@pytest.mark.parametrize("shape", [(3, 4), (-1, 2), (-1, -1)])
def test_view_refuses_other_sizes(shape: tuple[int, ...]) -> None:
    same(lambda torch: torch.ones(5).view(*shape), message=True)


def test_view_refuses_what_needs_a_copy() -> None:
    same(lambda torch: torch.ones(2, 3).t().view(6), message=True)
    same(lambda torch: torch.arange(6).view(2, 3).t().reshape(6))


def test_reshape_and_resize() -> None:
    def program(torch: Any) -> Any:
        weights = torch.arange(5.0).view(1, 5)
        column = weights.reshape(5, 1)
        column[0, 0] = 9.0
        smaller = torch.arange(6.0)
        returned = smaller.resize_(2, 2)
        larger = torch.arange(2.0).resize_(2, 3)
        flat = torch.reshape(torch.zeros(2, 6, 30, 30), (-1, 3, 30, 30))
        return weights, column, smaller, returned is smaller, larger.shape, larger[0, :2], flat.shape

    same(program)


def test_flatten_squeeze_unsqueeze() -> None:
    def program(torch: Any) -> Any:
        x = torch.zeros(2, 1, 3, 1, 4)
        images = torch.zeros(64, 3, 4, 4)
        return (
            torch.squeeze(x).shape,
            torch.squeeze(x, 0).shape,
            torch.squeeze(x, 1).shape,
            torch.unsqueeze(x, 0).shape,
            torch.unsqueeze(x, -1).shape,
            torch.flatten(images).shape,
            torch.flatten(images, 1).shape,
            x.squeeze().unsqueeze(1).ndimension(),
        )

    squeezed, *_ = same(program)
    assert str(squeezed) == "torch.Size([2, 3, 4])"
    same(lambda torch: torch.zeros(2).unsqueeze(5), message=True)


def test_batches_are_stacked_from_equal_sizes() -> None:
    def different(torch: Any) -> Any:
        return torch.stack([torch.zeros(3, 237, 224), torch.zeros(3, 224, 400)])

    error = same(different, message=True)
    assert (
        str(error)
        == "stack expects each tensor to be equal size, but got [3, 237, 224] at entry 0 and [3, 224, 400] at entry 1"
    )
    same(lambda torch: torch.stack([torch.ones(2, 3), torch.zeros(2, 3)]))


# --------------------------------------------------------------------------------------------------------- indexing


def test_indexing_as_in_numpy() -> None:
    def program(torch: Any) -> Any:
        x = torch.arange(24).view(4, 6)
        return x[:, 1], x[1], x[-1, -1], x[1:3, ::2], x[:3, :], x[x > 20], x[..., 0], x[None].shape, str(x[:, 1])

    assert same(program)[-1] == "tensor([ 1,  7, 13, 19])"


def test_assigning_to_parts() -> None:
    def program(torch: Any) -> Any:
        x = torch.zeros(3, 4)
        x[0, 1] = 5
        x[:, -1] = torch.tensor([1.0, 2.0, 3.0])
        x[1, :2] = x[0, :2].sum()
        x[x == 0] = -1
        return x, str(x)

    same(program)


def test_windows_of_a_matrix() -> None:
    def program(torch: Any) -> Any:
        x = torch.arange(20.0).view(4, 5)
        return [x[i : i + 2, j : j + 2].max() for i in range(3) for j in range(4)]

    same(program)


# ------------------------------------------------------------------------------------ accuracy: topk, ==, conversions


def test_the_most_likely_class() -> None:
    def program(torch: Any) -> Any:
        probabilities = torch.tensor([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3]])
        labels = torch.tensor([1, 2, 0, 0])
        top_p, top_class = probabilities.topk(1, dim=1)
        equals = top_class == labels.view(*top_class.shape)
        accuracy = torch.mean(equals.type(torch.FloatTensor))
        return (
            top_p,
            top_class,
            equals,
            equals.shape,
            accuracy,
            f"Accuracy: {accuracy.item() * 100}%",
            str(top_class[:2, :]),
            (top_class == labels).shape,
        )

    *_, accuracy, printed, broadcast = same(program)
    assert accuracy == "Accuracy: 75.0%"
    assert printed == "tensor([[1],\n        [2]])"
    assert broadcast == (4, 4), "a column against a row compares everything with everything"


def test_topk_options() -> None:
    def program(torch: Any) -> Any:
        x = torch.tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
        smallest = torch.topk(x, 2, largest=False)
        return (
            torch.topk(x, 2),
            torch.topk(x, 1, dim=0),
            smallest.values,
            smallest.indices,
            torch.topk(x, 2, sorted=True),
        )

    same(program)


def test_the_mean_of_booleans_is_refused() -> None:
    """Older versions said "mean is not implemented for type torch.ByteTensor"."""
    error = same(lambda torch: torch.mean(torch.tensor([True, False])), message=True)
    assert isinstance(error, RuntimeError)
    same(lambda torch: torch.mean(torch.tensor([1, 2])), message=True)


def test_predictions_by_max_and_argmax() -> None:
    def program(torch: Any) -> Any:
        outputs = torch.tensor([[1.0, 3.0, 2.0], [9.0, 7.0, 8.0], [1.0, 1.0, 5.0]])
        labels = torch.tensor([1, 0, 1])
        values, predicted = torch.max(outputs.data, 1)
        correct = (predicted == labels).sum().item()
        by_argmax = (outputs.argmax(dim=1) == labels).float().sum().cpu().item()
        percent = "%d %%" % (100 * correct / labels.size(0))  # noqa: UP031
        names = " ".join("%5s" % ("plane", "car", "bird")[labels[j]] for j in range(3))  # noqa: UP031
        running = 0
        running += torch.sum(torch.argmax(outputs, 1) == labels.data)
        return values, predicted, correct, by_argmax, percent, names, running

    _, _, correct, by_argmax, percent, names, _ = same(program)
    assert (correct, by_argmax, percent, names) == (2, 2.0, "66 %", "  car plane   car")


def test_a_tensor_indexes_a_tuple() -> None:
    same(lambda torch: [("cat", "dog")[torch.tensor(1)], ["a", "b", "c"][torch.tensor([2])]])
    same(lambda torch: [0, 1][torch.tensor(1.0)], message=True)


def test_conversions_by_name() -> None:
    def program(torch: Any) -> Any:
        x = torch.tensor([0.0, 1.6, -2.7])
        names = ("float", "double", "half", "long", "int", "short", "char", "bool")
        by_method = [getattr(x, name)() for name in names]
        by_type = [
            x.type(torch.LongTensor),
            x.type("torch.DoubleTensor"),
            x.type(torch.int32),
            (x > 0).type(torch.FloatTensor),
        ]
        return by_method, by_type, [each.type() for each in by_method]

    same(program)
