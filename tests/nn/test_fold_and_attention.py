"""Unfold, Fold, MaxUnpool and MultiheadAttention as modules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.both import same


def test_unfold_and_fold() -> None:
    def program(torch: Any) -> Any:
        unfold, fold = torch.nn.Unfold(2, stride=2), torch.nn.Fold((4, 6), 2, stride=2)
        x = torch.randn(2, 3, 4, 6, requires_grad=True)
        columns = unfold(x)
        (fold(columns) * torch.randn(2, 3, 4, 6)).sum().backward()
        return columns.detach(), x.grad, repr(unfold), repr(fold)

    same(program)


def test_max_unpool() -> None:
    def program(torch: Any) -> Any:
        pool, unpool = torch.nn.MaxPool2d(2, return_indices=True), torch.nn.MaxUnpool2d(2)
        x = torch.randn(1, 2, 4, 4, requires_grad=True)
        values, indices = pool(x)
        y = unpool(values, indices)
        y.backward(torch.randn(1, 2, 4, 4))
        line = torch.nn.MaxUnpool1d(2, stride=2)
        pooled, places = torch.nn.MaxPool1d(2, return_indices=True)(torch.arange(8.0).reshape(1, 1, 8))
        return y.detach(), x.grad, repr(unpool), line(pooled, places), repr(line)

    same(program)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"bias": False},
    {"batch_first": True},
    {"kdim": 3, "vdim": 5},
    {"add_bias_kv": True, "add_zero_attn": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_multihead_attention(options: dict[str, Any]) -> None:
    def program(torch: Any) -> Any:
        layer = torch.nn.MultiheadAttention(8, 2, dtype=torch.float64, **options)
        shape = (lambda n, e: (3, n, e)) if options.get("batch_first") else (lambda n, e: (n, 3, e))
        query = torch.randn(shape(5, 8), dtype=torch.float64, requires_grad=True)
        key = torch.randn(shape(4, options.get("kdim", 8)), dtype=torch.float64)
        value = torch.randn(shape(4, options.get("vdim", 8)), dtype=torch.float64)
        output, weights = layer(query, key, value)
        (output * torch.randn(output.shape, dtype=torch.float64)).sum().backward()
        grads = [parameter.grad for parameter in layer.parameters()]
        return output.detach(), weights.detach(), query.grad, grads, repr(layer), list(layer.state_dict())

    same(program)


def test_masks() -> None:
    def program(torch: Any) -> Any:
        layer = torch.nn.MultiheadAttention(4, 2)
        x = torch.randn(3, 2, 4)
        causal = torch.triu(torch.ones(3, 3), 1).bool()
        padding = torch.tensor([[False, False, True], [False, False, False]])
        masked, weights = layer(x, x, x, key_padding_mask=padding, attn_mask=causal, average_attn_weights=False)
        fast, nothing = layer(x, x, x, attn_mask=causal, need_weights=False)
        return masked.detach(), weights.detach(), fast.detach(), nothing

    same(program)


def test_errors() -> None:
    same(lambda torch: torch.nn.MultiheadAttention(5, 2), message=True)
    same(lambda torch: torch.nn.MultiheadAttention(0, 2), message=True)
