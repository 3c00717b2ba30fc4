"""Run the same program in minitorch and in torch and compare what comes out, errors included.

A program is a function of the package: ``lambda torch: torch.ones(2) + 1``. It may return tensors, numbers,
strings, and tuples, lists or dicts of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch as oracle

import minitorch
from tests.harness.compare import assert_equal, is_tensor

Program = Callable[[Any], Any]


def outcome(program: Program, package: Any) -> tuple[str, Any]:
    """``("value", result)`` or ``("error", exception)``."""
    package.manual_seed(0)
    try:
        return "value", program(package)
    except Exception as error:
        return "error", error


def same(program: Program, message: bool = False) -> Any:
    """Assert that both libraries give the same result, or fail with the same type (and text, if ``message``).

    Returns minitorch's result.
    """
    kind, expected = outcome(program, oracle)
    our_kind, actual = outcome(program, minitorch)
    if kind == "error":
        assert our_kind == "error", f"torch raises {type(expected).__name__}: {expected}; minitorch returns {actual!r}"
        assert isinstance(actual, type(expected)), f"torch raises {expected!r}, minitorch {actual!r}"
        if message:
            assert str(actual) == str(expected), f"{str(actual)!r} is not torch's {str(expected)!r}"
        return actual
    if our_kind == "error":
        raise AssertionError(f"torch returns {expected!r}; minitorch raises") from actual
    compare(actual, expected)
    return actual


def compare(actual: Any, expected: Any) -> None:
    """Compare nested results."""
    if is_tensor(expected):
        assert_equal(actual, expected)
    elif isinstance(expected, dict):
        assert list(actual) == list(expected)
        for key in expected:
            compare(actual[key], expected[key])
    elif isinstance(expected, (tuple, list)):
        assert len(actual) == len(expected), f"{actual!r} has not the length of torch's {expected!r}"
        for ours, theirs in zip(actual, expected):
            compare(ours, theirs)
    elif isinstance(expected, float):
        assert (
            actual == expected
            or (actual != actual and expected != expected)
            or abs(actual - expected) < 1e-6 * abs(expected)
        )
    elif isinstance(expected, (oracle.dtype, oracle.device)):
        assert str(actual) == str(expected)
    else:
        assert actual == expected, f"{actual!r} is not torch's {expected!r}"
