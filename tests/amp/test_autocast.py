"""``autocast``: every op in the dtype that torch gives it, with torch's errors, casts of parameters and gradients."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from minitorch.autograd.autocast_mode import state
from minitorch.ops.autocast_policies import BANNED, FLOAT32, FLOAT32_RESULT, LOWER, POLICIES, WIDEST
from tests.amp.cuda_policies import listed
from tests.amp.programs import DTYPES, PROGRAMS
from tests.harness.both import outcome, same
from tests.harness.compare import as_numpy, flatten
from tests.harness.fake_cupy import installed

ROOT = Path(__file__).parents[2]
VALUES = numpy.random.default_rng(0).uniform(0.1, 0.9, (2, 4, 4)).tolist()
LOWER_ERROR = 4e-3  # of results that float16 operands went into: eight of its roundings, of numbers up to 4


def region(package: Any, **options: Any) -> Any:
    """float16 for the CPU."""
    return package.autocast("cpu", **{"dtype": package.float16, **options})


def parameter(package: Any, *shape: int) -> Any:
    """A parameter of ones."""
    return package.nn.Parameter(package.ones(*shape))


# ------------------------------------------------------------------------------------------------ policies


def on_cpu(package: Any, name: str, dtypes: tuple[str, str]) -> Any:
    """The outcome of a program of ``programs.py`` inside a region."""

    def program(package: Any) -> Any:
        x, y = (package.tensor(value, dtype=getattr(package, dtype)) for value, dtype in zip(VALUES, dtypes))
        with region(package):
            return PROGRAMS[name](package, x, y)

    return outcome(program, package)


# Ours can, and torch cannot
MORE = {"pdist": "torch: \"pdist\" not implemented for 'Half'"}


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in MORE])
@pytest.mark.filterwarnings("ignore")
def test_dtypes_on_the_cpu(name: str) -> None:
    for dtypes in DTYPES:
        (kind, expected), (our_kind, actual) = (on_cpu(package, name, dtypes) for package in (oracle, minitorch))
        assert kind == our_kind, f"{dtypes}: torch gives {expected!r}, minitorch {actual!r}"
        if kind == "error":
            assert isinstance(actual, type(expected))
            continue
        for mine, their in zip(flatten(actual), flatten(expected)):
            assert str(mine.dtype) == str(their.dtype), f"{dtypes}: {mine.dtype} is not torch's {their.dtype}"
            if name not in ("dropout", "rrelu"):  # which draw other numbers in float16
                wide = [as_numpy(each).astype("float64") for each in (mine, their)]
                numpy.testing.assert_allclose(*wide, LOWER_ERROR, LOWER_ERROR)


@pytest.fixture(scope="module")
def cuda_outcomes() -> Any:
    """What torch gives for each program, had its CPU the policies of CUDA."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.amp.cuda_policies"],
        input=json.dumps(VALUES),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return json.loads(found.stdout)


# cuDNN casts all operands of a layer, which a torch for CPUs does not have; the rest torch's CPU cannot in float16
UNLIKE_CUDA = {"GRU": "float16", "local_response_norm": "float32"}


@pytest.mark.filterwarnings("ignore")
def test_dtypes_on_cuda(cuda_outcomes: Any) -> None:
    found: dict[str, Any] = {}
    with installed():
        for name, program in PROGRAMS.items():
            for dtypes in DTYPES:
                found[f"{name} of {dtypes}"] = on_device(program, dtypes)
    expected = {f"{name} of {dtypes}": cuda_outcomes[name][" ".join(dtypes)] for name in PROGRAMS for dtypes in DTYPES}
    unlike = {
        key: (value, expected[key])
        for key, value in found.items()
        if key.partition(" of (")[0] not in UNLIKE_CUDA
        and value != expected[key]
        and not (isinstance(value, str) and isinstance(expected[key], str))
    }
    assert not unlike, "\n".join(f"{key}: {mine} is not torch's {their}" for key, (mine, their) in unlike.items())
    for name, dtype in UNLIKE_CUDA.items():
        assert set(found[f"{name} of ('float16', 'float16')"]) == {f"torch.{dtype}"}


def on_device(program: Any, dtypes: tuple[str, str]) -> list[str] | str:
    """The dtypes of a program's results on the stand-in for a GPU."""
    x, y = (
        minitorch.tensor(value, dtype=getattr(minitorch, each), device="cuda") for value, each in zip(VALUES, dtypes)
    )
    minitorch.manual_seed(0)
    try:
        with minitorch.autocast("cuda"):
            return [str(each.dtype) for each in flatten(program(minitorch, x, y))]
    except (RuntimeError, NotImplementedError, IndexError, ValueError) as error:
        return str(error)


# Ours and what they are in torch's list, where the names differ
NAMES = {"vecdot": "linalg_vecdot", "multi_dot": "linalg_multi_dot", "vector_norm": "linalg_vector_norm"}
NAMES |= {"matrix_norm": "linalg_matrix_norm", "rnn_cell": "rnn_tanh_cell", "upsample": "upsample_bilinear2d"}
COMPOSED = {"square", "rdiv", "cross_entropy", "inner", "rnn", "lstm", "gru"}  # see autocast_policies.py


def test_table_for_cuda_is_torchs() -> None:
    theirs = {name.partition(".")[0]: policy for name, policy in listed()}
    ours = {NAMES.get(name, name): policy for name, policy in POLICIES["cuda"].items() if name not in COMPOSED}
    assert ours == {name: theirs[name] for name in ours}
    assert {LOWER, FLOAT32, FLOAT32_RESULT, WIDEST, BANNED} == set(theirs.values())


def test_table_for_the_cpu_names_ops_that_torch_casts() -> None:
    registered = oracle._C._dispatch_get_registrations_for_dispatch_key("AutocastCPU")
    theirs = {name.removeprefix("aten::").partition(".")[0] for name in registered}
    names = {"vecdot": "linalg_vecdot", "inv": "linalg_inv", "solve": "linalg_solve", "lstm": "mkldnn_rnn_layer"}
    names["cross_entropy"] = "cross_entropy_loss"
    assert {names.get(name, name) for name in POLICIES["cpu"]} <= theirs


def test_banned_on_cuda() -> None:
    with installed(), minitorch.autocast("cuda"):
        half = minitorch.full((2,), 0.5, device="cuda")
        with pytest.raises(RuntimeError, match="are unsafe to autocast") as error:
            minitorch.nn.functional.binary_cross_entropy(half, half)
        assert "safe to autocast." in str(error.value)


def test_float64_and_integers_are_not_cast() -> None:
    def program(torch: Any) -> Any:
        a = torch.ones(2, 2, dtype=torch.float64)
        with region(torch):
            return a @ a, torch.cat([a, torch.ones(2, 2, dtype=torch.float16)]), torch.ones(2, 2).long() @ a.long()

    same(program)
    for other in ("float64", "int64"):

        def mixed(torch: Any, other: str = other) -> Any:
            with region(torch):
                return torch.mm(torch.ones(2, 2, dtype=getattr(torch, other)), torch.ones(2, 2))

        same(mixed)


# ------------------------------------------------------------------------------------------ exactness


@pytest.mark.parametrize("shape", [(64, 64, 64), (3, 1000, 5)])
def test_error_of_matmul(shape: tuple[int, int, int]) -> None:
    """Against float64: not more than four times torch's."""
    N, K, M = shape
    generator = numpy.random.default_rng(0)
    a, b = generator.standard_normal((N, K)), generator.standard_normal((K, M))
    errors = []
    for package in (minitorch, oracle):
        with region(package):
            product = package.tensor(a.tolist()) @ package.tensor(b.tolist())
        errors.append(abs(as_numpy(product) - a @ b).max())
    assert errors[0] <= 4 * errors[1]


def test_error_of_conv2d() -> None:
    generator = numpy.random.default_rng(0)
    images, kernels = generator.standard_normal((2, 8, 12, 12)), generator.standard_normal((4, 8, 3, 3))
    exact = oracle.nn.functional.conv2d(oracle.tensor(images), oracle.tensor(kernels)).numpy()
    errors = []
    for package in (minitorch, oracle):
        with region(package):
            found = package.nn.functional.conv2d(package.tensor(images.tolist()), package.tensor(kernels.tolist()))
        errors.append(abs(as_numpy(found) - exact).max())
    assert errors[0] <= 4 * errors[1]


# ------------------------------------------------------------------------------------------- gradients


def test_gradients_have_the_parameters_dtype() -> None:
    def program(torch: Any) -> Any:
        w, b, x = parameter(torch, 3, 2), parameter(torch, 3), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        with region(torch):
            y = torch.nn.functional.linear(x, w, b)
            z = torch.nn.functional.linear(y, w.t(), None)
            loss = torch.nn.functional.mse_loss(z, x)
        loss.backward()
        return y.detach(), z.detach(), loss.detach(), w.grad, b.grad

    same(program)


def test_second_derivatives() -> None:
    def program(torch: Any) -> Any:
        w = torch.full((2, 2), 0.5, requires_grad=True)
        with region(torch):
            loss = (w @ w @ w).sum()
        (grad,) = torch.autograd.grad(loss, w, create_graph=True)
        (grad * grad).sum().backward()
        return grad.detach(), w.grad

    same(program)


def test_saved_operands_are_short() -> None:
    """What backward keeps of a product is half as large."""
    w = parameter(minitorch, 3, 2)
    with region(minitorch):
        y = minitorch.nn.functional.linear(minitorch.ones(4, 2), w)
    assert {array.dtype.name for array in y.grad_fn.saved if array is not None} == {"float16"}


# ------------------------------------------------------------------------------------------------ casts


def casts_of(weight: Any, use: Any) -> int:
    """How many different casts of ``weight`` two products use."""
    nodes = [use(), use()]
    return len({id(node.grad_fn.edges[1][0]) for node in nodes})


def test_a_parameter_is_cast_once_a_region() -> None:
    w, x = parameter(minitorch, 3, 2), minitorch.ones(1, 2)

    def use() -> Any:
        return minitorch.nn.functional.linear(x, w)

    with region(minitorch):
        assert casts_of(w, use) == 1
        assert state.cache
        with region(minitorch):
            use()
        assert state.cache, "an inner region keeps the casts"
        with region(minitorch, cache_enabled=False):
            assert not minitorch.is_autocast_cache_enabled()
            assert casts_of(w, use) == 2
        with region(minitorch, enabled=False):
            assert use().dtype is minitorch.float32
    assert not state.cache
    with region(minitorch):
        minitorch.clear_autocast_cache()
        use()
    frozen = minitorch.nn.Parameter(minitorch.ones(3, 2), requires_grad=False)
    with region(minitorch):
        minitorch.nn.functional.linear(x, frozen)
        minitorch.nn.functional.linear(x, w * 1)
        assert not state.cache, "only parameters with gradients are kept"


def test_a_cast_made_without_recording_is_not_used_with_it() -> None:
    def program(torch: Any) -> Any:
        w, x = parameter(torch, 3, 2), torch.ones(1, 2)
        with region(torch):
            with torch.no_grad():
                torch.nn.functional.linear(x, w)
            y = torch.nn.functional.linear(x, w)
            with torch.no_grad():
                assert not torch.nn.functional.linear(x, w).requires_grad
        y.sum().backward()
        return w.grad

    same(program)


def test_a_changed_parameter_is_cast_anew() -> None:
    """torch goes on with the old cast; here that would be the one stale value that nothing reports."""
    w, x = parameter(minitorch, 1, 2), minitorch.ones(1, 2)
    with region(minitorch):
        assert minitorch.nn.functional.linear(x, w).item() == 2
        with minitorch.no_grad():
            w.add_(1)
        assert minitorch.nn.functional.linear(x, w).item() == 4
        w.data = minitorch.zeros(1, 2)
        assert minitorch.nn.functional.linear(x, w).item() == 0


# ----------------------------------------------------------------------------------------------- regions


def test_regions_nest() -> None:
    def program(torch: Any) -> Any:
        a, found = torch.ones(2, 2), []
        with region(torch):
            found.append((a @ a).dtype)
            with region(torch, enabled=False):
                found += [(a @ a).dtype, torch.is_autocast_enabled("cpu")]
                with region(torch):
                    found.append((a @ a).dtype)
            found += [(a @ a).dtype, torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled("cuda")]
        return [*found, (a @ a).dtype, torch.is_autocast_enabled("cpu")]

    assert [str(each) for each in program(minitorch)] == [str(each) for each in program(oracle)]


def test_an_error_ends_the_region() -> None:
    with pytest.raises(KeyError), region(minitorch):
        raise KeyError
    assert not minitorch.is_autocast_enabled("cpu")
    assert minitorch.autocast_increment_nesting() == 1
    assert minitorch.autocast_decrement_nesting() == 0
    assert state.cache_enabled


def test_an_error_in_an_op_leaves_the_region_on() -> None:
    with region(minitorch):
        with pytest.raises(RuntimeError):
            minitorch.mm(minitorch.ones(2, 3), minitorch.ones(2, 3))
        with pytest.raises(RuntimeError):
            minitorch.ones(2).add_(minitorch.ones(3))
        assert minitorch.is_autocast_enabled("cpu")


def test_decorator() -> None:
    @region(minitorch)
    def power(a: Any, n: int) -> Any:
        """a · a · …"""
        return a if n == 1 else power(a, n - 1) @ a  # the same region inside itself

    assert power.__doc__ == "a · a · …"
    assert power(minitorch.eye(2), 3).dtype is minitorch.float16
    assert not minitorch.is_autocast_enabled("cpu")
    with pytest.raises(TypeError, match=r"autocast\(\)\(func\) requires a callable, but got int. Did you mean"):
        region(minitorch)(3)


def test_a_region_belongs_to_its_thread() -> None:
    found = []

    def other() -> None:
        found.append((minitorch.ones(2, 2) @ minitorch.ones(2, 2)).dtype)
        with region(minitorch):
            found.append((minitorch.ones(2, 2) @ minitorch.ones(2, 2)).dtype)

    with region(minitorch):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert minitorch.is_autocast_enabled("cpu")
    assert found == [minitorch.float32, minitorch.float16]


def test_each_device_has_its_own_region() -> None:
    with installed():
        a, b = minitorch.ones(2, 2), minitorch.ones(2, 2, device="cuda")
        with minitorch.autocast("cuda"):
            assert (a @ a).dtype is minitorch.float32
            assert (b @ b).dtype is minitorch.float16
            with region(minitorch):
                assert (a @ a).dtype is minitorch.float16
                assert (b @ b).dtype is minitorch.float16


# ------------------------------------------------------------------------------------ arguments and errors


def test_bfloat16_is_refused() -> None:
    with pytest.raises(RuntimeError, match="neither NumPy nor CuPy has bfloat16, so ask for dtype=torch"):
        minitorch.autocast("cpu")
    with pytest.raises(RuntimeError, match="neither NumPy nor CuPy has bfloat16"):
        minitorch.get_autocast_dtype("cpu")
    with pytest.raises(AttributeError, match="there is no bfloat16 here: neither NumPy nor CuPy has it"):
        _ = minitorch.bfloat16  # type: ignore[attr-defined]
    with minitorch.autocast("cpu", enabled=False):
        assert not minitorch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(
    "program",
    [
        lambda torch: torch.autocast(3),
        lambda torch: torch.autocast("no device"),
        lambda torch: torch.amp.is_autocast_available("no device"),
        lambda torch: torch.amp.is_autocast_available("cpu"),
        lambda torch: torch.amp.autocast_mode.is_autocast_available("cuda"),
        lambda torch: torch.is_autocast_enabled(3),
        lambda torch: torch.set_autocast_enabled("cpu", 3),
        lambda torch: torch.set_autocast_dtype("cpu", "float16"),
        lambda torch: torch.is_autocast_enabled(),
        lambda torch: torch.get_autocast_dtype("cuda"),
        lambda torch: torch.amp.custom_fwd(device_type=3),
        lambda torch: torch.amp.custom_bwd(device_type=3),
    ],
)
def test_arguments_as_torch(program: Any) -> None:
    same(program, message=False)


@pytest.mark.parametrize("options", [{"device_type": "cpu", "dtype": "float32"}, {"device_type": "cuda"}], ids=str)
def test_what_cannot_be_is_disabled_with_a_warning(options: dict[str, Any]) -> None:
    texts = []
    for package in (oracle, minitorch):
        given = {name: getattr(package, value, value) if name == "dtype" else value for name, value in options.items()}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with package.autocast(**given):
                assert not package.is_autocast_enabled(options["device_type"])
        texts.append(str(caught[0].message).split("\n")[0])
    assert texts[0] == texts[1]


def test_low_level_switches() -> None:
    try:
        minitorch.set_autocast_dtype("cpu", minitorch.float16)
        minitorch.set_autocast_enabled("cpu", True)
        assert (minitorch.ones(2, 2) @ minitorch.ones(2, 2)).dtype is minitorch.float16
        with minitorch.autocast("cpu"):  # the dtype is known now
            assert minitorch.get_autocast_dtype("cpu") is minitorch.float16
    finally:
        minitorch.set_autocast_enabled("cpu", False)
        minitorch.set_autocast_cache_enabled(True)
        minitorch.clear_autocast_cache()
        del state.dtypes["cpu"]


def test_older_names_warn() -> None:
    expected, found = [], []
    for package, texts in ((oracle, expected), (minitorch, found)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            package.cuda.amp.autocast(enabled=False)
            package.cuda.amp.GradScaler(enabled=False)
            package.cuda.amp.custom_fwd(lambda context: None)
            package.cuda.amp.custom_bwd(lambda context: None)
        texts += [(each.category, str(each.message)) for each in caught]
    assert found == expected
    assert minitorch.cuda.amp.amp_definitely_not_available()


# ---------------------------------------------------------------------------------------- custom functions


def custom(torch: Any, cast_inputs: Any) -> Any:
    """A product of our own, that says which dtypes it saw."""

    class Product(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu", cast_inputs=cast_inputs)
        def forward(context: Any, a: Any, b: Any) -> Any:
            context.save_for_backward(a, b)
            assert torch.is_autocast_enabled("cpu") == (cast_inputs is None)
            return a @ b

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")
        def backward(context: Any, grad: Any) -> Any:
            a, b = context.saved_tensors
            assert torch.is_autocast_enabled("cpu") == (cast_inputs is None)
            return grad @ b.t(), a.t() @ grad

    return Product


@pytest.mark.parametrize("cast_inputs", [None, "float32", "float16"])
def test_custom_functions(cast_inputs: str | None) -> None:
    def program(torch: Any) -> Any:
        function = custom(torch, cast_inputs and getattr(torch, cast_inputs))
        a = torch.full((2, 2), 0.5, dtype=torch.float16 if cast_inputs else torch.float32, requires_grad=True)
        b = torch.full((2, 2), 0.25, requires_grad=True)
        with region(torch):
            product = function.apply(a, b)
        product.sum().backward()
        return product.detach(), a.grad, b.grad

    same(program)


def test_custom_functions_outside() -> None:
    class Triple(minitorch.autograd.Function):
        @staticmethod
        @minitorch.amp.custom_fwd(device_type="cpu", cast_inputs=minitorch.float16)
        def forward(context: Any, x: Any) -> Any:
            return x * 3

        @staticmethod
        @minitorch.amp.custom_bwd(device_type="cpu")
        def backward(context: Any, grad: Any) -> Any:
            return grad * 3

    x = minitorch.ones(2, requires_grad=True)
    y = Triple.apply(x)
    y.sum().backward()
    assert y.dtype is minitorch.float32
    assert x.grad.tolist() == [3, 3]


def test_containers_are_cast_item_by_item() -> None:
    cast = minitorch.amp.autocast_mode._cast
    half = minitorch.ones(1, dtype=minitorch.float16)
    found = cast({"a": [half, (half, "text", 3)], "b": numpy.ones(1, "float16")}, "cpu", minitorch.float32)
    assert found["a"][0].dtype is found["a"][1][0].dtype is minitorch.float32
    assert found["a"][1][1:] == ("text", 3)
    assert found["b"].dtype == "float16"
    assert next(iter(cast(iter([half]), "cpu", minitorch.float32))).dtype is minitorch.float32
    assert cast(half.double(), "cpu", minitorch.float32).dtype is minitorch.float64


@pytest.mark.filterwarnings("ignore")
def test_lstm_is_cast_as_a_whole() -> None:
    layer = minitorch.nn.LSTM(4, 3)
    with region(minitorch):
        output, (h, c) = layer(minitorch.ones(2, 2, 4))
    assert output.dtype is h.dtype is c.dtype is minitorch.float16
    output.sum().backward()
    assert layer.weight_ih_l0.grad.dtype is minitorch.float32
