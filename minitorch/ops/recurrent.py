"""Recurrent networks: the three cells, and the walk of a cell over a sequence.

A cell turns the input at one moment and the state before it into the state after it. What it needs of the
inputs, ``x Wᵢₕᵀ + bᵢₕ``, does not depend on the state: it is computed for all moments in one product before
the walk starts. The rest is ordinary ops, so gradients of any order follow.

A sequence comes *packed*: the rows of all moments one after another, and how many rows each moment has. For
a padded batch every moment has N rows. Where sequences have different lengths, they are sorted with the
longest first, so that at each moment the rows still running are the first ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minitorch.autograd.variable import raw
from minitorch.ops.activation import relu
from minitorch.ops.elementwise import sigmoid, tanh
from minitorch.ops.joining import cat
from minitorch.ops.linear import linear
from minitorch.ops.splitting import chunk, narrow, split

State = tuple[Any, ...]  # (h,) or, for the LSTM, (h, c)
Cell = Callable[[Any, State], State]  # (projected input of one moment, state before) → state after


def rnn_cell(weight_hh: Any, bias_hh: Any, nonlinearity: Callable[[Any], Any] = tanh) -> Cell:
    """Elman's cell: h′ = tanh(x Wᵢₕᵀ + bᵢₕ + h Wₕₕᵀ + bₕₕ), or relu instead of tanh.

    Source: J. Elman, "Finding structure in time", 1990.
    """

    def cell(projected: Any, state: State) -> State:
        (h,) = state
        return (nonlinearity(projected + linear(h, weight_hh, bias_hh)),)

    return cell


def lstm_cell(weight_hh: Any, bias_hh: Any, weight_hr: Any = None) -> Cell:
    """Long short-term memory: c′ = f·c + i·g, h′ = o·tanh(c′), with i, f, o = σ(…), g = tanh(…).

    The gates lie one after another in the weights: input i, forget f, candidate g, output o. With
    ``weight_hr`` the new h is projected to fewer features.
    Source: S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997.
    """

    def cell(projected: Any, state: State) -> State:
        h, c = state
        i, f, g, o = chunk(projected + linear(h, weight_hh, bias_hh), 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        return (h if weight_hr is None else linear(h, weight_hr)), c

    return cell


def gru_cell(weight_hh: Any, bias_hh: Any) -> Cell:
    """Gated recurrent unit: h′ = (1 − z)·n + z·h, with r, z = σ(…), n = tanh(xₙ + r·hₙ).

    The gates lie one after another in the weights: reset r, update z, new n.
    Source: K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", https://arxiv.org/abs/1406.1078.
    """

    def cell(projected: Any, state: State) -> State:
        (h,) = state
        x_r, x_z, x_n = chunk(projected, 3, -1)
        h_r, h_z, h_n = chunk(linear(h, weight_hh, bias_hh), 3, -1)
        z = sigmoid(x_z + h_z)
        n = tanh(x_n + sigmoid(x_r + h_r) * h_n)
        return (n + z * (h - n),)

    return cell


CELLS: dict[str, Callable[..., Cell]] = {
    "RNN_TANH": rnn_cell,
    "RNN_RELU": lambda weight_hh, bias_hh: rnn_cell(weight_hh, bias_hh, relu),
    "LSTM": lstm_cell,
    "GRU": gru_cell,
}


def walk(cell: Cell, projected: Any, batch_sizes: Sequence[int], start: State, reverse: bool) -> tuple[Any, State]:
    """Run ``cell`` over a packed sequence, forwards or backwards.

    Shapes: projected (Σ batch_sizes, gates); each start state (N, features).
    Returns the outputs h of all moments, packed as the input, and each sequence's last state.
    Raises: RuntimeError for a sequence without moments.
    """
    if not batch_sizes:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    moments = split(projected, list(batch_sizes), 0)
    if reverse:
        return _walk_backwards(cell, moments, batch_sizes, start)
    state, outputs, finished = start, [], []
    for moment, size in zip(moments, batch_sizes):
        running = raw(state[0]).shape[0]
        if size < running:  # the shortest of the running sequences are over: set their states aside
            finished.append(tuple(narrow(each, 0, size, running - size) for each in state))
            state = tuple(narrow(each, 0, 0, size) for each in state)
        state = cell(moment, state)
        outputs.append(state[0])
    finished.append(state)
    last = tuple(cat(list(parts[::-1]), 0) if len(parts) > 1 else parts[0] for parts in zip(*finished))
    return cat(outputs, 0), last


def _walk_backwards(cell: Cell, moments: Sequence[Any], batch_sizes: Sequence[int], start: State) -> tuple[Any, State]:
    """From the last moment to the first: shorter sequences join when the walk reaches their end."""
    state = tuple(narrow(each, 0, 0, batch_sizes[-1]) for each in start)
    outputs = []
    for moment, size in zip(reversed(moments), reversed(batch_sizes)):
        running = raw(state[0]).shape[0]
        if size > running:
            joining = [narrow(each, 0, running, size - running) for each in start]
            state = tuple(cat([each, new], 0) for each, new in zip(state, joining))
        state = cell(moment, state)
        outputs.append(state[0])
    return cat(outputs[::-1], 0), state
