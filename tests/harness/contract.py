"""Every kind of test that an op must pass, from its ``Declaration``.

A test file says

    class TestElementwise(OpContract):
        declarations = [Declaration(...), ...]

and inherits the tests below, each run for every declaration (``conftest.py`` does the parametrising).
"""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch.autograd.variable import wrap
from minitorch.backend import accelerator
from tests.harness import verdict
from tests.harness.compare import TOLERANCES, as_numpy, assert_equal, flatten, is_tensor, to_ours, to_torch
from tests.harness.cuda_emulator import compiler
from tests.harness.declaration import LAYOUTS, Declaration, Sample, Spec
from tests.harness.fake_cupy import installed
from tests.harness.no_host_copy import no_hidden_copy_in
from tests.harness.strict_array import strict

SEEDS = st.integers(0, 2**32 - 1)
# Where the CPU computes in float64 by the same formula, no digit is lost; narrower types round once more
DEVICE_TOLERANCES = {**TOLERANCES, "float64": (1e-9, 1e-9)}
FINITE_DIFFERENCE_LIMIT = 40  # elements; beyond that a Jacobian is slow and shows nothing new


class Call:
    """One sample made concrete: the same values as minitorch arguments and as torch arguments."""

    def __init__(self, sample: Sample, dtype: str, seed: int, subset: int = 0) -> None:
        generator = numpy.random.default_rng(seed)
        self.arrays: list[numpy.ndarray] = []
        self.ours: list[Any] = []  # the inputs that require grad, in order
        self.theirs: list[Any] = []
        bit = itertools.count()

        def make(spec: Spec) -> tuple[Any, Any]:
            array = spec.make(generator, dtype)
            wanted = spec.differentiable and array.dtype.kind == "f" and bool(subset >> next(bit) & 1)
            pair = to_ours(array, wanted), to_torch(array, wanted)
            self.arrays.append(array)
            if wanted:
                self.ours.append(pair[0])
                self.theirs.append(pair[1])
            return pair

        args, kwargs = sample.map(lambda spec: _Pair(make(spec)))
        self.our_args, self.our_kwargs = _pick(args, 0), _pick(kwargs, 0)
        self.their_args, self.their_kwargs = _pick(args, 1), _pick(kwargs, 1)

    def run(self, declaration: Declaration) -> tuple[list[Any], list[Any]]:
        """The outputs of both libraries, flattened."""
        ours = declaration.resolve(minitorch)(*self.our_args, **self.our_kwargs)
        theirs = declaration.resolve(oracle)(*self.their_args, **_translate(self.their_kwargs))
        return flatten(ours), flatten(theirs)


class _Pair:
    def __init__(self, pair: tuple[Any, Any]) -> None:
        self.pair = pair


def _pick(value: Any, side: int) -> Any:
    if isinstance(value, _Pair):
        return value.pair[side]
    if isinstance(value, dict):
        return {name: _pick(each, side) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_pick(each, side) for each in value])
    if isinstance(value, minitorch.dtype) and side == 1:
        return getattr(oracle, value.name)
    return value


def _translate(kwargs: dict[str, Any]) -> dict[str, Any]:
    return kwargs


def _draw_sample(data: Any, declaration: Declaration) -> Sample:
    sample = declaration.samples(data.draw)
    if declaration.check_layouts:
        layouts = [data.draw(st.sampled_from(LAYOUTS)) for _ in sample.specs()]
        sample = sample.with_layouts(layouts)
    return sample


def _cotangents(outputs: list[Any], seed: int) -> list[tuple[int, numpy.ndarray]]:
    """A random cotangent for every output that has a gradient: a sum of outputs would hide wrong factors."""
    generator = numpy.random.default_rng(seed ^ 0x5EED)
    return [
        (index, generator.uniform(-1, 1, tuple(output.shape)).astype(as_numpy(output).dtype))
        for index, output in enumerate(outputs)
        if is_tensor(output) and output.requires_grad
    ]


def _gradients(package: Any, outputs: list[Any], inputs: list[Any], cotangents: Any, create_graph: bool) -> list[Any]:
    chosen = [outputs[index] for index, _ in cotangents]
    convert = to_ours if package is minitorch else to_torch
    given_grads = [convert(array, create_graph) for _, array in cotangents]
    found = package.autograd.grad(chosen, inputs, given_grads, create_graph=create_graph, allow_unused=True)
    return [*found, *given_grads] if create_graph else list(found)


class OpContract:
    """The tests of an op. Subclasses set ``declarations`` and add the op's own laws."""

    declarations: ClassVar[list[Declaration]] = []

    def test_equals_reference(self, declaration: Declaration) -> None:
        """Kind 1: the textbook definition, on tiny float64 inputs."""
        if declaration.reference is None:
            pytest.skip("no separate definition: torch is the only judge")
        for number, sample in enumerate(declaration.tiny):
            call = Call(sample, "float64", number)
            ours = flatten(declaration.resolve(minitorch)(*call.our_args, **call.our_kwargs))
            arguments, options = _as_arrays(call.our_args), _as_arrays(call.our_kwargs)
            expected = declaration.reference(*arguments, **options)
            expected = expected if isinstance(expected, (tuple, list)) else [expected]
            for actual, wanted in zip(ours, expected):
                numpy.testing.assert_allclose(as_numpy(actual), wanted, 1e-12, 1e-12, err_msg=repr(sample))

    @given(data=st.data(), seed=SEEDS)
    def test_equals_torch(self, declaration: Declaration, data: Any, seed: int) -> None:
        """Kind 2: values, shapes and dtypes."""
        dtype = data.draw(st.sampled_from(declaration.dtypes + declaration.integer_dtypes))
        call = Call(_draw_sample(data, declaration), dtype, seed)
        ours, theirs = call.run(declaration)
        assert len(ours) == len(theirs)
        for actual, expected in zip(ours, theirs):
            verdict.record(declaration.name, "value", assert_equal(actual, expected, declaration.tolerance))

    @given(data=st.data(), seed=SEEDS)
    def test_gradients_equal_torch(self, declaration: Declaration, data: Any, seed: int) -> None:
        """Kinds 3 and 5: gradients for a random cotangent and any subset of inputs; nothing else is touched."""
        if not declaration.differentiable:
            pytest.skip("not differentiable")
        sample = _draw_sample(data, declaration)
        dtype = data.draw(st.sampled_from(declaration.dtypes))
        call = Call(sample, dtype, seed, data.draw(st.integers(1, 2 ** len(sample.specs()) - 1)))
        before = [array.copy() for array in call.arrays]
        ours, theirs = call.run(declaration)
        for actual, expected in zip(ours, theirs):
            if is_tensor(expected):
                assert actual.requires_grad == expected.requires_grad
        cotangents = _cotangents(theirs, seed)
        if not cotangents or not call.ours:
            return
        cotangents_before = [array.copy() for _, array in cotangents]
        expected_grads = _gradients(oracle, theirs, call.theirs, cotangents, False)
        actual_grads = _gradients(minitorch, ours, call.ours, cotangents, False)
        for actual, expected in zip(actual_grads, expected_grads):
            _assert_same_gradient(declaration, actual, expected, "gradient")
        _assert_untouched(before, call.arrays, cotangents_before, [array for _, array in cotangents])
        _assert_no_aliasing(actual_grads, call.arrays + [array for _, array in cotangents])

    @given(data=st.data(), seed=SEEDS)
    def test_second_gradients_equal_torch(self, declaration: Declaration, data: Any, seed: int) -> None:
        """Kind 4: the gradient of the gradient, in float64."""
        if not (declaration.differentiable and declaration.twice):
            pytest.skip("no second derivative, as in torch")
        sample = _draw_sample(data, declaration)
        call = Call(sample, "float64", seed, 2 ** len(sample.specs()) - 1)
        ours, theirs = call.run(declaration)
        cotangents = _cotangents(theirs, seed)
        if not cotangents or not call.ours:
            return
        results = []
        for package, outputs, inputs in ((oracle, theirs, call.theirs), (minitorch, ours, call.ours)):
            found = _gradients(package, outputs, inputs, cotangents, True)
            grads, given_grads = found[: len(inputs)], found[len(inputs) :]
            results.append(_second(package, grads, [*inputs, *given_grads], seed))
        for expected, actual in zip(*results):
            _assert_same_gradient(declaration, actual, expected, "second gradient")

    def test_finite_differences(self, declaration: Declaration) -> None:
        """Kind 4: differences judge the gradient without any formula, torch's included."""
        if not declaration.differentiable:
            pytest.skip("not differentiable")
        tried = 0
        for number, sample in enumerate(declaration.tiny):
            call = Call(sample, "float64", number, 2 ** len(sample.specs()) - 1)
            if not call.ours or sum(value.array.size for value in call.ours) > FINITE_DIFFERENCE_LIMIT:
                continue

            def function(*values: Any, call: Call = call) -> Any:
                replaced = {id(old): new for old, new in zip(call.ours, values)}
                args, kwargs = _swap(call.our_args, replaced), _swap(call.our_kwargs, replaced)
                return tuple(flatten(declaration.resolve(minitorch)(*args, **kwargs)))

            assert minitorch.autograd.gradcheck(function, tuple(call.ours))
            tried += 1
        if not tried:
            pytest.skip("no tiny sample declared: second gradients are compared with torch's")

    @given(data=st.data(), seed=SEEDS)
    def test_runs_on_strict_arrays(self, declaration: Declaration, data: Any, seed: int) -> None:
        """Kind 6, without a GPU: an array type that, like CuPy's, refuses to mix with NumPy."""
        if not declaration.strict:
            pytest.skip("its CUDA path is a kernel")
        previous = accelerator.install(strict)
        try:
            _assert_same_on_stand_in(declaration, data, seed)
        finally:
            accelerator.install(previous)

    @given(data=st.data(), seed=SEEDS)
    def test_runs_kernels(self, declaration: Declaration, data: Any, seed: int) -> None:
        """Kind 6, without a GPU: the op's kernels, run by the emulator."""
        if not declaration.has_kernels or compiler() is None:
            pytest.skip("no kernels" if not declaration.has_kernels else "no g++ to compile kernels for the emulator")
        with installed():
            _assert_same_on_stand_in(declaration, data, seed)

    @pytest.mark.cuda
    @given(data=st.data(), seed=SEEDS)
    def test_cuda_equals_cpu(self, declaration: Declaration, data: Any, seed: int) -> None:
        """Kind 6: the GPU's values and gradients are the CPU's."""
        if not declaration.same_on_cuda:
            pytest.skip("random numbers of its own on a GPU")
        sample = _draw_sample(data, declaration)
        on_cpu = Call(sample, declaration.device_dtype, seed, 2 ** len(sample.specs()) - 1)
        on_device = Call(sample, declaration.device_dtype, seed, 2 ** len(sample.specs()) - 1)
        module = accelerator.require()
        for value in _tensors(on_device.our_args) + _tensors(on_device.our_kwargs):
            value.array = module.asarray(value.array)
        _assert_same_on_device(declaration, on_cpu, on_device, seed, module.asarray)

    def test_errors(self, declaration: Declaration) -> None:
        """Kind 7: every documented error, of torch's type."""
        for case in declaration.errors:
            call = Call(case.sample, case.dtype, 0)
            if case.torch_error is not None:
                expected = case.error if case.torch_error is Exception else case.torch_error
                with pytest.raises(expected):
                    declaration.resolve(oracle)(*call.their_args, **call.their_kwargs)
            with pytest.raises(case.error, match=case.match):
                declaration.resolve(minitorch)(*call.our_args, **call.our_kwargs)


def _assert_same_on_stand_in(declaration: Declaration, data: Any, seed: int) -> None:
    sample = _draw_sample(data, declaration)
    on_cpu = Call(sample, declaration.device_dtype, seed, 2 ** len(sample.specs()) - 1)
    on_device = Call(sample, declaration.device_dtype, seed, 2 ** len(sample.specs()) - 1)
    for value in _tensors(on_device.our_args) + _tensors(on_device.our_kwargs):
        value.array = strict.asarray(value.array)
    _assert_same_on_device(declaration, on_cpu, on_device, seed, strict.asarray)


def _second(package: Any, grads: list[Any], inputs: list[Any], seed: int) -> list[Any]:
    """The gradient of the gradients for a further random cotangent; None where torch has none."""
    cotangents = []
    for position, grad in enumerate(grads):  # a stream each: one library may know that a gradient is constant
        if grad is not None and grad.requires_grad:
            cotangents += [(position, each) for _, each in _cotangents([grad], seed + 1 + position)]
    if not cotangents:
        return [None] * len(inputs)
    return _gradients(package, grads, inputs, cotangents, False)


def _as_arrays(value: Any) -> Any:
    if is_tensor(value):
        return value.array
    if isinstance(value, dict):
        return {name: _as_arrays(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_as_arrays(each) for each in value])
    return value


def _swap(value: Any, replaced: dict[int, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _swap(each, replaced) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_swap(each, replaced) for each in value])
    return replaced.get(id(value), value)


def _tensors(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for each in value for tensor in _tensors(each)]
    return [value] if is_tensor(value) else []


def _assert_same_gradient(declaration: Declaration, actual: Any, expected: Any, kind: str) -> None:
    # torch sometimes says None and sometimes zeros for "does not depend on it": both mean no gradient
    if expected is None or actual is None:
        for grad in (actual, expected):
            assert grad is None or not as_numpy(grad).any(), f"{kind}: one library has none, the other {grad}"
        return
    verdict.record(declaration.name, kind, assert_equal(actual, expected, declaration.tolerance, kind))


def _assert_untouched(before: Any, after: Any, cotangents_before: Any, cotangents: Any) -> None:
    for old, new in zip([*before, *cotangents_before], [*after, *cotangents]):
        numpy.testing.assert_array_equal(old, new, err_msg="an input or cotangent was modified")


def _assert_no_aliasing(grads: list[Any], others: list[numpy.ndarray]) -> None:
    arrays = [as_numpy(grad) for grad in grads if grad is not None]
    for first, second in itertools.combinations(arrays, 2):
        assert not numpy.shares_memory(first, second), "two gradients share memory"
    for grad, other in itertools.product(arrays, others):
        assert not numpy.shares_memory(grad, other), "a gradient shares memory with an input or cotangent"


def _assert_same_on_device(declaration: Declaration, on_cpu: Call, on_device: Call, seed: int, upload: Any) -> None:
    function = declaration.resolve(minitorch)
    expected = flatten(function(*on_cpu.our_args, **on_cpu.our_kwargs))
    with no_hidden_copy_in(declaration.name):
        actual = flatten(function(*on_device.our_args, **on_device.our_kwargs))
    for ours, wanted in zip(actual, expected):
        if is_tensor(wanted):
            _assert_on_device_and_equal(ours, wanted)
    cotangents = _cotangents(expected, seed)
    if not (declaration.differentiable and cotangents and on_cpu.ours):
        return
    wanted_grads = _gradients(minitorch, expected, on_cpu.ours, cotangents, False)
    given_grads = [wrap(upload(array), minitorch.Tensor) for _, array in cotangents]
    outputs = [actual[index] for index, _ in cotangents]
    with no_hidden_copy_in(declaration.name):
        found = minitorch.autograd.grad(outputs, on_device.ours, given_grads, allow_unused=True)
    for ours, wanted in zip(found, wanted_grads):
        if wanted is not None:
            _assert_on_device_and_equal(ours, wanted)


def _assert_on_device_and_equal(ours: Any, wanted: Any) -> None:
    assert ours.is_cuda, "the result came back to the host"
    assert ours.dtype == wanted.dtype, f"{ours.dtype} on the device, {wanted.dtype} on the CPU"
    relative, absolute = DEVICE_TOLERANCES.get(str(wanted.dtype).rpartition(".")[2], (1e-9, 1e-9))
    numpy.testing.assert_allclose(as_numpy(ours), as_numpy(wanted), relative, absolute)
