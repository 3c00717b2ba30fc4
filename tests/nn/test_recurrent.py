"""RNN, LSTM, GRU and their cells against torch: outputs, states, gradients, packing, errors."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy
import pytest

from tests.harness.both import same

OPTIONS = [
    {},
    {"num_layers": 2, "bidirectional": True},
    {"bias": False, "batch_first": True},
    {"num_layers": 3, "batch_first": True, "bidirectional": True},
]
LAYERS = ["RNN", "LSTM", "GRU"]


def _layer(torch: Any, name: str, **options: Any) -> Any:
    torch.manual_seed(0)
    return getattr(torch.nn, name)(3, 4, dtype=torch.float64, **options)


def _input(torch: Any, *shape: int) -> Any:
    values = numpy.random.default_rng(1).standard_normal(shape)
    return torch.tensor(values, requires_grad=True)


def _states(output: Any) -> list[Any]:
    return list(output) if isinstance(output, tuple) else [output]


def _outcome(torch: Any, layer: Any, x: Any, output: Any, last: Any, extra: Any = ()) -> Any:
    loss = (output * output).sum()
    for index, state in enumerate(_states(last)):
        loss = loss + (state * state).sum() * (index + 2)
    loss.backward()
    grads = [parameter.grad for parameter in layer.parameters()]
    states = [state.detach() for state in _states(last)]
    return output.detach(), states, x.grad, grads, [each.grad for each in extra]


@pytest.mark.parametrize(("name", "options"), list(itertools.product(LAYERS, OPTIONS)))
def test_sequences(name: str, options: dict[str, Any]) -> None:
    def program(torch: Any) -> Any:
        layer = _layer(torch, name, **options)
        x = _input(torch, 5, 2, 3)
        return _outcome(torch, layer, x, *layer(x)), repr(layer), list(layer.state_dict())

    same(program)


@pytest.mark.parametrize("name", LAYERS)
def test_start_values_are_torch_s(name: str) -> None:
    same(lambda torch: list(_layer(torch, name, num_layers=2, bidirectional=True).state_dict().values()))


@pytest.mark.parametrize("name", LAYERS)
def test_given_start_state(name: str) -> None:
    def program(torch: Any) -> Any:
        layer = _layer(torch, name, num_layers=2)
        x = _input(torch, 4, 2, 3)
        start = [_input(torch, 2, 2, 4), _input(torch, 2, 2, 4)]
        hx = tuple(start) if name == "LSTM" else start[0]
        return _outcome(torch, layer, x, *layer(x, hx), extra=start if name == "LSTM" else start[:1])

    same(program)


@pytest.mark.parametrize("name", LAYERS)
def test_unbatched(name: str) -> None:
    def program(torch: Any) -> Any:
        layer = _layer(torch, name, bidirectional=True)
        x = _input(torch, 4, 3)
        return _outcome(torch, layer, x, *layer(x))

    same(program)


def test_lstm_with_projection() -> None:
    def program(torch: Any) -> Any:
        layer = _layer(torch, "LSTM", proj_size=2, num_layers=2, bidirectional=True)
        x = _input(torch, 4, 2, 3)
        return _outcome(torch, layer, x, *layer(x)), repr(layer)

    same(program)


def test_relu_network() -> None:
    def program(torch: Any) -> Any:
        layer = _layer(torch, "RNN", nonlinearity="relu", num_layers=2)
        x = _input(torch, 4, 2, 3)
        return _outcome(torch, layer, x, *layer(x)), repr(layer)

    same(program)


@pytest.mark.parametrize(
    ("name", "bidirectional", "lengths"), list(itertools.product(LAYERS, [False, True], [[5, 3, 1], [2, 5, 3]]))
)
def test_packed_sequences(name: str, bidirectional: bool, lengths: list[int]) -> None:
    def program(torch: Any) -> Any:
        rnn = torch.nn.utils.rnn
        layer = _layer(torch, name, num_layers=2, bidirectional=bidirectional)
        x = _input(torch, 5, 3, 3)
        packed = rnn.pack_padded_sequence(x, lengths, enforce_sorted=lengths == sorted(lengths, reverse=True))
        output, last = layer(packed)
        padded, found = rnn.pad_packed_sequence(output)
        return _outcome(torch, layer, x, padded, last), found, output.batch_sizes

    same(program)


def test_dropout_between_layers_draws_torch_s_masks() -> None:
    def program(torch: Any) -> Any:
        layer = _layer(torch, "GRU", num_layers=3, dropout=0.5)
        torch.manual_seed(3)
        output, last = layer(_input(torch, 4, 2, 3))
        return output.detach(), last.detach(), layer.eval()(_input(torch, 4, 2, 3))[0].detach()

    same(program)


@pytest.mark.parametrize(("name", "bias"), list(itertools.product(["RNNCell", "LSTMCell", "GRUCell"], [True, False])))
def test_cells(name: str, bias: bool) -> None:
    def program(torch: Any) -> Any:
        cell = _layer(torch, name, bias=bias)
        x, start = _input(torch, 2, 3), _input(torch, 2, 4)
        first = cell(x)
        second = cell(x, first)
        given = cell(x, (start, start) if name == "LSTMCell" else start)
        single = cell(x[0])
        loss = sum((each * each).sum() for each in [*_states(second), *_states(given), *_states(single)])
        loss.backward()
        return [each.detach() for each in _states(second)], x.grad, [p.grad for p in cell.parameters()], repr(cell)

    same(program)


def test_second_derivative() -> None:
    def program(torch: Any) -> Any:
        layer = _layer(torch, "LSTM")
        x = _input(torch, 3, 1, 3)
        output, _ = layer(x)
        (first,) = torch.autograd.grad((output * output).sum(), x, create_graph=True)
        return torch.autograd.grad((first * first).sum(), [x, *layer.parameters()])

    same(program)


def test_padding_and_packing() -> None:
    def program(torch: Any) -> Any:
        rnn = torch.nn.utils.rnn
        sequences = [torch.arange(3.0), torch.arange(5.0), torch.arange(1.0)]
        padded = rnn.pad_sequence(sequences, batch_first=True, padding_value=-1)
        left = rnn.pad_sequence(sequences, padding_side="left")
        packed = rnn.pack_sequence(sequences, enforce_sorted=False)
        again = rnn.pad_packed_sequence(packed, batch_first=True, total_length=7, padding_value=9)
        return padded, left, tuple(packed), again, rnn.unpad_sequence(padded, torch.tensor([3, 5, 1]), True)

    same(program)


ERRORS = {
    "1-D input": lambda torch: torch.nn.LSTM(3, 4)(torch.zeros(2)),
    "input size": lambda torch: torch.nn.LSTM(3, 4)(torch.zeros(2, 2, 5)),
    "state size": lambda torch: torch.nn.LSTM(3, 4)(torch.zeros(2, 2, 3), (torch.zeros(1, 3, 4), torch.zeros(1, 3, 4))),
    "state dims": lambda torch: torch.nn.LSTM(3, 4)(torch.zeros(2, 2, 3), (torch.zeros(1, 4), torch.zeros(1, 4))),
    "state size of a GRU": lambda torch: torch.nn.GRU(3, 4)(torch.zeros(2, 2, 3), torch.zeros(1, 3, 4)),
    "dtype": lambda torch: torch.nn.GRU(3, 4)(torch.zeros(2, 2, 3, dtype=torch.float64)),
    "nonlinearity": lambda torch: torch.nn.RNN(3, 4, nonlinearity="x"),
    "dropout": lambda torch: torch.nn.LSTM(3, 4, dropout=2),
    "projection": lambda torch: torch.nn.LSTM(3, 4, proj_size=5),
    "projection of a GRU": lambda torch: torch.nn.GRU(3, 4, proj_size=2),
    "no layers": lambda torch: torch.nn.LSTM(3, 4, num_layers=0),
    "no features": lambda torch: torch.nn.LSTM(3, 0),
    "fractional features": lambda torch: torch.nn.LSTM(3, 4.5),
    "cell input": lambda torch: torch.nn.RNNCell(3, 4)(torch.zeros(2, 5)),
    "cell dims": lambda torch: torch.nn.RNNCell(3, 4)(torch.zeros(2, 5, 3)),
    "cell batch": lambda torch: torch.nn.RNNCell(3, 4)(torch.zeros(2, 3), torch.zeros(3, 4)),
    "unsorted": lambda torch: torch.nn.utils.rnn.pack_padded_sequence(torch.zeros(4, 2, 1), [1, 4]),
    "length zero": lambda torch: torch.nn.utils.rnn.pack_padded_sequence(torch.zeros(4, 2, 1), [1, 0]),
    "lengths": lambda torch: torch.nn.utils.rnn.pack_padded_sequence(torch.zeros(4, 2, 1), [1]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same(ERRORS[name], message=True)


def test_useless_dropout_warns() -> None:
    def program(torch: Any) -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.nn.LSTM(3, 4, dropout=0.5)
        return [str(each.message) for each in caught]

    same(program)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_sequence_without_moments_is_refused(bidirectional: bool) -> None:
    error = same(lambda torch: torch.nn.LSTM(2, 3, bidirectional=bidirectional)(torch.ones(0, 1, 2)), message=True)
    assert isinstance(error, RuntimeError)
