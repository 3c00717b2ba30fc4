"""Pooling: minitorch against torch.

    python benchmarks/pool.py --backward
    python benchmarks/pool.py --device cuda --backward

On a GPU, a share of the copy's rate counts each element of the input and of the output once, and of their gradients.
"""

from __future__ import annotations

from typing import Any

import cases
import harness

SHAPES = [(64, 32, 32, 32), (64, 32, 16, 16), (64, 64, 8, 8), (4, 32, 32, 32), (256, 6, 28, 28), (8, 64, 64, 64)]
OVERLAPPING = [(64, 32, 32, 32), (16, 96, 54, 54)]  # windows of 3 × 3, two apart
CHANNELS_LAST = [(64, 32, 32, 32), (64, 32, 16, 16)]
GPU_SHAPES = [(128, 64, 112, 112)]  # large enough to keep a GPU busy


def pool_case(
    op: str, shape: tuple[int, ...], kernel_size: int, stride: int, channels_last: bool = False
) -> cases.Case:
    """One pooling layer as a row."""

    def function(package: Any, input: Any) -> Any:
        return getattr(package.nn.functional, op)(input, kernel_size, stride)

    N, C, H, W = shape
    H_out, W_out = ((size - kernel_size) // stride + 1 for size in (H, W))
    moved = N * C * (H * W + H_out * W_out)
    name = f"{op} {kernel_size}/{stride} on {N}×{C}×{H}×{W}{', channels last' if channels_last else ''}"
    return cases.Case(name, function, [shape], channels_last=channels_last, numbers=moved, backward_numbers=moved)


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    large = GPU_SHAPES if options.device == "cuda" else []
    rows = []
    for op in ("max_pool2d", "avg_pool2d"):
        rows += [pool_case(op, shape, 2, 2) for shape in SHAPES + large]
        rows += [pool_case(op, shape, 3, 2) for shape in OVERLAPPING + large]
        rows += [pool_case(op, shape, 2, 2, channels_last=True) for shape in CHANNELS_LAST]
    cases.run_benchmark("pooling", rows, options)


if __name__ == "__main__":
    main()
