"""The state of a network: its keys, loading it, what is refused; devices and errors of use."""

from __future__ import annotations

from typing import Any

from tests.harness.both import same
from tests.notes.networks import cifar_network, hidden_network

# ------------------------------------------------------------------------------------------------- what state is


def test_the_keys_of_the_state() -> None:
    def program(torch: Any) -> Any:
        model = hidden_network(torch, 784, 10, [512, 256, 128])
        return str(model), str(model.state_dict().keys()), [each.out_features for each in model.hidden_layers]

    printed, keys, sizes = same(program)
    assert printed == (
        "Network(\n"
        "  (hidden_layers): ModuleList(\n"
        "    (0): Linear(in_features=784, out_features=512, bias=True)\n"
        "    (1): Linear(in_features=512, out_features=256, bias=True)\n"
        "    (2): Linear(in_features=256, out_features=128, bias=True)\n"
        "  )\n"
        "  (output): Linear(in_features=128, out_features=10, bias=True)\n"
        "  (dropout): Dropout(p=0.5, inplace=False)\n"
        ")"
    )
    assert keys == (
        "odict_keys(['hidden_layers.0.weight', 'hidden_layers.0.bias', 'hidden_layers.1.weight', "
        "'hidden_layers.1.bias', 'hidden_layers.2.weight', 'hidden_layers.2.bias', 'output.weight', 'output.bias'])"
    )
    assert sizes == [512, 256, 128]


def test_loading_a_state() -> None:
    def program(torch: Any) -> Any:
        trained, fresh = hidden_network(torch, 8, 2, [6, 5]), hidden_network(torch, 8, 2, [6, 5])
        result = fresh.load_state_dict(trained.state_dict())
        trained.eval()
        fresh.eval()
        x = torch.randn(3, 8)
        return str(result), torch.equal(trained(x), fresh(x)), fresh.output.weight is not trained.output.weight

    assert same(program) == ("<All keys matched successfully>", True, True)


def test_a_network_rebuilt_from_sizes_and_state() -> None:
    def program(torch: Any) -> Any:
        model = hidden_network(torch, 8, 2, [6, 5])
        checkpoint = {
            "input_size": 8,
            "output_size": 2,
            "hidden_layers": [each.out_features for each in model.hidden_layers],
            "state_dict": model.state_dict(),
        }
        rebuilt = hidden_network(
            torch, checkpoint["input_size"], checkpoint["output_size"], checkpoint["hidden_layers"]
        )
        rebuilt.load_state_dict(checkpoint["state_dict"])
        return str(rebuilt) == str(model), rebuilt.state_dict()

    assert same(program)[0] is True


def test_a_state_of_other_sizes_is_refused() -> None:
    def program(torch: Any) -> Any:
        state_dict = hidden_network(torch, 784, 10, [512, 256, 128]).state_dict()
        hidden_network(torch, 784, 10, [400, 200, 100]).load_state_dict(state_dict)

    error = str(same(program, message=True))
    assert error == "Error(s) in loading state_dict for Network:" + "".join(
        f"\n\tsize mismatch for {name}: copying a param with shape torch.Size({saved}) from checkpoint, "
        f"the shape in current model is torch.Size({current})."
        for name, saved, current in (
            ("hidden_layers.0.weight", [512, 784], [400, 784]),
            ("hidden_layers.0.bias", [512], [400]),
            ("hidden_layers.1.weight", [256, 512], [200, 400]),
            ("hidden_layers.1.bias", [256], [200]),
            ("hidden_layers.2.weight", [128, 256], [100, 200]),
            ("hidden_layers.2.bias", [128], [100]),
            ("output.weight", [10, 128], [10, 100]),
        )
    )


def test_missing_and_unexpected_keys() -> None:
    def strict(torch: Any) -> Any:
        torch.nn.Linear(2, 3).load_state_dict({"weight": torch.zeros(3, 2), "scale": torch.ones(1)})

    def lenient(torch: Any) -> Any:
        linear = torch.nn.Linear(2, 3)
        result = linear.load_state_dict({"weight": torch.zeros(3, 2), "scale": torch.ones(1)}, strict=False)
        return result.missing_keys, result.unexpected_keys, linear.weight, str(result)

    same(strict, message=True)
    assert same(lenient)[:2] == (["bias"], ["scale"])


def test_state_shows_the_parameters_themselves() -> None:
    def program(torch: Any) -> Any:
        linear = torch.nn.Linear(2, 1)
        state = linear.state_dict()
        linear.weight.data.fill_(0.5)
        return state["weight"], state["weight"].requires_grad, type(state).__name__

    same(program)


# ------------------------------------------------------------------------------------------------------ devices, errors


def test_a_network_and_its_data_move_together() -> None:
    def program(torch: Any) -> Any:
        device = torch.device("cpu")
        net, loss = cifar_network(torch).to(device), torch.nn.CrossEntropyLoss().to(device)
        inputs, labels = torch.randn(2, 3, 32, 32).to(device), torch.tensor([1, 2]).to(device)
        return loss(net(inputs), labels), net.cpu() is net, {str(p.device) for p in net.parameters()} == {"cpu"}

    same(program)


def test_a_layer_that_does_not_fit() -> None:
    """The last, smaller batch flattened into a layer that expects a whole batch."""

    def program(torch: Any) -> Any:
        layer = torch.nn.Linear(48, 10)
        layer(torch.flatten(torch.ones(3, 2, 2, 2)))

    assert str(same(program, message=True)) == "mat1 and mat2 shapes cannot be multiplied (1x24 and 48x10)"
    same(lambda torch: torch.nn.Linear(4, 2)(torch.ones(3, 5)), message=True)


def test_an_attribute_that_is_not_there() -> None:
    same(lambda torch: torch.nn.Linear(1, 1).wieght, message=True)
