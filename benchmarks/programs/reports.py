"""What is said and drawn about a trained network: tables, classification report, curves, confusion matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy

from benchmarks import harness
from benchmarks.programs.contestant import Contestant
from benchmarks.programs.training import Training

Result = tuple[float, numpy.ndarray, numpy.ndarray]  # mean loss, predicted labels, true labels


def print_table(title: str, contestants: dict[str, Contestant], results: dict[str, Result], seconds: float) -> None:
    """A row a library, and how far the losses lie apart."""
    header = [title, "ms a step", "steps", "last loss", "test accuracy"]
    rows = []
    for name, each in contestants.items():
        _, predicted, true = results[name]
        accuracy = f"{(predicted == true).mean():.2%}"
        last = f"{each.losses[-1]:.4f}" if each.losses else "-"
        rows.append([name, f"{each.step_milliseconds():.2f}", str(len(each.losses)), last, accuracy])
    harness.print_table(header, rows)
    if "torch" in contestants and contestants["minitorch"].seconds:
        ours, theirs = contestants["minitorch"], contestants["torch"]
        apart = abs(numpy.array(ours.losses[:100]) - numpy.array(theirs.losses[:100])).max()
        print(f"torch/ours: {theirs.step_milliseconds() / ours.step_milliseconds():.2f}")
        print(f"largest difference of the first 100 losses: {apart:.1e}")
    print(f"{seconds:.1f} s in all")


def classification(result: Result, classes: list[str]) -> str:
    """scikit-learn's report, a line a class, and the confusion matrix."""
    from sklearn.metrics import classification_report, confusion_matrix

    _, predicted, true = result
    labels = list(range(len(classes)))
    report = classification_report(true, predicted, labels=labels, target_names=classes, zero_division=0)
    matrix = confusion_matrix(true, predicted, labels=labels)
    return f"{report}\nconfusion matrix (a row: the true class; a column: the predicted one)\n{matrix}"


def draw_all(training: Training, result: Result, folder: Path, title: str) -> None:
    """``curves.png`` and ``confusion.png`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_curves(training.contestants, len(training.train_loader), folder / "curves.png", title)
    draw_confusion(result, training.images.classes, folder / "confusion.png", title)


def draw_losses(contestants: dict[str, Contestant], path: Path, title: str) -> None:
    """Both libraries' losses, one over the other."""
    pyplot = find_pyplot()
    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for (name, each), style in zip(contestants.items(), ("-", "--")):
        axes.plot(each.losses, style, label=f"{name}: {each.step_milliseconds():.1f} ms a step")
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    axes.set_title(f"{title}\n{harness.describe_machine()}", fontsize=9)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def draw_curves(contestants: dict[str, Contestant], steps_an_epoch: int, path: Path, title: str) -> None:
    """Loss and accuracy by epoch: the mean over an epoch's steps, and on the validation images after it."""
    pyplot = find_pyplot()
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for (name, each), style in zip(contestants.items(), ("-", "--")):
        epochs = range(1, len(each.accuracies) + 1)
        means = [numpy.mean(each.losses[(e - 1) * steps_an_epoch : e * steps_an_epoch]) for e in epochs]
        left.plot(epochs, means, style, label=f"{name}, training")
        left.plot(epochs, each.validation_losses, style, label=f"{name}, validation")
        right.plot(epochs, each.accuracies, style, label=name)
    left.set(xlabel="epoch", ylabel="loss", title=title)
    right.set(xlabel="epoch", ylabel="accuracy, validation", title=f"{title}: accuracy")
    left.legend()
    right.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def draw_confusion(result: Result, classes: list[str], path: Path, title: str) -> None:
    """How often each class was taken for each other."""
    from sklearn.metrics import confusion_matrix

    _, predicted, true = result
    places = list(range(len(classes)))
    matrix = confusion_matrix(true, predicted, labels=places)
    pyplot = find_pyplot()
    figure, axes = pyplot.subplots(figsize=(2.5 + 0.45 * len(classes),) * 2, layout="constrained")
    axes.imshow(matrix, cmap="Blues")
    for row in places:
        for column in places:
            colour = "white" if matrix[row, column] > matrix.max() / 2 else "black"
            axes.text(column, row, str(matrix[row, column]), ha="center", va="center", color=colour)
    axes.set_xticks(places, classes, rotation=45, ha="right")
    axes.set_yticks(places, classes)
    axes.set(xlabel="predicted", ylabel="true", title=f"{title}: accuracy {(predicted == true).mean():.2%}")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def find_pyplot() -> Any:
    """matplotlib, drawing into files."""
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("plots need matplotlib: pip install 'minitorch[bench]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
