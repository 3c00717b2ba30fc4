"""Tensor's views, reshapes and joins; the mathematics is in ``ops/shape.py`` and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from minitorch.autograd.inplace import apply_inplace, check_may_change
from minitorch.autograd.variable import Variable
from minitorch.autograd.views import ReplayStep, reshape_in_place
from minitorch.memory_format import contiguous_format, memory_format, preserve_format
from minitorch.ops import diagonal as diagonals
from minitorch.ops import permutation, rearranging, shape, splitting, strided
from minitorch.ops.dims import normalize_dim, normalize_dims
from minitorch.ops.shape import unpack_sizes

S = TypeVar("S", bound="ShapeMethods")


class ShapeMethods(Variable):
    """``x.reshape(…)`` and its relatives."""

    def reshape(self: S, *shape_: Any) -> S:
        """See ``minitorch.reshape``."""
        return shape.reshape(self, unpack_sizes(shape_))

    def view(self: S, *shape_or_dtype: Any) -> S:
        """``reshape`` that never copies; with a dtype: the same bytes read as that dtype."""
        return shape.view(self, *shape_or_dtype)

    def view_as(self: S, other: Any) -> S:
        """``view`` in the shape of ``other``."""
        return shape.view_as(self, other)

    def reshape_as(self: S, other: Any) -> S:
        """``reshape`` to the shape of ``other``."""
        return shape.reshape_as(self, other)

    def flatten(self: S, start_dim: int = 0, end_dim: int = -1) -> S:
        """See ``minitorch.flatten``."""
        return shape.flatten(self, start_dim, end_dim)

    def unflatten(self: S, dim: int, sizes: Sequence[int]) -> S:
        """See ``minitorch.unflatten``."""
        return shape.unflatten(self, dim, sizes)

    def ravel(self: S) -> S:
        """See ``minitorch.ravel``."""
        return shape.ravel(self)

    def squeeze(self: S, *dim: Any) -> S:
        """See ``minitorch.squeeze``."""
        return shape.squeeze(self, *dim)

    def unsqueeze(self: S, dim: int) -> S:
        """See ``minitorch.unsqueeze``."""
        return shape.unsqueeze(self, dim)

    def expand(self: S, *size: Any) -> S:
        """Repeated along dimensions of size 1 and new leading ones, without a copy."""
        return shape.expand(self, unpack_sizes(size))

    def expand_as(self: S, other: Any) -> S:
        """``expand`` to the shape of ``other``."""
        return shape.expand_as(self, other)

    def broadcast_to(self: S, size: Sequence[int]) -> S:
        """See ``minitorch.broadcast_to``."""
        return shape.broadcast_to(self, size)

    def unfold(self: S, dimension: int, size: int, step: int) -> S:
        """All windows of ``size`` elements along a dimension, ``step`` apart, as a new last dimension; a view."""
        return strided.unfold(self, dimension, size, step)

    def as_strided(self: S, size: Any, stride: Any, storage_offset: int | None = None) -> S:
        """See ``minitorch.as_strided``."""
        return strided.as_strided(self, size, stride, storage_offset)

    # -------------------------------------------------------------------------------- dimensions in another order

    def transpose(self: S, dim0: int, dim1: int) -> S:
        """See ``minitorch.transpose``."""
        return permutation.transpose(self, dim0, dim1)

    swapaxes = swapdims = transpose

    def t(self: S) -> S:
        """See ``minitorch.t``."""
        return permutation.t(self)

    def permute(self: S, *dims: Any) -> S:
        """See ``minitorch.permute``."""
        return permutation.permute(self, unpack_sizes(dims))

    def movedim(self: S, source: int | Sequence[int], destination: int | Sequence[int]) -> S:
        """See ``minitorch.movedim``."""
        return permutation.movedim(self, source, destination)

    moveaxis = movedim

    @property
    def T(self: S) -> S:  # noqa: N802
        """All dimensions in reverse order: the transpose of a matrix."""
        return permutation.reverse_dims(self)

    @property
    def mT(self: S) -> S:  # noqa: N802
        """The last two dimensions swapped."""
        return permutation.matrix_transpose(self)

    @property
    def H(self: S) -> S:  # noqa: N802
        """A matrix transposed and, if it were complex, conjugated."""
        return permutation.adjoint(self)

    @property
    def mH(self: S) -> S:  # noqa: N802
        """As ``mT``: no tensor here is complex."""
        return permutation.matrix_transpose(self, "mH")

    # ------------------------------------------------------------------------------------------------- memory

    def stride(self, dim: int | None = None) -> Any:
        """The distance in memory, in elements, between neighbours along each dimension (or along ``dim``)."""
        return strided.stride(self, dim)

    def storage_offset(self) -> int:
        """How many elements come before this tensor's first one in the memory it shows."""
        return strided.storage_offset(self)

    def is_contiguous(self, memory_format: memory_format = contiguous_format) -> bool:
        """Whether the elements lie in memory without gaps, in the order of ``memory_format``."""
        return strided.is_contiguous(self, memory_format)

    def contiguous(self: S, memory_format: memory_format = contiguous_format) -> S:
        """The tensor itself if ``is_contiguous``, else a copy that is."""
        return strided.contiguous(self, memory_format)

    # -------------------------------------------------------------------------------------------------- parts

    def split(self: S, split_size: Any, dim: int = 0) -> tuple[S, ...]:
        """See ``minitorch.split``."""
        return splitting.split(self, split_size, dim)

    def split_with_sizes(self: S, split_sizes: Sequence[int], dim: int = 0) -> tuple[S, ...]:
        """Consecutive parts of these sizes along ``dim``; views."""
        return splitting.split(self, tuple(split_sizes), dim)

    def chunk(self: S, chunks: int, dim: int = 0) -> tuple[S, ...]:
        """See ``minitorch.chunk``."""
        return splitting.chunk(self, chunks, dim)

    def tensor_split(self: S, indices_or_sections: Any, dim: int = 0) -> tuple[S, ...]:
        """See ``minitorch.tensor_split``."""
        return splitting.tensor_split(self, indices_or_sections, dim)

    def hsplit(self: S, indices_or_sections: Any) -> tuple[S, ...]:
        """See ``minitorch.hsplit``."""
        return splitting.hsplit(self, indices_or_sections)

    def vsplit(self: S, indices_or_sections: Any) -> tuple[S, ...]:
        """See ``minitorch.vsplit``."""
        return splitting.vsplit(self, indices_or_sections)

    def dsplit(self: S, indices_or_sections: Any) -> tuple[S, ...]:
        """See ``minitorch.dsplit``."""
        return splitting.dsplit(self, indices_or_sections)

    def unbind(self: S, dim: int = 0) -> tuple[S, ...]:
        """See ``minitorch.unbind``."""
        return splitting.unbind(self, dim)

    def narrow(self: S, dim: int, start: Any, length: int) -> S:
        """See ``minitorch.narrow``."""
        return splitting.narrow(self, dim, start, length)

    def select(self: S, dim: int, index: int) -> S:
        """See ``minitorch.select``."""
        return splitting.select(self, dim, index)

    # ---------------------------------------------------------------------------------- another order, repeated

    def flip(self: S, *dims: Any) -> S:
        """See ``minitorch.flip``."""
        return rearranging.flip(self, *dims)

    def fliplr(self: S) -> S:
        """See ``minitorch.fliplr``."""
        return rearranging.fliplr(self)

    def flipud(self: S) -> S:
        """See ``minitorch.flipud``."""
        return rearranging.flipud(self)

    def roll(self: S, shifts: Any, dims: Any = None) -> S:
        """See ``minitorch.roll``."""
        return rearranging.roll(self, shifts, dims)

    def rot90(self: S, k: int = 1, dims: Sequence[int] = (0, 1)) -> S:
        """See ``minitorch.rot90``."""
        return rearranging.rot90(self, k, dims)

    def repeat(self: S, *repeats: Any) -> S:
        """Tiled ``repeats[i]`` times along dimension i; new dimensions come in front."""
        return rearranging.repeat(self, *repeats)

    def tile(self: S, *dims: Any) -> S:
        """See ``minitorch.tile``."""
        return rearranging.tile(self, *dims)

    def repeat_interleave(self: S, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> S:
        """See ``minitorch.repeat_interleave``."""
        return rearranging.repeat_interleave(self, repeats, dim, output_size=output_size)

    # ----------------------------------------------------------------------------------------------- diagonals

    def diagonal(self: S, offset: int = 0, dim1: int = 0, dim2: int = 1) -> S:
        """See ``minitorch.diagonal``."""
        return diagonals.diagonal(self, offset, dim1, dim2)

    def diag(self: S, diagonal: int = 0) -> S:
        """See ``minitorch.diag``."""
        return diagonals.diag(self, diagonal)

    def diag_embed(self: S, offset: int = 0, dim1: int = -2, dim2: int = -1) -> S:
        """See ``minitorch.diag_embed``."""
        return diagonals.diag_embed(self, offset, dim1, dim2)

    def diagflat(self: S, offset: int = 0) -> S:
        """See ``minitorch.diagflat``."""
        return diagonals.diagflat(self, offset)

    def tril(self: S, diagonal: int = 0) -> S:
        """See ``minitorch.tril``."""
        return diagonals.tril(self, diagonal)

    def triu(self: S, diagonal: int = 0) -> S:
        """See ``minitorch.triu``."""
        return diagonals.triu(self, diagonal)

    def tril_(self: S, diagonal: int = 0) -> S:
        """``tril`` in place."""
        return apply_inplace(self, lambda old: diagonals.tril(old, diagonal))

    def triu_(self: S, diagonal: int = 0) -> S:
        """``triu`` in place."""
        return apply_inplace(self, lambda old: diagonals.triu(old, diagonal))

    def select_scatter(self: S, src: Any, dim: int, index: int) -> S:
        """See ``minitorch.select_scatter``."""
        return diagonals.select_scatter(self, src, dim, index)

    def slice_scatter(
        self: S, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
    ) -> S:
        """See ``minitorch.slice_scatter``."""
        return diagonals.slice_scatter(self, src, dim, start, end, step)

    def diagonal_scatter(self: S, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> S:
        """See ``minitorch.diagonal_scatter``."""
        return diagonals.diagonal_scatter(self, src, offset, dim1, dim2)

    # ----------------------------------------------------------------------- the tensor itself in another shape

    def squeeze_(self: S, *dim: Any) -> S:
        """``squeeze`` in place: the tensor itself changes its shape."""
        named = normalize_dims(dim[0] if dim else None, self.array.ndim)
        dims = tuple([each for each in named if self.array.shape[each] == 1])
        kept = {"dims": dims, "overload": 3 if not dim else 4}
        return self._reshape_(
            ReplayStep(shape.Squeeze, kept), ReplayStep(shape.Unsqueeze, {"dims": tuple(sorted(dims))})
        )

    def unsqueeze_(self: S, dim: int) -> S:
        """``unsqueeze`` in place."""
        dims = (normalize_dim(dim, self.array.ndim + 1),)
        undo = ReplayStep(shape.Squeeze, {"dims": dims, "overload": 1})
        return self._reshape_(ReplayStep(shape.Unsqueeze, {"dims": dims}), undo)

    def transpose_(self: S, dim0: int, dim1: int) -> S:
        """``transpose`` in place."""
        ndim = self.array.ndim
        dims = {"dim0": normalize_dim(dim0, ndim), "dim1": normalize_dim(dim1, ndim)}
        step = ReplayStep(permutation.Transpose, dims)
        return self._reshape_(step, step)

    swapaxes_ = swapdims_ = transpose_

    def t_(self: S) -> S:
        """``t`` in place."""
        ndim = self.array.ndim
        if ndim > 2:
            raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {ndim}D")
        step = ReplayStep(permutation.TransposeMatrix, {"dim0": 0, "dim1": max(ndim - 1, 0)})
        return self._reshape_(step, step)

    def _reshape_(self: S, step: ReplayStep, undo: ReplayStep) -> S:
        check_may_change(self)
        return reshape_in_place(self, step, undo)

    def resize_(self: S, *sizes: Any, memory_format: memory_format | None = None) -> S:
        """The same memory in another shape, enlarged if there is too little of it; new elements are zero."""
        if memory_format not in (None, contiguous_format, preserve_format):
            raise NotImplementedError(f"resize_: memory_format={memory_format} is not supported")
        strided.resize_in_place(self, unpack_sizes(sizes))
        return self

    def resize_as_(self: S, other: Any, memory_format: memory_format | None = None) -> S:
        """``resize_`` to the shape of ``other``."""
        return self.resize_(tuple(other.shape), memory_format=memory_format)
