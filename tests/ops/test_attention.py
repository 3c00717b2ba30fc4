"""Attention against torch; see ``tests/harness/contract.py`` for what each declaration is put through."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
import minitorch.nn.functional as F  # noqa: N812
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw

# A product, an exponential and another product of float32, in another order than torch's fused kernel
TOLERANCE = {"float32": (1e-4, 1e-5)}


def draw_attention(draw: Draw, batch: tuple[int, ...], fused: bool = True) -> Sample:
    L, S, E, E_v = [draw(st.integers(1, 4)) for _ in range(4)]
    specs = [Spec((*batch, L, E)), Spec((*batch, S, E)), Spec((*batch, S, E_v))]
    options: dict[str, Any] = {"scale": draw(st.sampled_from([None, 0.5, 1.0]))}
    kind = draw(st.sampled_from(["none", "causal", "bool", "float", "row"]))
    if kind == "causal":
        options["is_causal"] = True
    elif kind == "bool":
        options["attn_mask"] = Spec((L, S), dtype="bool")
    elif kind == "float":
        options["attn_mask"] = Spec((*batch, L, S), differentiable=not fused)
    elif kind == "row":
        options["attn_mask"] = Spec((1, S), dtype="bool")
    return Sample(*specs, **options)


def attention_samples(draw: Draw) -> Sample:
    """Batches of heads, for which torch has a fused kernel (without a second derivative)."""
    return draw_attention(draw, (draw(st.integers(1, 2)), draw(st.integers(1, 3))))


def plain_samples(draw: Draw) -> Sample:
    return draw_attention(draw, draw(st.sampled_from([(), (2,), (1, 2, 1)])), fused=False)


def grouped_samples(draw: Draw) -> Sample:
    H, groups, N = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    L, S, E = [draw(st.integers(1, 3)) for _ in range(3)]
    specs = [Spec((N, H * groups, L, E)), Spec((N, H, S, E)), Spec((N, H, S, E))]
    return Sample(*specs, enable_gqa=True)


def error(match: str, *shapes: Any, kind: type[Exception] = RuntimeError, **options: Any) -> ErrorCase:
    specs = [shape if isinstance(shape, Spec) else Spec(shape) for shape in shapes]
    return ErrorCase(Sample(*specs, **options), kind, match)


MASK = Spec((3, 6), dtype="bool")
Q, K, V = (3, 5), (6, 5), (6, 7)


class TestAttention(OpContract):
    declarations = [
        Declaration(
            "nn.functional.scaled_dot_product_attention",
            attention_samples,
            tiny=[
                Sample(Spec((2, 3)), Spec((2, 3)), Spec((2, 2))),
                Sample(Spec((2, 2)), Spec((2, 2)), Spec((2, 2)), attn_mask=Spec((2, 2))),
                Sample(Spec((2, 2)), Spec((3, 2)), Spec((3, 1)), is_causal=True),
            ],
            errors=[
                error(
                    "Explicit attn_mask should not be set when is_causal=True", Q, K, V, attn_mask=MASK, is_causal=True
                ),
                error("at least 2 dimensional, but got query.dim: 1 key.dim: 2 and value.dim: 2", (5,), K, V),
                error(r"shapes cannot be multiplied \(3x5 and 4x6\)", Q, (6, 4), V),
                error(r"shapes cannot be multiplied \(3x6 and 5x7\)", Q, K, (5, 7)),
                error("query.dtype: float key.dtype: double and value.dtype: float", Q, Spec(K, dtype="float64"), V),
                error(
                    "attn_mask.dtype: long int and  query.dtype: float", Q, K, V, attn_mask=Spec((3, 6), dtype="int64")
                ),
                error("attn_mask.dtype: double", Q, K, V, attn_mask=Spec((3, 6), dtype="float64")),
                error(r"tensor a \(6\) must match the size of tensor b \(5\)", Q, K, V, attn_mask=Spec((3, 5))),
                error("does not broadcast to", Q, K, V, attn_mask=Spec((2, 3, 6))),
                error(r"tensor a \(4\) must match the size of tensor b \(2\)", (2, 4, *Q), (2, 2, *K), (2, 2, *V)),
                error("must divide the number of heads in", (2, 4, *Q), (2, 3, *K), (2, 3, *V), enable_gqa=True),
                error("at least 3 dimensions", Q, K, V, kind=IndexError, enable_gqa=True),
                ErrorCase(Sample(Spec(Q), Spec(K), Spec(V)), RuntimeError, "floating point query", "int64"),
            ],
            tolerance=TOLERANCE,
            twice=False,
        ),
        Declaration(
            "nn.functional.scaled_dot_product_attention of any rank",
            plain_samples,
            ours=F.scaled_dot_product_attention,
            theirs=oracle.nn.functional.scaled_dot_product_attention,
            tolerance=TOLERANCE,
        ),
        Declaration(
            "nn.functional.scaled_dot_product_attention with shared heads",
            grouped_samples,
            ours=F.scaled_dot_product_attention,
            theirs=oracle.nn.functional.scaled_dot_product_attention,
            tolerance=TOLERANCE,
            twice=False,
        ),
    ]


def pair(*shapes: tuple[int, ...], requires_grad: bool = True) -> Any:
    """Tensors of these shapes, ours and torch's."""
    generator = numpy.random.default_rng(0)
    arrays = [generator.uniform(-1, 1, shape) for shape in shapes]
    return [[make(array, requires_grad) for array in arrays] for make in (to_ours, to_torch)]


@pytest.mark.parametrize("is_bool", [True, False])
def test_a_query_that_may_look_at_nothing_gets_zero_and_sends_no_gradient(is_bool: bool) -> None:
    mask = numpy.ones((3, 4), bool) if is_bool else numpy.zeros((3, 4))
    mask[1] = False if is_bool else -numpy.inf
    ours, theirs = pair((3, 2), (4, 2), (4, 5))
    actual = F.scaled_dot_product_attention(*ours, attn_mask=to_ours(mask))
    expected = oracle.nn.functional.scaled_dot_product_attention(*theirs, attn_mask=to_torch(mask))
    assert_equal(actual, expected)
    assert not actual.array[1].any()
    (actual * actual).sum().backward()
    (expected * expected).sum().backward()
    for mine, wanted in zip(ours, theirs):
        assert_equal(mine.grad, wanted.grad)


def test_no_keys_at_all() -> None:
    ours, theirs = pair((3, 2), (0, 2), (0, 5), requires_grad=False)
    expected = oracle.nn.functional.scaled_dot_product_attention(*theirs)
    assert_equal(F.scaled_dot_product_attention(*ours), expected)


def test_dropout_drops_the_weights_that_torch_drops() -> None:
    ours, theirs = pair((2, 3, 4), (2, 5, 4), (2, 5, 2))
    minitorch.manual_seed(3)
    oracle.manual_seed(3)
    expected = oracle.nn.functional.scaled_dot_product_attention(*theirs, dropout_p=0.4)
    assert_equal(F.scaled_dot_product_attention(*ours, dropout_p=0.4), expected)


def test_a_weight_of_the_future_is_zero() -> None:
    """Later values may change without an earlier query noticing."""
    (q, k, v), _ = pair((3, 2), (3, 2), (3, 2), requires_grad=False)
    before = F.scaled_dot_product_attention(q, k, v, is_causal=True).array.copy()
    v.array[2] = 1e6
    after = F.scaled_dot_product_attention(q, k, v, is_causal=True).array
    numpy.testing.assert_array_equal(before[:2], after[:2])
    assert (before[2] != after[2]).all()
