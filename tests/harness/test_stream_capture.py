"""What is captured is done when the graph is launched, each time anew, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from minitorch.backend import KernelFile
from tests.harness.cuda_emulator import compiler, launched
from tests.harness.fake_cupy import installed
from tests.harness.stream_capture import CaptureError

KERNEL = 'extern "C" __global__ void add(float* x, double number) { x[threadIdx.x] += number; }'


@pytest.fixture
def cupy() -> Iterator[Any]:
    with installed() as module:
        yield module


def capture(cupy: Any, work: Any) -> Any:
    """The graph of ``work()``, and what that gave."""
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        assert stream.is_capturing()
        try:
            result = work()
        finally:
            graph = stream.end_capture()
    assert not stream.is_capturing()
    return graph, result


def test_a_graph_is_done_at_each_launch(cupy: Any) -> None:
    x, weight = cupy.asarray(numpy.arange(6.0).reshape(2, 3)), cupy.asarray(numpy.ones(3))

    def step() -> Any:
        y = cupy.exp(x) * weight
        total = y.sum(0)
        weight[...] = weight + 1
        picked = y.T[1:, ::-1].reshape(-1)
        out = cupy.empty(3)
        cupy.add(total, 1, out=out)
        out *= 2
        return total, picked, out, cupy.stack([total, total])

    graph, (total, picked, out, stacked) = capture(cupy, step)
    assert weight.tolist() == [1, 1, 1]
    assert numpy.isnan(total.get()).all()
    for number in (1, 2):
        x[...] = x * 0 + number
        graph.launch()
        expected = 2 * numpy.exp(number) * number * numpy.ones(3)
        numpy.testing.assert_allclose(total.get(), expected)
        numpy.testing.assert_allclose(picked.get(), number * numpy.exp(number) * numpy.ones(4))
        numpy.testing.assert_allclose(out.get(), 2 * (expected + 1))
        numpy.testing.assert_allclose(stacked.get(), [expected, expected])
        assert weight.tolist() == [number + 1] * 3


@pytest.mark.skipif(compiler() is None, reason="no g++ to compile kernels for the emulator")
def test_kernels_are_captured(cupy: Any, tmp_path: Any) -> None:
    (tmp_path / "add.cu").write_text(KERNEL)
    kernels, x, before = KernelFile(tmp_path / "add.cu"), cupy.zeros(3, "float32"), launched["add"]
    graph, _ = capture(cupy, lambda: kernels.launch("add", (1,), (3,), (x, 2.0)))
    assert x.tolist() == [0, 0, 0]
    graph.launch()
    graph.launch()
    assert x.tolist() == [4, 4, 4]
    assert launched["add"] == before + 3
    assert graph.names == ["add"]


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (lambda cupy, x: float(x.sum()), CaptureError),
        (lambda cupy, x: x.get(), CaptureError),
        (lambda cupy, x: cupy.asarray(numpy.ones(3)), CaptureError),
        (lambda cupy, x: x[x > 0], CaptureError),
        (lambda cupy, x: cupy.sort(x), CaptureError),
        (lambda cupy, x: cupy.linalg.inv(x), CaptureError),
        (lambda cupy, x: cupy.concatenate([x] * 9), CaptureError),
        (lambda cupy, x: x @ x, NotImplementedError),
        (lambda cupy, x: cupy.tensordot(x, x, 1), NotImplementedError),
        (lambda cupy, x: cupy.cuda.Device().synchronize(), CaptureError),
    ],
)
def test_what_cannot_be_captured(cupy: Any, work: Any, error: Any) -> None:
    x = cupy.asarray(numpy.eye(3) + 1)
    with pytest.raises(error, match="captur"):
        capture(cupy, lambda: work(cupy, x))
    assert (x + 1).sum().item() == 21  # nothing is left of the capture


def test_which_streams_can_be_captured(cupy: Any) -> None:
    for stream in (cupy.cuda.Stream.null, cupy.cuda.Stream()):
        with stream, pytest.raises(CaptureError, match="non-blocking"):
            stream.begin_capture()
    with pytest.raises(CaptureError, match="no capture"):
        cupy.cuda.Stream(non_blocking=True).end_capture()


def test_what_cuda_refused_spoils_the_capture(cupy: Any) -> None:
    """What CuPy refuses does not, as CUDA does not know of it."""
    x = cupy.asarray(numpy.ones(3))

    def refused(work: Any, after: Any) -> Any:
        def attempt() -> Any:
            with pytest.raises(CaptureError):
                work()
            return after()

        return attempt

    graph, result = capture(cupy, refused(x.get, lambda: x + 1))
    graph.launch()
    assert result.tolist() == [2, 2, 2]
    for after in (lambda: x + 1, lambda: None):
        with pytest.raises(CaptureError, match="Invalidated"):
            capture(cupy, refused(cupy.cuda.Device().synchronize, after))
    assert (x + 1).tolist() == [2, 2, 2]


def test_memory_pools(cupy: Any) -> None:
    pool = cupy.cuda.MemoryPool()
    used = cupy.get_default_memory_pool().used_bytes()
    with cupy.cuda.using_allocator(pool.malloc):
        x = cupy.zeros(1000, "float32")
        y = x[2:] + 1
        view = y[3:]
    other = cupy.zeros(10)
    assert pool.used_bytes() == pool.total_bytes() == 2 * 4096
    assert cupy.get_default_memory_pool().used_bytes() == used + 512
    del x, y
    assert (pool.used_bytes(), pool.n_free_blocks()) == (4096, 1)
    with cupy.cuda.using_allocator(pool.malloc):
        z = cupy.zeros(500, "float32")
    assert pool.total_bytes() == 2 * 4096, "the free block was used again"
    del view, z, other
    pool.free_all_blocks()
    assert (pool.used_bytes(), pool.total_bytes()) == (0, 0)
