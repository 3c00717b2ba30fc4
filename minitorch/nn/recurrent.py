"""Recurrent layers: RNN, LSTM, GRU over whole sequences, and their single cells.

A layer of the module is one walk of a cell over the sequence (``ops/recurrent.py``), or two, forwards and
backwards; the outputs of one layer are the inputs of the next.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from minitorch.autograd.autocast_mode import state as autocast
from minitorch.nn import functional as F  # noqa: N812 (as everyone calls it)
from minitorch.nn import init
from minitorch.nn.module import Module
from minitorch.nn.parameter import Parameter
from minitorch.nn.utils.rnn import PackedSequence
from minitorch.ops.autocast import cast_operands
from minitorch.ops.index_along import index_select
from minitorch.ops.joining import cat, stack
from minitorch.ops.recurrent import CELLS, State, walk
from minitorch.ops.shape import reshape
from minitorch.tensor.creation import empty, zeros
from minitorch.tensor.tensor import Tensor

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


class RNNBase(Module):
    """What RNN, LSTM and GRU have in common: parameters, checks, layers, directions, packing."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_sizes(mode, hidden_size, num_layers, dropout, proj_size)
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = float(dropout), bidirectional, proj_size
        for layer in range(num_layers):
            for direction in range(self._directions):
                self._add_parameters(layer, direction, {"device": device, "dtype": dtype})
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _features(self) -> int:
        return self.proj_size or self.hidden_size

    def _add_parameters(self, layer: int, direction: int, where: dict[str, Any]) -> None:
        gates = _GATES[self.mode] * self.hidden_size
        inputs = self.input_size if layer == 0 else self._features * self._directions
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, inputs), "weight_hh": (gates, self._features)}
        if self.bias:
            shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            self.register_parameter(name + _suffix(layer, direction), Parameter(empty(shape, **where)))

    def reset_parameters(self) -> None:
        """Draw new start values: uniform on ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """For torch's sake: there, cuDNN wants all weights in one block of memory. Nothing here does."""

    @property
    def all_weights(self) -> list[list[Parameter | None]]:
        """The parameters, layer by layer and direction by direction."""
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]
        return [
            [self._parameters[key] for name in names if (key := name + _suffix(layer, direction)) in self._parameters]
            for layer in range(self.num_layers)
            for direction in range(self._directions)
        ]

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        for name, default in defaults.items():
            if getattr(self, name) != default:
                shown += f", {name}={getattr(self, name)}"
        return shown

    def _cast(self, input: Tensor, start: State) -> tuple[Tensor, State]:
        """The two as mixed precision wants them; it casts the weights in the products."""
        operands = cast_operands(_op_name(self.mode), input, *start)
        return operands[0], operands[1:]

    # -------------------------------------------------------------------------------------------- forward

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Outputs of the last layer at every moment, and the last state of every layer and direction."""
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.ndim not in (2, 3):
            raise ValueError(f"{self._name()}: Expected input to be 2D or 3D, got {input.ndim}D instead")
        is_batched = input.ndim == 3
        block = input if is_batched else input.unsqueeze(1)
        if is_batched and self.batch_first:
            block = block.transpose(0, 1)
        T, N = block.shape[:2]
        start = self._start(hx, N, block, is_batched)
        block, start = self._cast(block, start)
        rows = reshape(block, (T * N, block.shape[2]))
        outputs, last = self._run_layers(rows, [N] * T, start)
        outputs = reshape(outputs, (T, N, outputs.shape[1]))
        if not is_batched:
            return outputs.squeeze(1), self._unwrap(tuple(each.squeeze(1) for each in last))
        return (outputs.transpose(0, 1) if self.batch_first else outputs), self._unwrap(last)

    def _forward_packed(self, input: PackedSequence, hx: Any) -> Any:
        batch_sizes = input.batch_sizes.tolist()
        start = self._start(hx, batch_sizes[0], input.data, True)
        data, start = self._cast(input.data, start)
        if hx is not None and input.sorted_indices is not None:
            start = tuple(index_select(each, 1, input.sorted_indices) for each in start)
        outputs, last = self._run_layers(data, batch_sizes, start)
        if input.unsorted_indices is not None:
            last = tuple(index_select(each, 1, input.unsorted_indices) for each in last)
        return input._replace(data=outputs), self._unwrap(last)

    def _run_layers(self, rows: Tensor, batch_sizes: list[int], start: State) -> tuple[Tensor, State]:
        last: list[State] = []
        for layer in range(self.num_layers):
            found = []
            for direction in range(self._directions):
                state = tuple(each[layer * self._directions + direction] for each in start)
                outputs, end = self._run_direction(rows, batch_sizes, state, layer, direction)
                found.append(outputs)
                last.append(end)
            rows = cat(found, -1) if len(found) > 1 else found[0]
            if self.dropout and layer < self.num_layers - 1:
                rows = F.dropout(rows, self.dropout, self.training)
        return rows, tuple(stack(list(parts), 0) for parts in zip(*last))

    def _run_direction(
        self, rows: Tensor, batch_sizes: list[int], state: State, layer: int, direction: int
    ) -> tuple[Tensor, State]:
        parameters = {name: self._parameters.get(name + _suffix(layer, direction)) for name in _NAMES}
        recurrent = [parameters["weight_hh"], parameters["bias_hh"]]
        if self.proj_size:
            recurrent.append(parameters["weight_hr"])
        projected = F.linear(rows, parameters["weight_ih"], parameters["bias_ih"])
        return walk(CELLS[self.mode](*recurrent), projected, batch_sizes, state, reverse=direction == 1)

    # --------------------------------------------------------------------------------------------- states

    def _start(self, hx: Any, N: int, input: Tensor, is_batched: bool) -> State:
        """The start states as a tuple, zeros unless given, after all checks."""
        weight: Any = self._parameters["weight_ih_l0"]
        if input.dtype is not weight.dtype and not autocast.devices:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                f"input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )
        sizes = self._state_sizes(N)
        if hx is None:
            return tuple(zeros(size, dtype=input.dtype, device=input.device) for size in sizes)
        states = tuple(hx) if self.mode == "LSTM" else (hx,)
        self._check_state_dims(states, is_batched)
        if not is_batched:
            states = tuple(each.unsqueeze(1) for each in states)
        for index, (state, size) in enumerate(zip(states, sizes)):
            if tuple(state.shape) != size:
                name = f"hidden[{index}]" if self.mode == "LSTM" else "hidden"
                raise RuntimeError(f"Expected {name} size {size}, got {list(state.shape)}")
        return states

    def _state_sizes(self, N: int) -> list[tuple[int, int, int]]:
        layers = self.num_layers * self._directions
        hidden = (layers, N, self._features)
        return [hidden, (layers, N, self.hidden_size)] if self.mode == "LSTM" else [hidden]

    def _check_state_dims(self, states: State, is_batched: bool) -> None:
        wanted = 3 if is_batched else 2
        if all(each.ndim == wanted for each in states):
            return
        kind = "batched" if is_batched else "unbatched"
        found = [f"{each.ndim}-D" for each in states]
        if self.mode == "LSTM":
            raise RuntimeError(
                f"For {kind} {wanted}-D input, hx and cx should also be {wanted}-D but got ({', '.join(found)}) tensors"
            )
        raise RuntimeError(f"For {kind} {wanted}-D input, hx should also be {wanted}-D but got {found[0]} tensor")

    def _unwrap(self, states: State) -> Any:
        return states if self.mode == "LSTM" else states[0]

    def _name(self) -> str:
        return "RNN" if self.mode.startswith("RNN") else self.mode


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def _suffix(layer: int, direction: int) -> str:
    return f"_l{layer}{'_reverse' if direction else ''}"


def _check_sizes(mode: str, hidden_size: int, num_layers: int, dropout: float, proj_size: int) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    if not isinstance(hidden_size, int):
        raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
    if hidden_size <= 0:
        raise ValueError("hidden_size must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size and mode != "LSTM":
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


def _op_name(mode: str) -> str:
    """The name that mixed precision knows: rnn, lstm or gru."""
    return mode.partition("_")[0].lower()


class RNN(RNNBase):
    """h[t] = tanh(x[t] Wᵢₕᵀ + bᵢₕ + h[t−1] Wₕₕᵀ + bₕₕ), or relu with ``nonlinearity="relu"``.

    Shapes: input (T, N, input_size), (N, T, input_size) with ``batch_first``, (T, input_size) without a batch,
    or a PackedSequence; state (num_layers · directions, N, hidden_size); output as the input, with
    directions · hidden_size features.

    >>> import minitorch as torch
    >>> layer = torch.nn.RNN(10, 20, num_layers=2)
    >>> output, state = layer(torch.randn(5, 3, 10))
    >>> output.shape, state.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        *args: Any,
        **more: Any,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, *args, **more)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (``ops/recurrent.py`` has the formulas); the state is a pair (h, c).

    Shapes: as ``RNN``; with ``proj_size`` the outputs and h have that many features.

    >>> import minitorch as torch
    >>> output, (h, c) = torch.nn.LSTM(10, 20, bidirectional=True)(torch.randn(5, 3, 10))
    >>> output.shape, h.shape, c.shape
    (torch.Size([5, 3, 40]), torch.Size([2, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__("LSTM", *args, **options)


class GRU(RNNBase):
    """Gated recurrent unit (``ops/recurrent.py`` has the formulas). Shapes: as ``RNN``."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__("GRU", *args, **options)


class RNNCellBase(Module):
    """What the three cells have in common: one step of one layer. ``mode`` says whose."""

    mode: str

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        gates = _GATES[self.mode] * hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, input_size), "weight_hh": (gates, hidden_size)}
        for name, shape in shapes.items():
            self.register_parameter(name, Parameter(empty(shape, device=device, dtype=dtype)))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(gates, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new start values: uniform on ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        return shown if self.bias else f"{shown}, bias={self.bias}"

    def _step(self, input: Tensor, states: tuple[Tensor | None, ...]) -> State:
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        for state in states:
            if state is not None and state.ndim not in (1, 2):
                raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {state.ndim}D instead")
        rows = input if input.ndim == 2 else input.unsqueeze(0)
        if rows.shape[1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {rows.shape[1]} expected {self.input_size}")
        before = [self._start(state, rows, index, input.ndim == 2) for index, state in enumerate(states)]
        rows, *before = cast_operands(f"{_op_name(self.mode)}_cell", rows, *before)
        cell = CELLS[self.mode](self.weight_hh, self.bias_hh)
        after = cell(F.linear(rows, self.weight_ih, self.bias_ih), tuple(before))
        return after if input.ndim == 2 else tuple(each.squeeze(0) for each in after)

    def _start(self, state: Tensor | None, rows: Tensor, index: int, is_batched: bool) -> Tensor:
        if state is None:
            return zeros(rows.shape[0], self.hidden_size, dtype=rows.dtype, device=rows.device)
        state = state if is_batched else state.unsqueeze(0)
        if state.shape[0] != rows.shape[0]:
            raise RuntimeError(
                f"Input batch size {rows.shape[0]} doesn't match hidden{index} batch size {state.shape[0]}"
            )
        if state.shape[1] != self.hidden_size:
            raise RuntimeError(
                f"hidden{index} has inconsistent hidden_size: got {state.shape[1]}, expected {self.hidden_size}"
            )
        return state


class RNNCell(RNNCellBase):
    """One step of an ``RNN``: (N, input_size) and h (N, hidden_size) to the new h."""

    mode = "RNN_TANH"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {nonlinearity}")
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.mode, self.nonlinearity = f"RNN_{nonlinearity.upper()}", nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Any:
        (h,) = self._step(input, (hx,))
        return h

    def extra_repr(self) -> str:
        shown = super().extra_repr()
        return shown if self.nonlinearity == "tanh" else f"{shown}, nonlinearity={self.nonlinearity}"


class LSTMCell(RNNCellBase):
    """One step of an ``LSTM``: an input and the pair (h, c) to the new pair."""

    mode = "LSTM"

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> Any:
        return self._step(input, (None, None) if hx is None else hx)


class GRUCell(RNNCellBase):
    """One step of a ``GRU``: an input and h to the new h."""

    mode = "GRU"

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Any:
        (h,) = self._step(input, (hx,))
        return h
