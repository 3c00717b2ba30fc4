"""Autograd: recording, switching it off, backward twice, gradients that add up, what a graph is called."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.harness.both import same

BACKWARD_TWICE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
    "saved tensors after calling backward."
)


# --------------------------------------------------------------------------------------------------- on and off


def test_no_grad_switches_recording_off() -> None:
    def program(torch: Any) -> Any:
        x = torch.zeros(1, requires_grad=True)
        with torch.no_grad():
            y = x * 2
        z = x * 2
        return y.requires_grad, z.requires_grad, y.grad_fn, str(y), str(z)

    assert same(program) == (False, True, None, "tensor([0.])", "tensor([0.], grad_fn=<MulBackward0>)")


def test_recording_can_be_set_for_the_whole_program() -> None:
    def program(torch: Any) -> Any:
        x = torch.ones(1, requires_grad=True)
        seen = []
        torch.set_grad_enabled(False)
        seen.append((x * 2).requires_grad)
        torch.set_grad_enabled(True)
        seen.append((x * 2).requires_grad)
        with torch.set_grad_enabled(False):
            seen.append((x * 2).requires_grad)
            with torch.enable_grad():
                seen.append((x * 2).requires_grad)
        seen.append(torch.is_grad_enabled())
        return seen

    assert same(program) == [False, True, False, True, True]


def test_no_grad_decorates_functions() -> None:
    def program(torch: Any) -> Any:
        @torch.no_grad()
        def double(x: Any) -> Any:
            return x * 2

        return double(torch.ones(1, requires_grad=True)).requires_grad

    assert same(program) is False


def test_requires_grad_can_be_turned_on_later() -> None:
    def program(torch: Any) -> Any:
        x = torch.ones(2, 2)
        before = x.requires_grad
        returned = x.requires_grad_(True)
        (x * 3).sum().backward()
        return before, returned is x, x.requires_grad, x.is_leaf, x.grad, str(x)

    *_, printed = same(program)
    assert printed == "tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)"


def test_integers_have_no_gradients() -> None:
    same(lambda torch: torch.tensor([1, 2], requires_grad=True))
    same(lambda torch: torch.tensor([1, 2]).requires_grad_(), message=True)


# ------------------------------------------------------------------------------------------------------ backward


def test_a_first_gradient() -> None:
    def program(torch: Any) -> Any:
        x = torch.ones(2, 2, requires_grad=True)
        y = x + 2
        z = y * y * 3
        out = z.mean()
        out.backward()
        return str(y), str(z), str(out), x.grad, str(x.grad), y.is_leaf

    y, z, out, _, grad, _ = same(program)
    assert y == "tensor([[3., 3.],\n        [3., 3.]], grad_fn=<AddBackward0>)"
    assert z == "tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward0>)"
    assert out == "tensor(27., grad_fn=<MeanBackward0>)"
    assert grad == "tensor([[4.5000, 4.5000],\n        [4.5000, 4.5000]])"


def test_only_scalars_have_an_implicit_cotangent() -> None:
    def vector(torch: Any) -> Any:
        x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (x * 2).backward()

    error = same(vector, message=True)
    assert str(error) == "grad can be implicitly created only for scalar outputs"

    def weighted(torch: Any) -> Any:
        x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (x * 2).backward(torch.tensor([0.1, 1.0, 0.0001]))
        return x.grad

    same(weighted)


def test_the_cotangent_has_the_shape_of_the_output() -> None:
    def program(torch: Any) -> Any:
        (torch.ones(3, requires_grad=True) * 2).backward(torch.ones(2))

    same(program, message=True)


def test_backward_a_second_time() -> None:
    """Older versions said less: "… but the buffers have already been freed. Specify retain_graph=True …"."""

    def program(torch: Any) -> Any:
        x = torch.tensor([2.0], requires_grad=True)
        z = (x**2).sum()
        z.backward()
        z.backward()

    assert str(same(program, message=True)) == BACKWARD_TWICE


def test_a_retained_graph_adds_the_gradient_again() -> None:
    """A second backward doubles the weights' gradient: gradients add up until they are zeroed."""

    def program(torch: Any) -> Any:
        nn = torch.nn
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
        images, labels = torch.randn(64, 784), torch.randint(0, 10, (64,))
        loss = nn.CrossEntropyLoss()(model(images), labels)
        before = model[0].weight.grad
        loss.backward(retain_graph=True)
        once = model[0].weight.grad.clone()
        loss.backward()
        twice = model[0].weight.grad
        return before, once, twice, torch.equal(once * 2, twice)

    before, *_, doubled = same(program)
    assert before is None
    assert doubled is True


def test_the_last_backward_frees_what_was_retained() -> None:
    def program(torch: Any) -> Any:
        x = torch.ones(2, requires_grad=True)
        z = (x * x).sum()
        z.backward(retain_graph=True)
        z.backward()
        z.backward()

    assert str(same(program, message=True)) == BACKWARD_TWICE


def test_a_tensor_without_a_graph_has_no_backward() -> None:
    same(lambda torch: torch.ones(1).backward(), message=True)


def test_two_losses_share_a_graph() -> None:
    def program(torch: Any) -> Any:
        w = torch.tensor([1.0, -2.0], requires_grad=True)
        hidden = w.exp()
        hidden.sum().backward(retain_graph=True)
        first = w.grad.clone()
        hidden.pow(2).sum().backward()
        return first, w.grad

    same(program)


# ------------------------------------------------------------------------------------------------ detach and data


def test_detach_cuts_the_graph() -> None:
    def program(torch: Any) -> Any:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = (x * 3).detach()
        inputs = torch.randn(5, 4, 3).log_softmax(2).detach().requires_grad_()
        return y.requires_grad, y.is_leaf, inputs.requires_grad, inputs.is_leaf, y

    same(program)


def test_data_is_the_tensor_without_its_history() -> None:
    def program(torch: Any) -> Any:
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = x * 2
        x.data.mul_(10)
        y.sum().backward()
        return x, x.data.requires_grad, x.grad, str(x.data)

    *_, printed = same(program)
    assert printed == "tensor([10., 20.])"


def test_a_leaf_cannot_be_changed_in_place() -> None:
    error = same(lambda torch: torch.ones(2, requires_grad=True).add_(1), message=True)
    assert str(error) == "a leaf Variable that requires grad is being used in an in-place operation."


def test_a_step_by_hand() -> None:
    """weight = weight − learning_rate · gradient, under no_grad."""

    def program(torch: Any) -> Any:
        w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        losses = []
        for _ in range(3):
            loss = (w * w).sum()
            loss.backward()
            losses.append(loss.item())
            with torch.no_grad():
                w -= 0.1 * w.grad
                w.grad.zero_()
        return w, losses, w.is_leaf, w.requires_grad

    same(program)


def test_a_value_needed_in_backward_was_changed() -> None:
    def program(torch: Any) -> Any:
        x = torch.ones(2, 2, requires_grad=True)
        y = x.exp()
        y.mul_(2)
        y.sum().backward()

    error = str(same(program))
    assert error.startswith(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
    )
    assert "is at version 1; expected version 0 instead. Hint: " in error


def test_frozen_parameters_get_no_gradient() -> None:
    def program(torch: Any) -> Any:
        nn = torch.nn
        features, classifier = nn.Linear(4, 3), nn.Linear(3, 2)
        for param in features.parameters():
            param.requires_grad = False
        out = classifier(torch.relu(features(torch.randn(5, 4))))
        out.sum().backward()
        return features.weight.grad, classifier.weight.grad, [p.requires_grad for p in features.parameters()]

    frozen, *_ = same(program)
    assert frozen is None


def test_requires_grad_of_a_result_cannot_be_switched_off() -> None:
    def program(torch: Any) -> Any:
        y = torch.ones(2, requires_grad=True) * 2
        y.requires_grad = False

    same(program, message=True)


def test_gradients_as_values() -> None:
    """A penalty on the norm of a gradient, with every option spelled out as it is in many programs."""

    def program(torch: Any) -> Any:
        critic, x = torch.nn.Linear(3, 1), torch.randn(4, 3, requires_grad=True)
        gradients = torch.autograd.grad(
            outputs=torch.tanh(critic(x)),
            inputs=x,
            grad_outputs=torch.ones(4, 1),
            create_graph=True,
            retain_graph=True,
            only_inputs=True,
        )[0]
        penalty = ((gradients.norm(2, dim=1) - 1) ** 2).mean()
        penalty.backward()
        return gradients, penalty, critic.weight.grad, x.grad

    same(program)


def test_arguments_of_old() -> None:
    def program(torch: Any) -> Any:
        x = torch.tensor(2.0, requires_grad=True)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            first = torch.autograd.grad(x * x, x, None, None, False, False)
            torch.autograd.backward(x * x, grad_variables=torch.tensor(3.0))
        return first, x.grad, [(each.category.__name__, str(each.message)) for each in seen]

    assert len(same(program)[2]) == 2


# -------------------------------------------------------------------------------------------------- names of nodes


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        (lambda torch, x: torch.nn.Linear(3, 2)(x), "AddmmBackward0"),
        (lambda torch, x: x.view(-1), "ViewBackward0"),
        (lambda torch, x: x.sum(), "SumBackward0"),
        (lambda torch, x: x.mean(), "MeanBackward0"),
        (lambda torch, x: torch.mm(x, x.t()), "MmBackward0"),
        (lambda torch, x: torch.nn.functional.relu(x), "ReluBackward0"),
        (lambda torch, x: torch.softmax(x, 1), "SoftmaxBackward0"),
        (lambda torch, x: torch.log_softmax(x, 1), "LogSoftmaxBackward0"),
        (lambda torch, x: torch.sigmoid(x), "SigmoidBackward0"),
        (lambda torch, x: x - x.mean(), "SubBackward0"),
        (lambda torch, x: x / 2, "DivBackward0"),
        (lambda torch, x: x**2, "PowBackward0"),
        (lambda torch, x: x[0], "SelectBackward0"),
        (lambda torch, x: x[:, 1:], "SliceBackward0"),
        (lambda torch, x: torch.flatten(x), "ViewBackward0"),
        (lambda torch, x: x.detach().requires_grad_().clone(), "CloneBackward0"),
    ],
)
def test_a_result_is_printed_with_the_node_that_made_it(expression: Any, name: str) -> None:
    def program(torch: Any) -> Any:
        result = expression(torch, torch.ones(2, 3, requires_grad=True))
        return result.grad_fn.name(), str(result.detach() * 0).split("(")[0], str(result).endswith(f"grad_fn=<{name}>)")

    assert same(program) == (name, "tensor", True)


def test_the_graph_can_be_walked() -> None:
    def program(torch: Any) -> Any:
        linear = torch.nn.Linear(3, 2)
        loss = torch.nn.functional.mse_loss(torch.relu(linear(torch.ones(4, 3))), torch.zeros(4, 2))
        names, node = [], loss.grad_fn
        for _ in range(3):
            names.append(node.name())
            node = node.next_functions[0][0]
        return names

    assert same(program) == ["MseLossBackward0", "ReluBackward0", "AddmmBackward0"]


def test_a_function_of_ones_own() -> None:
    def program(torch: Any) -> Any:
        class Exp(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, i: Any) -> Any:
                result = i.exp()
                ctx.save_for_backward(result)
                return result

            @staticmethod
            def backward(ctx: Any, grad_output: Any) -> Any:
                (result,) = ctx.saved_tensors
                return grad_output * result

        x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
        y = Exp.apply(x)
        y.backward(torch.tensor([1.0, 2.0, 3.0]))
        return y, x.grad, y.grad_fn.name()

    same(program)
