"""Multi-head attention as one function: project, attend in every head, join the heads, project again.

    heads_h = softmax(q_h · k_hᵀ / √D + mask) · v_h      with (q, k, v) projected and cut into H parts of D = E / H
    output  = concat(heads_1 … heads_H) · Wᵀ + b

Sequences come first and batches second here, (L, N, E), as in torch. Cutting into heads is a matter of shape and
strides, so nothing is copied for it.

Source: Vaswani et al., "Attention Is All You Need", 2017 (https://arxiv.org/abs/1706.03762).
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import array_module
from minitorch.ops.arithmetic import add
from minitorch.ops.attention import masked, scaled_dot_product_attention
from minitorch.ops.choice import where
from minitorch.ops.dropout import dropout
from minitorch.ops.joining import cat
from minitorch.ops.linear import linear
from minitorch.ops.matmul import BatchMatmul
from minitorch.ops.pad import pad
from minitorch.ops.permutation import permute
from minitorch.ops.reduction import mean
from minitorch.ops.shape import expand, reshape, squeeze, unsqueeze
from minitorch.ops.softmax import softmax
from minitorch.ops.splitting import chunk

Triple = tuple[Any, Any, Any]


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """What ``nn.MultiheadAttention`` computes; returns (output, weights or None).

    Shapes: query (L, N, E), key (S, N, E_k), value (S, N, E_v), or all without N; output (L, N, E), weights
    (N, L, S), or (N, H, L, S) unless ``average_attn_weights``.
    Args: in_proj_weight (3·E, E), in_proj_bias (3·E): the three input projections in one; with
    use_separate_proj_weight q_proj_weight (E, E), k_proj_weight (E, E_k), v_proj_weight (E, E_v) instead;
    bias_k, bias_v (1, 1, E): one more key and value; add_zero_attn: one more, of zeros; static_k, static_v
    (N·H, S, D): keys and values that are not projected; key_padding_mask (N, S), attn_mask (L, S) or
    (N·H, L, S): booleans say what is *ignored*, numbers are added; need_weights: if false, uses
    ``scaled_dot_product_attention`` and returns None for the weights; is_causal: a hint that ``attn_mask`` is
    the causal one.
    Raises: AssertionError for sizes that do not fit, RuntimeError for a mask of another shape and for
    ``is_causal`` without a mask; torch's types, both.
    """
    is_batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    same = key is query, value is key
    if not is_batched:
        query, key, value = [unsqueeze(each, 1) for each in (query, key, value)]
        key_padding_mask = None if key_padding_mask is None else unsqueeze(key_padding_mask, 0)
    (L, N, E), S = raw(query).shape, raw(key).shape[0]
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    _warn_of_unlike_masks(key_padding_mask, attn_mask)
    key_padding_mask = _as_numbers(key_padding_mask, "key_padding_mask", query)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the hint says it all
    else:
        attn_mask = _as_numbers(attn_mask, "attn_mask", query)
        is_causal = False
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if use_separate_proj_weight:
        weights = q_proj_weight, k_proj_weight, v_proj_weight
        q, k, v = _project_separately((query, key, value), weights, in_proj_bias)
    else:
        q, k, v = _project_together((query, key, value), same, in_proj_weight, in_proj_bias)
    if attn_mask is not None:
        attn_mask = _mask_of_heads(attn_mask, (L, S), N, num_heads)

    k, v, added = _append_bias(k, v, bias_k, bias_v, static_k, static_v)
    q = _cut_into_heads(q, num_heads)
    k = _cut_into_heads(k, num_heads) if static_k is None else _static_heads(static_k, "static_k", N, q)
    v = _cut_into_heads(v, num_heads) if static_v is None else _static_heads(static_v, "static_v", N, q)
    if add_zero_attn:
        k, v, added = _append_zeros(k), _append_zeros(v), added + 1
    mask = _join_masks(_widen(attn_mask, added), _widen(key_padding_mask, added), N, raw(k).shape[2])

    dropout_p = dropout_p if training else 0.0
    if need_weights:
        attended, weights_of_heads = _attend(q, k, v, mask, dropout_p)
    else:
        attended = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
    joined = reshape(permute(attended, (2, 0, 1, 3)), (L, N, E))  # (N, H, L, D) → (L, N, H·D)
    output = linear(joined, out_proj_weight, out_proj_bias)
    output = output if is_batched else squeeze(output, 1)
    if not need_weights:
        return output, None
    result = mean(weights_of_heads, 1) if average_attn_weights else weights_of_heads
    return output, (result if is_batched else squeeze(result, 0))


def _attend(q: Any, k: Any, v: Any, mask: Any, dropout_p: float) -> tuple[Any, Any]:
    """Attention that also returns its weights (N, H, L, S)."""
    scores = BatchMatmul.apply(q * math.sqrt(1 / raw(q).shape[-1]), k, right=True)
    weights = softmax(masked(scores, mask), -1)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return BatchMatmul.apply(weights, v), weights


def _cut_into_heads(value: Any, num_heads: int) -> Any:
    """(L, N, H·D) → (N, H, L, D), a view."""
    L, N, E = raw(value).shape
    return permute(reshape(value, (L, N, num_heads, E // num_heads)), (1, 2, 0, 3))


def _static_heads(value: Any, name: str, N: int, q: Any) -> Any:
    """(N·H, S, D) → (N, H, S, D)."""
    _, H, _, D = raw(q).shape
    found = raw(value).shape
    _require(found[0] == N * H, f"expecting {name}.size(0) of {N * H}, but got {found[0]}")
    _require(found[2] == D, f"expecting {name}.size(2) of {D}, but got {found[2]}")
    return reshape(value, (N, H, *found[1:]))


def _project_together(values: Triple, same: tuple[bool, bool], weight: Any, bias: Any) -> Triple:
    """The three projections with one packed weight; as one product where all three inputs are the same."""
    _require(weight is not None, "use_separate_proj_weight is False but in_proj_weight is None")
    if all(same):
        q, k, v = chunk(linear(values[0], weight, bias), 3, -1)
        return q, k, v
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    q, k, v = [linear(*each) for each in zip(values, chunk(weight, 3), biases)]
    return q, k, v


def _project_separately(values: Triple, weights: Triple, bias: Any) -> Triple:
    """The three projections with a weight each."""
    E = raw(values[0]).shape[-1]
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    results = []
    for letter, name, value, weight, part in zip("qkv", ("query", "key", "value"), values, weights, biases):
        _require(weight is not None, f"use_separate_proj_weight is True but {letter}_proj_weight is None")
        wanted, found = (E, raw(value).shape[-1]), tuple(raw(weight).shape)
        _require(found == wanted, f"expecting {name} weights shape of {wanted}, but got {found}")
        results.append(linear(value, weight, part))
    return results[0], results[1], results[2]


def _append_bias(k: Any, v: Any, bias_k: Any, bias_v: Any, static_k: Any, static_v: Any) -> tuple[Any, Any, int]:
    """Keys and values with the learned one appended, and how many were appended."""
    _require(bias_k is None or bias_v is not None, "bias_k is set but bias_v is None")
    _require(bias_v is None or bias_k is not None, "bias_v is set but bias_k is None")
    if bias_k is None:
        return k, v, 0
    _require(static_k is None, "bias cannot be added to static key.")
    _require(static_v is None, "bias cannot be added to static value.")
    N = raw(k).shape[1]
    extra_k, extra_v = [expand(bias, (1, N, raw(bias).shape[2])) for bias in (bias_k, bias_v)]
    return cat([k, extra_k]), cat([v, extra_v]), 1


def _append_zeros(value: Any) -> Any:
    """(N, H, S, D) → (N, H, S + 1, D), the last being zeros."""
    return pad(value, (0, 0, 0, 1))


def _widen(mask: Any, count: int) -> Any:
    """A mask with ``count`` more columns that are not masked."""
    return mask if mask is None or not count else pad(mask, (0, count))


def _join_masks(attn_mask: Any, key_padding_mask: Any, N: int, S: int) -> Any:
    """The sum of (…, L, S) and (N, S), which broadcasts to (N, H, L, S)."""
    if key_padding_mask is None:
        return attn_mask
    found = tuple(raw(key_padding_mask).shape)
    _require(found == (N, S), f"key_padding_mask of shape {found} does not fit {N} sequences of {S} keys")
    padding = reshape(key_padding_mask, (N, 1, 1, S))
    return padding if attn_mask is None else add(attn_mask, padding)


def _mask_of_heads(mask: Any, size: tuple[int, int], N: int, num_heads: int) -> Any:
    """The mask as (1, 1, L, S), or as (N, H, L, S)."""
    found = tuple(raw(mask).shape)
    wanted = size if len(found) == 2 else (N * num_heads, *size)
    if found != wanted:
        raise RuntimeError(f"The shape of the {len(found)}D attn_mask is {found}, but should be {wanted}.")
    return reshape(mask, (1, 1, *size) if len(found) == 2 else (N, num_heads, *size))


def _as_numbers(mask: Any, name: str, like: Any) -> Any:
    """A mask of booleans, which say what to ignore, as numbers to add: 0 or -inf."""
    if mask is None:
        return None
    array = raw(mask)
    _require(array.dtype.kind in "bf", f"only bool and floating types of {name} are supported")
    if array.dtype.kind == "f":
        return mask
    zeros = array_module(array).zeros(array.shape, raw(like).dtype)
    return where(mask, float("-inf"), zeros)


def _warn_of_unlike_masks(key_padding_mask: Any, attn_mask: Any) -> None:
    if key_padding_mask is None or attn_mask is None or raw(key_padding_mask).dtype == raw(attn_mask).dtype:
        return
    warnings.warn(
        "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type for both instead.",
        stacklevel=3,
    )


def _require(condition: bool, message: str) -> None:
    """torch checks the arguments of this function with assertions, so the type is theirs."""
    if not condition:
        raise AssertionError(message)


def _check_ranks(query: Any, key: Any, value: Any, key_padding_mask: Any, attn_mask: Any, num_heads: int) -> bool:
    """Whether the inputs are batched; raise torch's error if their numbers of dimensions do not go together."""
    ndim = raw(query).ndim
    _require(ndim in (2, 3), f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor")
    case = f"For {'batched (3-D)' if ndim == 3 else 'unbatched (2-D)'} `query`, expected"
    ranks = raw(key).ndim, raw(value).ndim
    _require(
        ranks == (ndim, ndim),
        f"{case} `key` and `value` to be {ndim}-D but found {ranks[0]}-D and {ranks[1]}-D tensors respectively",
    )
    if key_padding_mask is not None:
        found = raw(key_padding_mask).ndim
        message = f"{case} `key_padding_mask` to be `None` or {ndim - 1}-D but found {found}-D tensor instead"
        _require(found == ndim - 1, message)
    if attn_mask is not None:
        shape = tuple(raw(attn_mask).shape)
        message = f"{case} `attn_mask` to be `None`, 2-D or 3-D but found {len(shape)}-D tensor instead"
        _require(len(shape) in (2, 3), message)
        wanted = (num_heads, raw(query).shape[0], raw(key).shape[0])
        message = f"Expected `attn_mask` shape to be {wanted} but got {shape}"
        _require(ndim == 3 or len(shape) == 2 or shape == wanted, message)
    return ndim == 3


def _check_sizes(query: Any, key: Any, value: Any, embed_dim: int, num_heads: int, is_separate: bool) -> None:
    """Raise torch's error unless the inputs fit each other and the number of heads."""
    E = raw(query).shape[2]
    _require(embed_dim == E, f"was expecting embedding dimension of {embed_dim}, but got {E}")
    _require(E % num_heads == 0, f"embed_dim {E} not divisible by num_heads {num_heads}")
    of_key, of_value = tuple(raw(key).shape), tuple(raw(value).shape)
    if is_separate:
        message = f"key's sequence and batch dims {of_key[:2]} do not match value's {of_value[:2]}"
        _require(of_key[:2] == of_value[:2], message)
    else:
        _require(of_key == of_value, f"key shape {of_key} does not match value shape {of_value}")
