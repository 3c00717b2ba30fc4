"""Hypothesis profiles, the GPU marker, one test an (op, kind), and the verdict table at the end of a run."""

from __future__ import annotations

import os

# Before NumPy and torch start their threads: on arrays this small, threads only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from minitorch.backend import accelerator
from tests.harness import cuda_emulator, verdict
from tests.harness.fake_cupy import installed

_COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("dev", max_examples=25, **_COMMON)
settings.register_profile("ci", max_examples=25, derandomize=True, **_COMMON)
settings.register_profile("thorough", max_examples=1000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_generate_tests(metafunc: Any) -> None:
    """Run every test that takes ``declaration`` once for each declaration of its class."""
    if "declaration" in metafunc.fixturenames:
        declarations = metafunc.cls.declarations
        metafunc.parametrize("declaration", declarations, ids=[each.name for each in declarations])


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Skip GPU tests, with the reason, where there is none."""
    if accelerator.is_available():
        return
    skip = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if item.get_closest_marker("cuda"):  # the keywords have the names of folders, too
            item.add_marker(skip)


@pytest.fixture
def emulated() -> Iterator[Any]:
    """A function that copies a host array to a GPU that is none: its kernels are run by the emulator."""
    if cuda_emulator.compiler() is None:
        pytest.skip("no g++ to compile kernels for the emulator")
    with installed() as cupy:
        yield cupy.asarray


@pytest.fixture(params=["emulator", pytest.param("GPU", marks=pytest.mark.cuda)])
def to_device(request: Any) -> Any:
    """A function that copies a host array to where kernels run: in the emulator, and on a GPU where there is one."""
    return accelerator.require().asarray if request.param == "GPU" else request.getfixturevalue("emulated")


@pytest.fixture(params=["stand-in", pytest.param("GPU", marks=pytest.mark.cuda)])
def gpu(request: Any) -> Iterator[Any]:
    """CuPy, where there is a GPU, and its stand-in everywhere."""
    if request.param == "GPU":
        yield accelerator.require()
        return
    with installed() as cupy:
        yield cupy


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU, even where there is one."""
    monkeypatch.setattr(accelerator, "_module", None)
    monkeypatch.setattr(accelerator, "_failure", "this test takes it away")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist (``-n 2``) hands over what it compared, …"""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["verdict"] = verdict.as_plain()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """… and the process that prints the table adds it up."""
    verdict.add(node.workeroutput["verdict"] if hasattr(node, "workeroutput") else [])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the verdict table."""
    lines = verdict.table()
    if lines:
        terminalreporter.section(
            "verdict against torch: cases compared, and the worst error in units in the last place"
        )
        for line in lines:
            terminalreporter.line(line)
