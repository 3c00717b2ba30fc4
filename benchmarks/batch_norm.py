"""Batch normalisation in training and in evaluation: minitorch against torch.

python benchmarks/batch_norm.py --backward
"""

from __future__ import annotations

from typing import Any

import cases
import harness

SHAPES = [(64, 32, 32, 32), (64, 64, 8, 8), (256, 120), (16, 256, 13, 13)]


def batch_norm_case(shape: tuple[int, ...], training: bool) -> cases.Case:
    """One batch-norm layer as a row."""

    def function(package: Any, input: Any, weight: Any, bias: Any, mean: Any, deviation: Any) -> Any:
        variance = (deviation * deviation).detach()
        return package.nn.functional.batch_norm(input, mean, variance, weight, bias, training=training)

    C = shape[1]
    name = f"{'training' if training else 'evaluation'} on {'×'.join(str(size) for size in shape)}"
    return cases.Case(name, function, [shape, (C,), (C,), (C,), (C,)], without_grad=(3, 4))


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    rows = [batch_norm_case(shape, training) for training in (True, False) for shape in SHAPES]
    cases.run_benchmark("batch_norm", rows, options)


if __name__ == "__main__":
    main()
