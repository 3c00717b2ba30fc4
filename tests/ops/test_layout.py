"""The memory layout of results: where torch's are row after row whatever the input's layout, ours are too.

Callers rely on it: ``x.transpose(1, 2).sum(0).view(-1)`` works in torch.
"""

from __future__ import annotations

import pytest
import torch as oracle

import minitorch
from tests.harness.both import same

RESULTS = {
    "sum": lambda torch, x: x.sum(0),
    "mean": lambda torch, x: x.mean(0),
    "mean of half": lambda torch, x: x.half().mean(0),
    "prod": lambda torch, x: x.prod(0),
    "amax": lambda torch, x: x.amax(0),
    "var": lambda torch, x: x.var(0),
    "norm": lambda torch, x: x.norm(dim=0),
    "any": lambda torch, x: (x > 0).any(0),
    "logsumexp": lambda torch, x: x.logsumexp(0),
    "median": lambda torch, x: tuple(x.median(0)),
    "topk": lambda torch, x: tuple(x.topk(2, 2)),
    "kthvalue": lambda torch, x: tuple(x.kthvalue(1, 0)),
    "cumsum": lambda torch, x: x.cumsum(0),
    "cumprod": lambda torch, x: x.cumprod(0),
    "softmax": lambda torch, x: x.softmax(1),
    "log_softmax": lambda torch, x: x.log_softmax(2),
    "cat": lambda torch, x: torch.cat([x, x], 1),
    "stack": lambda torch, x: torch.stack([x, x], -1),
    "masked_fill": lambda torch, x: x.masked_fill(x > 0, 0),
    "roll": lambda torch, x: x.roll(1, 0),
    "index": lambda torch, x: x[:, [0, 1]],
    "index of two": lambda torch, x: x[:, [1, 0], [0, 1]],
    "index_select": lambda torch, x: x.index_select(2, torch.tensor([0, 2])),
    "pad": lambda torch, x: torch.nn.functional.pad(x, (1, 1), mode="reflect"),
    "interpolate": lambda torch, x: torch.nn.functional.interpolate(x, scale_factor=2),
    "group_norm": lambda torch, x: torch.nn.functional.group_norm(x, 2),
    "one_hot": lambda torch, x: torch.nn.functional.one_hot((x > 0).long(), 2),
    "clone of expanded": lambda torch, x: x.contiguous().expand(5, 2, 4, 3).clone(),
}
INPUTS = {
    "contiguous": lambda torch: torch.randn(2, 4, 3),
    "transposed": lambda torch: torch.randn(2, 3, 4).transpose(1, 2),
    "permuted": lambda torch: torch.randn(3, 2, 4).permute(1, 2, 0),
    "strided": lambda torch: torch.randn(2, 4, 6)[:, :, ::2],
}


@pytest.mark.parametrize("layout", INPUTS)
@pytest.mark.parametrize("name", RESULTS)
def test_row_major_where_torch_is(name: str, layout: str) -> None:
    results = same(lambda torch: RESULTS[name](torch, INPUTS[layout](torch)))
    oracle.manual_seed(0)
    expected = RESULTS[name](oracle, INPUTS[layout](oracle))
    for ours, theirs in zip([results] if isinstance(results, minitorch.Tensor) else results, _listed(expected)):
        assert ours.is_contiguous() or not theirs.is_contiguous()


def _listed(value: oracle.Tensor | tuple[oracle.Tensor, ...]) -> list[oracle.Tensor]:
    return [value] if isinstance(value, oracle.Tensor) else list(value)
