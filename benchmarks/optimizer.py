"""Steps of optimizers over the parameters of a network: minitorch against torch.

python benchmarks/optimizer.py
python benchmarks/optimizer.py --device cuda
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cuda_timing
import harness
import numpy
from networks import NETWORKS

import minitorch

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-3, "momentum": 0.9},
    "Adam": {"lr": 1e-3},
    "AdamW": {"lr": 1e-3},
}
MEASURED = ["mlp", "lenet", "cifar", "alexnet"]


def make_step(package: Any, optimizer: str, network: str, device: str) -> Callable[[], Any]:
    """A step on fixed random gradients."""
    generator = numpy.random.default_rng(0)
    parameters = list(NETWORKS[network].build(package.nn).to(device).parameters())
    for parameter in parameters:
        values = generator.standard_normal(tuple(parameter.shape)).astype("float32")
        parameter.grad = package.from_numpy(values).to(device)
    step: Callable[[], Any] = getattr(package.optim, optimizer)(parameters, **OPTIMIZERS[optimizer]).step
    return step


def measure_step(optimizer: str, network: str, device: str, seconds: float) -> harness.Row:
    """One row."""
    torch = harness.find_torch(device)
    packages = {"minitorch": minitorch} | ({} if torch is None else {"torch": torch})
    steps = {label: make_step(package, optimizer, network, device) for label, package in packages.items()}
    name = f"{optimizer}, {NETWORKS[network].name.split(',')[0]}"
    if device == "cuda":
        return cuda_timing.measure(name, steps, seconds, torch)
    return harness.measure(name, steps, seconds)


def main() -> None:
    options = harness.parser(__doc__ or "").parse_args()
    harness.require_matplotlib(options)
    for device in harness.devices(options):
        print(harness.describe_machine())
        pairs = [(optimizer, network) for optimizer in OPTIMIZERS for network in MEASURED]
        rows = [measure_step(*pair, device, options.seconds) for pair in harness.progress(pairs, device)]
        table = []
        for row in rows:
            line = [row.name]
            for label in ("minitorch", "torch"):
                line += [harness.figure(row.milliseconds.get(label)), harness.figure(row.spread.get(label), 2)]
            table.append([*line, harness.figure(row.ratio("minitorch", "torch"))])
        harness.print_table([f"step on {device}", "ours ms", "±", "torch ms", "±", "torch/ours"], table)
        harness.save(rows, options, f"optimizers on {device}", "minitorch", "torch")


if __name__ == "__main__":
    main()
