"""Datasets against torch: what they return, in which order, and what they refuse."""

from __future__ import annotations

import pytest

import minitorch
from tests.harness.both import same


def squares(torch, length=6):
    """A map-style dataset."""

    class Squares(torch.utils.data.Dataset):
        def __getitem__(self, index):
            return index**2

        def __len__(self):
            return length

    return Squares()


def stream(torch, *values, sized=True):
    """An iterable dataset."""

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(values)

    class SizedStream(Stream):
        def __len__(self):
            return len(values)

    return SizedStream() if sized else Stream()


def everything(dataset):
    return [dataset[i] for i in range(len(dataset))]


PROGRAMS = {
    "dataset without getitem": lambda torch: torch.utils.data.Dataset()[0],
    "sum": lambda torch: everything(squares(torch) + squares(torch, 2) + squares(torch, 3)),
    "sum of streams": lambda torch: list(stream(torch, 1, 2) + stream(torch, 3)),
    "tensor dataset": lambda torch: everything(
        torch.utils.data.TensorDataset(torch.arange(12.0).reshape(4, 3), torch.arange(4))
    ),
    "tensor dataset by slice": lambda torch: torch.utils.data.TensorDataset(torch.arange(6), torch.ones(6))[1:5:2],
    "tensor dataset by tensor": lambda torch: torch.utils.data.TensorDataset(torch.arange(6))[torch.tensor([4, 0])],
    "tensor dataset from the end": lambda torch: torch.utils.data.TensorDataset(torch.arange(6))[-2],
    "tensor dataset past the end": lambda torch: torch.utils.data.TensorDataset(torch.arange(6))[6],
    "tensor dataset of other sizes": lambda torch: torch.utils.data.TensorDataset(torch.ones(2), torch.ones(3)),
    "tensor dataset length": lambda torch: len(torch.utils.data.TensorDataset(torch.ones(5, 2))),
    "concat": lambda torch: everything(torch.utils.data.ConcatDataset([[1, 2], "abc", range(1)])),
    "concat sizes": lambda torch: torch.utils.data.ConcatDataset(["ab", "", "c"]).cumulative_sizes,
    "concat from the end": lambda torch: [torch.utils.data.ConcatDataset(["ab", "cde"])[i] for i in range(-5, 5)],
    "concat before the start": lambda torch: torch.utils.data.ConcatDataset(["ab", "cde"])[-6],
    "concat past the end": lambda torch: torch.utils.data.ConcatDataset(["ab", "cde"])[5],
    "concat of nothing": lambda torch: torch.utils.data.ConcatDataset([]),
    "concat of streams": lambda torch: torch.utils.data.ConcatDataset([stream(torch, 1)]),
    "chain": lambda torch: list(torch.utils.data.ChainDataset([stream(torch, 1, 2), stream(torch, 3)])),
    "chain length": lambda torch: len(torch.utils.data.ChainDataset([stream(torch, 1, 2), stream(torch, 3)])),
    "chain of sequences": lambda torch: list(torch.utils.data.ChainDataset([[1, 2]])),
    "length of a chain of sequences": lambda torch: len(torch.utils.data.ChainDataset([[1, 2]])),
    "length of an unsized stream": lambda torch: len(stream(torch, 1, sized=False)),
    "subset": lambda torch: everything(torch.utils.data.Subset("abcdef", [5, 0, 0, 2])),
    "subset at once": lambda torch: torch.utils.data.Subset("abcdef", [5, 0, 0, 2]).__getitems__([1, 3]),
    "subset of subset at once": lambda torch: torch.utils.data.Subset(
        torch.utils.data.Subset("abcdef", [5, 0, 3]), [2, 0]
    ).__getitems__([1, 0]),
    "subset by list": lambda torch: torch.utils.data.Subset(torch.arange(10) * 2, [5, 0, 3])[[2, 0]],
    "stack": lambda torch: everything(torch.utils.data.StackDataset("abc", [1, 2, 3])),
    "stack by name": lambda torch: everything(torch.utils.data.StackDataset(x="abc", y=[1, 2, 3])),
    "stack at once": lambda torch: torch.utils.data.StackDataset(
        "abc", torch.utils.data.Subset("def", [2, 1, 0])
    ).__getitems__([2, 0]),
    "named stack at once": lambda torch: torch.utils.data.StackDataset(
        a="abc", b=torch.utils.data.Subset("def", [2, 1, 0])
    ).__getitems__([2, 0]),
    "stack of other lengths": lambda torch: torch.utils.data.StackDataset("abc", "de"),
    "named stack of other lengths": lambda torch: torch.utils.data.StackDataset(a="abc", b="de"),
    "stack of both kinds": lambda torch: torch.utils.data.StackDataset("abc", b="def"),
    "stack of nothing": lambda torch: torch.utils.data.StackDataset(),
    "split beyond the length": lambda torch: torch.utils.data.random_split(range(10), [3, 8]),
    "split with a negative fraction": lambda torch: torch.utils.data.random_split(range(10), [-0.5, 0.75, 0.75]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_equals_torch(name):
    same(PROGRAMS[name], message=True)


@pytest.mark.parametrize("lengths", [[10], [3, 7], [0, 4, 6], [0.5, 0.5], [0.3, 0.3, 0.4], [0.33, 0.33, 0.34], [1]])
@pytest.mark.parametrize("seed", [None, 0, 42])
def test_split_equals_torch(lengths, seed):
    total = 1 if lengths == [1] else 10

    def split(torch):
        generator = {} if seed is None else {"generator": torch.Generator().manual_seed(seed)}
        parts = torch.utils.data.random_split(range(total), lengths, **generator)
        return [(part.indices, list(part)) for part in parts], torch.rand(1)  # and the state it leaves

    same(split)


def test_split_warns_about_an_empty_part():
    def split(torch):
        with pytest.warns(UserWarning, match=r"Length of split at index 1 is 0. This might result in an empty dataset"):
            return [len(part) for part in torch.utils.data.random_split(range(3), [1.0, 0.0])]

    same(split)


def test_subset_subclass_must_define_both():
    def make(torch):
        class Upper(torch.utils.data.Subset):
            def __getitem__(self, idx):
                return self.dataset[idx].upper()

        return Upper("abc", [0])

    same(make, message=True)


def test_stack_checks_the_samples_of_its_parts():
    def take(torch):
        class Liar:
            def __len__(self):
                return 3

            def __getitems__(self, indices):
                return [0]

        return torch.utils.data.StackDataset("abc", Liar()).__getitems__([0, 1])

    same(take, message=True)


def test_rows_are_views_with_the_history_of_the_tensor():
    values = minitorch.arange(6.0).reshape(3, 2)
    rows = minitorch.utils.data.TensorDataset(values)
    rows[1][0][0] = 50.0
    assert values[1, 0].item() == 50.0
    factor = minitorch.ones(3, 2, requires_grad=True)
    product = (factor * values).sum()
    rows[0][0].fill_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.backward()


def test_gradients_flow_through_rows():
    values = minitorch.arange(6.0).reshape(3, 2).requires_grad_()
    dataset = minitorch.utils.data.TensorDataset(values)
    minitorch.utils.data.default_collate([dataset[0], dataset[2]])[0].sum().backward()
    assert values.grad.tolist() == [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
