"""``autograd.Function`` as users write it, in both libraries."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.both import same


def _product(torch: Any) -> Any:
    class Product(torch.autograd.Function):
        """Two outputs, a plain argument, saved inputs."""

        @staticmethod
        def forward(ctx: Any, x: Any, y: Any, factor: int) -> Any:
            ctx.save_for_backward(x, y)
            ctx.factor = factor
            return x * y * factor, x + y

        @staticmethod
        def backward(ctx: Any, grad_product: Any, grad_sum: Any) -> Any:
            x, y = ctx.saved_tensors
            return grad_product * y * ctx.factor + grad_sum, grad_product * x * ctx.factor + grad_sum, None

    return Product


def _inputs(torch: Any) -> Any:
    return (
        torch.tensor([1.0, 2.0], requires_grad=True),
        torch.tensor([3.0, -4.0], requires_grad=True),
    )


def _make(torch: Any, forward: Any, backward: Any) -> Any:
    namespace = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Made", (torch.autograd.Function,), namespace)


def test_gradients_and_names() -> None:
    def program(torch: Any) -> Any:
        x, y = _inputs(torch)
        product, total = _product(torch).apply(x, y, 3)
        name = product.grad_fn.name()
        (product * total).backward(torch.tensor([1.0, 10.0]))
        return product.detach(), total.detach(), x.grad, y.grad, name

    same(program)


def test_unused_output_is_materialized_as_zeros() -> None:
    def program(torch: Any) -> Any:
        x, y = _inputs(torch)
        product, _ = _product(torch).apply(x, y, 3)
        product.backward(torch.ones(2))
        return x.grad, y.grad

    same(program)


def test_set_materialize_grads_gives_none() -> None:
    def program(torch: Any) -> Any:
        seen = []

        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        def backward(ctx: Any, first: Any, second: Any) -> Any:
            seen.append(second is None)
            return first * 2

        x, _ = _inputs(torch)
        first, _ = _make(torch, forward, backward).apply(x)
        first.backward(torch.ones(2))
        return x.grad, seen

    same(program)


def test_double_backward_through_saved_tensors() -> None:
    def program(torch: Any) -> Any:
        x, y = _inputs(torch)
        product, _ = _product(torch).apply(x, y, 2)
        (first,) = torch.autograd.grad(product, x, torch.ones(2), create_graph=True)
        return torch.autograd.grad(first, y, torch.ones(2))

    same(program)


def test_saved_output() -> None:
    def program(torch: Any) -> Any:
        def forward(ctx: Any, x: Any) -> Any:
            result = x * x * x
            ctx.save_for_backward(x, result)
            return result

        def backward(ctx: Any, grad: Any) -> Any:
            x, result = ctx.saved_tensors
            return grad * 3 * result * torch.ones(2) / x

        x, _ = _inputs(torch)
        _make(torch, forward, backward).apply(x).backward(torch.ones(2))
        return x.grad

    same(program)


def test_setup_context_style() -> None:
    def program(torch: Any) -> Any:
        class Square(torch.autograd.Function):
            @staticmethod
            def forward(x: Any) -> Any:
                return x * x

            @staticmethod
            def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
                ctx.save_for_backward(*inputs)

            @staticmethod
            def backward(ctx: Any, grad: Any) -> Any:
                (x,) = ctx.saved_tensors
                return 2 * x * grad

        x, _ = _inputs(torch)
        Square.apply(x).backward(torch.ones(2))
        return x.grad

    same(program)


def test_input_returned_as_it_is_becomes_another_tensor() -> None:
    def program(torch: Any) -> Any:
        x, _ = _inputs(torch)
        y = _make(torch, lambda ctx, x: x, lambda ctx, grad: grad * 5).apply(x)
        y.backward(torch.ones(2))
        return y is x, x.grad

    same(program)


def test_mark_non_differentiable() -> None:
    def program(torch: Any) -> Any:
        def forward(ctx: Any, x: Any) -> Any:
            first, second = x * 2, x * 3
            ctx.mark_non_differentiable(second)
            return first, second

        x, _ = _inputs(torch)
        first, second = _make(torch, forward, lambda ctx, a, b: a * 2).apply(x)
        return first.requires_grad, second.requires_grad

    same(program)


def test_mark_dirty() -> None:
    def program(torch: Any) -> Any:
        def forward(ctx: Any, x: Any) -> Any:
            x.add_(1)
            ctx.mark_dirty(x)
            return x

        x, _ = _inputs(torch)
        y = x * 2
        z = _make(torch, forward, lambda ctx, grad: grad * 7).apply(y)
        z.backward(torch.ones(2))
        return x.grad, z is y, z.detach()

    same(program)


def test_needs_input_grad_and_no_grad() -> None:
    def program(torch: Any) -> Any:
        seen = []

        def forward(ctx: Any, x: Any, y: Any) -> Any:
            seen.append(ctx.needs_input_grad)
            seen.append(torch.is_grad_enabled())
            return x * y

        x, _ = _inputs(torch)
        function = _make(torch, forward, lambda ctx, grad: (grad, None))
        with torch.no_grad():
            quiet = function.apply(x, torch.ones(2))
        loud = function.apply(x, torch.ones(2))
        return quiet.requires_grad, loud.requires_grad, seen[1:]

    same(program)


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (lambda ctx, x: x * 1, lambda ctx, grad: (grad, grad)),
        (lambda ctx, x: x * 1, lambda ctx, grad: grad.new_ones(5) if hasattr(grad, "new_ones") else None),
    ],
    ids=["too many gradients", "wrong shape"],
)
def test_errors(forward: Any, backward: Any) -> None:
    def program(torch: Any) -> None:
        x, _ = _inputs(torch)
        _make(torch, forward, backward).apply(x).backward(torch.ones(2))

    same(program, message=True)


def test_missing_methods() -> None:
    def no_backward(torch: Any) -> None:
        x, _ = _inputs(torch)
        made = type("Made", (torch.autograd.Function,), {"forward": staticmethod(lambda ctx, x: x * 2)})
        made.apply(x).backward(torch.ones(2))

    same(no_backward, message=True)
    same(lambda torch: torch.autograd.Function.apply(_inputs(torch)[0]), message=True)
