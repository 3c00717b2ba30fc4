"""``interpolate``: another number of pixels for the same image.

Every mode works along one dimension at a time, and along one dimension an output pixel is a weighted sum of a
few input pixels, its *taps*:

    out[i] = Σₖ weightₖ[i] · in[placeₖ[i]]         nearest: 1 tap, linear: 2, cubic: 4, antialias: as many as
                                                   input pixels lie under one output pixel's filter

So a mode is a function that gives places and weights; picking, multiplying and adding are ops that we have,
and their gradients with them. ``area`` is adaptive average pooling.

Source: R. Keys, "Cubic convolution interpolation for digital image processing", 1981 (cubic, with a = −0.75).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.adaptive_avg_pool1d import adaptive_avg_pool1d
from minitorch.ops.adaptive_avg_pool2d import adaptive_avg_pool2d
from minitorch.ops.autocast import cast_operands
from minitorch.ops.index_along import index_select
from minitorch.ops.operand import require
from minitorch.ops.strided import in_image_order

Taps = list[tuple[Array, Array | None]]  # (places, weights) of each tap; weights None means 1
_SMOOTH = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}  # and the number of dimensions each needs
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


def interpolate(
    input: Any,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Resample ``input`` to ``size`` pixels, or to ``scale_factor`` times as many.

    Formula: output pixel i lies at input position (i + ½)·(in/out) − ½, or i·(in−1)/(out−1) with
    ``align_corners``; its value is a weighted sum of the input pixels around that position.
    Shapes: (N, C, d₁, …) → (N, C, size₁, …), one to three spatial dimensions.
    Gradient: the same weights, transposed.
    Args: mode: nearest, nearest-exact, linear (3-D input), bilinear and bicubic (4-D), trilinear (5-D), area.
    antialias: widen the filter when shrinking (bilinear and bicubic). recompute_scale_factor: compute the
    positions from the rounded size instead of from ``scale_factor``.
    Raises: ValueError for contradictory arguments, NotImplementedError for other modes and dimensions,
    RuntimeError for a size of zero.

    >>> import minitorch as torch
    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    _check_mode(input, mode, align_corners, antialias)
    require(input, "f" if mode not in ("nearest", "nearest-exact") else "fu", "interpolate", f"upsample_{mode}")
    sizes, scales = _output_sizes(input, size, scale_factor)
    if recompute_scale_factor:
        if size is not None:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        scales = [None] * len(sizes)
    if mode == "area":
        return _area(input, sizes)
    (input,) = cast_operands("upsample", input)
    output = input
    for offset, (wanted, scale) in enumerate(zip(sizes, scales)):
        taps = _taps(raw(input), 2 + offset, wanted, scale, mode, bool(align_corners), antialias)
        output = _weighted_sum(output, 2 + offset, taps)
    return in_image_order(output, input)


def _check_mode(input: Any, mode: str, align_corners: bool | None, antialias: bool) -> None:
    ndim = raw(input).ndim
    if ndim not in (3, 4, 5) or mode not in (*_SMOOTH, "nearest", "nearest-exact", "area"):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: {_MODES} "
            f"(got {mode})"
        )
    if ndim != _SMOOTH.get(mode, ndim):
        raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {_SMOOTH[mode]}D input")
    if align_corners is not None and mode not in _SMOOTH:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias and not (mode in ("bilinear", "bicubic") and ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )


def _output_sizes(input: Any, size: Any, scale_factor: Any) -> tuple[list[int], list[float | None]]:
    """The spatial sizes wanted, and for each the scale the caller gave (None where a size was given)."""
    spatial = raw(input).shape[2:]
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    given = size if size is not None else scale_factor
    if given is None:
        raise ValueError("either size or scale_factor should be defined")
    if isinstance(given, Sequence) and len(given) != len(spatial):
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(spatial)} and output size of {given}. Please provide input tensor in (N, C, d1, d2, ...,dK) "
            "format and output size in (o1, o2, ...,oK) format."
        )
    every = list(given) if isinstance(given, Sequence) else [given] * len(spatial)
    sizes = (
        [int(each) for each in every]
        if size is not None
        else [math.floor(length * float(scale)) for length, scale in zip(spatial, every)]
    )
    if min(sizes) <= 0 or 0 in spatial:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(spatial)} output {sizes}"
        )
    return sizes, [None] * len(sizes) if size is not None else [float(scale) for scale in every]


def _area(input: Any, sizes: list[int]) -> Any:
    if len(sizes) == 3:
        raise NotImplementedError("interpolate: area mode needs a 3- or 4-dimensional input (no 3-D pooling here)")
    return adaptive_avg_pool1d(input, sizes[0]) if len(sizes) == 1 else adaptive_avg_pool2d(input, sizes)


def _weighted_sum(input: Any, dim: int, taps: Taps) -> Any:
    """Σₖ weightₖ · input[placeₖ] along ``dim``."""
    ndim = raw(input).ndim
    total: Any = None
    for places, weights in taps:
        picked = index_select(input, dim, places)
        if weights is not None:
            shape = [-1 if each == dim else 1 for each in range(ndim)]
            picked = picked * weights.astype(raw(input).dtype).reshape(shape)
        total = picked if total is None else total + picked
    return total


def _taps(
    array: Array, dim: int, wanted: int, scale: float | None, mode: str, align_corners: bool, antialias: bool
) -> Taps:
    xp, size = array_module(array), array.shape[dim]
    step = size / wanted if scale is None else 1 / scale  # input pixels under one output pixel
    index = xp.arange(wanted)
    if mode == "nearest" and wanted in (size, 2 * size):
        return [(index // (wanted // size), None)]  # torch's rule: exactly doubled, whatever scale_factor says
    if mode in ("nearest", "nearest-exact"):
        return [(_nearest(index, 0.5 if mode == "nearest-exact" else 0.0, step, size), None)]
    kernel, reach = (_cubic_antialias, 2) if mode == "bicubic" else (_triangle, 1)
    if antialias:
        return _filter_taps(xp, size, index, _antialias_step(size, wanted, step, align_corners), kernel, reach)
    position = _positions(index, size, wanted, step, align_corners)
    if mode == "bicubic":
        return _cubic_taps(xp, position, size)
    return _linear_taps(xp, position.clip(0, None), size)


def _nearest(index: Array, offset: float, step: float, size: int) -> Array:
    """The input pixel under each output pixel. In float32, as torch: a tie between two pixels hangs on the rounding."""
    position = (index + offset).astype("float32")
    return (position * position.dtype.type(step)).astype("int64").clip(0, size - 1)


def _positions(index: Array, size: int, wanted: int, step: float, align_corners: bool) -> Array:
    """Where each output pixel's centre lies, counted in input pixels."""
    if align_corners:
        return index * ((size - 1) / (wanted - 1) if wanted > 1 else 0.0)
    return (index + 0.5) * step - 0.5


def _linear_taps(xp: Any, position: Array, size: int) -> Taps:
    left = xp.floor(position).astype("int64").clip(0, size - 1)
    share = (position - left).clip(0, 1)
    return [(left, 1 - share), ((left + 1).clip(0, size - 1), share)]


def _cubic_taps(xp: Any, position: Array, size: int) -> Taps:
    left = xp.floor(position).astype("int64")
    share = position - left
    return [((left + k).clip(0, size - 1), _keys(xp, abs(share - k), -0.75)) for k in (-1, 0, 1, 2)]


def _keys(xp: Any, x: Array, a: float) -> Array:
    """Keys' cubic kernel at distance x ≥ 0: one cubic on [0, 1], another on [1, 2], zero beyond."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return xp.where(x <= 1, near, xp.where(x < 2, far, 0.0))


def _triangle(xp: Any, x: Array) -> Array:
    return (1 - x).clip(0, None)


def _cubic_antialias(xp: Any, x: Array) -> Array:
    return _keys(xp, x, -0.5)  # Pillow's choice of a, which torch follows when it antialiases


def _antialias_step(size: int, wanted: int, step: float, align_corners: bool) -> float:
    if align_corners:
        return (size - 1) / (wanted - 1) if wanted > 1 else 0.0
    return step


def _filter_taps(
    xp: Any, size: int, index: Array, step: float, kernel: Callable[[Any, Array], Array], reach: int
) -> Taps:
    """Taps of a filter that is stretched to cover one output pixel when the image shrinks."""
    stretch = max(step, 1.0)
    support = reach * stretch
    centre = (index + 0.5) * step
    first = (centre - support + 0.5).astype("int64").clip(0, None)
    last = (centre + support + 0.5).astype("int64").clip(None, size)
    columns = []
    for offset in range(math.ceil(support) * 2 + 1):
        place = first + offset
        weight = kernel(xp, abs((place - centre + 0.5) / stretch))
        columns.append((place.clip(0, size - 1), xp.where(place < last, weight, 0.0)))
    total = columns[0][1]
    for _, weight in columns[1:]:
        total = total + weight
    return [(place, weight / total) for place, weight in columns]
