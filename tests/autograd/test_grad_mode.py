"""no_grad, enable_grad, set_grad_enabled, inference_mode: as blocks, as decorators, around generators."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.both import same


def _made(torch: Any) -> bool:
    return (torch.ones(1, requires_grad=True) * 2).requires_grad


@pytest.mark.parametrize("mode", ["no_grad", "enable_grad", "inference_mode"])
def test_block_decorator_and_generator(mode: str) -> None:
    def program(torch: Any) -> Any:
        context = getattr(torch, mode)
        with context():
            inside = _made(torch), torch.is_grad_enabled(), torch.is_inference_mode_enabled()

        @context()
        def decorated() -> Any:
            return _made(torch)

        @context
        def bare() -> Any:
            return _made(torch)

        @context()
        def generator() -> Any:
            received = yield _made(torch)
            yield received, _made(torch)

        stepping = generator()
        first = next(stepping)
        between = torch.is_grad_enabled()
        second = stepping.send("sent")
        return inside, decorated(), bare(), first, between, second, _made(torch), decorated.__name__

    same(program)


def test_set_grad_enabled() -> None:
    def program(torch: Any) -> Any:
        found = []
        torch.set_grad_enabled(False)
        found.append(_made(torch))
        torch.set_grad_enabled(True)
        found.append(_made(torch))
        with torch.set_grad_enabled(False):
            found.append(_made(torch))
            with torch.enable_grad():
                found.append(_made(torch))
        found.append(_made(torch))

        @torch.set_grad_enabled(False)
        def decorated() -> Any:
            return _made(torch)

        return [*found, decorated(), _made(torch)]

    same(program)


def test_mode_returns_after_an_exception() -> None:
    def program(torch: Any) -> Any:
        try:
            with torch.no_grad():
                raise KeyError("inside")
        except KeyError:
            return _made(torch)

    same(program)


def test_inference_mode_false() -> None:
    def program(torch: Any) -> Any:
        with torch.inference_mode(), torch.inference_mode(False):
            return torch.is_inference_mode_enabled()

    same(program)
