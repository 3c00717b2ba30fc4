"""Multi-head attention against torch; see ``tests/harness/contract.py`` for what the declaration is put through."""

from __future__ import annotations

import functools
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

NAME = "nn.functional.multi_head_attention_forward"


def attention_arguments(
    *,
    sizes: tuple[int, int, int, int] = (3, 4, 2, 4),
    heads: int = 2,
    batched: bool = True,
    bias: bool = True,
    appended: bool = False,
    zero: bool = False,
    **options: Any,
) -> Sample:
    """A call with query (L, N, E), key and value (S, N, E) and weights to fit."""
    L, S, N, E = sizes
    batch = (N,) if batched else ()
    extra = [Spec((1, 1, E)), Spec((1, 1, E))] if appended else [None, None]
    return Sample(
        Spec((L, *batch, E)),
        Spec((S, *batch, E)),
        Spec((S, *batch, E)),
        E,
        heads,
        None if options.get("use_separate_proj_weight") else Spec((3 * E, E)),
        Spec((3 * E,)) if bias else None,
        *extra,
        zero,
        0.0,
        Spec((E, E)),
        Spec((E,)) if bias else None,
        **options,
    )


def first_open(shape: tuple[int, ...], draw: Draw) -> Spec:
    """A boolean mask (True: ignored) that leaves every query at least the first key."""
    seed = draw(st.integers(0, 99))
    values = numpy.random.default_rng(seed).integers(0, 2, shape).astype(bool)
    values[..., 0] = False
    return Spec(shape, dtype="bool", values=values)


def samples(draw: Draw, need_weights: bool) -> Sample:
    L, S, N = [draw(st.integers(1, 3)) for _ in range(3)]
    heads = draw(st.integers(1, 2))
    E = heads * draw(st.integers(1, 2))
    batched = draw(st.booleans())
    options: dict[str, Any] = {"training": draw(st.booleans()), "need_weights": need_weights}
    mask = draw(st.sampled_from(["none", "bool", "float", "heads", "causal"]))
    if mask == "bool":
        options["attn_mask"] = first_open((L, S), draw)
    elif mask == "float":
        options["attn_mask"] = Spec((L, S), differentiable=False)
    elif mask == "heads":
        options["attn_mask"] = Spec(((N if batched else 1) * heads, L, S), differentiable=False)
    elif mask == "causal":
        options |= {
            "attn_mask": Spec((L, S), dtype="bool", values=numpy.triu(numpy.ones((L, S)), 1)),
            "is_causal": True,
        }
    if mask in ("none", "bool") and draw(st.booleans()):
        options["key_padding_mask"] = first_open((N, S) if batched else (S,), draw)
    if draw(st.booleans()):
        separate = {"use_separate_proj_weight": True}
        options |= {**separate, **{f"{letter}_proj_weight": Spec((E, E)) for letter in "qkv"}}
    if need_weights:
        options["average_attn_weights"] = draw(st.booleans())
    appended, zero = (draw(st.booleans()), draw(st.booleans())) if mask != "causal" else (False, False)
    flags = {"batched": batched, "bias": draw(st.booleans()), "appended": appended, "zero": zero}
    return attention_arguments(sizes=(L, S, N, E), heads=heads, **flags, **options)


def error(
    match: str, kind: type[Exception] = AssertionError, change: dict[int, Any] | None = None, **options: Any
) -> ErrorCase:
    sample = attention_arguments(**options)
    arguments = [(change or {}).get(place, argument) for place, argument in enumerate(sample.args)]
    return ErrorCase(Sample(*arguments, **sample.kwargs), kind, match)


SEPARATE = {"use_separate_proj_weight": True}
ERRORS = [
    error("query should be unbatched 2D or batched 3D tensor but received 4-D", change={0: Spec((1, 3, 2, 4))}),
    error("expected `key` and `value` to be 3-D but found 2-D and 3-D", change={1: Spec((4, 4))}),
    error("expected `key_padding_mask` to be `None` or 2-D but found 1-D", key_padding_mask=Spec((4,))),
    error("expected `attn_mask` to be `None`, 2-D or 3-D but found 1-D", attn_mask=Spec((4,))),
    error("Expected `attn_mask` shape to be", batched=False, attn_mask=Spec((1, 3, 4))),
    error("was expecting embedding dimension of 5, but got 4", change={3: 5}),
    error("embed_dim 4 not divisible by num_heads 3", heads=3),
    error("key shape .* does not match value shape", change={2: Spec((5, 2, 4))}),
    error("key's sequence and batch dims .* do not match value's", change={2: Spec((5, 2, 4))}, **SEPARATE),
    error("in_proj_weight is None", change={5: None}),
    error("q_proj_weight is None", **SEPARATE),
    error(
        "expecting query weights shape of",
        q_proj_weight=Spec((4, 3)),
        k_proj_weight=Spec((4, 4)),
        v_proj_weight=Spec((4, 4)),
        **SEPARATE,
    ),
    error("bias_k is set but bias_v is None", change={7: Spec((1, 1, 4))}),
    error("bias_v is set but bias_k is None", change={8: Spec((1, 1, 4))}),
    error("bias cannot be added to static key", appended=True, static_k=Spec((4, 4, 2))),
    error(r"expecting static_k.size\(0\) of 4, but got 3", static_k=Spec((3, 4, 2))),
    error(r"expecting static_v.size\(2\) of 2, but got 3", static_v=Spec((4, 4, 3))),
    error("only bool and floating types of attn_mask are supported", attn_mask=Spec((3, 4), dtype="int64")),
    error("key_padding_mask", key_padding_mask=Spec((2, 5))),
    error("Need attn_mask if specifying the is_causal hint", RuntimeError, is_causal=True),
    error("The shape of the 2D attn_mask is .* but should be", RuntimeError, attn_mask=Spec((4, 3))),
    error("The shape of the 3D attn_mask is .* but should be", RuntimeError, attn_mask=Spec((3, 3, 4))),
]


class TestMultiHeadAttention(OpContract):
    declarations = [
        Declaration(
            NAME,
            functools.partial(samples, need_weights=True),
            # two projections around the attention, in another order of operations than torch's
            tolerance={"float32": (1e-4, 1e-4)},
            tiny=[attention_arguments(sizes=(2, 1, 1, 1), heads=1)],
            errors=ERRORS,
        ),
        Declaration(
            f"{NAME} without weights",
            functools.partial(samples, need_weights=False),
            ours=F.multi_head_attention_forward,
            theirs=oracle.nn.functional.multi_head_attention_forward,
            tolerance={"float32": (1e-4, 1e-4)},
            twice=False,  # torch's fused kernel has no second derivative
        ),
    ]


def call(package: Any, convert: Any, shared: bool = False, **options: Any) -> Any:
    """One call with fixed values; ``shared``: self-attention, where the three inputs are one tensor."""
    generator = numpy.random.default_rng(0)
    sample = attention_arguments(sizes=(3, 3, 2, 4), **options)
    args, kwargs = sample.map(lambda spec: convert(spec.make(generator, "float64"), True))
    if shared:
        args[1] = args[2] = args[0]
    return package.nn.functional.multi_head_attention_forward(*args, **kwargs), args


@pytest.mark.parametrize("batched", [True, False])
def test_self_attention(batched: bool) -> None:
    """The same tensor three times: one product instead of three, and one gradient that adds up."""
    (ours, _), arguments = call(minitorch, to_ours, shared=True, batched=batched)
    (theirs, _), their_arguments = call(oracle, to_torch, shared=True, batched=batched)
    assert_equal(ours, theirs)
    (ours * ours).sum().backward()
    (theirs * theirs).sum().backward()
    for place in (0, 5, 6, 11, 12):
        assert_equal(arguments[place].grad, their_arguments[place].grad)


@pytest.mark.parametrize("need_weights", [True, False])
def test_dropout_drops_the_weights_that_torch_drops(need_weights: bool) -> None:
    results = []
    for package, convert in ((minitorch, to_ours), (oracle, to_torch)):
        package.manual_seed(1)
        sample = attention_arguments(need_weights=need_weights)
        generator = numpy.random.default_rng(0)
        args, kwargs = sample.map(lambda spec: convert(spec.make(generator, "float64")))  # noqa: B023
        args[10] = 0.5
        results.append(package.nn.functional.multi_head_attention_forward(*args, **kwargs))
    assert_equal(results[0][0], results[1][0])


def test_static_keys_and_values() -> None:
    options = {"static_k": Spec((4, 5, 2)), "static_v": Spec((4, 5, 2))}
    assert_equal(call(minitorch, to_ours, **options)[0][0], call(oracle, to_torch, **options)[0][0])


def test_masks_of_unlike_types_are_deprecated() -> None:
    options = {"attn_mask": Spec((3, 3)), "key_padding_mask": Spec((2, 3), dtype="bool", values=numpy.zeros((2, 3)))}
    with pytest.warns(UserWarning, match="mismatched key_padding_mask and attn_mask is deprecated"):
        call(minitorch, to_ours, **options)
