"""Train LeNet on handwritten digits, minitorch beside torch, from the same seed and step by step.

    python benchmarks/train.py
    python benchmarks/train.py --epochs 20 --plot losses.png

The data are scikit-learn's digits: 1,797 scans of 8×8 pixels, part of its package, enlarged to the 32×32 that
LeNet was made for. Both libraries draw the same weights from the same seed and see the same batches, so their
losses lie on one another until rounding drives them apart.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import harness
import numpy

import minitorch


def load_digits() -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Training images and labels, test images and labels: every fifth scan is kept for the test."""
    try:
        from sklearn.datasets import load_digits as load
    except ImportError:
        raise SystemExit("train.py needs scikit-learn for its images: pip install 'minitorch[bench]'") from None
    digits = load()
    small = (digits.images / 16.0 - 0.3) / 0.4
    images = small.repeat(4, axis=1).repeat(4, axis=2)[:, None].astype("float32")
    is_test = numpy.arange(len(images)) % 5 == 0
    return images[~is_test], digits.target[~is_test], images[is_test], digits.target[is_test]


def shift(images: numpy.ndarray, generator: numpy.random.Generator, reach: int = 3) -> numpy.ndarray:
    """Every image moved by up to ``reach`` pixels: a digit is the same digit a little to the left."""
    size = images.shape[-1]
    padded = numpy.pad(images, ((0, 0), (0, 0), (reach, reach), (reach, reach)), mode="edge")
    corners = generator.integers(0, 2 * reach + 1, (len(images), 2))
    return numpy.stack([image[:, i : i + size, j : j + size] for image, (i, j) in zip(padded, corners)])


def lenet(torch: Any) -> Any:
    """LeNet-5 as in the notes: two convolutions with pooling, three linear layers."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


class Trainer:
    """A network, its optimizer and its data in one of the two libraries."""

    def __init__(self, torch: Any, device: str, seed: int, learning_rate: float) -> None:
        self.torch, self.device = torch, device
        torch.manual_seed(seed)
        self.model = lenet(torch).to(device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=learning_rate, momentum=0.9)
        self.criterion = torch.nn.CrossEntropyLoss()
        self.wait = harness.synchronizer(device, None if torch is minitorch else torch)
        self.losses: list[float] = []
        self.seconds: list[float] = []

    def tensor(self, array: numpy.ndarray) -> Any:
        """A NumPy array as a tensor on the device."""
        return self.torch.from_numpy(array).to(self.device)

    def step(self, images: numpy.ndarray, labels: numpy.ndarray) -> None:
        """One training step, timed."""
        inputs, targets = self.tensor(images), self.tensor(labels)
        self.wait()
        start = time.perf_counter()
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(inputs), targets)
        loss.backward()
        self.optimizer.step()
        self.wait()
        self.seconds.append(time.perf_counter() - start)
        self.losses.append(loss.item())

    def accuracy(self, images: numpy.ndarray, labels: numpy.ndarray) -> float:
        """The share of images whose largest output is at their label."""
        self.model.eval()
        with self.torch.no_grad():
            predicted = self.model(self.tensor(images)).argmax(dim=1).cpu().numpy()
        self.model.train()
        return float((predicted == labels).mean())

    def step_milliseconds(self) -> float:
        """The median time of a step, the first few left out."""
        return float(numpy.median(self.seconds[3:])) * 1e3


def train(trainers: dict[str, Trainer], options: argparse.Namespace) -> dict[str, float]:
    """Train all contestants in turn on the same batches; returns their accuracies on the test images."""
    images, labels, test_images, test_labels = load_digits()
    generator = numpy.random.default_rng(options.seed)
    for epoch in range(options.epochs):
        shuffled = generator.permutation(len(images))
        starts = range(0, len(images) - options.batch_size + 1, options.batch_size)
        for start in harness.progress(starts, f"epoch {epoch + 1}/{options.epochs}"):
            batch = shuffled[start : start + options.batch_size]
            moved = shift(images[batch], generator)
            for trainer in trainers.values():
                trainer.step(moved, labels[batch])
    return {name: trainer.accuracy(test_images, test_labels) for name, trainer in trainers.items()}


def draw_losses(trainers: dict[str, Trainer], path: Path) -> None:
    """Both libraries' losses, one over the other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for (name, trainer), style in zip(trainers.items(), ("-", "--")):
        axes.plot(trainer.losses, style, label=f"{name}: {trainer.step_milliseconds():.1f} ms a step")
    axes.set_xlabel("step")
    axes.set_ylabel("cross-entropy")
    axes.set_yscale("log")
    axes.set_title(f"LeNet on handwritten digits\n{harness.describe_machine()}", fontsize=9)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def report(trainers: dict[str, Trainer], accuracies: dict[str, float], seconds: float) -> None:
    """The table, and how far the losses lie apart."""
    header = ["LeNet, digits", "ms a step", "steps", "last loss", "test accuracy"]
    rows = [
        [name, f"{t.step_milliseconds():.2f}", str(len(t.losses)), f"{t.losses[-1]:.4f}", f"{accuracies[name]:.2%}"]
        for name, t in trainers.items()
    ]
    harness.print_table(header, rows)
    if "torch" in trainers:
        ours, theirs = trainers["minitorch"], trainers["torch"]
        apart = abs(numpy.array(ours.losses[:100]) - numpy.array(theirs.losses[:100])).max()
        print(f"torch/ours: {theirs.step_milliseconds() / ours.step_milliseconds():.2f}")
        print(f"largest difference of the first 100 losses: {apart:.1e}")
    print(f"{seconds:.1f} s in all")


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the losses (needs matplotlib)")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    (device,) = harness.devices(options)
    torch = harness.find_torch(device)
    print(harness.describe_machine())
    packages = {"minitorch": minitorch} | ({} if torch is None else {"torch": torch})
    trainers = {name: Trainer(each, device, options.seed, options.learning_rate) for name, each in packages.items()}
    start = time.perf_counter()
    accuracies = train(trainers, options)
    report(trainers, accuracies, time.perf_counter() - start)
    if options.plot:
        draw_losses(trainers, options.plot)
        print(f"plot written to {options.plot}")


if __name__ == "__main__":
    main()
