"""Instance normalisation: every channel of every sample is normalised by itself.

That is batch normalisation of a batch of one sample with N · C channels, and that is how it is computed.
Source: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization: The Missing Ingredient for Fast Stylization", 2016.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.primitive import Clone
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import Array
from minitorch.ops.batch_norm import batch_norm
from minitorch.ops.shape import expand, reshape
from minitorch.ops.strided import contiguous


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalise every channel of every sample, then rescale each channel.

    Formula: output = (input − μ) / √(σ² + eps) · weight + bias, where μ and σ² (divided by the count) are those of
    a channel in one sample or, without ``use_input_stats``, ``running_mean`` and ``running_var``.
    Shapes: input (N, C, …); all others (C,) → the shape of ``input``.
    Gradient: as ``batch_norm``, a sample at a time; ``weight`` and ``bias`` are summed over samples.
    Args: running_mean, running_var: averages, which ``use_input_stats`` changes in place by the mean over the
    samples of what ``batch_norm`` would do for each; others as ``batch_norm``.
    Raises: ValueError for a single place a channel; RuntimeError as ``batch_norm``.

    >>> import minitorch as torch
    >>> torch.nn.functional.instance_norm(torch.tensor([[[1.0, 3.0], [10.0, 30.0]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    shape = tuple(raw(input).shape)
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size torch.Size({list(shape)})"
        )
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    N, C, *rest = shape
    if not math.prod(shape):
        return Clone.apply(input)
    mean, var = (None if value is None else _each_sample(raw(value), N).copy() for value in (running_mean, running_var))
    weight, bias = (None if value is None else _each_sample(value, N) for value in (weight, bias))
    samples = reshape(contiguous(input), (1, N * C, *rest))
    output = batch_norm(samples, mean, var, weight, bias, use_input_stats, momentum, eps)
    if use_input_stats:
        _take_mean(running_mean, mean, N)
        _take_mean(running_var, var, N)
    return reshape(output, shape)


def _each_sample(values: Any, N: int) -> Any:
    """Values of shape (C,) once for each sample: (N · C,)."""
    C = raw(values).size
    return reshape(expand(reshape(values, (1, C)), (N, C)), (N * C,))


def _take_mean(average: Any, changed: Array | None, N: int) -> None:
    if average is None:
        return
    raw(average)[...] = changed.reshape(N, -1).mean(0)  # type: ignore[union-attr]
    if isinstance(average, Variable):
        average.bump_version()
