"""CUDA graphs: replays do what was captured, in memory that is theirs; what cannot be captured is named.

Without a GPU the captures are the stand-in's (``tests/harness/stream_capture.py``). With one, the same tests run there
(``-m cuda``).
"""

from __future__ import annotations

import contextlib
import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch as torch
from minitorch import nn
from minitorch.autograd.variable import wrap
from minitorch.backend import accelerator, graphs
from tests.harness import fake_cupy, fake_memory


def captured(work: Callable[[], Any], **options: Any) -> tuple[Any, Any]:
    """A graph of ``work()``, which is done once before, and what that gave in the capture."""
    with graphs.side_stream(), graphs.own_products():
        work()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, **options):
        result = work()
    return graph, result


def only_captured(work: Callable[[], Any], graph: Any = None) -> None:
    with torch.cuda.graph(torch.cuda.CUDAGraph() if graph is None else graph):
        work()


def ones(*shape: int) -> Any:
    return torch.ones(*shape, device="cuda")


# ------------------------------------------------------------------------------------------ graphs themselves


def test_a_replay_does_what_was_captured(where: str) -> None:
    x, total = ones(3, 4), torch.zeros(3, device="cuda")

    def work() -> Any:
        total.add_((x * 2).sum(1))
        return x @ x.T + total

    graph, result = captured(work)
    assert total.tolist() == [8.0] * 3, "the work before the capture was done, that in the capture was not"
    for number in (1, 2):
        x.fill_(number)
        graph.replay()
        assert total.tolist() == [[16.0] * 3, [32.0] * 3][number - 1]
        assert result.tolist() == [[4 * number**2 + total[0].item()] * 3] * 3
    assert not torch.cuda.is_current_stream_capturing()


def test_products_in_a_capture(where: str) -> None:
    """Every product of floating matrices, whatever its name, in value as without a graph."""
    torch.manual_seed(0)
    a, b = torch.randn(2, 3, 4).to("cuda"), torch.randn(2, 4, 5).to("cuda")
    matrix, vector = torch.randn(4, 4).to("cuda"), torch.randn(4).to("cuda")
    images, weight = torch.randn(2, 4, 5, 5).to("cuda"), torch.randn(6, 2, 3, 3).to("cuda")
    layer = nn.LSTM(4, 3).to("cuda")

    def columns() -> Any:
        torch.backends.cudnn.enabled = False
        try:
            return nn.functional.conv2d(images, weight, groups=2, padding=1)
        finally:
            torch.backends.cudnn.enabled = True

    products: dict[str, Callable[[], Any]] = {
        "matmul": lambda: a @ b,
        "broadcast": lambda: matrix @ b,
        "transposed": lambda: b.mT @ a.mT,
        "vector": lambda: a @ vector,
        "dot": lambda: vector @ vector,
        "half": lambda: a.half() @ b.half(),
        "double": lambda: a.double() @ b.double(),
        "bmm": lambda: torch.bmm(a, b),
        "addmm": lambda: torch.addmm(vector, matrix, matrix.T, beta=0.5, alpha=2),
        "baddbmm": lambda: torch.baddbmm(a @ b, a, b),
        "einsum": lambda: torch.einsum("bij,bjk->ik", a, b),
        "tensordot": lambda: torch.tensordot(a, matrix, 1),
        "linear": lambda: nn.functional.linear(a, matrix, vector),
        "attention": lambda: nn.functional.scaled_dot_product_attention(a, a, a),
        "LSTM": lambda: layer(a)[0],
        "columns": columns,
    }
    with torch.no_grad():
        expected = {name: product() for name, product in products.items()}
        graph, results = captured(lambda: {name: product() for name, product in products.items()})
    graph.replay()
    for name, result in results.items():
        tolerance = 2e-3 if name == "half" else 1e-5
        expected_values = expected[name].cpu().float().numpy()
        numpy.testing.assert_allclose(result.cpu().float().numpy(), expected_values, tolerance, tolerance, err_msg=name)


def test_many_tensors_are_joined_in_a_capture(where: str) -> None:
    """CuPy's way to join more than eight copies their addresses from the host."""
    parts = [torch.full((2, 3), float(number), device="cuda") for number in range(12)]
    layer, sequence = nn.GRU(3, 3).to("cuda"), torch.randn(10, 2, 3).to("cuda")

    def work() -> list[Any]:
        with torch.no_grad():
            stacks = [torch.stack(parts, dim) for dim in range(3)]
            return [torch.cat(parts), torch.cat(parts, -1), *stacks, layer(sequence)[0]]

    with graphs.own_products():
        expected = work()
    graph, results = captured(work)
    graph.replay()
    for result, value in zip(results, expected):
        numpy.testing.assert_array_equal(result.cpu().numpy(), value.cpu().numpy())


def test_gradients_are_made_in_the_graphs_memory(where: str) -> None:
    weight = nn.Parameter(ones(3))
    x = ones(3)

    def work() -> None:
        weight.grad = None
        (weight * x).sum().backward()

    graph, _ = captured(work)
    grad = weight.grad
    for number in (5, 7):
        x.fill_(number)
        graph.replay()
        assert weight.grad is grad
        assert grad.tolist() == [number] * 3


def test_gradients_that_are_there_are_added_to(where: str) -> None:
    weight = nn.Parameter(ones(3))
    weight.grad = ones(3)
    graph, _ = captured(lambda: (weight * 2).sum().backward())
    assert weight.grad.tolist() == [3] * 3  # by the work before the capture
    graph.replay()
    graph.replay()
    assert weight.grad.tolist() == [7] * 3


def test_the_order_of_calls(where: str) -> None:
    graph = torch.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="Called CUDAGraph::replay without a preceding successful capture"):
        graph.replay()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        graph.pool()
    with pytest.raises(RuntimeError, match="without a capture_begin"):
        graph.capture_end()
    with pytest.raises(RuntimeError, match="CUDA graphs must be captured on a non-default stream"):
        graph.capture_begin()
    with pytest.raises(RuntimeError, match=r"Unknown capture error mode. Expected .* got fast"):
        graph.capture_begin(capture_error_mode="fast")
    x = ones(2)
    with torch.cuda.graph(graph):
        assert torch.cuda.is_current_stream_capturing()
        y = x + 1
        with pytest.raises(RuntimeError, match="captures cannot be nested"):
            torch.cuda.CUDAGraph().capture_begin()
    with pytest.raises(RuntimeError, match="already owns a captured graph"), torch.cuda.graph(graph):
        pass
    graph.replay()
    assert y.tolist() == [2, 2]
    graph.reset()
    with pytest.raises(RuntimeError, match="without a preceding"):
        graph.replay()
    with torch.cuda.graph(graph):
        y = x + 2
    graph.replay()
    assert y.tolist() == [3, 3]


def test_a_graph_is_drawn(where: str, tmp_path: Any) -> None:
    x = ones(2)
    graph, _ = captured(lambda: x + 1)
    graph.enable_debug_mode()
    graph.debug_dump(str(tmp_path / "graph.dot"))
    assert "digraph" in (tmp_path / "graph.dot").read_text()
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        torch.cuda.CUDAGraph().debug_dump(str(tmp_path / "none.dot"))


def test_options_that_minitorch_has_not(where: str) -> None:
    graph = torch.cuda.CUDAGraph()
    with pytest.raises(NotImplementedError, match="keep_graph"):
        torch.cuda.CUDAGraph(keep_graph=True)
    with pytest.raises(NotImplementedError, match="enable_annotations"):
        torch.cuda.graph(graph, enable_annotations=True)
    with (
        pytest.raises(NotImplementedError, match="check_input_liveness"),
        torch.cuda.graph(graph, check_input_liveness=True),
    ):
        pass


def test_arguments_are_torchs() -> None:
    for name in ("CUDAGraph.capture_begin", "CUDAGraph.replay", "CUDAGraph.pool", "graph.__init__"):
        ours, theirs = (inspect.signature(operator.attrgetter(name)(library.cuda)) for library in (torch, oracle))
        assert list(ours.parameters) == list(theirs.parameters)
        for parameter, their in zip(ours.parameters.values(), theirs.parameters.values()):
            assert parameter.default == their.default
            assert parameter.kind == their.kind


def test_a_capture_between_two_calls_on_a_stream_of_the_users(where: str) -> None:
    cuda, x, graph = accelerator.require().cuda, ones(2), torch.cuda.CUDAGraph()
    stream = cuda.Stream(non_blocking=True)
    cuda.Device().synchronize()
    with stream:
        graph.capture_begin(capture_error_mode="relaxed")
        y = x * 3
        graph.capture_end()
        graph.replay()
    stream.synchronize()
    assert y.tolist() == [3, 3]
    ours = torch.cuda.Stream()
    with torch.cuda.graph(torch.cuda.CUDAGraph(), stream=ours):
        assert torch.cuda.current_stream() == ours


def test_a_capture_ends_where_it_began(where: str) -> None:
    cuda, graph = accelerator.require().cuda, torch.cuda.CUDAGraph()
    with cuda.Stream(non_blocking=True):
        graph.capture_begin()
        ones(2)
        if where == "GPU":
            with cuda.Stream(non_blocking=True), pytest.raises(RuntimeError, match="must end on the same stream"):
                graph.capture_end()
        else:
            graph.reset()
        assert not graphs.is_capturing()
    assert (ones(2) + 1).tolist() == [2, 2]


# ----------------------------------------------------------------------------------------------------- memory


def block_range(array: Any) -> tuple[int, int]:
    """Where the memory lies that a pool has handed out for an array."""
    memory = fake_memory.block_of(array) if accelerator.require() is fake_cupy.fake else array.data.mem
    return memory.ptr, memory.ptr + memory.size


def lies_in(pool: graphs.Pool, array: Any) -> bool:
    if accelerator.require() is fake_cupy.fake and fake_memory.block_of(array) is None:
        return False
    start, end = block_range(array)
    return any(segment.ptr <= start and end <= segment.ptr + segment.size for segment in pool.segments)


def test_memory_of_a_graph_is_its_own(where: str) -> None:
    x = ones(1000)
    graph, result = captured(lambda: (x + 1) * 2)
    pool = graph._graph.pool
    assert pool.reserved() >= 4000
    assert lies_in(pool, result.array)
    assert not lies_in(pool, x.array)
    others = [torch.zeros(1000, device="cuda") for _ in range(20)]
    assert not any(lies_in(pool, each.array) for each in others)
    graph.replay()
    assert result.tolist() == [4] * 1000
    assert all(each.sum().item() == 0 for each in others)


def test_memory_is_kept_when_caches_are_emptied(where: str) -> None:
    """Even by the pool itself, as CuPy does where memory runs out."""
    x = ones(1000)
    graph, result = captured(lambda: torch.exp(x + 1) * 2)
    reserved = graph._graph.pool.reserved()
    accelerator.require().get_default_memory_pool().free_all_blocks()
    graph._graph.pool.memory.free_all_blocks()
    assert graph._graph.pool.reserved() == reserved
    others = [torch.zeros(1000, device="cuda") for _ in range(20)]
    graph.replay()
    numpy.testing.assert_allclose(result.cpu().numpy(), 2 * numpy.exp(2), 1e-6)
    assert all(each.sum().item() == 0 for each in others)


def test_a_reset_frees_the_memory(where: str) -> None:
    x = ones(1000)
    graph, result = captured(lambda: x + 1)
    graph.replay()
    handle, memory = graph.pool(), graph._graph.pool.memory
    assert memory.used_bytes() >= 4000
    graph.reset()
    assert handle not in graphs._pools
    assert memory.total_bytes() > 0
    assert result.tolist() == [2] * 1000, "a tensor keeps its memory"
    del result
    graphs.free_memory()
    assert memory.total_bytes() == 0
    graph, result = captured(lambda: (x + 1).sum())
    memory = graph._graph.pool.memory
    del result
    graph.reset()
    assert memory.total_bytes() == 0, "at once, if no tensor is left"


def test_graphs_share_a_pool(where: str) -> None:
    x, handle = ones(1000), torch.cuda.graph_pool_handle()
    first, result = captured(lambda: x + 1, pool=handle)
    second, other = captured(lambda: result * 2, pool=first.pool())
    assert first.pool() == second.pool() == handle != torch.cuda.graph_pool_handle()
    assert first._graph.pool is second._graph.pool
    first.replay()
    second.replay()
    assert other.tolist() == [4] * 1000
    first.reset()
    assert handle in graphs._pools
    second.replay()
    assert other.tolist() == [4] * 1000


def test_no_memory_in_a_capture(where: str) -> None:
    """The error is that of the library, and the capture ends as after any other."""
    x, graph = ones(1000), torch.cuda.CUDAGraph()
    with pytest.raises(torch.cuda.OutOfMemoryError, match="Tried to allocate"):
        only_captured(lambda: x + torch.empty(1 << 42, device="cuda")[:1000], graph)
    assert not graphs.is_capturing()
    again, result = captured(lambda: x + 1)
    again.replay()
    assert result.tolist() == [2] * 1000


# ----------------------------------------------------------------------------------------------------- errors


def check_condition(x: Any) -> None:
    if (x > 0).all():
        x.add_(1)


ERRORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "item": (lambda x: x.sum().item(), r"Tensor\.item"),
    "numpy": (lambda x: x.cpu(), r"Tensor\.cpu"),
    "tolist": (lambda x: x.tolist(), r"Tensor\.tolist"),
    "if": (check_condition, r"Tensor\.__bool__"),
    "float": (lambda x: float(x[0]), r"Tensor\.__float__"),
    "nonzero": (lambda x: torch.nonzero(x), "nonzero"),
    "mask": (lambda x: x[x > 0], r"Tensor\.__getitem__"),
    "unique": (lambda x: torch.unique(x), "unique"),
    "tensor": (lambda x: x + torch.tensor([1.0, 2.0, 3.0], device="cuda"), "tensor"),
    "to": (lambda x: torch.ones(3).to("cuda"), r"Tensor\.to"),
    "module": (lambda x: nn.Softplus()(x).sum().item(), r"Tensor\.item"),
    "inverse": (lambda x: torch.linalg.inv(torch.diag_embed(x)), "inv"),
    "one_hot": (lambda x: nn.functional.one_hot(x.long()), "one_hot"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_operation_that_cannot_be_captured_is_named(where: str, name: str) -> None:
    work, operation = ERRORS[name]
    x, stream = ones(3), graphs.capture_stream()
    work(x)  # but for the capture it is right
    with pytest.raises(RuntimeError, match=rf"^{operation} cannot be captured in a CUDA graph") as error:
        only_captured(lambda: work(x + 1))
    assert "before the capture" in str(error.value)
    assert not graphs.is_capturing()
    assert not stream.is_capturing()
    x.fill_(1)
    graph, result = captured(lambda: x * 2)  # on the same stream
    graph.replay()
    assert result.tolist() == [2, 2, 2]
    assert x.sum().item() == 3


def test_sorting_is_named(emulated: Any) -> None:
    """On the stand-in; CuPy's Thrust may be captured where it does not wait."""
    x = ones(3)
    with pytest.raises(RuntimeError, match=r"^sort cannot be captured in a CUDA graph"):
        only_captured(lambda: torch.sort(x))


def test_an_error_of_the_users_stays_what_it_is(where: str) -> None:
    graph = torch.cuda.CUDAGraph()

    def of_my_own() -> None:
        ones(2)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        only_captured(of_my_own)
    with pytest.raises(RuntimeError, match=r"^The size of tensor a \(2\) must match the size of tensor b \(3\)"):
        only_captured(lambda: ones(2) + ones(3))
    assert not graphs.is_capturing()
    assert ones(2).tolist() == [1, 1]
    with torch.cuda.graph(graph):
        y = ones(2) + 1
    graph.replay()
    assert y.tolist() == [2, 2]


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_spoiled_capture_gives_no_graph(where: str, goes_on: bool) -> None:
    """The user's code hides the error that CUDA raised: the capture is spoiled all the same."""
    graph = torch.cuda.CUDAGraph()

    def hides_it() -> None:
        x = ones(2)
        with contextlib.suppress(RuntimeError):
            accelerator.require().cuda.get_current_stream().synchronize()
        if goes_on:
            x.add_(1)

    with pytest.raises(RuntimeError, match="no CUDA graph was captured"):
        only_captured(hides_it, graph)
    with pytest.raises(RuntimeError, match="without a preceding successful capture"):
        graph.replay()
    assert (ones(2) + 1).tolist() == [2, 2]


def test_an_error_within_backward(where: str) -> None:
    class Looks(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(context: Any, grad: Any) -> Any:
            return grad * grad.sum().item()

    weight = nn.Parameter(ones(2))
    with pytest.raises(RuntimeError, match=r"^Tensor\.item cannot be captured"):
        only_captured(lambda: Looks.apply(weight).sum().backward())


# ------------------------------------------------------------------------------------------------- generators


class Counting:
    """A generator as graphs want it: its state is a number on the device."""

    def __init__(self) -> None:
        self.offset, self.calls = 0, []
        self.state = accelerator.require().zeros(1, "int64")
        self.drawn: int | None = None

    def begin_capture(self) -> None:
        self.calls.append("begin")
        self.drawn = 0

    def end_capture(self) -> int:
        self.calls.append("end")
        total, self.drawn = self.drawn, None
        return total or 0

    def before_replay(self, total: int) -> None:
        self.state[...] = self.offset
        self.offset += total

    def get_state(self) -> int:
        return self.offset

    def set_state(self, state: int) -> None:
        self.offset = state

    def draw(self, x: Any) -> Any:
        """x plus the next number."""
        if self.drawn is None:
            self.offset += 1
            return x + self.offset - 1
        self.drawn += 1
        return wrap(x.array + (self.state + (self.drawn - 1)).astype("float32"), torch.Tensor)


def test_generators_move_on_with_each_replay(where: str) -> None:
    generator, x, graph = Counting(), ones(1), torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        first, second = generator.draw(x), generator.draw(x)
    assert generator.calls == ["begin", "end"]
    seen = []
    for _ in range(3):
        graph.replay()
        seen.append((first.item() - 1, second.item() - 1))
    assert seen == [(0, 1), (2, 3), (4, 5)]
    assert generator.offset == 6


def test_generators_leave_a_failed_capture(where: str) -> None:
    generator, graph = Counting(), torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with pytest.raises(RuntimeError, match=r"Tensor\.item"), torch.cuda.graph(graph):
        ones(1).item()
    assert generator.calls == ["begin", "end"]
    with pytest.raises(RuntimeError, match="on a non-default stream"):
        graph.capture_begin()
    assert generator.calls == ["begin", "end"]


def test_generators_of_the_host_cannot_be_captured(where: str) -> None:
    with pytest.raises(RuntimeError, match="draws on the host"):
        torch.cuda.CUDAGraph().register_generator_state(torch.Generator())
