"""Padding, upsampling and pixel-shuffling layers: outputs, gradients and reprs as torch's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.both import same

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("Upsample", (), {"scale_factor": 2}, (1, 2, 3)),
    ("Upsample", (), {"scale_factor": (2, 1.5), "mode": "bilinear"}, (1, 2, 3, 4)),
    ("Upsample", ((3, 5),), {"mode": "bicubic", "align_corners": True}, (1, 2, 3, 4)),
    ("UpsamplingNearest2d", (4,), {}, (1, 2, 3, 4)),
    ("UpsamplingBilinear2d", (), {"scale_factor": 2}, (1, 2, 3, 4)),
    ("PixelShuffle", (2,), {}, (1, 4, 2, 3)),
    ("PixelUnshuffle", (2,), {}, (1, 1, 2, 4)),
]
for kind in ("ReflectionPad", "ReplicationPad", "CircularPad", "ZeroPad"):
    CASES += [
        (f"{kind}1d", (1,), {}, (2, 3, 4)),
        (f"{kind}2d", ((1, 0, 2, 1),), {}, (2, 3, 4, 4)),
        (f"{kind}3d", (1,), {}, (1, 2, 3, 3, 3)),
    ]
CASES += [
    ("ConstantPad1d", (2, 3.5), {}, (2, 3)),
    ("ConstantPad2d", ((1, -1, 0, 2), 1.5), {}, (2, 3, 4)),
    ("ConstantPad3d", (1, -1), {}, (1, 2, 2, 2)),
]


@pytest.mark.parametrize(("name", "arguments", "options", "shape"), CASES, ids=[case[0] for case in CASES])
def test_layer(name: str, arguments: tuple[Any, ...], options: dict[str, Any], shape: tuple[int, ...]) -> None:
    def program(torch: Any) -> Any:
        layer = getattr(torch.nn, name)(*arguments, **options)
        x = torch.randn(shape, requires_grad=True)
        y = layer(x)
        y.backward(torch.randn(y.shape))
        return y.detach(), x.grad, repr(layer)

    same(program)
