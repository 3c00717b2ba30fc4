"""Batch normalisation in training and in evaluation: minitorch against torch.

    python benchmarks/batch_norm.py --backward
    python benchmarks/batch_norm.py --device cuda --backward

On a GPU, a share of the copy's rate counts what a pass cannot do without: in training, the input is read for the
statistics and again for the output; backward, input and gradient are read for the sums and again for the result.
"""

from __future__ import annotations

import math
from typing import Any

import cases
import harness

SHAPES = [(64, 32, 32, 32), (64, 32, 16, 16), (64, 64, 8, 8), (256, 120), (16, 256, 13, 13)]
CHANNELS_LAST = [(64, 32, 32, 32), (64, 32, 16, 16)]
GPU_SHAPES = [(128, 64, 112, 112), (128, 512, 14, 14)]  # large enough to keep a GPU busy


def batch_norm_case(shape: tuple[int, ...], training: bool, channels_last: bool = False) -> cases.Case:
    """One batch-norm layer as a row."""

    def function(package: Any, input: Any, weight: Any, bias: Any, mean: Any, deviation: Any) -> Any:
        variance = (deviation * deviation).detach()
        return package.nn.functional.batch_norm(input, mean, variance, weight, bias, training=training)

    C = shape[1]
    name = f"{'training' if training else 'evaluation'} on {'×'.join(str(size) for size in shape)}"
    name += ", channels last" if channels_last else ""
    size = math.prod(shape)
    moved, moved_backward = (3 * size, 5 * size) if training else (2 * size, 4 * size)
    return cases.Case(
        name,
        function,
        [shape, (C,), (C,), (C,), (C,)],
        without_grad=(3, 4),
        channels_last=channels_last,
        numbers=moved,
        backward_numbers=moved_backward,
    )


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    shapes = SHAPES + (GPU_SHAPES if options.device == "cuda" else [])
    rows = []
    for training in (True, False):
        rows += [batch_norm_case(shape, training) for shape in shapes]
        rows += [batch_norm_case(shape, training, channels_last=True) for shape in CHANNELS_LAST]
    cases.run_benchmark("batch_norm", rows, options)


if __name__ == "__main__":
    main()
