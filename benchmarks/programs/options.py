"""The command line of ``benchmarks/train.py``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.programs.recipes import RECIPES


def parse(arguments: Sequence[str] | None, description: str | None) -> argparse.Namespace:
    """The options; those that a program has its own value for are filled in."""
    parser = _parser(description)
    options = parser.parse_args(arguments)
    recipe = RECIPES[options.program]
    for name in ("epochs", "batch_size", "learning_rate"):
        if getattr(options, name) is None:
            setattr(options, name, getattr(recipe, name))
    _check(parser, options)
    if options.beside is None:
        options.beside = "torch" if options.program == "lenet-digits" or options.seeds else "none"
    if options.weights is not None:
        options.beside = "none"
    return options


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    for name in ("epochs", "batch_size", "limit", "seeds"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 at least, not {value}")
    if options.resume and options.checkpoint is None:
        parser.error("--resume needs --checkpoint FILE, to go on from")
    single = ("checkpoint", "logdir", "plot", "plots", "report")
    if options.seeds and any(getattr(options, name) is not None for name in single):
        parser.error(f"--seeds makes several runs; {', '.join('--' + name for name in single)} are for one")
    if options.weights is not None and options.program != "transfer":
        parser.error("--weights is for --program transfer")
    if options.weights is not None and options.beside == "torch":
        parser.error("--weights fills a network of minitorch.vision, which torch itself has not: no --beside torch")


def _parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--program", choices=list(RECIPES), default="lenet-digits", metavar="NAME", help=", ".join(RECIPES))
    add("--data", type=Path, metavar="FOLDER", help="MNIST, FashionMNIST, CIFAR10 or train/ and test/; else digits")
    add("--beside", choices=["torch", "none"], help="train torch's network on the same batches, too")
    add("--device", choices=["cpu", "cuda"], default="cpu")
    add("--epochs", type=int, metavar="N", help="in all, also with --resume; default: the program's own")
    add("--batch-size", type=int, metavar="N", help="default: the program's own")
    add("--learning-rate", type=float, metavar="RATE", help="default: the program's own")
    add("--seed", type=int, default=0)
    add("--seeds", type=int, metavar="N", help="run with N seeds: mean and spread of the accuracy")
    add("--limit", type=int, metavar="N", help="use N images at most, for a quick trial")
    add("--workers", type=int, default=0, metavar="N", help="processes that load images")
    add("--checkpoint", type=Path, metavar="FILE", help="save the run after each epoch and when interrupted")
    add("--resume", action="store_true", help="go on from the checkpoint, bit for bit")
    add("--logdir", type=Path, metavar="FOLDER", help="write a log for TensorBoard")
    add("--report", type=Path, metavar="FILE", help="write the classification report and the confusion matrix")
    add("--plots", type=Path, metavar="FOLDER", help="draw curves.png and confusion.png (needs matplotlib)")
    add("--plot", type=Path, metavar="FILE.png", help="draw the losses of all steps (needs matplotlib)")
    add("--weights", type=Path, metavar="FILE", help="transfer: published weights for --network")
    add("--network", default="densenet121", metavar="NAME", help="transfer: a network of minitorch.vision.models")
    return parser
