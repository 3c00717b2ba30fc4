"""Drawing the windows of convolution and pooling, for the tests of both."""

from __future__ import annotations

from typing import Any

import numpy
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.strategies import Draw

Axis = tuple[int, int, int, int, int]


def draw_convolution_axis(draw: Draw) -> Axis:
    """(size, kernel_size, stride, padding, dilation) of one axis such that at least one window fits."""
    kernel_size, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    padding, dilation = draw(st.integers(0, 3)), draw(st.integers(1, 2))
    reach = dilation * (kernel_size - 1) + 1
    least = max(1, reach - 2 * padding)
    return draw(st.integers(least, least + 4)), kernel_size, stride, padding, dilation


def draw_pooling_axis(draw: Draw, max_dilation: int = 1) -> Axis:
    """(size, kernel_size, stride, padding, dilation) of one axis; every window meets the input."""
    kernel_size, stride = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    padding = draw(st.integers(0, kernel_size // 2))
    dilation = draw(st.integers(1, max_dilation))
    least = max(dilation * (kernel_size - 1) + 1 - 2 * padding, dilation + 1)
    return draw(st.integers(least, least + 5)), kernel_size, stride, padding, dilation


def draw_option(draw: Draw, values: tuple[int, ...]) -> Any:
    """An option as torch takes it: a tuple, a list, or one number where all are equal."""
    if len(set(values)) == 1 and draw(st.booleans()):
        return values[0]
    return draw(st.sampled_from([tuple, list]))(values)


def draw_batch(draw: Draw) -> tuple[int, ...]:
    """The leading dimension of a batch, which may be empty or missing."""
    return draw(st.sampled_from([(), (0,), (1,), (2,)]))  # type: ignore[no-any-return]


def as_channels_last(array: numpy.ndarray) -> numpy.ndarray:
    """The same values with the channels last in memory."""
    return numpy.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def as_slice(array: numpy.ndarray) -> numpy.ndarray:
    """The same values as every other column of a larger array."""
    return numpy.repeat(array, 2, axis=-1)[..., ::2]


LAYOUTS = {"row-major": numpy.ascontiguousarray, "channels-last": as_channels_last, "slice": as_slice}


def assert_same_layout(actual: Any, expected: Any) -> None:
    """Both tensors have their channels last, or both are row-major. (Sizes of 0 and 1 leave that open.)"""
    if min(actual.shape) < 2:
        return
    assert actual.is_contiguous() == expected.is_contiguous()
    last = [actual.is_contiguous(memory_format=minitorch.channels_last)]
    last += [expected.is_contiguous(memory_format=oracle.channels_last)]
    assert last[0] == last[1]
