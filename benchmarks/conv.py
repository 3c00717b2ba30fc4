"""Convolution: minitorch against torch, layer by layer, on the networks of the notes.

    python benchmarks/conv.py
    python benchmarks/conv.py --device cuda --backward
    python benchmarks/conv.py --device cuda --tf32 off
    python benchmarks/conv.py --shapes vgg,16x32x32:64k3p1s2 --plot conv.png

On a GPU, "columns" is minitorch's other algorithm: matrix products by cuBLAS with columns made beforehand.
A shape of your own is CxHxW:Kk… with K output channels and then kernel size k, padding p, stride s, groups g.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import cases
import cuda_timing
import harness

import minitorch
from reference.conv2d import conv2d as reference_conv2d

# (batch, C_in, size, C_out, kernel, stride, padding) of every convolution of the network
NETWORKS: dict[str, list[tuple[int, int, int, int, int, int, int]]] = {
    "lenet": [(256, 1, 28, 6, 5, 1, 2), (256, 6, 14, 16, 5, 1, 0)],
    "cifar": [(64, 3, 32, 32, 5, 1, 2), (64, 32, 16, 32, 5, 1, 2), (64, 32, 8, 64, 5, 1, 2)],
    "alexnet": [
        (16, 1, 224, 96, 11, 4, 0),
        (16, 96, 26, 256, 5, 1, 2),
        (16, 256, 12, 384, 3, 1, 1),
        (16, 384, 12, 384, 3, 1, 1),
        (16, 384, 12, 256, 3, 1, 1),
    ],
    "vgg": [
        (8, 3, 64, 64, 3, 1, 1),
        (8, 64, 64, 64, 3, 1, 1),
        (8, 64, 32, 128, 3, 1, 1),
        (8, 128, 16, 256, 3, 1, 1),
        (8, 256, 8, 512, 3, 1, 1),
        (8, 512, 4, 512, 3, 1, 1),
    ],
}
OWN_SHAPE = re.compile(r"(\d+)x(\d+)x(\d+):(\d+)k(\d+)(?:p(\d+))?(?:s(\d+))?(?:g(\d+))?")
SMALL = 2e5  # multiplications that the reference loops finish in well under a second


def conv_case(
    label: str, N: int, C_in: int, H: int, W: int, C_out: int, K: int, stride: int, padding: int, groups: int = 1
) -> cases.Case:
    """One convolution layer as a row."""

    def function(package: Any, input: Any, weight: Any, bias: Any) -> Any:
        return package.nn.functional.conv2d(input, weight, bias, stride=stride, padding=padding, groups=groups)

    H_out, W_out = (H + 2 * padding - K) // stride + 1, (W + 2 * padding - K) // stride + 1
    flop = 2.0 * N * C_out * H_out * W_out * C_in // groups * K * K
    name = f"{label} {C_in}→{C_out} {K}×{K}" + (f"/{stride}" if stride > 1 else "") + f" on {H}×{W}, batch {N}"
    reference: Callable[..., Any] | None = None
    if flop / 2 < SMALL:

        def reference(*arrays: Any) -> Any:
            return reference_conv2d(*arrays, stride=(stride, stride), padding=(padding, padding), groups=groups)

    shapes = [(N, C_in, H, W), (C_out, C_in // groups, K, K), (C_out,)]
    numbers = N * C_in * H * W + C_out * C_in // groups * K * K + C_out + N * C_out * H_out * W_out
    return cases.Case(name, function, shapes, flop, reference, numbers=numbers, variants={"columns": by_columns})


@contextlib.contextmanager
def by_columns() -> Iterator[None]:
    """Convolve by matrix products with columns."""
    minitorch.backends.cudnn.enabled = False
    try:
        yield
    finally:
        minitorch.backends.cudnn.enabled = True


def select(shapes: str) -> list[cases.Case]:
    """The rows that ``--shapes`` names."""
    chosen = []
    for part in shapes.split(","):
        if part in NETWORKS:
            for N, C_in, size, C_out, K, stride, padding in NETWORKS[part]:
                chosen.append(conv_case(part, N, C_in, size, size, C_out, K, stride, padding))
            continue
        found = OWN_SHAPE.fullmatch(part)
        if found is None:
            raise SystemExit(f"--shapes: {part!r} is neither one of {', '.join(NETWORKS)} nor CxHxW:KkNpNsNgN")
        C_in, H, W, C_out, K = (int(each) for each in found.groups()[:5])
        padding, stride, groups = (
            int(each) if each else default for each, default in zip(found.groups()[5:], (0, 1, 1))
        )
        chosen.append(conv_case("own", 16, C_in, H, W, C_out, K, stride, padding, groups))
    return chosen


def main() -> None:
    parser = harness.parser(__doc__ or "")
    parser.add_argument("--shapes", default="tiny,lenet,cifar,alexnet,vgg", help="networks and shapes of your own")
    parser.add_argument("--tf32", choices=["on", "off"], default="on", help="rounding of float32 on a GPU, both sides")
    options = parser.parse_args()
    if options.device != "cpu":
        cuda_timing.allow_tf32(options.tf32 == "on", harness.find_torch("cuda"))
    cases.run_benchmark("conv2d", select(options.shapes), options)


NETWORKS["tiny"] = [(1, 1, 12, 4, 3, 1, 1)]  # small enough for the reference loops to be timed beside it

if __name__ == "__main__":
    main()
