"""The mode that finds hidden copies; and calls that hide none, of ops that wait for the device in other cases."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import minitorch as torch
from minitorch.autograd.variable import wrap
from tests.harness.no_host_copy import HostCopyError, no_host_copy
from tests.harness.strict_array import strict

F = torch.nn.functional


@pytest.fixture(autouse=True)
def device(emulated: Any) -> None:
    """All tests here run on the stand-in for a GPU."""


def on_device(*shape: int, dtype: str = "float32") -> Any:
    values = numpy.arange(numpy.prod(shape)).reshape(shape).astype(dtype)
    return wrap(strict.asarray(values), torch.Tensor)


@pytest.mark.parametrize(
    "run",
    [
        lambda x, i, m: x[1:, ::2],
        lambda x, i, m: x[1, None],
        lambda x, i, m: x[i],
        lambda x, i, m: x[:, i],
        lambda x, i, m: x.__setitem__(1, 5.0),
        lambda x, i, m: x.__setitem__((slice(None), slice(1, 3)), x[:, :2] * 2),
        lambda x, i, m: x.masked_fill_(m, -1),
        lambda x, i, m: x.__setitem__(m, 0),
        lambda x, i, m: x.__setitem__(m[:, 0], 2.5),
        lambda x, i, m: x.masked_scatter(m, x),
        lambda x, i, m: x.scatter_reduce(0, i[None], x, "prod"),
        lambda x, i, m: torch.where(m, x, 0),
        lambda x, i, m: torch.histc(x, 5, 0, 4),
        lambda x, i, m: F.one_hot(i, 4),
        lambda x, i, m: x.gather(0, i[None]),
        lambda x, i, m: x.index_select(1, i),
        lambda x, i, m: x.scatter_add(0, i[None], x),
        lambda x, i, m: F.cross_entropy(x, i[:3]),
        lambda x, i, m: F.embedding(i, x),
        lambda x, i, m: x.uniform_ and x.sum().sqrt() / x.numel(),
        lambda x, i, m: x.topk(2),
        lambda x, i, m: F.gelu(x.double()),
        lambda x, i, m: F.dropout(x, 0.5).sum(),
        lambda x, i, m: F.avg_pool2d(x[None], 2, padding=1, count_include_pad=False),
        lambda x, i, m: x.quantile(torch.full((2,), 0.5, device="cuda")),
    ],
)
def test_nothing_waits_and_nothing_is_copied(run: Any) -> None:
    x, i = on_device(3, 4), wrap(strict.asarray(numpy.array([1, 0, 2, 1])), torch.Tensor)
    mask = x > 3
    with no_host_copy():
        run(x, i, mask)


def test_a_mask_is_filled() -> None:
    x = on_device(3, 2)
    version = x._version
    with no_host_copy():
        x[x > 2] = 7
        x[torch.full((3,), True, device="cuda") & (x[:, 0] == 0)] = -1
    assert x.tolist() == [[-1, -1], [2, 7], [7, 7]]
    assert x._version == version + 2
    with pytest.raises(IndexError):
        x[torch.full((2,), True, device="cuda")] = 0


def test_what_the_user_asks_for_is_no_hidden_copy() -> None:
    x = on_device(2)
    with no_host_copy():
        assert x.tolist() == [0, 1]
        assert x.sum().item() == float(x.sum()) == 1
        assert bool(x[1] > 0)
        assert x.cpu().numpy().tolist() == [0, 1]
        assert repr(x) == "tensor([0., 1.], device='cuda:0')"
        assert torch.tensor([1.0], device="cuda").to("cpu").to("cuda").is_cuda
        assert torch.nn.Linear(2, 1).to("cuda").weight.is_cuda


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (lambda x: x[x > 0], "nonzero waits for the device"),
        (lambda x: torch.allclose(x, x), "__bool__ waits"),
        (lambda x: F.one_hot(x.long()), "__int__ waits"),
        (lambda x: F.ctc_loss(torch.zeros(2, 1, 2, device="cuda"), x.long()[None, 1:], [2], [1]), "copies to the host"),
    ],
)
def test_hidden_ones_are_refused(run: Any, reason: str) -> None:
    x = on_device(2)
    run(x)
    with no_host_copy(), pytest.raises(HostCopyError, match=reason):
        run(x)


def test_a_wait_that_the_library_asks_for_is_hidden() -> None:
    """``clip_grad_norm_`` may look at the norm only because the caller wants an error; an optimizer never may."""
    parameter = torch.nn.Parameter(on_device(2))
    parameter.grad = on_device(2)
    with no_host_copy():
        torch.nn.utils.clip_grad_norm_([parameter], 1.0)
        torch.optim.SGD([parameter], 0.1, momentum=0.9).step()
        with pytest.raises(HostCopyError):
            torch.nn.utils.clip_grad_norm_([parameter], 1.0, error_if_nonfinite=True)
