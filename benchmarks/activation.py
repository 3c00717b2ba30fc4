"""Activations and dropout: minitorch against torch.

    python benchmarks/activation.py --backward
    python benchmarks/activation.py --device cuda --backward

On a GPU, a share of the copy's rate counts each number once that is read or written.
"""

from __future__ import annotations

import math
from typing import Any

import cases
import harness

SHAPES = [(64, 32, 32, 32), (64, 32, 16, 16), (256, 6, 28, 28), (256, 120), (64, 256)]
SMOOTH = [(64, 32, 16, 16), (256, 120)]
DROPPED = [(16, 4096), (256, 120), (64, 32, 32, 32)]
GPU_SHAPES = [(128, 64, 112, 112)]  # large enough to keep a GPU busy


def activation_case(op: str, shape: tuple[int, ...], channels_last: bool = False) -> cases.Case:
    """One activation, or dropout, as a row."""

    def function(package: Any, input: Any) -> Any:
        return getattr(package.nn.functional, op)(input)

    name = f"{op} on {'×'.join(str(size) for size in shape)}{', channels last' if channels_last else ''}"
    size = math.prod(shape)
    is_random = op == "dropout"  # the libraries draw different masks on a GPU, so there the error says nothing
    moved, moved_backward = 2 * size, 2 * size if is_random else 3 * size
    return cases.Case(
        name, function, [shape], channels_last=channels_last, numbers=moved, backward_numbers=moved_backward
    )


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    large = GPU_SHAPES if options.device == "cuda" else []
    rows = [activation_case("relu", shape) for shape in SHAPES + large]
    rows.append(activation_case("relu", SHAPES[0], channels_last=True))
    rows += [activation_case(op, shape) for op in ("sigmoid", "tanh", "gelu") for shape in SMOOTH + large]
    rows += [activation_case("dropout", shape) for shape in DROPPED + large]
    cases.run_benchmark("activations", rows, options)


if __name__ == "__main__":
    main()
