"""Training and validation loops as everybody writes them, on a few made-up images."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from tests.harness.both import same
from tests.notes.networks import cifar_network, classifier


def _batches(torch: Any, count: int, shape: tuple[int, ...], classes: int = 10) -> list[tuple[Any, Any]]:
    """Batches of four images whose brightness tells the class."""
    generator = numpy.random.default_rng(0)
    batches = []
    for _ in range(count):
        labels = generator.integers(0, classes, 4)
        images = generator.normal(size=(4, *shape)) * 0.3 + labels.reshape(4, *[1] * len(shape)) / classes
        batches.append((torch.tensor(images.astype("float32")), torch.tensor(labels)))
    return batches


def test_two_epochs() -> None:
    def program(torch: Any) -> Any:
        net, criterion = cifar_network(torch), torch.nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
        losses = []
        for epoch in range(2):
            running_loss = 0.0
            for i, data in enumerate(_batches(torch, 4, (3, 32, 32)), 0):
                inputs, labels = data
                optimizer.zero_grad()
                outputs = net(inputs)
                loss = criterion(outputs, labels)
                loss.backward()
                optimizer.step()
                running_loss = running_loss + loss.item()
                if i % 2 == 1:
                    losses.append("[%d, %5d] loss: %.3f" % (epoch + 1, i + 1, running_loss / 2))  # noqa: UP031
                    running_loss = 0.0
        return losses, net.fc3.bias

    printed, _ = same(program)
    assert len(printed) == 4
    assert printed[0].startswith("[1,     2] loss: 2.3")


def test_train_and_validate() -> None:
    def program(torch: Any) -> Any:
        model, criterion = classifier(torch), torch.nn.NLLLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
        train_loader, val_loader = _batches(torch, 6, (1, 28, 28)), _batches(torch, 3, (1, 28, 28))
        history = []
        for _ in range(2):
            model.train()
            train_loss = 0
            for data, label in train_loader:
                optimizer.zero_grad()
                loss = criterion(model(data), label)
                loss.backward()
                optimizer.step()
                train_loss += loss.item() * data.size(0)
            model.eval()
            val_loss, accuracy, running_accu = 0, 0, 0
            with torch.no_grad():
                for data, label in val_loader:
                    log_ps = model(data)
                    preds = torch.argmax(log_ps, 1)
                    val_loss += criterion(log_ps, label).item() * data.size(0)
                    running_accu += torch.sum(preds == label.data)
                    _, top_class = torch.exp(log_ps).topk(1, dim=1)
                    equals = top_class == label.view(*top_class.shape)
                    accuracy += torch.mean(equals.type(torch.FloatTensor))
            history.append((torch.tensor(train_loss), torch.tensor(val_loss), running_accu, accuracy / 3))
        return history, log_ps.requires_grad

    assert same(program)[1] is False


@pytest.mark.parametrize("dim", [0, 1])
def test_accuracy_by_argmax(dim: int) -> None:
    """0 looks down the columns, 1 along the rows."""

    def program(torch: Any) -> Any:
        outputs, targets = torch.tensor([[0.1, 0.2], [0.05, 0.4]]), torch.tensor([0, 1])
        preds = outputs.argmax(dim)
        correct = (preds == targets).sum()
        return preds, correct, correct / 2, f"accuracy：{correct / 2}"

    assert same(program)[3] == ("accuracy：1.0" if dim == 0 else "accuracy：0.5")


def test_a_regression_by_hand() -> None:
    """Forward, loss, backward, update; the loss falls."""

    def program(torch: Any) -> Any:
        x = torch.linspace(-1, 1, 20).view(-1, 1)
        y = 2 * x + 1
        model = torch.nn.Linear(1, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        losses = []
        for _ in range(20):
            y_pred = model(x)
            loss = (y_pred - y).pow(2).sum() / 20
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return losses, model.weight, model.bias

    losses, *_ = same(program)
    assert losses[-1] < losses[0] / 10


def test_what_a_batch_looks_like() -> None:
    def program(torch: Any) -> Any:
        batches = _batches(torch, 3, (3, 32, 32))
        images, labels = next(iter(batches))
        return str(images.shape), str(labels.shape), labels.dtype, images.dtype, images[0].permute(1, 2, 0).shape

    assert same(program)[:2] == ("torch.Size([4, 3, 32, 32])", "torch.Size([4])")
