"""Sequential, ModuleList, ModuleDict, ParameterList and ParameterDict against torch."""

# ruff: noqa: RUF005 (it is the operator + that is tested)

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
import torch as oracle

import minitorch

LIBRARIES = (minitorch, oracle)


def outcome(make: Any, library: Any) -> tuple[str, ...]:
    """How what ``make`` gives prints, or its error."""
    try:
        return "result", repr(make(library, library.nn))
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, RuntimeError, AssertionError) as error:
        text = str(error).replace("torch.nn.modules.container.", "").replace("torch.nn.modules.module.", "")
        return type(error).__name__, text.replace("minitorch.nn.containers.", "").replace("minitorch.nn.module.", "")


def changed(container: Any, change: Any) -> Any:
    change(container)
    return container


def acts(nn: Any) -> Any:
    return nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())


def named(nn: Any) -> Any:
    return nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh(), c=nn.ReLU()))


def listed(nn: Any) -> Any:
    return nn.ModuleList([nn.ReLU(), nn.Tanh(), nn.Sigmoid()])


def parameters(t: Any, nn: Any) -> Any:
    return nn.ParameterList([nn.Parameter(t.ones(4, 4)), t.ones(3), "x", nn.Parameter(t.ones(()))])


def table(t: Any, nn: Any) -> Any:
    return nn.ParameterDict({"b": t.ones(3, 2), "a": nn.Parameter(t.ones(())), "z": 3})


CASES: list[Any] = [
    lambda t, nn: nn.Sequential(),
    lambda t, nn: nn.Sequential(acts(nn), nn.ModuleList([nn.ReLU(), nn.ReLU(), acts(nn), acts(nn), nn.Tanh()])),
    lambda t, nn: nn.Sequential(None, nn.ReLU()),
    lambda t, nn: nn.Sequential(3),
    lambda t, nn: nn.Sequential({"a": nn.ReLU()}),
    lambda t, nn: named(nn),
    lambda t, nn: named(nn)[1:],
    lambda t, nn: named(nn)[-1],
    lambda t, nn: named(nn).b,
    lambda t, nn: acts(nn)[5],
    lambda t, nn: acts(nn)["a"],
    lambda t, nn: len(acts(nn)),
    lambda t, nn: list(acts(nn)),
    lambda t, nn: acts(nn) + named(nn),
    lambda t, nn: acts(nn) + [1],
    lambda t, nn: acts(nn).__iadd__(named(nn)),
    lambda t, nn: acts(nn) * 2,
    lambda t, nn: 2 * acts(nn),
    lambda t, nn: acts(nn) * 0,
    lambda t, nn: acts(nn) * 1.5,
    lambda t, nn: acts(nn).__imul__(2),
    lambda t, nn: acts(nn).append(nn.ELU()),
    lambda t, nn: acts(nn).append(3),
    lambda t, nn: acts(nn).extend([nn.ELU(), nn.ReLU()]),
    lambda t, nn: acts(nn).insert(-1, nn.ELU()),
    lambda t, nn: acts(nn).insert(0, nn.ELU()),
    lambda t, nn: acts(nn).insert(9, nn.ELU()),
    lambda t, nn: acts(nn).insert(0, 3),
    lambda t, nn: acts(nn).pop(1),
    lambda t, nn: acts(nn).pop(slice(0, 2)),
    lambda t, nn: changed(named(nn), lambda s: s.__delitem__(0)),
    lambda t, nn: changed(acts(nn), lambda s: s.__delitem__(slice(1, None))),
    lambda t, nn: changed(acts(nn), lambda s: s.__setitem__(-1, nn.ELU())),
    lambda t, nn: changed(acts(nn), lambda s: s.__setitem__(0, 3)),
    lambda t, nn: nn.ModuleList(),
    lambda t, nn: nn.ModuleList([nn.Linear(2, 2) for _ in range(3)]),
    lambda t, nn: nn.ModuleList([nn.ModuleList([nn.ReLU(), nn.ReLU()])] * 2),
    lambda t, nn: nn.ModuleList([None, nn.ReLU()]),
    lambda t, nn: nn.ModuleList(3),
    lambda t, nn: listed(nn)(3),
    lambda t, nn: listed(nn)[9],
    lambda t, nn: listed(nn)[-2],
    lambda t, nn: listed(nn)[::2],
    lambda t, nn: listed(nn) + [nn.ELU()],
    lambda t, nn: listed(nn) + 3,
    lambda t, nn: listed(nn).__iadd__([nn.ELU()]),
    lambda t, nn: listed(nn).append(3),
    lambda t, nn: listed(nn).extend(3),
    lambda t, nn: listed(nn).pop(-1),
    lambda t, nn: changed(listed(nn), lambda s: s.insert(1, nn.ELU())),
    lambda t, nn: changed(listed(nn), lambda s: s.__setitem__(-1, nn.ELU())),
    lambda t, nn: changed(listed(nn), lambda s: s.__delitem__(0)),
    lambda t, nn: changed(listed(nn), lambda s: s.__delitem__(slice(0, 2))),
    lambda t, nn: changed(listed(nn), lambda s: s.__delitem__(7)),
    lambda t, nn: list(listed(nn)),
    lambda t, nn: nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(1, 1)}),
    lambda t, nn: nn.ModuleDict([["a", nn.ReLU()]]),
    lambda t, nn: nn.ModuleDict({"a": 3}),
    lambda t, nn: nn.ModuleDict({3: nn.ReLU()}),
    lambda t, nn: nn.ModuleDict({"keys": nn.ReLU()}),
    lambda t, nn: nn.ModuleDict(3),
    lambda t, nn: nn.ModuleDict([3]),
    lambda t, nn: nn.ModuleDict([(1, 2, 3)]),
    lambda t, nn: nn.ModuleDict({"a": nn.ReLU()})["q"],
    lambda t, nn: nn.ModuleDict({"a": nn.ReLU()}).pop("q"),
    lambda t, nn: list(nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()}).items()),
    lambda t, nn: changed(nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()}), lambda d: d.pop("b")),
    lambda t, nn: changed(nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()}), lambda d: d.__delitem__("a")),
    lambda t, nn: changed(nn.ModuleDict({"b": nn.ReLU()}), lambda d: d.update(nn.ModuleDict({"c": nn.ELU()}))),
    lambda t, nn: changed(nn.ModuleDict({"b": nn.ReLU()}), lambda d: d.clear()),
    lambda t, nn: ("b" in nn.ModuleDict({"b": nn.ReLU()}), len(nn.ModuleDict({"b": nn.ReLU()}))),
    lambda t, nn: nn.ParameterList(),
    lambda t, nn: nn.ParameterList([t.ones(2)]),
    lambda t, nn: parameters(t, nn),
    lambda t, nn: list(parameters(t, nn)),
    lambda t, nn: parameters(t, nn)[9],
    lambda t, nn: parameters(t, nn)[1:3],
    lambda t, nn: parameters(t, nn)[-2],
    lambda t, nn: parameters(t, nn)(1),
    lambda t, nn: nn.ParameterList(3),
    lambda t, nn: nn.ParameterList([None]),
    lambda t, nn: nn.ParameterList([t.ones(2, dtype=t.int64)]),
    lambda t, nn: parameters(t, nn).append(t.ones(2)),
    lambda t, nn: parameters(t, nn).extend([t.ones(2), 1]),
    lambda t, nn: parameters(t, nn).__iadd__([t.ones(2)]),
    lambda t, nn: changed(parameters(t, nn), lambda p: p.__setitem__(0, t.zeros(3))),
    lambda t, nn: list(parameters(t, nn).state_dict()),
    lambda t, nn: nn.ParameterList([nn.ParameterList([t.ones(1), t.ones(2)]), 3, nn.ReLU()]),
    lambda t, nn: nn.Sequential(nn.ParameterList([t.ones(1)]), nn.ParameterList([t.ones(1), t.ones(2)])),
    lambda t, nn: nn.ParameterDict(),
    lambda t, nn: table(t, nn),
    lambda t, nn: nn.ParameterDict(OrderedDict([("z", t.ones(1)), ("a", t.zeros(2).double())])),
    lambda t, nn: nn.ParameterDict([("z", t.ones(1)), ("a", 1)]),
    lambda t, nn: list(table(t, nn)),
    lambda t, nn: list(table(t, nn).items()),
    lambda t, nn: list(table(t, nn).values()),
    lambda t, nn: list(table(t, nn).keys()),
    lambda t, nn: list(reversed(table(t, nn))),
    lambda t, nn: table(t, nn)["q"],
    lambda t, nn: table(t, nn)(1),
    lambda t, nn: table(t, nn).get("q"),
    lambda t, nn: table(t, nn).get("z"),
    lambda t, nn: table(t, nn).pop("z"),
    lambda t, nn: table(t, nn).popitem(),
    lambda t, nn: table(t, nn).setdefault("k", t.ones(2)),
    lambda t, nn: table(t, nn).setdefault("z", t.ones(2)),
    lambda t, nn: table(t, nn).copy(),
    lambda t, nn: table(t, nn).fromkeys(["a", "c"], 2.0),
    lambda t, nn: table(t, nn) | nn.ParameterDict({"u": t.ones(1)}),
    lambda t, nn: changed(table(t, nn), lambda d: d.__ior__(nn.ParameterDict({"u": t.ones(1)}))),
    lambda t, nn: changed(table(t, nn), lambda d: d.__delitem__("b")),
    lambda t, nn: changed(table(t, nn), lambda d: d.__setitem__("b", t.ones(7))),
    lambda t, nn: changed(table(t, nn), lambda d: d.__setitem__(3, t.ones(7))),
    lambda t, nn: changed(table(t, nn), lambda d: d.clear()),
    lambda t, nn: table(t, nn).update(3),
    lambda t, nn: table(t, nn).update([3]),
    lambda t, nn: table(t, nn).update([(1, 2, 3)]),
    lambda t, nn: ("a" in table(t, nn), len(table(t, nn))),
    lambda t, nn: list(table(t, nn).state_dict()),
    lambda t, nn: nn.ParameterDict({"i": nn.ParameterList([t.ones(1)]), "z": t.ones(2)}),
]  # fmt: skip


@pytest.mark.parametrize("index", range(len(CASES)))
def test_equals_torch(index):
    results = []
    for library in LIBRARIES:
        library.manual_seed(0)
        results.append(outcome(CASES[index], library))
    assert results[0] == results[1]


def test_sequential_applies_its_modules_in_order():
    nn = minitorch.nn
    net = nn.Sequential(nn.Flatten(), nn.Threshold(1.5, 0.0), nn.Threshold(2.5, 7.0))
    assert net(minitorch.tensor([[1.0, 2.0, 3.0]])).tolist() == [[7, 7, 3]]


def test_slices_share_their_modules():
    nn = minitorch.nn
    net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    assert net[:1][0] is net[0]
    assert nn.ModuleList(net)[1:][0] is net[1]
