"""Fused elementwise kernels and sums over dimensions that do not lie together, run by the emulator or on a GPU."""

from __future__ import annotations

from typing import Any

import pytest

from minitorch.backend.channels import View
from minitorch.backend.reduction import view_of_sum
from tests.ops.cuda_support import assert_as_torch, channels_last, normal

NAMES = ["relu", "sigmoid", "tanh", "gelu", "silu"]
SUMS = {
    "channels": (normal(4, 3, 5, 6), (0, 2, 3)),
    "channels last": (channels_last(normal(4, 3, 5, 6)), (0, 2, 3)),
    "columns": (normal(60, 70), 0),
    "middle": (normal(3, 50, 4), 1),
    "two stages": (normal(600, 40), 0),
    "everything": (normal(3, 4), (0, 1)),
}


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_elementwise(to_device: Any, name: str, dtype: str) -> None:
    x = normal(3, 7, 60) * 3
    assert_as_torch(lambda package, x: getattr(package.nn.functional, name)(x), [x], dtype, to_device)


@pytest.mark.parametrize(("op", "keepdim"), [("sum", False), ("mean", True)])
@pytest.mark.parametrize("name", SUMS)
def test_sums(to_device: Any, name: str, op: str, keepdim: bool) -> None:
    array, dims = SUMS[name]
    dtype = "float16" if name == "two stages" else "float32"
    assert_as_torch(lambda package, x: getattr(package, op)(x, dims, keepdim=keepdim), [array], dtype, to_device)


def test_gradient_of_a_broadcast_bias(to_device: Any) -> None:
    assert_as_torch(lambda package, x, bias: x + bias, [normal(50, 40), normal(40)], "float32", to_device)


@pytest.mark.parametrize(
    ("shape", "dims", "view"),
    [
        ((20, 1, 3, 4), (0, 3), View(N=20, C=3, S=4)),
        ((2, 3, 40, 5), (1, 2), View(N=120, C=5, S=1, O=2)),
        ((2, 3, 4, 5), (1,), None),  # few elements a sum
        ((70000, 40, 5), (1,), None),  # more than a grid has in its third direction
        ((2, 3, 4, 5), (2, 3), None),  # the last dimensions: CuPy's
        ((2, 3, 4, 5, 6), (0, 2, 4), None),  # no view has three parts
    ],
    ids=str,
)
def test_views_of_sums(shape: tuple[int, ...], dims: tuple[int, ...], view: View | None) -> None:
    assert view_of_sum(shape, dims) == view
