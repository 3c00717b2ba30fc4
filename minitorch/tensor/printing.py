"""How a tensor turns into text: the layout of `repr(tensor)`, on a NumPy array.

Four steps, in the order of this file:

1. `PrintOptions` - what the user can choose (`set_printoptions`).
2. `ElementFormat` - how one number is written, chosen once for the whole tensor so columns line up.
3. `format_values` - rows, wrapped lines, nested brackets and the `...` of a summary.
4. `format_tensor` - the name in front and the suffixes (`dtype=...`, `grad_fn=...`) behind.

>>> print(format_tensor(np.array([[1.5, 2.0], [-3.0, 40.0]])))
tensor([[ 1.5000,  2.0000],
        [-3.0000, 40.0000]])
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["dtype_is_shown", "format_tensor", "set_printoptions"]

# Beyond these, fixed-point digits would be mostly zeros, so the whole tensor switches to 1.0000e+00 style.
LARGEST_RATIO_IN_FIXED_POINT = 1000.0
LARGEST_IN_FIXED_POINT = 1.0e8
SMALLEST_IN_FIXED_POINT = 1.0e-4


# ---------------------------------------------------------------------------------------------- options


@dataclass
class PrintOptions:
    """The choices of `set_printoptions`; the defaults are the profile "default"."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors are printed from now on; an option left at None keeps its value.

    precision: digits after the point. threshold: tensors with more elements are summarised.
    edgeitems: how many elements a summary shows at each end of a dimension. linewidth: characters per line.
    profile: "default", "short" or "full", applied before the other options.
    sci_mode: True or False forces scientific notation on or off. None lets each tensor decide: it is the
    one option for which None does not mean "keep", so every call resets it.

    As in torch nothing is checked here: an unknown profile changes nothing, and a bad precision shows up
    when the next tensor is printed.
    """
    chosen = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    from_profile = PROFILES.get(profile, {}) if profile is not None else {}
    for name, value in [*from_profile.items(), *chosen.items()]:
        if value is not None:
            setattr(options, name, value)
    options.sci_mode = sci_mode


# ------------------------------------------------------------------------------------------ one element


@dataclass(frozen=True)
class ElementFormat:
    """How every element of one tensor is written: a format specification, padded on the left to `width`.

    `whole` marks float tensors whose values are all integers: they are written `3.`, without decimals.
    """

    specification: str
    width: int = 1
    whole: bool = False

    def unpadded(self, value: Any) -> str:
        """The text of one Python number."""
        text = format(value, self.specification) if self.specification else str(value)
        return text + "." if self.whole and math.isfinite(value) else text

    def padded(self, value: Any) -> str:
        """The text of one Python number, as wide as its column."""
        return self.unpadded(value).rjust(self.width)

    def widened_to(self, values: list[Any]) -> "ElementFormat":
        """The same format with columns wide enough for `values`."""
        width = max((len(self.unpadded(value)) for value in values), default=self.width)
        return ElementFormat(self.specification, width, self.whole)


def choose_format(values: NDArray[Any]) -> ElementFormat:
    """The format shared by all of `values`.

    Zeros, infinities and nan have no say, not even in the column width: that is why torch prints
    `[0., nan]` without padding, and so do we.
    """
    if values.dtype.kind != "f":
        return ElementFormat("").widened_to(values.ravel().tolist())
    deciding = values[np.isfinite(values) & (values != 0)]
    if deciding.size == 0:
        return ElementFormat(".0f", whole=True)
    whole = bool(np.all(deciding == np.ceil(deciding)))
    if uses_scientific_notation(deciding, whole):
        element_format = ElementFormat(f".{options.precision}e")
    elif whole:
        element_format = ElementFormat(".0f", whole=True)
    else:
        element_format = ElementFormat(f".{options.precision}f")
    return element_format.widened_to(deciding.tolist())


def uses_scientific_notation(deciding: NDArray[Any], whole: bool) -> bool:
    """Whether the finite nonzero values need an exponent: too large, too small or too far apart."""
    if options.sci_mode is not None:
        return options.sci_mode
    # Python floats rather than NumPy's: their division gives inf without a warning, and they do not
    # overflow in float16.
    magnitudes = np.abs(deciding)
    smallest, largest = float(magnitudes.min()), float(magnitudes.max())
    far_apart = largest / smallest > LARGEST_RATIO_IN_FIXED_POINT or largest > LARGEST_IN_FIXED_POINT
    return far_apart or (not whole and smallest < SMALLEST_IN_FIXED_POINT)


# ------------------------------------------------------------------------------- rows, matrices and up


def is_summarised(array: NDArray[Any]) -> bool:
    """Whether the tensor is too large to be printed in full."""
    return array.size > options.threshold


def has_gap(length: int, summarise: bool) -> bool:
    """Whether a dimension of this length is shown as its two ends with `...` in between."""
    return summarise and length > 2 * options.edgeitems


def shown_elements(array: NDArray[Any]) -> NDArray[Any]:
    """The elements that a summary leaves: both ends of every dimension that has a gap."""
    for axis, length in enumerate(array.shape):
        if has_gap(length, summarise=True):
            ends = [*range(options.edgeitems), *range(length - options.edgeitems, length)]
            array = array.take(ends, axis=axis)
    return array


def format_values(array: NDArray[Any], indent: int) -> str:
    """The nested brackets of a non-empty array, whose first line starts at column `indent`."""
    summarise = is_summarised(array)
    if summarise and options.edgeitems == 0 and array.ndim > 0:
        return "[...]"
    element_format = choose_format(shown_elements(array) if summarise else array)
    return format_nested(array, indent, element_format, summarise)


def format_nested(array: NDArray[Any], indent: int, element_format: ElementFormat, summarise: bool) -> str:
    """A scalar, a row, or the sub-arrays of `array` one below another.

    Rows are separated by a line break, matrices by one blank line, stacks of matrices by two, and so on.
    """
    if array.ndim == 0:
        return element_format.padded(array.item())
    if array.ndim == 1:
        return format_row(array, indent, element_format, summarise)
    gap, edge = has_gap(len(array), summarise), options.edgeitems
    visible = [*array[:edge], *array[-edge:]] if gap else list(array)
    parts = [format_nested(part, indent + 1, element_format, summarise) for part in visible]
    if gap:
        parts.insert(edge, "...")
    separator = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + separator.join(parts) + "]"


def format_row(row: NDArray[Any], indent: int, element_format: ElementFormat, summarise: bool) -> str:
    """One row in brackets, broken into lines of at most `linewidth` characters."""
    gap, edge = has_gap(len(row), summarise), options.edgeitems
    visible = [*row[:edge].tolist(), *row[-edge:].tolist()] if gap else row.tolist()
    parts = [element_format.padded(value) for value in visible]
    if gap:
        parts.insert(edge, " ...")
    per_line = max(1, (options.linewidth - indent) // (element_format.width + len(", ")))
    lines = [", ".join(parts[start : start + per_line]) for start in range(0, len(parts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


# ---------------------------------------------------------------------------------------- whole tensor


def format_tensor(
    array: NDArray[Any],
    *,
    prefix: str = "tensor(",
    dtype_name: str | None = None,
    device: str | None = None,
    requires_grad: bool = False,
    grad_fn: str | None = None,
) -> str:
    """The text of a tensor with the elements of `array`.

    dtype_name (say "torch.float16"; see `dtype_is_shown`) and device (say "cuda:0") are None where they
    are not to be shown. grad_fn, the name of the node that made the tensor, takes the place of
    requires_grad.

    >>> format_tensor(np.zeros((0, 3), np.int32), dtype_name="torch.int32")
    'tensor([], size=(0, 3), dtype=torch.int32)'
    >>> format_tensor(np.float32([1, 2]), requires_grad=True, grad_fn="AddBackward0")
    'tensor([1., 2.], grad_fn=<AddBackward0>)'
    """
    suffixes = []
    if device is not None:
        suffixes.append(f"device='{device}'")
    if shows_size(array):
        suffixes.append(f"size={array.shape}")
    if dtype_name is not None:
        suffixes.append(f"dtype={dtype_name}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    values = format_values(array, len(prefix)) if array.size else "[]"
    return add_suffixes(prefix + values, suffixes, indent=len(prefix)) + ")"


def shows_size(array: NDArray[Any]) -> bool:
    """Whether the size is spelled out: the brackets do not tell it when no elements are printed."""
    if array.size == 0:
        return array.ndim != 1
    return options.edgeitems == 0


def add_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """Append the suffixes, each on the last line if it fits there and otherwise on a line of its own."""
    # The two characters set aside are for what follows a suffix: a comma or the closing bracket.
    used = len(text) - (text.rfind("\n") + 1) + 2
    for suffix in suffixes:
        if used + len(", ") + len(suffix) > options.linewidth:
            text += ",\n" + " " * indent + suffix
            used = indent + len(suffix)
        else:
            text += ", " + suffix
            used += len(", ") + len(suffix)
    return text


def dtype_is_shown(dtype_name: str, default_float_name: str, *, empty: bool) -> bool:
    """Whether a tensor's text names its dtype: only where a reader could not tell it from the elements.

    `1.` reads as the default float dtype, `1` as int64 and `True` as bool. An empty tensor has no
    elements to tell it by, so it names every dtype but the default float one, which `tensor([])` gets.

    >>> dtype_is_shown("int64", "float32", empty=False), dtype_is_shown("int64", "float32", empty=True)
    (False, True)
    """
    unnamed = {without_module(default_float_name)} | (set() if empty else {"int64", "bool"})
    return without_module(dtype_name) not in unnamed


def without_module(dtype_name: str) -> str:
    """`int64` for both `int64` and `torch.int64`."""
    return dtype_name.rpartition(".")[2]
