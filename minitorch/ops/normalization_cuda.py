"""Launching ``normalization.cu``: batch normalisation, and layer and group normalisation as the same on other views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitorch.backend import Array, array_module, host, is_on_cpu
from minitorch.backend.channels import View, view_of_channels
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import (
    BLOCK,
    blocks_for,
    element_types,
    empty_images,
    ordered_like,
    pointer,
    type_of,
    wide_dtype,
)
from minitorch.backend.reduction import sum_of_shares
from minitorch.ops import batch_norm_cuda

Grouping = tuple[int, int, int]  # groups, channels of a group, places of a channel

_kernels = KernelFile(Path(__file__).with_name("normalization.cu"))
_INT64 = host.dtype("int64").char
_NO_GROUPS = (1, 1, 1)  # what views of kind CHANNELS have no use for


def statistics(
    x: Array,
    view: View,
    eps: float,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    batches: Array | None = None,
    momentum: float = 0.0,
) -> tuple[Array, Array]:
    """(mean, 1 / √(variance + eps)) of each channel; the running averages, if given, make a step.

    ``batches``, a count, grows by 1.
    """
    xp, wide = array_module(x), wide_dtype(x)
    mean, scale = xp.empty(view.C, wide), xp.empty(view.C, wide)
    shares = view.shares()
    partial = xp.empty((shares, view.C, 3), wide) if shares > 1 else None
    results = [mean, scale, running_mean, running_var, batches, float(momentum), float(eps)]
    defines = _settings("CHANNELS", x, running_mean)
    view.launch(_kernels, "moments", x, [x, partial, *results, *view[:3]], defines, shares)
    if partial is not None:
        settings = element_types(x) | {"ACROSS": 0, "BLOCK": BLOCK} | defines
        arguments = [partial, shares, *results, view.C]
        _kernels.launch("merge_moments", (blocks_for(view.C),), (BLOCK,), arguments, settings)
    return mean, scale


def batch_norm(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    momentum: float,
    eps: float,
    batches: Array | None = None,
) -> tuple[Array, Array, Array]:
    """(output, mean, scale) of a batch in training; ``batches``, a count, grows by 1."""
    view, x = view_of_channels(input)
    if batches is not None and (is_on_cpu(batches) or batches.dtype.char != _INT64):  # not for a kernel
        batches += 1
        batches = None
    new_mean, new_var = pointer(running_mean), pointer(running_var)
    if batch_norm_cuda.has_kernel(view, x.itemsize):
        results = batch_norm_cuda.batch_norm(x, view, weight, bias, (new_mean, new_var, batches), momentum, eps)
    else:
        mean, scale = statistics(x, view, eps, new_mean, new_var, batches, momentum)
        output = _empty_like(x)
        arguments = [x, output, mean, scale, pointer(weight), pointer(bias), *view[:3], *_NO_GROUPS]
        view.launch(_kernels, "normalize", x, arguments, _settings("CHANNELS", x, weight, bias))
        results = output, mean, scale
    for average, changed in ((running_mean, new_mean), (running_var, new_var)):
        if average is not None and changed is not average:  # a copy, as it did not lie in one piece
            average[...] = changed
    return results


def batch_norm_gradient(
    grad_output: Array, input: Array, weight: Array | None, mean: Array, scale: Array
) -> tuple[Array, Array, Array]:
    """(grad_input, grad_weight, grad_bias) of ``batch_norm``."""
    view, x = view_of_channels(input)
    g = ordered_like(grad_output, x)
    if batch_norm_cuda.has_kernel(view, x.itemsize, is_gradient=True):
        return batch_norm_cuda.batch_norm_gradient(g, x, view, weight, mean, scale)
    sums = _gradient_sums("CHANNELS", view, g, x, mean, scale, None, _NO_GROUPS)
    grad_input = _gradient("CHANNELS", view, g, x, weight, mean, scale, sums, view.N * view.S, _NO_GROUPS)
    return grad_input, sums[1], sums[0]


def batch_norm_by_averages(
    input: Array, weight: Array | None, bias: Array | None, running_mean: Array, running_var: Array, eps: float
) -> Array:
    """The output in evaluation."""
    view, x = view_of_channels(input)
    output = _empty_like(x)
    arguments = [
        x,
        output,
        pointer(running_mean),
        pointer(running_var),
        pointer(weight),
        pointer(bias),
        float(eps),
        *view[:3],
    ]
    view.launch(_kernels, "normalize_by_averages", x, arguments, _settings("CHANNELS", x, running_mean))
    return output


def normalize_rows(
    x: Array,
    rows: View,
    samples: View,
    grouping: Grouping,
    weight: Array | None,
    bias: Array | None,
    eps: float,
) -> tuple[Array, Array, Array]:
    """(output, mean, scale) of rows of any length: layer or group normalisation; both views are of ``x``."""
    mean, scale = statistics(x, rows, eps)
    output = array_module(x).empty_like(x)
    arguments = [x, output, mean, scale, pointer(weight), pointer(bias), *samples[:3], *grouping]
    samples.launch(_kernels, "normalize", x, arguments, _settings("SAMPLES", x, weight, bias))
    return output, mean, scale


def gradient_of_rows(
    g: Array,
    x: Array,
    rows: View,
    samples: View,
    grouping: Grouping,
    weight: Array | None,
    mean: Array,
    scale: Array,
) -> tuple[Array, Array, Array]:
    """(grad_input, grad_weight, grad_bias) of ``normalize_rows``; the latter two have an element for each channel."""
    of_rows = _gradient_sums("ROWS", rows, g, x, mean, scale, weight, grouping)
    of_channels = gradient_sums_of_samples(g, x, samples, grouping, mean, scale)
    grad_input = _gradient("SAMPLES", samples, g, x, weight, mean, scale, of_rows, rows.S, grouping)
    return grad_input, of_channels[1], of_channels[0]


def gradient_sums_of_samples(g: Array, x: Array, samples: View, grouping: Grouping, mean: Array, scale: Array) -> Array:
    """(Σ g, Σ g·x̂) of each channel of a sample, over all samples, where statistics are those of rows."""
    return _gradient_sums("SAMPLES", samples, g, x, mean, scale, None, grouping)


def _gradient_sums(
    kind: str,
    view: View,
    g: Array,
    x: Array,
    mean: Array,
    scale: Array,
    weight: Array | None,
    grouping: Grouping,
) -> Array:
    """(Σ h, Σ h·x̂) of each channel, as an array (2, C)."""
    shares = view.shares()
    sums = array_module(x).empty((shares, 2, view.C), wide_dtype(x))
    arguments = [g, x, mean, scale, pointer(weight), sums, *view[:3], *grouping]
    view.launch(_kernels, "gradient_sums", x, arguments, _settings(kind, x, weight), shares)
    return sums[0] if shares == 1 else sum_of_shares(sums)


def _gradient(
    kind: str,
    view: View,
    g: Array,
    x: Array,
    weight: Array | None,
    mean: Array,
    scale: Array,
    sums: Array,
    count: int,
    grouping: Grouping,
) -> Array:
    grad_input = _empty_like(x)
    arguments = [g, x, grad_input, mean, scale, pointer(weight), sums, mean.size, float(count)]
    arguments += [*view[:3], *grouping]
    view.launch(_kernels, "gradient", x, arguments, _settings(kind, x, weight))
    return grad_input


def _empty_like(x: Array) -> Array:
    return empty_images(x.shape, x.dtype, x)


def _settings(kind: str, x: Array, *parameters: Array | None) -> dict[str, Any]:
    """The kind of view, and the type of the parameters: the input's, or float beside half."""
    given = next((each for each in parameters if each is not None), x)
    return {"VIEW": kind, "PARAMETER": type_of(given)}
