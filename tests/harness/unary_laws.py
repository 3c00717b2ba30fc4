"""What every function of one tensor obeys beside ``OpContract``: its methods, its in-place form, nan and infinities.

A test class inherits ``UnaryLaws`` next to ``OpContract``; each law is run for every declaration, on the arguments
of the declaration's first ``tiny`` sample.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle

import minitorch
from tests.harness.compare import as_numpy, assert_equal, to_ours, to_torch
from tests.harness.contract import Call
from tests.harness.declaration import Declaration

SPECIAL = numpy.array([numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0, 1.0, -1.0, 0.3, -0.3, 200.0, -200.0])


def _arguments(declaration: Declaration, dtype: str = "float64") -> Call:
    return Call(declaration.tiny[0], dtype, 0, 2 ** len(declaration.tiny[0].specs()) - 1)


def _same(first: float, second: float) -> bool:
    return first == second or (first != first and second != second)


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


class UnaryLaws:
    """Laws of functions of one tensor; subclasses name the exceptions, each with its reason."""

    declarations: list[Declaration]
    values_left_out: ClassVar[
        dict[str, tuple[float, ...]]
    ] = {}  # of an op: which of ``SPECIAL`` have another value in torch
    gradients_left_out: ClassVar[dict[str, tuple[float, ...]]] = {}  # or another gradient
    no_half: tuple[str, ...] = ()  # ops that torch has no float16 for, or computes less exactly than float16 resolves

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_special_values_and_their_gradients_are_those_of_torch(self, declaration: Declaration, dtype: str) -> None:
        call = _arguments(declaration)
        if any(hasattr(each, "ndim") for each in call.our_args[1:]):
            pytest.skip("has a second tensor")
        with numpy.errstate(all="ignore"):
            ours = self._at_special(declaration, minitorch, to_ours, dtype, call.our_args[1:], call.our_kwargs)
            theirs = self._at_special(declaration, oracle, to_torch, dtype, call.their_args[1:], call.their_kwargs)
        for which, left_out in enumerate((self.values_left_out, self.gradients_left_out)[: len(ours)]):
            kept = [not any(_same(each, other) for other in left_out.get(declaration.name, ())) for each in SPECIAL]
            numpy.testing.assert_allclose(ours[which][kept], theirs[which][kept], 2e-6, 2e-6)

    def _at_special(
        self, declaration: Declaration, package: Any, convert: Any, dtype: str, args: Any, kwargs: Any
    ) -> list[numpy.ndarray]:
        """The values at ``SPECIAL`` and, of a differentiable op, the gradients."""
        x = convert(SPECIAL.astype(dtype), True)
        result = declaration.resolve(package)(x, *args, **kwargs)
        if not declaration.differentiable:
            return [as_numpy(result)]
        (grad,) = package.autograd.grad([result], [x], [convert(numpy.ones(SPECIAL.shape, dtype))])
        return [as_numpy(result.detach()), as_numpy(grad)]

    def test_grad_fn_has_the_name_that_torch_prints(self, declaration: Declaration) -> None:
        if not declaration.differentiable:
            pytest.skip("not differentiable")
        ours, theirs = _arguments(declaration).run(declaration)
        assert ours[0].grad_fn.name() == theirs[0].grad_fn.name()

    def test_method_and_in_place_forms(self, declaration: Declaration) -> None:
        """``x.f()``, ``x.f_()`` and ``torch.f_(x)``, wherever torch has them."""
        name, tried = _last(declaration.name), 0
        for path in (f"Tensor.{name}", f"Tensor.{name}_", f"{name}_", f"nn.functional.{name}_"):
            found = oracle
            for part in path.split("."):
                found = getattr(found, part, None)
            if found is None:
                continue
            call = _arguments(declaration)
            form = Declaration(path, declaration.samples)
            with oracle.no_grad(), minitorch.no_grad():
                (ours,), (theirs,) = call.run(form)
            assert_equal(ours, theirs, declaration.tolerance, path)
            if path.endswith("_"):
                assert ours is call.our_args[0], f"{path} returned another tensor"
            tried += 1
        if not tried:
            pytest.skip("torch has no method of this name")

    def test_inplace_argument(self, declaration: Declaration) -> None:
        """``f(x, inplace=True)`` writes into x, and gradients still flow to what x was before."""
        call = _arguments(declaration)
        ours, theirs = call.our_args[0], call.their_args[0]
        try:
            changed = declaration.resolve(oracle)(theirs * 1, *call.their_args[1:], **call.their_kwargs, inplace=True)
        except TypeError:
            pytest.skip("torch's has no inplace argument")
        target = ours * 1
        result = declaration.resolve(minitorch)(target, *call.our_args[1:], **call.our_kwargs, inplace=True)
        assert result is target
        assert_equal(result, changed, declaration.tolerance)
        (grad,) = minitorch.autograd.grad([result.sum()], [ours])
        (expected,) = oracle.autograd.grad([changed.sum()], [theirs])
        assert_equal(grad, expected, declaration.tolerance)

    def test_out(self, declaration: Declaration) -> None:
        call = _arguments(declaration)
        with oracle.no_grad(), minitorch.no_grad():
            expected = declaration.resolve(oracle)(*call.their_args, **call.their_kwargs)
            target = oracle.empty_like(expected)
            try:
                declaration.resolve(oracle)(*call.their_args, **call.their_kwargs, out=target)
            except TypeError:
                pytest.skip("torch's has no out argument")
            ours = to_ours(numpy.zeros(tuple(expected.shape), as_numpy(expected).dtype))
            result = declaration.resolve(minitorch)(*call.our_args, **call.our_kwargs, out=ours)
        assert result is ours
        assert_equal(ours, expected, declaration.tolerance)
        if declaration.differentiable:
            with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
                declaration.resolve(minitorch)(*call.our_args, **call.our_kwargs, out=ours)

    def test_float16_is_rounded_once(self, declaration: Declaration) -> None:
        """Values within a unit in the last place (2⁻¹⁰) of torch's, gradients within four: torch rounds each step."""
        if declaration.name in self.no_half:
            pytest.skip("torch's float16 is no measure")
        call = _arguments(declaration, "float16")
        (ours,), (theirs,) = call.run(declaration)
        assert ours.array.dtype == as_numpy(theirs).dtype
        numpy.testing.assert_allclose(as_numpy(ours.detach()), as_numpy(theirs), 1e-3, 1e-4)
        if declaration.differentiable:
            ones = numpy.ones(ours.array.shape, "float16")
            (grad,) = minitorch.autograd.grad([ours], call.ours[:1], [to_ours(ones)])
            (expected,) = oracle.autograd.grad([theirs], call.theirs[:1], [to_torch(ones)])
            assert grad.array.dtype == numpy.float16
            numpy.testing.assert_allclose(as_numpy(grad), as_numpy(expected), 4e-3, 1e-3)

    def test_no_tensor_is_an_error_that_says_so(self, declaration: Declaration) -> None:
        call = _arguments(declaration)
        for package, args, kwargs in (
            (oracle, call.their_args, call.their_kwargs),
            (minitorch, call.our_args, call.our_kwargs),
        ):
            with pytest.raises((TypeError, AttributeError)):
                declaration.resolve(package)("text", *args[1:], **kwargs)
