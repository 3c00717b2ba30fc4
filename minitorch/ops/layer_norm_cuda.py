"""Launching layer and group normalisation: ``layer_norm.cu`` if rows fit into registers, else ``normalization.cu``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from minitorch.backend import Array, array_module
from minitorch.backend.channels import View
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import TYPES, name_of, pointer, wide_dtype
from minitorch.backend.reduction import sum_of_shares, sum_over
from minitorch.ops import normalization_cuda
from minitorch.ops.lines_cuda import Lines, team_for

_FORMULA_ARRAYS, _SUMMING_ARRAYS = 2, 4  # what a thread holds of a row: g and x; with SUMS the columns' sums, too
_MOST_TEAMS, _ROWS_OF_TEAM = 1024, 16  # that sum up columns: enough blocks for any GPU, and rows worth a row of sums
_ENOUGH_TEAMS = 512  # of fewer rows each
_FEW_SUMS = 64  # rows of sums, which one pass adds up soon enough
_kernels = KernelFile(Path(__file__).with_name("layer_norm.cu"))


class Rows:
    """Layer or group normalisation of an array of ``rows`` that are normalised one by one.

    ``view`` is (samples, groups, channels in a group, places of a channel), or (rows, size) for rows that have a
    parameter for each element; parameters belong to channels.
    """

    def __init__(self, view: tuple[int, ...], itemsize: int) -> None:
        samples, groups, channels, places = view if len(view) == 4 else (view[0], 1, view[1], 1)
        self.lines = Lines(samples * groups, channels * places, 1)
        self.grouping = (groups, channels, places)
        self.has_parameter_each = groups == places == 1
        self.sums_columns = self.has_parameter_each and self._fits(itemsize, _SUMMING_ARRAYS)
        self.arrays = _SUMMING_ARRAYS if self.sums_columns else _FORMULA_ARRAYS
        self.is_held = self._fits(itemsize, self.arrays)
        self.samples = View(samples, groups * channels, places)
        self.view_of_rows = View(1, samples * groups, channels * places)

    def _fits(self, itemsize: int, arrays: int) -> bool:
        return team_for(self.lines.length, 1, itemsize, arrays).held > 0

    def normalize(self, x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
        """(output, mean, scale); ``x`` lies row after row."""
        if not self.is_held:
            return normalization_cuda.normalize_rows(
                x, self.view_of_rows, self.samples, self.grouping, weight, bias, eps
            )
        xp, wide = array_module(x), wide_dtype(x)
        output = xp.empty(x.shape, x.dtype)
        mean, scale = xp.empty(self.lines.lines, wide), xp.empty(self.lines.lines, wide)
        arguments = (x, output, pointer(weight), pointer(bias), mean, scale, float(eps), *self.grouping)
        self.lines.launch(_kernels, "forward", x, arguments, self._defines(x, weight, bias), self.arrays)
        return output, mean, scale

    def gradient(
        self, g: Array, x: Array, weight: Array | None, mean: Array, scale: Array
    ) -> tuple[Array, Array, Array]:
        """(grad_input, grad_weight, grad_bias); the latter two have an element for each channel of a sample."""
        if not self.is_held:
            return normalization_cuda.gradient_of_rows(
                g, x, self.view_of_rows, self.samples, self.grouping, weight, mean, scale
            )
        xp = array_module(x)
        grad_input, partial, blocks = xp.empty(x.shape, x.dtype), None, None
        if self.sums_columns:
            teams_of_block = self._teams_of_block(x.itemsize)
            blocks = self._blocks(teams_of_block)
            partial = xp.empty((blocks * teams_of_block, 2 * self.lines.length), wide_dtype(x))
        arguments = (g, x, grad_input, pointer(weight), mean, scale, partial, *self.grouping)
        self.lines.launch(_kernels, "backward", x, arguments, self._defines(x, weight), self.arrays, blocks)
        if partial is None:
            sums = normalization_cuda.gradient_sums_of_samples(g, x, self.samples, self.grouping, mean, scale)
            return grad_input, sums[1], sums[0]
        grad_weight, grad_bias = _sum_of_rows(partial).reshape(2, self.lines.length)
        return grad_input, grad_weight, grad_bias

    def _teams_of_block(self, itemsize: int) -> int:
        team = team_for(self.lines.length, 1, itemsize, self.arrays)
        return team.block // team.team

    def _blocks(self, teams_of_block: int) -> int:
        """How many blocks sum up columns; it depends on sizes alone, and so do the bits of the sums."""
        rows = self.lines.lines
        teams = min(max(rows // _ROWS_OF_TEAM, min(rows, _ENOUGH_TEAMS)), _MOST_TEAMS * teams_of_block)
        return -(-teams // teams_of_block)

    def _defines(self, x: Array, *parameters: Array | None) -> tuple[tuple[str, Any], ...]:
        given = next((each for each in parameters if each is not None), x)
        return _defines(name_of(given), self.has_parameter_each, self.sums_columns)


@lru_cache(1024)
def rows_of(view: tuple[int, ...], itemsize: int) -> Rows:
    """``Rows``, worked out once for each view and size of elements."""
    return Rows(view, itemsize)


@lru_cache(64)
def _defines(parameter: str, has_parameter_each: bool, sums_columns: bool) -> tuple[tuple[str, Any], ...]:
    kind = (("PER_ELEMENT", int(has_parameter_each)), ("SUMS", int(sums_columns)))
    return (("PARAMETER", TYPES[parameter]), *kind)


def _sum_of_rows(partial: Array) -> Array:
    """The sum of rows of sums."""
    if len(partial) <= _FEW_SUMS:
        return sum_of_shares(partial)
    return sum_over(partial, View(partial.shape[0], partial.shape[1], 1), name_of(partial))
