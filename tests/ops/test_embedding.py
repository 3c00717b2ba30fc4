"""embedding and one_hot against torch."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

TABLE = Spec((4, 3))


def numbers(values, dtype: str = "int64") -> Spec:
    return Spec(numpy.shape(values), dtype, values=values, differentiable=False)


def embedding_samples(draw: Draw) -> Sample:
    rows = draw(st.integers(1, 6))
    shape = draw_shape(draw, 0, 3, 1)  # torch's second derivative fails for no indices at all
    values = numpy.random.default_rng(draw(st.integers(0, 999))).integers(0, rows, shape)
    options = {"padding_idx": draw(st.none() | st.integers(-rows, rows - 1))}
    table = Spec((rows, draw(st.integers(0, 4))))
    return Sample(numbers(values, draw(st.sampled_from(["int64", "int32"]))), table, **options)


def scaled_samples(draw: Draw) -> Sample:
    sample = embedding_samples(draw)
    return Sample(*sample.args, **sample.kwargs, scale_grad_by_freq=True)


def one_hot_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3, 1)
    values = numpy.random.default_rng(draw(st.integers(0, 999))).integers(0, 5, shape)
    return Sample(numbers(values), draw(st.sampled_from([-1, 5, 7])))


class TestEmbedding(OpContract):
    declarations = [
        Declaration(
            "nn.functional.embedding",
            embedding_samples,
            tiny=[Sample(numbers([[1, 0], [1, 3]]), TABLE), Sample(numbers([1, 0]), TABLE)],
            errors=[
                ErrorCase(Sample(numbers([5]), TABLE), IndexError, "index out of range in self"),
                ErrorCase(Sample(numbers([-1]), TABLE), IndexError, "index out of range in self"),
                ErrorCase(Sample(numbers([0.0], "float32"), TABLE), RuntimeError, "but got torch.FloatTensor instead"),
                ErrorCase(Sample(numbers([0]), Spec((3,))), RuntimeError, "'weight' must be 2-D"),
                ErrorCase(Sample(numbers([0]), TABLE, 4), AssertionError, "Padding_idx must be within num_embeddings"),
                ErrorCase(Sample(numbers([0]), TABLE, -5), AssertionError, "Padding_idx must be within num_embeddings"),
                ErrorCase(Sample(numbers([0]), TABLE, sparse=True), NotImplementedError, "sparse", torch_error=None),
            ],
        ),
        Declaration(
            "nn.functional.embedding with scaled gradients",
            scaled_samples,
            ours=torch.nn.functional.embedding,
            theirs=oracle.nn.functional.embedding,
            tiny=[Sample(numbers([1, 0]), TABLE, scale_grad_by_freq=True)],
            twice=False,  # torch forgets the scale in the second derivative
        ),
        Declaration(
            "nn.functional.one_hot",
            one_hot_samples,
            differentiable=False,
            errors=[
                ErrorCase(Sample(numbers([0, -1])), RuntimeError, "Class values must be non-negative"),
                ErrorCase(Sample(numbers([0, 3]), 2), RuntimeError, "Class values must be smaller than num_classes"),
                ErrorCase(
                    Sample(numbers([0.0], "float32")),
                    RuntimeError,
                    "only applicable to index tensor of type LongTensor",
                ),
                ErrorCase(Sample(numbers([])), RuntimeError, "Can not infer total number of classes from empty tensor"),
            ],
        ),
    ]


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, float("inf")])
def test_long_rows_are_shortened_in_place(norm_type) -> None:
    table = numpy.random.default_rng(0).uniform(-2, 2, (5, 3)).astype("float32")
    results = []
    for package, make in ((torch, to_ours), (oracle, to_torch)):
        weight = make(table.copy(), True)
        result = package.nn.functional.embedding(
            make(numpy.array([1, 1, 4])), weight, max_norm=1.0, norm_type=norm_type
        )
        result.sum().backward()
        results.append([result.tolist(), weight.tolist(), weight.grad.tolist()])
    for ours, theirs in zip(*results):
        numpy.testing.assert_allclose(ours, theirs, 1e-6)


def test_no_indices() -> None:
    weight = torch.ones(2, 3, requires_grad=True)
    result = torch.nn.functional.embedding(torch.zeros(0, 2, dtype=torch.int64), weight)
    assert result.shape == (0, 2, 3)
    result.sum().backward()
    assert weight.grad.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_embedding_is_one_hot_times_table() -> None:
    chosen, table = torch.tensor([2, 0]), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    product = [
        [sum(h * w for h, w in zip(hot, column)) for column in zip(*table.tolist())]
        for hot in torch.nn.functional.one_hot(chosen).tolist()
    ]
    assert torch.nn.functional.embedding(chosen, table).tolist() == product
