"""CTC: the loss of a sequence whose alignment with its label is not known.

A network says at each of T moments how likely each class is; the label is shorter, and nobody says when each
of its symbols occurs. CTC adds up the probabilities of *all* paths of T classes that read as the label once
repeats are merged and blanks dropped.

The sum over paths is a walk over the label with blanks put around every symbol, ``_ a _ b _``. At each moment
the walk stays, goes one place on, or skips a blank between two different symbols:

    alpha[t, s] = (alpha[t−1, s] + alpha[t−1, s−1] + alpha[t−1, s−2] if it may skip) · p[t, label s]

``beta`` is the same from the end, and alpha · beta / p the probability of all paths that pass s at t. All of
it is kept as logarithms, and computed for the whole batch at once.

Source: A. Graves et al., "Connectionist Temporal Classification", 2006, https://www.cs.toronto.edu/~graves/icml_2006.pdf
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import Array, add_at, array_module, device_of, host, to_device, to_numpy
from minitorch.ops.autocast import autocasts
from minitorch.ops.reduction import mean, sum
from minitorch.ops.shape import squeeze, unsqueeze

_NEVER = -float("inf")  # the logarithm of an impossible path's probability


class CtcLoss(Function):
    """−log of the probability of each label: (T, N, C) log-probabilities to N losses.

    Gradient, as torch defines it: p − (probability of passing the class at that moment). It is what arrives at
    the logits in front of a log-softmax, and it is not differentiable again.
    """

    def forward(
        self, log_probs: Array, *, path: Array, input_lengths: Array, target_lengths: Array, zero_infinity: bool
    ) -> Array:
        self.path, self.zero_infinity = path, zero_infinity
        self.input_lengths, self.target_lengths = input_lengths, target_lengths
        self.picked = _pick(log_probs, path)
        self.may_skip = _may_skip(path)
        self.alpha = _walk_forward(self.picked, self.may_skip)
        self.losses = _losses(self.alpha, input_lengths, target_lengths)
        self.save(log_probs)
        if zero_infinity:
            xp = array_module(log_probs)
            return xp.where(xp.isinf(self.losses), 0.0, self.losses).astype(log_probs.dtype)
        return self.losses

    def backward(self, grad_output: Any) -> Any:
        if isinstance(grad_output, Variable):
            raise RuntimeError("derivative for ctc_loss_backward is not implemented")
        (log_probs,) = self.saved
        xp = array_module(log_probs)
        beta = _walk_backward(self.picked, self.may_skip, self.input_lengths, self.target_lengths)
        passing = xp.exp(self.alpha + beta - self.picked + self.losses[:, None])  # probability of s at t
        T, N, _ = log_probs.shape
        gradient = xp.exp(log_probs)
        add_at(gradient, (xp.arange(T)[:, None, None], xp.arange(N)[:, None], self.path), -passing)
        gradient = gradient * grad_output[:, None]
        is_over = xp.arange(T)[:, None] >= self.input_lengths
        is_dropped = (xp.isinf(self.losses) & self.zero_infinity) | is_over
        return xp.where(is_dropped[..., None], 0.0, gradient).astype(log_probs.dtype)


def _pick(log_probs: Array, path: Array) -> Array:
    """log p of the label's place s at moment t: (T, N, S)."""
    xp = array_module(log_probs)
    T, N, _ = log_probs.shape
    return log_probs[xp.arange(T)[:, None, None], xp.arange(N)[:, None], path]


def _may_skip(path: Array) -> Array:
    """Whether place s may be reached from s − 2: a symbol that differs from the one before its blank."""
    xp = array_module(path)
    found = xp.zeros(path.shape, dtype=bool)
    found[:, 2:] = (xp.arange(2, path.shape[1]) % 2 == 1) & (path[:, 2:] != path[:, :-2])
    return found


def _log_add(xp: Any, *terms: Array) -> Array:
    """log Σ exp(term), for terms of which all may be −∞."""
    largest = terms[0]
    for term in terms[1:]:
        largest = xp.maximum(largest, term)
    finite = xp.where(xp.isinf(largest), 0.0, largest)
    total = xp.exp(terms[0] - finite)
    for term in terms[1:]:
        total = total + xp.exp(term - finite)
    return xp.log(total) + finite


def _shift(xp: Any, row: Array, places: int) -> Array:
    """``row`` moved to the right by ``places`` (left if negative), with impossible values moving in."""
    moved = xp.full_like(row, _NEVER)
    if places > 0:
        moved[:, places:] = row[:, :-places]
    else:
        moved[:, :places] = row[:, -places:]
    return moved


def _walk_forward(picked: Array, may_skip: Array) -> Array:
    """alpha: for each t and s, log of the probability of reaching s at t."""
    xp = array_module(picked)
    alpha = xp.full_like(picked, _NEVER)
    alpha[0, :, :2] = picked[0, :, :2]
    for t in range(1, len(picked)):
        before = alpha[t - 1]
        skipping = xp.where(may_skip, _shift(xp, before, 2), _NEVER)
        alpha[t] = _log_add(xp, before, _shift(xp, before, 1), skipping) + picked[t]
    return alpha


def _walk_backward(picked: Array, may_skip: Array, input_lengths: Array, target_lengths: Array) -> Array:
    """beta: for each t and s, log of the probability of going on from s at t to the label's end (p[t, s] included)."""
    xp = array_module(picked)
    T, _, S = picked.shape
    places, end = xp.arange(S), 2 * target_lengths[:, None]
    is_end = (places == end) | ((places == end - 1) & (end > 0))
    skip_from = xp.zeros(may_skip.shape, dtype=bool)
    skip_from[:, :-2] = may_skip[:, 2:]
    beta = xp.full_like(picked, _NEVER)
    after = xp.full_like(picked[0], _NEVER)
    for t in range(T - 1, -1, -1):
        skipping = xp.where(skip_from, _shift(xp, after, -2), _NEVER)
        going_on = _log_add(xp, after, _shift(xp, after, -1), skipping)
        is_last = (input_lengths == t + 1)[:, None]
        after = xp.where(is_last, xp.where(is_end, 0.0, _NEVER), going_on) + picked[t]
        after = after.astype(picked.dtype)
        beta[t] = after
    return beta


def _losses(alpha: Array, input_lengths: Array, target_lengths: Array) -> Array:
    """−log of the probability of standing, at the last moment, on the last symbol or the blank behind it."""
    xp = array_module(alpha)
    N = alpha.shape[1]
    rows = xp.arange(N)
    last = alpha[(input_lengths - 1).clip(0, None), rows]
    on_blank = last[rows, 2 * target_lengths]
    on_symbol = xp.where(target_lengths > 0, last[rows, (2 * target_lengths - 1).clip(0, None)], _NEVER)
    losses = -_log_add(xp, on_blank, on_symbol)
    nothing_seen = xp.where(target_lengths == 0, 0.0, -_NEVER)  # without a moment only the empty label is possible
    return xp.where(input_lengths == 0, nothing_seen, losses).astype(alpha.dtype)


@autocasts
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Connectionist temporal classification: −log P(label | log_probs), summed over all alignments.

    Shapes: log_probs (T, N, C), or (T, C) for one sequence; targets (N, S) padded, or all labels one after
    another in one vector; input_lengths and target_lengths (N), tensors or sequences of ints.
    Args: blank: the class that means "nothing new". reduction: ``mean`` divides each loss by its label's
    length, then averages. zero_infinity: losses of labels too long for their input count as zero.
    Raises: RuntimeError for lengths or sizes that do not fit together, a blank outside the classes;
    NotImplementedError for float16.

    >>> import minitorch as torch
    >>> log_probs = torch.log(torch.full((2, 1, 2), 0.5))  # two moments, two classes, all equally likely
    >>> loss = torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1]]), [2], [1])  # "1_", "_1" or "11"
    >>> torch.exp(-loss)
    tensor(0.7500)
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    is_batched = raw(log_probs).ndim == 3
    if not is_batched:
        log_probs = unsqueeze(log_probs, 1)
    inputs, labels = _as_lengths("input_lengths", input_lengths), _as_lengths("target_lengths", target_lengths)
    _check(raw(log_probs), inputs, labels, blank)
    rows = _padded_targets(to_numpy(raw(targets)), labels, is_batched)
    path = host.full((len(labels), 2 * rows.shape[1] + 1), blank)
    path[:, 1::2] = rows
    here = device_of(raw(log_probs))
    losses = CtcLoss.apply(
        log_probs,
        path=to_device(path, here),
        input_lengths=to_device(inputs, here),
        target_lengths=to_device(labels, here),
        zero_infinity=zero_infinity,
    )
    return _reduce(losses, to_device(labels, here), reduction, is_batched)


def _reduce(losses: Any, target_lengths: Array, reduction: str, is_batched: bool) -> Any:
    if reduction == "mean":
        return mean(losses / target_lengths.clip(1, None).astype(raw(losses).dtype))
    if reduction == "sum":
        return sum(losses)
    return losses if is_batched else squeeze(losses, 0)


def _as_lengths(name: str, lengths: Any) -> Array:
    """Lengths as host integers: the recursion's shape depends on them."""
    array = to_numpy(raw(lengths)) if hasattr(lengths, "dtype") else host.asarray(lengths)
    if array.dtype.kind not in "iu":
        raise RuntimeError(f"{name} must be integral")
    return array.reshape(-1).astype("int64")


def _check(log_probs: Array, input_lengths: Array, target_lengths: Array, blank: int) -> None:
    if log_probs.ndim != 3:
        raise RuntimeError(f"ctc_loss: expected 2- or 3-dimensional log_probs, but got {log_probs.ndim} dimensions")
    T, N, C = log_probs.shape
    if log_probs.dtype == "float16":
        raise NotImplementedError("\"ctc_loss_cpu\" not implemented for 'Half'")
    if log_probs.size == 0:
        raise RuntimeError("log_probs tensor must not be empty")
    if not 0 <= blank < C:
        raise RuntimeError("blank must be in label range")
    for name, lengths in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if len(lengths) != N:
            raise RuntimeError(f"{name} must be of size batch_size")
        if lengths.min() < 0:
            raise RuntimeError(f"Expected {name} to have value at least 0, but got value {lengths.min()}")
    if input_lengths.max() > T:
        raise RuntimeError(f"Expected input_lengths to have value at most {T}, but got value {input_lengths.max()}")


def _padded_targets(targets: Array, lengths: Array, is_batched: bool) -> Array:
    """Labels as rows of equal length, whichever way they came; the padding is never looked at."""
    N, longest = len(lengths), int(lengths.max())
    if targets.ndim == 2:
        if len(targets) != N or targets.shape[1] < longest:
            raise RuntimeError(
                f"Expected targets of size ({N}, at least {longest}), but got size {list(targets.shape)} (ctc_loss)"
            )
        return targets[:, :longest].astype("int64")
    if targets.ndim != 1:
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {targets.ndim}-dimensional tensor for argument #2 'targets'"
        )
    if len(targets) != int(lengths.sum()):
        raise RuntimeError(
            f"Expected tensor to have size {int(lengths.sum())} at dimension 0, but got size {len(targets)} for "
            "argument #2 'targets'"
        )
    rows = host.zeros((N, longest), dtype="int64")
    start = 0
    for row, length in zip(rows, lengths):
        row[:length] = targets[start : start + length]
        start += int(length)
    return rows
