"""The data loader: minitorch against torch, in batches per second.

    python benchmarks/dataloader.py
    python benchmarks/dataloader.py --workers 4 --plot loader.png

Each row is an epoch over data in memory, so that what is measured is the loader: picking samples, stacking them
and, with workers, the way from process to process. Workers are kept from epoch to epoch, except in the row that
includes their start. On a GPU (--device cuda) each batch is copied there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import harness
import numpy

import minitorch


class Images:
    """Float images of 3×224×224 and labels; a few images are enough to tell where the time goes."""

    def __init__(self, torch: Any, count: int) -> None:
        values = numpy.random.default_rng(0).standard_normal((32, 3, 224, 224)).astype("float32")
        self.images = [torch.from_numpy(image) for image in values]
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.images[index % len(self.images)], index % 10


def rows_dataset(torch: Any, count: int) -> Any:
    """Rows of 32 floats with a label each."""
    values = numpy.random.default_rng(0).standard_normal((count, 32)).astype("float32")
    return torch.utils.data.TensorDataset(torch.from_numpy(values), torch.from_numpy(numpy.arange(count)))


def epoch(loader: Any, device: str) -> Callable[[], None]:
    """A contestant: one pass over the loader."""

    def run() -> None:
        for inputs, _ in loader:
            if device != "cpu":
                inputs.to(device)

    return run


def measure_loader(
    name: str, make_dataset: Callable[[Any], Any], options: Any, device: str, **arguments: Any
) -> harness.Row:
    """One row: epochs of both libraries in turn."""
    torch = harness.find_torch(device)
    contestants, batches = {}, 1
    for label, package in {"minitorch": minitorch, "torch": torch}.items():
        if package is not None:
            loader = package.utils.data.DataLoader(make_dataset(package), **arguments)
            batches = len(loader)
            contestants[label] = epoch(loader, device)
    row = harness.measure(name, contestants, options.seconds, harness.synchronizer(device, torch))
    row.facts["batches"] = batches
    return row


def measure_all(options: Any, device: str) -> list[harness.Row]:
    """All rows for one device."""
    workers, where = options.workers, "" if device == "cpu" else f" → {device}"
    kept = {"num_workers": workers, "persistent_workers": True}

    def images(count: int) -> Callable[[Any], Any]:
        return lambda torch: Images(torch, count)

    def rows(torch: Any) -> Any:
        return rows_dataset(torch, 6400)

    return [
        measure_loader(f"rows, batch 64, no workers{where}", rows, options, device, batch_size=64, shuffle=True),
        measure_loader(f"rows, batch 512, no workers{where}", rows, options, device, batch_size=512, shuffle=True),
        measure_loader(f"rows, batch 64, {workers} workers{where}", rows, options, device, batch_size=64, **kept),
        measure_loader(f"images, batch 32, no workers{where}", images(320), options, device, batch_size=32),
        measure_loader(
            f"images, batch 32, {workers} workers{where}", images(1280), options, device, batch_size=32, **kept
        ),
        measure_loader(
            f"images, batch 32, start of {workers} workers and 10 batches{where}",
            images(320),
            options,
            device,
            batch_size=32,
            num_workers=workers,
        ),
    ]


def main() -> None:
    parser = harness.parser(__doc__ or "")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of the rows that have them")
    parser.set_defaults(seconds=3.0)
    options = parser.parse_args()
    print(f"{harness.describe_machine()}\nload {os.getloadavg()[0]:.1f}")
    rows = [row for device in harness.devices(options) for row in measure_all(options, device)]

    def per_second(row: harness.Row, label: str) -> str:
        time = row.milliseconds.get(label)
        return harness.figure(None if time is None else row.facts["batches"] / time * 1e3)

    harness.print_table(
        ["epoch", "batches", "minitorch batches/s", "torch batches/s", "torch time / ours"],
        [
            [
                row.name,
                str(row.facts["batches"]),
                per_second(row, "minitorch"),
                per_second(row, "torch"),
                harness.figure(row.ratio("minitorch", "torch")),
            ]
            for row in rows
        ],
    )
    harness.save(rows, options, "data loader", "minitorch", "torch")


if __name__ == "__main__":
    main()
