"""What ``benchmarks/train.py`` does: one run with its reports, or the same run from several seeds."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import minitorch
from benchmarks import harness
from benchmarks.programs import checkpoints, reports
from benchmarks.programs import options as command_line
from benchmarks.programs.contestant import Contestant
from benchmarks.programs.logs import Log
from benchmarks.programs.recipes import RECIPES
from benchmarks.programs.stages import Stage, make_stages
from benchmarks.programs.training import Interrupted, Training


def main(arguments: Sequence[str] | None = None, description: str | None = None) -> None:
    """Do what the command line says; exit code 130 if interrupted."""
    options = command_line.parse(arguments, description)
    harness.devices(options)
    print(harness.describe_machine())
    try:
        if options.seeds:
            compare_seeds(options)
        else:
            run_and_report(options)
    except KeyboardInterrupt:
        print("interrupted; nothing saved")
        raise SystemExit(130) from None


def run_and_report(options: argparse.Namespace) -> Training:
    """One run, and all that is printed, written and drawn about it."""
    start = time.perf_counter()
    training = run(options)
    seconds = time.perf_counter() - start
    title = RECIPES[options.program].title
    results = {name: training.test(name) for name in training.contestants}
    written = write_reports(training, results["minitorch"], title, options)
    reports.print_table(title, training.contestants, results, seconds)
    print(f"\n{reports.classification(results['minitorch'], training.images.classes)}")
    for path in written:
        print(f"written to {path}")
    return training


def write_reports(training: Training, result: reports.Result, title: str, options: argparse.Namespace) -> list[Path]:
    """The files asked for; returns their paths."""
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(reports.classification(result, training.images.classes) + "\n")
    if options.plot:
        reports.draw_losses(training.contestants, options.plot, title)
    if options.plots:
        reports.draw_all(training, result, options.plots, title)
    return [path for path in (options.report, options.plot, options.plots) if path]


def run(options: argparse.Namespace) -> Training:
    """Train a program's stages, from the beginning or from the checkpoint; returns the last one's training."""
    stages = make_stages(RECIPES[options.program], options)
    checkpoint = checkpoints.read(options.checkpoint, identity(options)) if options.resume else None
    first = checkpoint["position"]["stage"] if checkpoint else 0
    models: dict[str, Any] = dict.fromkeys(libraries(options))
    for index, stage in enumerate(stages):
        contestants = make_contestants(stage, models, options)
        models = {name: each.model for name, each in contestants.items()}
        if index < first:
            continue  # trained before the checkpoint, whose weights come with a later stage
        if len(stages) > 1:
            print(f"stage {index + 1}/{len(stages)}: {stage.title}: {', '.join(stage.images.classes)}")
        training = make_training(stage, index, contestants, options)
        if checkpoint and index == first:
            checkpoints.restore(training, checkpoint)
            print(f"going on after epoch {training.position.epoch}, step {training.step}")
        finish(training, index, len(stages), options)
    return training


def make_contestants(stage: Stage, models: dict[str, Any], options: argparse.Namespace) -> dict[str, Contestant]:
    """The stage's network in each library, new or built on the stage before's."""
    made = {}
    for name, torch in libraries(options).items():

        def build(torch: Any, before: Any = models[name]) -> Any:
            return stage.build(torch, before)

        made[name] = Contestant(torch, stage.recipe, build, options.device, options.learning_rate, stage.head)
    return made


def make_training(
    stage: Stage, index: int, contestants: dict[str, Contestant], options: argparse.Namespace
) -> Training:
    """The loop for a stage, with its checkpoints."""

    def save(training: Training) -> None:
        if options.checkpoint:
            checkpoints.save(options.checkpoint, training, identity(options), index)

    training = Training(contestants, stage.images, options.epochs, options.batch_size, options.seed, options.workers)
    training.save = save
    if not options.seeds:
        training.tell = print
    return training


def finish(training: Training, index: int, count: int, options: argparse.Namespace) -> None:
    """Train to the last epoch; exit with code 130 if interrupted, the run being saved."""
    folder = options.logdir
    if folder and count > 1:
        folder = folder / f"stage{index + 1}"
    training.log = Log(folder, training.step + 1 if training.step else None)
    try:
        training.run()
    except Interrupted:
        path = options.checkpoint or Path(f"{options.program}.interrupted.pt")
        if not options.checkpoint:
            checkpoints.save(path, training, identity(options), index)
        print(f"interrupted after step {training.step}; go on with --checkpoint {path} --resume")
        raise SystemExit(130) from None
    finally:
        training.log.close()


def identity(options: argparse.Namespace) -> dict[str, Any]:
    """The options that must stay the same when a run goes on."""
    names = ("program", "beside", "seed", "batch_size", "learning_rate", "limit", "network")
    return {name: getattr(options, name) for name in names}


def libraries(options: argparse.Namespace) -> dict[str, Any]:
    """minitorch, and torch where it is wanted and installed."""
    torch = harness.find_torch(options.device) if options.beside == "torch" else None
    return {"minitorch": minitorch} | ({} if torch is None else {"torch": torch})


def compare_seeds(options: argparse.Namespace) -> None:
    """The test accuracy from several seeds, beside torch's from the same ones: a row a seed, mean and spread."""
    names = list(libraries(options))
    rows: list[list[str]] = []
    accuracies: dict[str, list[float]] = {name: [] for name in names}
    first = options.seed
    for seed in range(first, first + options.seeds):
        options.seed = seed
        training = run(options)
        for name in names:
            _, predicted, true = training.test(name)
            accuracies[name].append(float((predicted == true).mean()))
        rows.append([f"seed {seed}", *(f"{accuracies[name][-1]:.2%}" for name in names)])
    rows.append(["mean", *(f"{statistics.mean(accuracies[name]):.2%}" for name in names)])
    rows.append(["spread (standard deviation)", *(f"{_spread(accuracies[name]):.2%}" for name in names)])
    harness.print_table([f"{RECIPES[options.program].title}: test accuracy", *names], rows)


def _spread(values: list[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0
