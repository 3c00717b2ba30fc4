"""The linear layer: minitorch against torch.

python benchmarks/linear.py --backward
"""

from __future__ import annotations

from typing import Any

import cases
import harness

SHAPES = [(64, 784, 256), (64, 256, 10), (256, 400, 120), (16, 6400, 4096), (16, 4096, 4096), (64, 1024, 64)]


def linear_case(N: int, features_in: int, features_out: int) -> cases.Case:
    """One linear layer as a row."""

    def function(package: Any, input: Any, weight: Any, bias: Any) -> Any:
        return package.nn.functional.linear(input, weight, bias)

    shapes = [(N, features_in), (features_out, features_in), (features_out,)]
    return cases.Case(
        f"{features_in}→{features_out}, batch {N}", function, shapes, 2.0 * N * features_in * features_out
    )


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    cases.run_benchmark("linear", [linear_case(*shape) for shape in SHAPES], options)


if __name__ == "__main__":
    main()
