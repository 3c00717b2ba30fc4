"""Memory: strides, contiguity, as_strided, windows, resize."""

from __future__ import annotations

import math

import numpy
import pytest
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import LAYOUTS, Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape

MATRIX = Spec((2, 3))


def strided_samples(draw: Draw) -> Sample:
    count = draw(st.integers(1, 12))
    shape = draw(st.sampled_from([(count,), (1, count), (count, 1)]))
    size, strides, left = [], [], count - 1
    for _ in range(draw(st.integers(0, 3))):
        step = draw(st.integers(0, 3))
        each = draw(st.integers(0, left // step + 1 if step else 3))
        left -= max(each - 1, 0) * step
        size.append(each)
        strides.append(step)
    return Sample(Spec(shape), tuple(size), tuple(strides), draw(st.integers(0, left)))


def unfold_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3, 1)
    dim = draw_dim(draw, len(shape))
    limit = shape[dim] if shape else 1
    return Sample(Spec(shape), dim, draw(st.integers(0 if shape else 1, limit)), draw(st.integers(1, 4)))


class TestStrided(OpContract):
    declarations = [
        Declaration(
            "as_strided",
            strided_samples,
            tiny=[Sample(Spec((5,)), (3, 2), (1, 1), 1)],
            errors=[
                ErrorCase(Sample(MATRIX, (2,), (1, 2)), RuntimeError, "mismatch in length of strides and shape"),
                ErrorCase(Sample(MATRIX, (2,), (-1,)), RuntimeError, r"Negative strides .* got strides: \[-1\]"),
                ErrorCase(
                    Sample(MATRIX, (20,), (1,)),
                    RuntimeError,
                    r"requiring a storage size of 80 are out of bounds for storage of size 24",
                ),
                ErrorCase(Sample(MATRIX, (2,), (1,), -1), RuntimeError, "invalid storage offset -1"),
            ],
            check_layouts=False,  # its meaning depends on the layout: see the tests below
        ),
        Declaration(
            "Tensor.unfold",
            unfold_samples,
            tiny=[Sample(Spec((5,)), 0, 3, 1), Sample(Spec((2, 4)), 1, 2, 3)],
            errors=[
                ErrorCase(
                    Sample(MATRIX, 0, 3, 1), RuntimeError, "maximum size for tensor at dimension 0 is 2 but size is 3"
                ),
                ErrorCase(Sample(MATRIX, 0, 1, 0), RuntimeError, "step is 0 but must be > 0"),
                ErrorCase(Sample(MATRIX, 0, -1, 1), RuntimeError, "size is -1 but must be >= 0"),
            ],
        ),
        Declaration("Tensor.contiguous", lambda draw: Sample(Spec(draw_shape(draw)))),
    ]


CHANGES = [
    lambda x: x,
    lambda x: x[1:],
    lambda x: x.transpose(0, 1),
    lambda x: x[:, ::2],
    lambda x: x[:, 1:].unsqueeze(0).expand(2, -1, -1, -1),
    lambda x: x[0, 1],
    lambda x: x.permute(2, 0, 1)[1:],
]


@pytest.mark.parametrize("change", CHANGES)
def test_strides_and_offset_are_torchs(change) -> None:
    ours, theirs = change(torch.arange(24).view(2, 3, 4)), change(oracle.arange(24).view(2, 3, 4))
    assert ours.stride() == theirs.stride()
    assert ours.stride(-1) == theirs.stride(-1)
    assert ours.storage_offset() == theirs.storage_offset()
    assert ours.is_contiguous() == theirs.is_contiguous()


@pytest.mark.parametrize("shape", [(2, 0, 3), (0,), (), (1, 1), (3, 1, 2)])
def test_strides_of_shapes_with_zeros_and_ones(shape) -> None:
    assert torch.zeros(shape).stride() == oracle.zeros(shape).stride()


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 1, 4, 5), (1, 3, 1, 1), (2, 3, 4, 5, 2), (2, 3)])
@pytest.mark.parametrize("name", ["contiguous_format", "channels_last", "channels_last_3d", "preserve_format"])
def test_memory_formats(shape, name) -> None:
    ours, theirs = torch.zeros(shape), oracle.zeros(shape)
    try:
        expected = theirs.contiguous(memory_format=getattr(oracle, name))
    except RuntimeError:
        with pytest.raises(RuntimeError):
            ours.contiguous(memory_format=getattr(torch, name))
        return
    actual = ours.contiguous(memory_format=getattr(torch, name))
    assert actual.is_contiguous() == expected.is_contiguous()
    if name != "preserve_format":
        assert actual.is_contiguous(memory_format=getattr(torch, name))
    if 1 not in shape:  # the stride of a dimension of size 1 means nothing; NumPy and torch choose differently
        assert actual.stride() == expected.stride()


def test_contiguous_is_the_tensor_itself_or_a_copy() -> None:
    x = torch.zeros(2, 3, requires_grad=True)
    assert x.contiguous() is x
    turned = x.t().contiguous()
    assert turned.stride() == (2, 1)
    assert turned.grad_fn.name() == "CloneBackward0"


@given(st.data(), st.sampled_from(LAYOUTS))
def test_as_strided_of_a_view_counts_from_the_start_of_the_memory(data, layout) -> None:
    results = []
    sample = strided_samples(data.draw)
    count = math.prod(sample.args[0].shape)
    values = numpy.arange(float(count + 6))
    cotangent = numpy.random.default_rng(0).uniform(-1, 1, sample.args[1])
    part = data.draw(st.sampled_from([slice(2, None), slice(None), slice(0, None, 2)]))
    for make in (to_ours, to_torch):
        leaf = make(values, True)
        memory = leaf * 1
        shown = memory[part].as_strided(*sample.args[1:])
        shown.backward(make(cotangent))
        results.append((shown.tolist(), leaf.grad.tolist()))
    assert results[0][0] == results[1][0]
    numpy.testing.assert_allclose(results[0][1], results[1][1], 1e-12)


def test_as_strided_of_an_expanded_tensor_shares_the_gradient() -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor([1.0, 2.0], requires_grad=True)
        wide = x.expand(3, 2)
        (shown := wide.as_strided((2, 2), (0, 1))).backward(package.tensor([[1.0, 2.0], [3.0, 4.0]]))
        results.append((shown.tolist(), x.grad.tolist()))
    assert results[0] == results[1]


def test_resize() -> None:
    for package in (torch, oracle):
        x = package.arange(6)
        x.resize_(2, 2)
        assert x.tolist() == [[0, 1], [2, 3]]
        x.resize_((6,))
        assert x.tolist() == [0, 1, 2, 3, 4, 5]
        x.resize_as_(package.zeros(3, 3))
        assert x.reshape(-1)[:6].tolist() == [0, 1, 2, 3, 4, 5]
        assert x.shape == (3, 3)
        turned = package.arange(6).view(2, 3).t()
        assert turned.resize_(6).tolist() == [0, 1, 2, 3, 4, 5]
        with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
            package.zeros(2, requires_grad=True).resize_(3)
