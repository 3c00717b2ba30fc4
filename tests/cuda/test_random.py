"""Random numbers on a GPU, through every public door: drawn there, reproducible, and going on in captured graphs.

Without a GPU the kernels are run by the emulator. With one, the same tests run there (``-m cuda``).
"""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch as torch
from minitorch import nn
from minitorch.backend import accelerator, graphs
from minitorch.backend.cuda_generator import default_cuda_generator
from reference import philox
from tests.harness.no_host_copy import no_host_copy

F = nn.functional
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=["emulator", pytest.param("GPU", marks=pytest.mark.cuda)], autouse=True)
def where(request: Any) -> str:
    """What runs the kernels."""
    if request.param == "emulator":
        request.getfixturevalue("emulated")
    torch.manual_seed(0)
    return str(request.param)


def values(tensor: Any) -> numpy.ndarray:
    assert tensor.is_cuda
    array: numpy.ndarray = tensor.detach().cpu().numpy()
    return array


def on_gpu(*data: float, dtype: Any = None) -> Any:
    return torch.tensor(list(data), dtype=dtype).to("cuda")


# ------------------------------------------------------------------------------------------------ every door


def like(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: function(torch.empty(5, 4, device="cuda").t(), *arguments)


def filled(name: str, *arguments: Any, dtype: Any = None) -> Callable[[], Any]:
    def fill() -> Any:
        tensor = torch.empty(4, 6, device="cuda", dtype=dtype)[:, ::2]
        assert getattr(tensor, name)(*arguments) is tensor
        return tensor

    return fill


DRAWS: dict[str, Callable[[], Any]] = {
    "rand": lambda: torch.rand(3, 5, device="cuda"),
    "rand half": lambda: torch.rand((7,), device="cuda:0", dtype=torch.float16),
    "rand out": lambda: torch.rand(3, out=torch.empty(3, device="cuda")),
    "randn": lambda: torch.randn(3, 5, device=torch.device("cuda"), dtype=torch.float64),
    "randint": lambda: torch.randint(-5, 10**12, (9,), device="cuda"),
    "randint uint8": lambda: torch.randint(9, (3, 3), device="cuda", dtype=torch.uint8),
    "randperm": lambda: torch.randperm(40, device="cuda"),
    "randperm int32": lambda: torch.randperm(40, device="cuda", dtype=torch.int32),
    "normal": lambda: torch.normal(2.0, 3.0, (8,), device="cuda"),
    "normal of means": lambda: torch.normal(on_gpu(1.0, 2.0, 3.0, 4.0), 2.0),
    "rand_like": like(torch.rand_like),
    "randn_like": like(torch.randn_like),
    "randint_like": like(torch.randint_like, 1000),
    "bernoulli": lambda: torch.bernoulli(torch.full((40,), 0.5, device="cuda")),
    "bernoulli of a number": lambda: torch.bernoulli(torch.empty(40, device="cuda"), 0.5),
    "multinomial": lambda: torch.multinomial(torch.ones(3, 50, device="cuda"), 4),
    "multinomial again": lambda: torch.multinomial(torch.ones(50, device="cuda"), 30, replacement=True),
    "uniform_": filled("uniform_", -1, 2),
    "normal_": filled("normal_", 1, 3),
    "random_": filled("random_", dtype=torch.int32),
    "random_ bounds": filled("random_", 5, 10**6),
    "bernoulli_": filled("bernoulli_", 0.5),
    "exponential_": filled("exponential_", 2.0),
    "geometric_": filled("geometric_", 0.1, dtype=torch.int64),
    "log_normal_": filled("log_normal_"),
    "cauchy_": filled("cauchy_"),
    "dropout": lambda: F.dropout(torch.ones(30, device="cuda")),
    "dropout in place": lambda: F.dropout(torch.ones(30, device="cuda"), inplace=True),
    "dropout1d": lambda: F.dropout1d(torch.ones(3, 20, 2, device="cuda")),
    "dropout2d": lambda: F.dropout2d(torch.ones(3, 20, 2, 2, device="cuda")),
    "dropout3d": lambda: F.dropout3d(torch.ones(3, 20, 2, 2, 1, device="cuda")),
    "alpha_dropout": lambda: F.alpha_dropout(torch.ones(30, device="cuda"), training=True),
    "feature_alpha_dropout": lambda: F.feature_alpha_dropout(torch.ones(3, 20, 2, device="cuda"), training=True),
    "rrelu": lambda: F.rrelu(torch.full((30,), -1.0, device="cuda"), training=True),
    "attention": lambda: F.scaled_dot_product_attention(*torch.ones(3, 6, 8, device="cuda"), dropout_p=0.5),
    "xavier_uniform_": lambda: nn.init.xavier_uniform_(torch.empty(5, 4, device="cuda")),
    "kaiming_normal_": lambda: nn.init.kaiming_normal_(torch.empty(5, 4, device="cuda")),
    "sparse_": lambda: nn.init.sparse_(torch.empty(9, 2, device="cuda"), 0.3),
    "orthogonal_": lambda: nn.init.orthogonal_(torch.empty(5, 4, device="cuda")),
    "Linear": lambda: nn.Linear(4, 5, device="cuda").weight,
    "Conv2d": lambda: nn.Conv2d(2, 3, 3, device="cuda", dtype=torch.float64).bias,
    "Embedding": lambda: nn.Embedding(4, 5, device="cuda").weight,
    "LSTM": lambda: nn.LSTM(3, 4, device="cuda").weight_hh_l0,
    "MultiheadAttention": lambda: nn.MultiheadAttention(4, 2, device="cuda").in_proj_weight,
}
WAITING = ("orthogonal_",)  # CuPy looks whether the decomposition succeeded


@pytest.mark.parametrize("name", DRAWS)
def test_numbers_are_drawn_on_the_gpu(name: str) -> None:
    """Without the host's generator, without copies; again with the same seed, and otherwise with the next numbers."""
    host_state = torch.get_rng_state().numpy().tobytes()
    draw = DRAWS[name]
    first, second = values(draw()), values(draw())
    assert not numpy.array_equal(first, second)
    torch.manual_seed(0)
    if name in WAITING:
        again = draw()
    else:
        with no_host_copy():
            again = draw()
    numpy.testing.assert_array_equal(values(again), first)
    torch.manual_seed(0)
    assert torch.get_rng_state().numpy().tobytes() == host_state, "numbers of the host were drawn"
    torch.manual_seed(1)
    assert not numpy.array_equal(values(draw()), first)
    assert numpy.isfinite(first).all()


def test_values_are_those_of_the_reference() -> None:
    torch.manual_seed(7)
    numpy.testing.assert_array_equal(values(torch.rand(2, 5, device="cuda")), expected_uniform(7, 0).reshape(2, 5))
    numpy.testing.assert_array_equal(values(torch.empty(10, device="cuda").uniform_()), expected_uniform(7, 4))
    drawn = torch.randint(3, 9, (6,), device="cuda").tolist()
    assert drawn == philox.integers(7, 8, 6, 3, 9)


def expected_uniform(seed: int, offset: int) -> numpy.ndarray:
    made: numpy.ndarray = philox.uniform(seed, offset, 10, numpy.float32)
    return made


def test_numbers_are_drawn_in_the_order_of_the_memory() -> None:
    transposed = torch.empty(5, 4, device="cuda").t()
    drawn = torch.rand_like(transposed)
    assert drawn.stride() == transposed.stride()
    torch.manual_seed(0)
    numpy.testing.assert_array_equal(values(drawn.t()), values(torch.rand(5, 4, device="cuda")))


def test_probabilities_from_either_device() -> None:
    filled = torch.empty(3, 200, device="cuda")
    for probabilities in (torch.tensor([0.0, 0.5, 1.0]), on_gpu(0.0, 0.5, 1.0)):
        drawn = values(filled.bernoulli_(probabilities[:, None]))
        assert (drawn[0].sum(), drawn[2].sum()) == (0, 200)
        assert 60 < drawn[1].sum() < 140
        assert torch.empty(3).bernoulli_(probabilities).tolist()[::2] == [0, 1]


def test_gradients_of_random_functions() -> None:
    x = torch.full((4, 50), -1.0, device="cuda", requires_grad=True)
    for function in (
        lambda: F.dropout(x, 0.4),
        lambda: F.dropout1d(x, 0.4),
        lambda: F.alpha_dropout(x, 0.4, training=True),
        lambda: F.rrelu(x, training=True),
    ):
        x.grad = None
        y = function()
        y.sum().backward()
        grad, output = values(x.grad), values(y)
        assert len(numpy.unique(grad)) > 1
        shift = (output + grad)[grad != 0]  # of f(x) = grad · x + shift, at x = −1
        numpy.testing.assert_allclose(shift, shift[0], 1e-5, 1e-6)


def test_errors_are_those_of_the_cpu() -> None:
    """In type, and in text but for the names of kernels."""
    programs: list[Callable[[Any, str], Any]] = [
        lambda package, device: package.rand(2, dtype=package.int64, device=device),
        lambda package, device: package.randint(5, 3, (2,), device=device),
        lambda package, device: package.randperm(-1, device=device),
        lambda package, device: package.empty(2, device=device).bernoulli_(1.5),
        lambda package, device: package.empty(1, device=device).uniform_(1, 0),
        lambda package, device: package.empty(1, device=device).normal_(0, -1),
        lambda package, device: package.normal(package.zeros(1, device=device), package.tensor([-1.0]).to(device)),
        lambda package, device: package.multinomial(package.ones(3, device=device), 5),
        lambda package, device: package.ones(2, requires_grad=True, device=device).normal_(),
    ]
    for program in programs:
        with pytest.raises((RuntimeError, NotImplementedError)) as expected:
            program(oracle, "cpu")
        with pytest.raises(type(expected.value)) as found:
            program(torch, "cuda")
        with pytest.raises(type(expected.value)) as on_cpu:
            program(torch, "cpu")
        assert str(found.value) == str(on_cpu.value)


# ------------------------------------------------------------------------------------------------ generators


def test_a_generator_of_its_own() -> None:
    with pytest.raises(RuntimeError, match="invalid device ordinal 63"):
        torch.Generator("cuda:63")
    generator = torch.Generator(device="cuda")
    assert generator.device == torch.device("cuda", 0)
    assert generator.initial_seed() == torch.Generator().initial_seed() == oracle.Generator().initial_seed()
    assert generator.manual_seed(5) is generator
    between = default_cuda_generator().get_offset()
    first = torch.rand(3, device="cuda", generator=generator)
    assert default_cuda_generator().get_offset() == between
    numpy.testing.assert_array_equal(values(first), philox.uniform(5, 0, 3, numpy.float32))
    assert (generator.get_offset(), generator.get_state().shape) == (4, (16,))
    clone = generator.clone_state()
    second = values(torch.randn(3, device="cuda", generator=generator))
    numpy.testing.assert_array_equal(values(torch.randn(3, device="cuda", generator=clone)), second)
    generator.set_offset(4)
    numpy.testing.assert_array_equal(values(torch.randn(3, device="cuda", generator=generator)), second)
    assert generator.set_state(clone.get_state()) is generator
    assert generator.get_offset() == 8
    assert generator.seed() == generator.initial_seed()


def test_generators_of_the_cpu_have_no_offset() -> None:
    for generator in (torch.Generator(), oracle.Generator()):
        for call in (generator.get_offset, lambda generator=generator: generator.set_offset(4)):
            with pytest.raises(RuntimeError, match="CPU Generator does not use offset"):
                call()
    generator = torch.Generator().manual_seed(3)
    clone = generator.clone_state()
    assert torch.rand(2, generator=generator).tolist() == torch.rand(2, generator=clone).tolist()


WITH_GENERATOR: list[Callable[[Any, Any], Any]] = [
    lambda device, generator: torch.rand(3, device=device, generator=generator),
    lambda device, generator: torch.randn(3, device=device, generator=generator),
    lambda device, generator: torch.randint(3, (3,), device=device, generator=generator),
    lambda device, generator: torch.randperm(3, device=device, generator=generator),
    lambda device, generator: torch.rand_like(torch.empty(3, device=device), generator=generator),
    lambda device, generator: torch.randn_like(torch.empty(3, device=device), generator=generator),
    lambda device, generator: torch.randint_like(torch.empty(3, device=device), 3, generator=generator),
    lambda device, generator: torch.normal(0.0, 1.0, (3,), device=device, generator=generator),
    lambda device, generator: torch.normal(torch.ones(3, device=device), 1.0, generator=generator),
    lambda device, generator: torch.bernoulli(torch.ones(3, device=device), generator=generator),
    lambda device, generator: torch.multinomial(torch.ones(3, device=device), 2, generator=generator),
    lambda device, generator: torch.empty(3, device=device).normal_(generator=generator),
    lambda device, generator: torch.empty(3, device=device).bernoulli_(0.5, generator=generator),
    lambda device, generator: torch.empty(3, device=device).bernoulli_(torch.ones(3), generator=generator),
    lambda device, generator: nn.init.xavier_normal_(torch.empty(3, 3, device=device), generator=generator),
]


@pytest.mark.parametrize("number", range(len(WITH_GENERATOR)))
def test_a_generator_of_another_device(number: int) -> None:
    draw = WITH_GENERATOR[number]
    cuda, cpu = torch.Generator("cuda"), torch.Generator()
    assert draw("cuda", cuda).is_cuda
    assert not draw("cpu", cpu).is_cuda
    assert cuda.get_offset() == 4
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
        draw("cuda", cpu)
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'cuda'"):
        draw("cpu", cuda)


# -------------------------------------------------------------------------------------------- minitorch.cuda


def drawn() -> list[float]:
    numbers: list[float] = torch.rand(3, device="cuda").tolist()
    return numbers


def test_seeds() -> None:
    torch.cuda.manual_seed(3)
    first = drawn()
    assert torch.cuda.initial_seed() == 3
    torch.cuda.manual_seed_all(3)
    assert drawn() == first
    assert torch.manual_seed(3) is torch.default_generator
    assert drawn() == first
    host = torch.get_rng_state().tolist()
    torch.cuda.manual_seed(4)
    assert torch.get_rng_state().tolist() == host, "the CPU's generator goes on"
    for seed in (torch.cuda.seed, torch.cuda.seed_all):
        seed()
        chosen = torch.cuda.initial_seed()
        assert chosen not in (3, 4)
        assert drawn() != first
    assert torch.seed() == torch.initial_seed() == torch.cuda.initial_seed()


def test_states() -> None:
    torch.cuda.manual_seed(3)
    state, everything = torch.cuda.get_rng_state(), torch.cuda.get_rng_state_all()
    assert len(everything) == torch.cuda.device_count()
    assert (state.dtype, state.tolist()) == (torch.uint8, everything[0].tolist())
    assert state.tolist() == [3] + [0] * 15
    first = drawn()
    for device in ("cuda", "cuda:0", 0, torch.device("cuda")):
        torch.cuda.set_rng_state(state, device)
        assert torch.cuda.get_rng_state(device).tolist() == state.tolist()
        assert drawn() == first
    torch.cuda.set_rng_state_all(everything)
    assert drawn() == first
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        torch.cuda.set_rng_state(state.to("cuda"))
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        torch.cuda.set_rng_state(state.float())
    with pytest.raises(RuntimeError, match="RNG state is wrong size"):
        torch.cuda.set_rng_state(torch.get_rng_state())


def test_torch_s_signatures() -> None:
    for name in oracle.cuda.random.__all__:
        ours, theirs = (inspect.signature(getattr(package.cuda, name)) for package in (torch, oracle))
        assert list(ours.parameters) == list(theirs.parameters), name
        defaults = [[each.default for each in signature.parameters.values()] for signature in (ours, theirs)]
        assert defaults[0] == defaults[1], name
        assert name in torch.cuda.__all__


def test_seeds_before_a_gpu_is_used() -> None:
    """They are remembered, and nobody looks for a GPU."""
    program = """
import minitorch as torch
from minitorch.backend import accelerator, cuda_generator
torch.manual_seed(5); torch.cuda.manual_seed_all(6); torch.cuda.manual_seed(7)
assert accelerator._module is None and accelerator._failure is None, "CuPy was looked for"
assert (cuda_generator._seeds.of(0), cuda_generator._seeds.of(1)) == (7, 6)
from tests.harness.fake_cupy import installed
with installed():
    assert torch.cuda.initial_seed() == 7
    torch.manual_seed(8)
    assert torch.cuda.initial_seed() == 8
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


# ------------------------------------------------------------------------------------------------- in graphs


def capture(work: Callable[[], Any], *generators: Any) -> tuple[Any, Any]:
    """A graph of ``work()``, which is done once before, and what that gave in the capture."""
    with graphs.side_stream(), graphs.own_products():
        work()
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        result = work()
    return graph, result


def everything_drawn() -> list[Any]:
    """One of each kind of kernel."""
    x = torch.ones(4, 10, device="cuda")
    return [
        *(torch.rand(3, 5, device="cuda"), torch.randn(7, device="cuda"), torch.randint(9, (5,), device="cuda")),
        *(torch.empty(9, device="cuda").bernoulli_(0.5), torch.bernoulli(x * 0.5), F.dropout(x), F.dropout1d(x)),
        *(torch.empty(3, device="cuda").exponential_(), torch.empty(3, device="cuda").cauchy_()),
        *(torch.empty(3, device="cuda").log_normal_(), torch.empty(3, device="cuda").geometric_(0.2)),
        *(F.alpha_dropout(x, training=True), F.rrelu(-x, training=True), torch.multinomial(x[0], 1)),
    ]


def test_replays_draw_what_comes_next() -> None:
    """As without a graph, and in turn with draws outside of it."""
    graph, results = capture(everything_drawn)
    torch.manual_seed(11)
    expected = []
    for _ in range(3):
        expected += [[values(each) for each in everything_drawn()], [values(torch.rand(3, device="cuda"))]]
    end = torch.cuda.get_rng_state().tolist()
    torch.manual_seed(11)
    found = []
    for _ in range(3):
        graph.replay()
        found += [[values(each) for each in results], [values(torch.rand(3, device="cuda"))]]
    assert torch.cuda.get_rng_state().tolist() == end
    for actual, wanted in zip(found, expected, strict=True):
        for first, second in zip(actual, wanted, strict=True):
            numpy.testing.assert_array_equal(first, second)
    assert (found[0][5] != found[2][5]).any(), "each replay drops other elements"


def test_a_capture_leaves_the_generator_where_it_is() -> None:
    graph = torch.cuda.CUDAGraph()
    everything_drawn()  # compiles
    before = torch.cuda.get_rng_state().tolist()
    with torch.cuda.graph(graph):
        everything_drawn()
    assert torch.cuda.get_rng_state().tolist() == before


def test_backward_meets_the_mask_of_forward() -> None:
    x, other = torch.ones(8, 30, device="cuda", requires_grad=True), torch.ones(30, device="cuda")

    def step() -> tuple[Any, Any]:
        x.grad = None
        y = F.dropout(x * F.dropout(other, 0.3), 0.5)
        y.sum().backward()
        return y, x.grad

    graph, (y, grad) = capture(step)
    seen = set()
    for _ in range(3):
        graph.replay()
        numpy.testing.assert_array_equal(values(grad), values(y))
        seen.add(values(y).tobytes())
    assert len(seen) == 3


def test_forward_and_backward_in_graphs_of_their_own() -> None:
    """When the first one's backward is replayed, the state has gone on: the place of forward's draw was noted."""
    samples = [torch.ones(6, 20, device="cuda", requires_grad=True) for _ in range(2)]
    layers = tuple(nn.Sequential(nn.Dropout(p), nn.Dropout(0.2)) for p in (0.5, 0.3))
    first, second = torch.cuda.make_graphed_callables(layers, tuple((each,) for each in samples))
    masks = set()
    for _ in range(3):
        x = torch.ones(6, 20, device="cuda", requires_grad=True)
        y = second(first(x))
        output = values(y)
        y.sum().backward()
        numpy.testing.assert_array_equal(values(x.grad), output)
        masks.add(output.tobytes())
    assert len(masks) == 3


def test_graphs_take_turns() -> None:
    """They read the same place on the device, each after it was written for it."""
    first, a = capture(lambda: torch.rand(4, device="cuda"))
    second, b = capture(lambda: (torch.randn(2, device="cuda"), torch.rand(4, device="cuda"))[1])
    torch.manual_seed(2)
    found = []
    for graph, result in ((first, a), (second, b), (first, a)):
        graph.replay()
        found.append(values(result))
    for actual, offset in zip(found, (0, 8, 12)):
        numpy.testing.assert_array_equal(actual, philox.uniform(2, offset, 4, numpy.float32))


def test_another_generator_must_be_registered() -> None:
    generator = torch.Generator("cuda").manual_seed(9)

    def work() -> Any:
        return torch.rand(4, device="cuda", generator=generator)

    graph = torch.cuda.CUDAGraph()
    work()
    with (
        pytest.raises(RuntimeError, match=r"rand cannot be captured.*register_generator_state"),
        torch.cuda.graph(graph),
    ):
        work()
    graph, result = capture(work, generator)
    generator.manual_seed(9)
    for number in range(3):
        graph.replay()
        numpy.testing.assert_array_equal(values(result), philox.uniform(9, 4 * number, 4, numpy.float32))
    assert generator.get_offset() == 12


def test_no_seeds_in_a_capture() -> None:
    state, reason = torch.cuda.get_rng_state(), "each replay goes on where its generator is then"
    for call, name in (
        (lambda: torch.manual_seed(1), "manual_seed"),
        (lambda: torch.cuda.manual_seed(1), "this"),
        (lambda: torch.cuda.set_rng_state(state), "this"),
    ):
        refused = pytest.raises(RuntimeError, match=f"^{name} cannot be captured in a CUDA graph: {reason}")
        with refused, torch.cuda.graph(torch.cuda.CUDAGraph()):
            call()
    torch.cuda.manual_seed(1)
    assert torch.cuda.initial_seed() == 1


def test_other_threads_draw_as_ever_during_a_capture() -> None:
    """What they draw is no part of the graph."""
    generator = default_cuda_generator()
    everything_drawn()
    torch.manual_seed(4)
    places = []
    with torch.cuda.graph(torch.cuda.CUDAGraph()):
        thread = threading.Thread(target=lambda: places.append(generator.next_place()))
        thread.start()
        thread.join()
        captured = generator.next_place()
    ((state, seed, offset),) = places
    assert (state, int(seed), int(offset)) == (None, 4, 0)
    assert isinstance(captured.state, accelerator.require().ndarray)
    assert int(captured.offset) == 0


def test_fork_rng() -> None:
    """Of the GPU's generator, too."""
    with torch.random.fork_rng():
        inside = torch.rand(3, device="cuda")
    assert (torch.rand(3, device="cuda") == inside).all()
    with torch.random.fork_rng(devices=[]):
        inside = torch.rand(3, device="cuda")
    assert not (torch.rand(3, device="cuda") == inside).any()


def test_a_warning_of_many_devices(monkeypatch: Any) -> None:
    monkeypatch.setattr(torch.random, "_has_warned", False)
    monkeypatch.setattr(torch.random.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.random.cuda, "get_rng_state", lambda device: device)
    monkeypatch.setattr(torch.random.cuda, "set_rng_state", lambda state, device: None)
    with pytest.warns(UserWarning, match="2 available devices") as caught, torch.random.fork_rng():
        pass
    assert caught[0].filename == __file__


def test_default_generators() -> None:
    generator = torch.cuda.default_generators[0]
    assert len(torch.cuda.default_generators) == torch.cuda.device_count()
    assert (generator.device, generator.initial_seed()) == (torch.device("cuda", 0), 0)
    before = generator.get_offset()
    torch.rand(3, device="cuda")
    assert generator.get_offset() > before
