"""What the way from the loader to the GPU costs a training step: plain copies, pinned memory, the prefetcher.

    python benchmarks/prefetch.py --device cuda
    python benchmarks/prefetch.py --device cuda --workers 4 --batch 256

Each row is training of a small convolution network (CIFAR net with batch normalisation) over an epoch of images in
memory; the time is that of one step, loading included. ``no loader`` has its batches on the device from the start:
nothing can be faster. torch has no prefetcher: there, that row copies from pinned memory without waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import harness
import numpy
from networks import batch_norm_net

import minitorch

WAYS = ("no loader", "plain", "pinned", "pinned, not waited for", "prefetcher", "prefetcher, pinned")


def images(torch: Any, count: int) -> Any:
    """Colour images of 32 × 32 with labels."""
    values = numpy.random.default_rng(0).standard_normal((count, 3, 32, 32)).astype("float32")
    return torch.utils.data.TensorDataset(torch.from_numpy(values), torch.from_numpy(numpy.arange(count) % 10))


def batches_for(way: str, torch: Any, device: str, options: Any) -> Iterable[Any]:
    """What an epoch iterates over: batches on the device or on the host."""
    workers = {"num_workers": options.workers, "persistent_workers": options.workers > 0}
    pinned = "pinned" in way and device != "cpu"
    dataset = images(torch, options.batch * options.steps)
    loader = torch.utils.data.DataLoader(dataset, batch_size=options.batch, pin_memory=pinned, **workers)
    if way == "no loader":
        return [(x.to(device), y.to(device)) for x, y in loader]
    if "prefetcher" in way and torch is minitorch:
        return minitorch.utils.data.DevicePrefetcher(loader, device)
    return loader


def epoch(way: str, torch: Any, device: str, options: Any) -> Callable[[], None]:
    """A contestant: one pass over the data, a training step a batch."""
    torch.manual_seed(0)
    model = batch_norm_net(torch.nn).to(device)
    loss_of, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.01)
    batches, non_blocking = batches_for(way, torch, device, options), way not in ("plain", "pinned")

    def run() -> None:
        for x, y in batches:
            loss = loss_of(model(x.to(device, non_blocking=non_blocking)), y.to(device, non_blocking=non_blocking))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def measure_way(way: str, device: str, options: Any) -> harness.Row:
    """One row: epochs of both libraries in turn, in milliseconds a step."""
    torch = harness.find_torch(device)
    packages = {"minitorch": minitorch} if torch is None else {"minitorch": minitorch, "torch": torch}
    contestants = {label: epoch(way, package, device, options) for label, package in packages.items()}
    row = harness.measure(f"{way} ({device})", contestants, options.seconds, harness.synchronizer(device, torch))
    for times in (row.milliseconds, row.spread):
        times.update({label: time / options.steps for label, time in times.items()})
    return row


def print_rows(rows: list[harness.Row]) -> None:
    """The table; the last column is what is left of the cost of loading, in milliseconds a step."""
    fastest = rows[0].milliseconds["minitorch"]
    harness.print_table(
        ["one step", "ours ms", "±", "torch ms", "±", "ours above no loader"],
        [
            [
                row.name,
                *(harness.figure(row.milliseconds["minitorch"]), harness.figure(row.spread["minitorch"], 2)),
                *(harness.figure(row.milliseconds.get("torch")), harness.figure(row.spread.get("torch"), 2)),
                harness.figure(row.milliseconds["minitorch"] - fastest),
            ]
            for row in rows
        ],
    )


def main(arguments: list[str] | None = None) -> list[harness.Row]:
    parser = harness.parser(__doc__ or "")
    parser.add_argument("--workers", type=int, default=0, help="worker processes of the loaders")
    parser.add_argument("--batch", type=int, default=256, help="images in a batch")
    parser.add_argument("--steps", type=int, default=20, help="batches in an epoch")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY", help=", ".join(WAYS))
    options = parser.parse_args(arguments)
    rows: list[harness.Row] = []
    for device in harness.devices(options):
        print(f"{harness.describe_machine()}; on {device}, batches of {options.batch}, {options.workers} workers")
        found = [measure_way(way, device, options) for way in harness.progress(options.ways, device)]
        print_rows(found)
        rows += found
    harness.save(rows, options, "from the loader to the device", "minitorch", "torch")
    return rows


if __name__ == "__main__":
    main()
