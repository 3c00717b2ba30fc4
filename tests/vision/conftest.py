"""Fixtures of the vision tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.vision.server import Site, serve


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A web server on this machine, reached without any proxy."""
    monkeypatch.setenv("no_proxy", "*")
    with serve() as running:
        yield running
