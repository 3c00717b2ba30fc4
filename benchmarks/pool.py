"""Pooling: minitorch against torch.

python benchmarks/pool.py --backward
"""

from __future__ import annotations

from typing import Any

import cases
import harness

SHAPES = [(64, 32, 32, 32), (64, 32, 16, 16), (256, 6, 28, 28), (16, 96, 54, 54), (8, 64, 64, 64)]


def pool_case(op: str, shape: tuple[int, ...], kernel_size: int, stride: int) -> cases.Case:
    """One pooling layer as a row."""

    def function(package: Any, input: Any) -> Any:
        return getattr(package.nn.functional, op)(input, kernel_size, stride)

    N, C, H, W = shape
    return cases.Case(f"{op} {kernel_size}/{stride} on {N}×{C}×{H}×{W}", function, [shape])


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    rows = [
        pool_case(op, shape, k, s)
        for op in ("max_pool2d", "avg_pool2d")
        for shape in SHAPES
        for k, s in ((2, 2), (3, 2))
    ]
    cases.run_benchmark("pooling", rows, options)


if __name__ == "__main__":
    main()
