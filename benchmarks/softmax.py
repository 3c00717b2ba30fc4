"""Softmax, log-softmax and cross-entropy: minitorch against torch.

    python benchmarks/softmax.py --backward
    python benchmarks/softmax.py --device cuda --backward

On a GPU, a share of the copy's rate counts scores, outputs and gradients once each.
"""

from __future__ import annotations

from typing import Any

import cases
import harness

SHAPES = [(64, 10), (256, 1000), (4096, 100)]
GPU_SHAPES = [(65536, 1000), (2048, 50257)]  # large enough to keep a GPU busy


def softmax_case(op: str, shape: tuple[int, int]) -> cases.Case:
    """Softmax over classes as a row."""

    def function(package: Any, input: Any) -> Any:
        return getattr(package.nn.functional, op)(input, dim=1)

    size = shape[0] * shape[1]
    name = f"{op} on {shape[0]}×{shape[1]}"
    return cases.Case(name, function, [shape], numbers=2 * size, backward_numbers=3 * size)


def cross_entropy_case(shape: tuple[int, int]) -> cases.Case:
    """Cross-entropy against class numbers as a row."""

    def function(package: Any, input: Any, target: Any) -> Any:
        return package.nn.functional.cross_entropy(input, target)

    size = shape[0] * shape[1]
    return cases.Case(
        f"cross_entropy on {shape[0]}×{shape[1]}",
        function,
        [shape, shape[:1]],
        integers=(None, shape[1]),
        numbers=size,
        backward_numbers=2 * size,
    )


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    shapes = SHAPES + (GPU_SHAPES if options.device == "cuda" else [])
    rows = [softmax_case(op, shape) for op in ("softmax", "log_softmax") for shape in shapes]
    cases.run_benchmark("softmax", rows + [cross_entropy_case(shape) for shape in shapes], options)


if __name__ == "__main__":
    main()
