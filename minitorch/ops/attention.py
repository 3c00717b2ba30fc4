"""Scaled dot-product attention: every query takes an average of the values, weighted by how well the keys match.

Source: Vaswani et al., "Attention Is All You Need", 2017 (https://arxiv.org/abs/1706.03762); several queries'
heads sharing one key's head: Ainslie et al., "GQA", 2023 (https://arxiv.org/abs/2305.13245).
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import check_broadcastable
from minitorch.autograd.primitive import is_broadcastable_to
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.arithmetic import add
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.dropout import dropout
from minitorch.ops.matmul import BatchMatmul
from minitorch.ops.matmul_checks import C_NAMES, arrays_of, refuse_sizes
from minitorch.ops.promotion import to_dtype
from minitorch.ops.rearranging import repeat_interleave
from minitorch.ops.softmax import Dims, Softmax, softmax_array

MINUS_INFINITY = float("-inf")


class SafeSoftmax(Softmax):
    """Softmax, but 0 instead of nan for a query that may look at nothing: a line of -inf."""

    def forward(self, scores: Array, *, dims: Dims) -> Array:
        self.dims = dims
        xp = array_module(scores)
        nothing = (scores == MINUS_INFINITY).all(axis=dims, keepdims=True)
        probabilities = xp.where(nothing, 0, softmax_array(scores, dims)).astype(scores.dtype, copy=False)
        self.save(probabilities)
        return probabilities


@autocasts
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Values averaged with weights that say how well each key matches the query.

    Formula: output = softmax(query · keyᵀ · scale + mask) · value
    Shapes: query (…, L, E), key (…, S, E), value (…, S, E_v) → (…, L, E_v); the leading dimensions broadcast.
    Gradient: that of its steps.
    Args: attn_mask: broadcastable to (…, L, S); booleans say what takes part, numbers are added to the scores;
    dropout_p: the probability to drop a weight (always applied: pass 0 outside training); is_causal: query i
    sees keys 0 … i only; scale: 1/√E by default; enable_gqa: key and value may have fewer heads (dimension -3),
    each then serving several heads of the query.
    Raises: RuntimeError if sizes or dtypes do not match, or for a mask together with ``is_causal``.
    Numerics: a query that may look at nothing gets 0, as in torch. The (L, S) weights are held in memory.

    >>> import minitorch as torch
    >>> query, key = torch.tensor([[0.0, 9.0]]), torch.tensor([[9.0, 0.0], [0.0, 9.0]])
    >>> torch.nn.functional.scaled_dot_product_attention(query, key, torch.tensor([[1.0], [2.0]]))
    tensor([[2.]])
    """
    q, k, v = arrays_of("scaled_dot_product_attention", ("query", "key", "value"), query, key, value)
    _check_operands(q, k, v)
    if enable_gqa:
        key, value = _shared_heads(query, key), _shared_heads(query, value)
        k, v = raw(key), raw(value)
    _check_sizes(q, k, v)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = BatchMatmul.apply(query * scale, key, right=True)
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
            )
        attn_mask = array_module(q).tri(q.shape[-2], k.shape[-2], dtype=bool)
    softmax = Softmax if attn_mask is None else SafeSoftmax
    weights = softmax.apply(masked(scores, attn_mask), dims=(raw(scores).ndim - 1,))
    return BatchMatmul.apply(dropout(weights, dropout_p) if dropout_p > 0 else weights, value)


def masked(scores: Any, mask: Any) -> Any:
    """The scores with -inf where a boolean mask is false, or with a mask of numbers added."""
    if mask is None:
        return scores
    array, found = raw(mask), raw(scores)
    if array.dtype.kind != "b" and array.dtype not in (found.dtype, array_module(found).float32):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{C_NAMES[array.dtype.name]} and  query.dtype: {C_NAMES[found.dtype.name]} instead."
        )
    if not is_broadcastable_to(array.shape, found.shape):
        check_broadcastable(found.shape, array.shape)
        raise RuntimeError(f"attn_mask of shape {list(array.shape)} does not broadcast to {list(found.shape)}")
    if array.dtype.kind == "b":
        return where(mask, scores, MINUS_INFINITY)
    return add(scores, to_dtype(mask, from_numpy_dtype(found.dtype)))


def _shared_heads(query: Any, key: Any) -> Any:
    """``key`` (or value) with each head repeated for all of the query's heads that it serves."""
    q, k = raw(query), raw(key)
    if q.ndim < 3 or k.ndim < 3:
        raise IndexError("enable_gqa=True needs a dimension of heads: tensors of at least 3 dimensions")
    if k.shape[-3] == 0 or q.shape[-3] % k.shape[-3]:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in query")
    count = q.shape[-3] // k.shape[-3]
    return key if count == 1 else repeat_interleave(key, count, k.ndim - 3)


def _check_operands(q: Array, k: Array, v: Array) -> None:
    """Raise torch's error unless all three have at least two dimensions and one floating-point dtype."""
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{q.ndim} key.dim: {k.ndim} and value.dim: {v.ndim} instead."
        )
    if not q.dtype == k.dtype == v.dtype:
        names = [C_NAMES[array.dtype.name] for array in (q, k, v)]
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {names[0]} key.dtype: "
            f"{names[1]} and value.dtype: {names[2]} instead."
        )
    if q.dtype.kind != "f":
        raise RuntimeError(
            f"scaled_dot_product_attention: expected a floating point query, got {C_NAMES[q.dtype.name]}"
        )


def _check_sizes(q: Array, k: Array, v: Array) -> None:
    """Raise torch's error unless both products make sense."""
    if q.shape[-1] != k.shape[-1]:
        refuse_sizes(q.shape[-2], q.shape[-1], k.shape[-1], k.shape[-2])
    if k.shape[-2] != v.shape[-2]:
        refuse_sizes(q.shape[-2], k.shape[-2], *v.shape[-2:])
    check_broadcastable(q.shape[:-2], k.shape[:-2])
    check_broadcastable(k.shape[:-2], v.shape[:-2])
    check_broadcastable(q.shape[:-2], v.shape[:-2])
