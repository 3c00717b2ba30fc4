"""Multi-head attention as a layer; ``ops/attention.py`` has the mathematics."""

from __future__ import annotations

from typing import Any

from minitorch.nn import functional as F  # noqa: N812 (as everyone calls it)
from minitorch.nn import init
from minitorch.nn.linear import Linear
from minitorch.nn.module import Module
from minitorch.nn.parameter import Parameter
from minitorch.tensor.creation import empty
from minitorch.tensor.tensor import Tensor


class NonDynamicallyQuantizableLinear(Linear):
    """``Linear`` under the name that torch prints for attention's output projection."""


class MultiheadAttention(Module):
    """Attention over projected queries, keys and values, split into ``num_heads`` heads.

    Shapes: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), batch first with ``batch_first``, or
    without N; output as the query; weights (N, L, S), averaged over heads unless told otherwise.
    Raises: AssertionError (as torch) if ``embed_dim`` is not a multiple of ``num_heads``.
    Source: A. Vaswani et al., "Attention Is All You Need", https://arxiv.org/abs/1706.03762.

    >>> import minitorch as torch
    >>> layer = torch.nn.MultiheadAttention(embed_dim=8, num_heads=2)
    >>> output, weights = layer(torch.zeros(5, 1, 8), torch.zeros(4, 1, 8), torch.zeros(4, 1, 8))
    >>> output.shape, weights.shape
    (torch.Size([5, 1, 8]), torch.Size([1, 5, 4]))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        super().__init__()
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        where = {"device": device, "dtype": dtype}
        self._add_projections(where)
        self.register_parameter("in_proj_bias", Parameter(empty(3 * embed_dim, **where)) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **where)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty((1, 1, embed_dim), **where)) if add_bias_kv else None)
        self._reset_parameters()

    def _add_projections(self, where: dict[str, Any]) -> None:
        """One matrix for all three projections, or three where keys and values have sizes of their own."""
        E, is_joint = self.embed_dim, self.kdim == self.vdim == self.embed_dim
        shapes = {"q_proj_weight": (E, E), "k_proj_weight": (E, self.kdim), "v_proj_weight": (E, self.vdim)}
        if is_joint:
            self.in_proj_weight = Parameter(empty((3 * E, E), **where))
        for name, shape in shapes.items():
            self.register_parameter(name, None if is_joint else Parameter(empty(shape, **where)))
        if not is_joint:
            self.register_parameter("in_proj_weight", None)

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """(output, weights): see the class; masks as in ``F.multi_head_attention_forward``."""
        is_turned = self.batch_first and query.dim() == 3
        if is_turned:
            query, key, value = _swap_batch(query, key, value)
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=self.in_proj_weight is None,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (output.transpose(0, 1) if is_turned else output), weights


def _swap_batch(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sequence first, keeping what is the same tensor the same: one product can then project it three times."""
    swapped: dict[int, Tensor] = {}
    for each in (query, key, value):
        swapped.setdefault(id(each), each.transpose(0, 1))
    return swapped[id(query)], swapped[id(key)], swapped[id(value)]
