"""Sequences of unlike lengths: padding them to a block, and packing them without padding.

A ``PackedSequence`` holds, moment by moment, the rows of all sequences that have not ended, longest first:

    a b c      data         a d f  b e  c
    d e        batch_sizes  3      2    1
    f
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minitorch import dtypes
from minitorch.ops.index_along import index_select
from minitorch.ops.joining import cat, stack
from minitorch.ops.pad import pad
from minitorch.ops.permutation import transpose
from minitorch.ops.splitting import narrow, split
from minitorch.tensor.creation import as_tensor, tensor
from minitorch.tensor.tensor import Tensor


class PackedSequence(NamedTuple):
    """Rows of several sequences in the order in which a recurrent network reads them; see the module.

    ``sorted_indices`` leads from the caller's order to longest-first, ``unsorted_indices`` back; both None if
    the caller's order was that already.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with ``data`` in another dtype or on another device."""
        return self._replace(data=self.data.to(*args, **kwargs))

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with ``data`` on a GPU."""
        return self._replace(data=self.data.cuda(*args, **kwargs))

    def pin_memory(self) -> PackedSequence:
        """The same in pinned host memory."""
        pinned: list[Any] = [None if each is None else each.pin_memory() for each in self]
        return PackedSequence(*pinned)

    def is_pinned(self) -> bool:
        """Whether ``data`` lies in pinned host memory."""
        return self.data.is_pinned()

    def cpu(self) -> PackedSequence:
        """The same with ``data`` in host memory."""
        return self._replace(data=self.data.cpu())

    @property
    def is_cuda(self) -> bool:
        """Whether ``data`` is on a GPU."""
        return self.data.is_cuda


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another."""
    if permutation is None:
        return None
    return permutation.argsort()


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave the padding out of a block of sequences.

    Shapes: input (T, N, *), or (N, T, *) with ``batch_first``; lengths (N), each at least 1.
    Raises: RuntimeError for lengths that are not N, not positive, or (unless ``enforce_sorted=False``) not in
    decreasing order.

    >>> import minitorch as torch
    >>> block = torch.tensor([[1, 4], [2, 5], [3, 0]])  # two sequences, as columns
    >>> torch.nn.utils.rnn.pack_padded_sequence(block, [3, 2])[:2]
    (tensor([1, 4, 2, 5, 3]), tensor([2, 2, 1]))
    """
    sizes = as_tensor(lengths, dtype=dtypes.int64).cpu()
    order = None
    if not enforce_sorted:
        sizes, order = sizes.sort(descending=True)
        input = index_select(input, 0 if batch_first else 1, order)
    if batch_first:
        input = transpose(input, 0, 1)
    counts = sizes.tolist()
    _check_lengths(counts, input.shape[1])
    batch_sizes = [sum(length > t for length in counts) for t in range(counts[0])]
    rows = [narrow(input[t], 0, 0, size) for t, size in enumerate(batch_sizes) if t < len(input)]
    return PackedSequence(cat(rows, 0), tensor(batch_sizes), order, invert_permutation(order))


def _check_lengths(lengths: Sequence[int], N: int) -> None:
    if len(lengths) != N:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)} (batch_size={N})"
        )
    if min(lengths) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if list(lengths) != sorted(lengths, reverse=True):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The block of sequences that was packed, and their lengths: the inverse of ``pack_padded_sequence``.

    Raises: ValueError if ``total_length`` is shorter than the longest sequence.
    """
    batch_sizes = sequence.batch_sizes.tolist()
    longest, N = len(batch_sizes), batch_sizes[0]
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    margin = (0, 0) * (sequence.data.ndim - 1)
    moments = [
        pad(rows, (*margin, 0, N - size), value=padding_value)
        for rows, size in zip(split(sequence.data, batch_sizes, 0), batch_sizes)
    ]
    block = stack(moments, 0)
    if total_length is not None:
        block = pad(block, (*margin, 0, 0, 0, total_length - longest), value=padding_value)
    lengths = tensor([sum(size > row for size in batch_sizes) for row in range(N)])
    if batch_first:
        block = transpose(block, 0, 1)
    if sequence.unsorted_indices is not None:
        block = index_select(block, 0 if batch_first else 1, sequence.unsorted_indices)
        lengths = index_select(lengths, 0, sequence.unsorted_indices.cpu())
    return block, lengths


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences of unlike lengths as one block, the shorter ones filled up with ``padding_value``.

    Shapes: each (Lᵢ, *) → (max L, N, *), or (N, max L, *) with ``batch_first``.

    >>> import minitorch as torch
    >>> torch.nn.utils.rnn.pad_sequence([torch.ones(1), torch.ones(2)], batch_first=True)
    tensor([[1., 0.],
            [1., 1.]])
    """
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Padding side must be either 'left' or 'right', got {padding_side}")
    longest = max(len(each) for each in sequences)
    padded = []
    for each in sequences:
        missing = longest - len(each)
        width = (0, missing) if padding_side == "right" else (missing, 0)
        padded.append(pad(each, (*(0, 0) * (each.ndim - 1), *width), value=padding_value))
    return stack(padded, 0 if batch_first else 1)


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences; see ``pack_padded_sequence``."""
    lengths = [len(each) for each in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded block, each in its own length."""
    rows = padded_sequences if batch_first else transpose(padded_sequences, 0, 1)
    return [row[:length] for row, length in zip(rows, lengths.tolist())]


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed sequence, each in its own length."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
