"""Softmax, log-softmax and cross-entropy: minitorch against torch.

python benchmarks/softmax.py --backward
"""

from __future__ import annotations

from typing import Any

import cases
import harness

SHAPES = [(64, 10), (256, 1000), (4096, 100)]


def softmax_case(op: str, shape: tuple[int, int]) -> cases.Case:
    """Softmax over classes as a row."""

    def function(package: Any, input: Any) -> Any:
        return getattr(package.nn.functional, op)(input, dim=1)

    return cases.Case(f"{op} on {shape[0]}×{shape[1]}", function, [shape])


def cross_entropy_case(shape: tuple[int, int]) -> cases.Case:
    """Cross-entropy against class numbers as a row."""

    def function(package: Any, input: Any, target: Any) -> Any:
        return package.nn.functional.cross_entropy(input, target)

    return cases.Case(
        f"cross_entropy on {shape[0]}×{shape[1]}", function, [shape, shape[:1]], integers=(None, shape[1])
    )


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    rows = [softmax_case(op, shape) for op in ("softmax", "log_softmax") for shape in SHAPES]
    cases.run_benchmark("softmax", rows + [cross_entropy_case(shape) for shape in SHAPES], options)


if __name__ == "__main__":
    main()
