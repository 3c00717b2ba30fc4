"""The training programs on a few digits: each runs, stops and goes on, reports; and data sets in their own formats."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from benchmarks.programs import checkpoints, commands, options, stages
from benchmarks.programs.contestant import Contestant
from benchmarks.programs.data import Digits, load_images
from benchmarks.programs.recipes import RECIPES
from benchmarks.programs.training import Training
from minitorch.vision.pillow import Image

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "train.py"
SMALL = {"alexnet": ["--limit", "2", "--batch-size", "2"], "cifar": ["--limit", "12"]}


def run(*arguments: Any) -> Training:
    """One run in this process, without reports."""
    return commands.run(options.parse([str(each) for each in arguments], None))


def assert_same_run(ours: Training, theirs: Training) -> None:
    """Bit for bit: figures, weights, buffers."""
    assert ours.contestants.keys() == theirs.contestants.keys()
    for name, mine in ours.contestants.items():
        other = theirs.contestants[name]
        assert mine.losses == other.losses
        assert mine.rates == other.rates
        assert mine.validation_losses == other.validation_losses
        assert mine.accuracies == other.accuracies
        state = other.model.state_dict()
        for key, value in mine.model.state_dict().items():
            numpy.testing.assert_array_equal(value.numpy(), state[key].numpy(), err_msg=f"{name} {key}")


@pytest.mark.parametrize("program", list(RECIPES))
def test_each_program_follows_torch(program: str) -> None:
    """The same weights, batches and dropout masks: the first losses agree to rounding."""
    small = SMALL.get(program, ["--limit", "16", "--batch-size", "8"])
    training = run("--program", program, "--epochs", 1, "--beside", "torch", *small)
    ours, theirs = (training.contestants[name] for name in ("minitorch", "torch"))
    assert len(ours.losses) == len(training.train_loader) > 0
    numpy.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    numpy.testing.assert_allclose(ours.validation_losses, theirs.validation_losses, rtol=1e-3)


def test_a_program_learns() -> None:
    training = run("--beside", "none", "--limit", 200, "--epochs", 8, "--batch-size", 16)
    assert training.contestants["minitorch"].accuracies[-1] > 0.6, "ten classes: chance is 0.1"


class TestResuming:
    """A run that stops and goes on equals one that does not stop."""

    @pytest.mark.parametrize(
        ("program", "extra"),
        [("lenet-digits", []), ("mlp", []), ("cifar-dropout", ["--workers", "1"])],
        ids=["random transforms", "dropout", "batch norm and a worker process"],
    )
    def test_two_epochs_and_two_more_are_four(self, program: str, extra: list[str], tmp_path: Path) -> None:
        common = ["--program", program, "--limit", 24, "--batch-size", 8, "--beside", "torch", *extra]
        saved = ["--checkpoint", tmp_path / "run.pt"]
        straight = run(*common, "--epochs", 4)
        run(*common, "--epochs", 2, *saved)
        assert_same_run(run(*common, "--epochs", 4, *saved, "--resume"), straight)

    def test_the_learning_rate_goes_on_falling(self, tmp_path: Path) -> None:
        common = ["--limit", 4, "--batch-size", 4, "--beside", "none"]
        saved = ["--checkpoint", tmp_path / "run.pt"]
        straight = run(*common, "--epochs", 19)
        run(*common, "--epochs", 16, *saved)
        resumed = run(*common, "--epochs", 19, *saved, "--resume")
        assert_same_run(resumed, straight)
        assert resumed.contestants["minitorch"].rates[-1] == pytest.approx(0.03 / 5)

    @pytest.mark.parametrize("step", [1, 5, 6], ids=["first step", "amid an epoch", "last step of an epoch"])
    def test_interrupted_amid_an_epoch(self, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        common = ["--program", "mlp", "--limit", 26, "--batch-size", 8, "--beside", "none", "--epochs", 3]
        saved = ["--checkpoint", tmp_path / "run.pt"]
        straight = run(*common)
        with monkeypatch.context() as patch:
            _interrupt_in_step(patch, step)
            with pytest.raises(SystemExit) as stop:
                run(*common, *saved)
        assert stop.value.code == 130
        assert minitorch.load(tmp_path / "run.pt")["position"]["step"] == step
        assert_same_run(run(*common, *saved, "--resume"), straight)

    @pytest.mark.parametrize("step", [3, 7], ids=["features", "classifier"])
    def test_either_stage_of_a_transfer(self, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        common = ["--program", "transfer", "--limit", 16, "--batch-size", 8, "--epochs", 2]
        saved = ["--checkpoint", tmp_path / "run.pt"]
        straight = run(*common)
        with monkeypatch.context() as patch:
            _interrupt_in_step(patch, step)
            with pytest.raises(SystemExit):
                run(*common, *saved)
        assert_same_run(run(*common, *saved, "--resume"), straight)

    def test_without_a_name_the_checkpoint_gets_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
    ) -> None:
        monkeypatch.chdir(tmp_path)
        _interrupt_in_step(monkeypatch, 1)
        with pytest.raises(SystemExit):
            run("--program", "mlp", "--limit", 16, "--batch-size", 8)
        assert (tmp_path / "mlp.interrupted.pt").exists()
        assert "--checkpoint mlp.interrupted.pt --resume" in capsys.readouterr().out

    def test_ctrl_c_is_the_user_s_again_after_a_run(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        run("--program", "mlp", "--limit", 8, "--batch-size", 8, "--epochs", 1)
        assert signal.getsignal(signal.SIGINT) is before

    def test_torch_reads_the_checkpoint(self, tmp_path: Path) -> None:
        path = tmp_path / "run.pt"
        training = run("--program", "mlp", "--limit", 16, "--batch-size", 8, "--epochs", 1, "--checkpoint", path)
        content = oracle.load(path, weights_only=True)
        model = RECIPES["mlp"].network(oracle.nn, 10)
        model.load_state_dict(content["contestants"]["minitorch"]["model"])
        ours = training.contestants["minitorch"].model[1].weight.detach().numpy()
        numpy.testing.assert_array_equal(model[1].weight.detach().numpy(), ours)

    def test_a_checkpoint_of_another_run_is_refused(self, tmp_path: Path) -> None:
        common = ["--program", "mlp", "--limit", 16, "--batch-size", 8, "--epochs", 1]
        saved = ["--checkpoint", tmp_path / "run.pt"]
        run(*common, *saved)
        with pytest.raises(SystemExit, match=r"is of a run with seed 0 \(now 3\)"):
            run(*common, *saved, "--resume", "--seed", 3)
        with pytest.raises(SystemExit, match="there is no checkpoint"):
            run(*common, "--checkpoint", tmp_path / "other.pt", "--resume")


def _interrupt_in_step(patch: pytest.MonkeyPatch, wanted: int) -> None:
    """Ctrl-C in the middle of a step, counted over all contestants and stages."""
    counted = 0
    step = Contestant.step

    def interrupted_step(self: Contestant, batch: Any) -> float:
        nonlocal counted
        counted += 1
        if counted == wanted:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch)

    patch.setattr(Contestant, "step", interrupted_step)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_the_command_saves_and_exits_with_130_on_ctrl_c(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    arguments = ["--program", "mlp", "--limit", "64", "--epochs", "100000", "--workers", "1", "--checkpoint", str(path)]
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path,
        start_new_session=True, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while not path.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the command and its worker processes
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, output
    assert "Traceback" not in output
    step = int(re.search(r"interrupted after step (\d+)", output).group(1))  # type: ignore[union-attr]
    assert minitorch.load(path)["position"]["step"] == step
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # no worker is left


class TestReports:
    """What a run leaves behind."""

    def test_files_and_output(self, tmp_path: Path, capsys: Any) -> None:
        arguments = ["--limit", "40", "--batch-size", "20", "--epochs", "2", "--checkpoint", str(tmp_path / "run.pt")]
        for name, value in {"plots": "plots", "plot": "losses.png", "report": "text/report.txt"}.items():
            arguments += [f"--{name}", str(tmp_path / value)]
        commands.main(arguments)
        for name in ("plots/curves.png", "plots/confusion.png", "losses.png"):
            with Image.open(tmp_path / name) as image:
                colours = image.convert("RGB").getcolors(image.width * image.height)
                assert len(colours) > 2, f"{name} is empty"
        report = (tmp_path / "text/report.txt").read_text()
        output = capsys.readouterr().out
        assert report in output
        assert re.search(r"accuracy +\d\.\d\d +40", report)
        assert _matrix_of(report).sum() == 40
        for part in (
            "LeNet, digits  ms a step",
            "minitorch",
            "torch/ours",
            "first 100 losses",
            "s in all",
            "epoch 2/2",
        ):
            assert part in output

    def test_the_report_counts_right(self) -> None:
        from benchmarks.programs.reports import classification

        true, predicted = numpy.array([0, 0, 1, 2, 2, 2]), numpy.array([0, 1, 1, 2, 2, 0])
        report = classification((0.0, predicted, true), ["cat", "dog", "cow"])
        numpy.testing.assert_array_equal(_matrix_of(report), [[1, 1, 0], [0, 1, 0], [1, 0, 2]])
        assert re.search(r"cow +1\.00 +0\.67 +0\.80 +3", report)

    def test_tensorboard_reads_the_log(self, tmp_path: Path) -> None:
        reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        common = ["--program", "mlp", "--limit", 20, "--batch-size", 9, "--logdir", tmp_path / "log"]
        common += ["--checkpoint", tmp_path / "run.pt"]
        run(*common, "--epochs", 1)
        training = run(*common, "--epochs", 2, "--resume")
        events = reader.EventAccumulator(str(tmp_path / "log")).Reload()
        losses = events.Scalars("minitorch/loss")
        assert [event.step for event in losses] == [1, 2, 3, 4]
        numpy.testing.assert_allclose(
            [event.value for event in losses], training.contestants["minitorch"].losses, rtol=1e-6
        )
        assert [event.step for event in events.Scalars("minitorch/validation accuracy")] == [2, 4]

    def test_seeds_are_compared(self, capsys: Any) -> None:
        commands.main(["--seeds", "2", "--limit", "20", "--batch-size", "20", "--epochs", "1"])
        lines = capsys.readouterr().out.splitlines()[-5:]
        assert re.match(r"-+  -+  -+$", lines[0])
        figures = [[float(each) for each in re.findall(r"(\d+\.\d+)%", line)] for line in lines[1:]]
        numpy.testing.assert_allclose(numpy.mean(figures[:2], axis=0), figures[2], atol=0.01)
        numpy.testing.assert_allclose(numpy.std(figures[:2], axis=0, ddof=1), figures[3], atol=0.02)


def _matrix_of(report: str) -> numpy.ndarray:
    """The numbers after the heading of the confusion matrix."""
    rows = report.split("predicted one)\n")[1].strip().splitlines()
    return numpy.array([[int(each) for each in re.findall(r"\d+", row)] for row in rows])


class TestTransfer:
    """Frozen features, a new classifier."""

    def test_features_stay_and_the_classifier_learns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        frozen: list[dict[str, Any]] = []
        build = stages.transfer.freeze_and_replace_head

        def watched(torch: Any, model: Any, classes: int) -> Any:
            frozen.append({name: value.numpy().copy() for name, value in model.features.state_dict().items()})
            return build(torch, model, classes)

        monkeypatch.setattr(stages.transfer, "freeze_and_replace_head", watched)
        training = run("--program", "transfer", "--limit", 40, "--batch-size", 20, "--epochs", 4)
        model = training.contestants["minitorch"].model
        assert training.images.classes == ["5", "6", "7", "8", "9"]
        assert model.classifier.fc2.out_features == 5
        for name, value in model.features.state_dict().items():  # also batch normalisation's statistics
            numpy.testing.assert_array_equal(value.numpy(), frozen[0][name], err_msg=name)
        assert all(parameter.grad is None for parameter in model.features.parameters())
        assert training.contestants["minitorch"].validation_losses[-1] < numpy.log(5), "better than chance"

    def test_published_weights(self, tmp_path: Path) -> None:
        from minitorch.vision import models

        published = models.resnet18()
        minitorch.save(published.state_dict(), tmp_path / "resnet18.pth")
        arguments = ["--weights", tmp_path / "resnet18.pth", "--network", "resnet18", "--limit", 2, "--batch-size", 2]
        model = run("--program", "transfer", *arguments, "--epochs", 1).contestants["minitorch"].model
        numpy.testing.assert_array_equal(model.conv1.weight.numpy(), published.conv1.weight.detach().numpy())
        assert model.fc.fc1.in_features == 512
        assert model.fc.fc1.weight.grad is not None
        assert model.conv1.weight.grad is None

    def test_two_classes_are_too_few_without_weights(self, tmp_path: Path) -> None:
        _write_folders(tmp_path, ["cat", "dog"])
        with pytest.raises(SystemExit, match="needs four classes"):
            run("--program", "transfer", "--data", tmp_path)


class TestData:
    """Where the images come from."""

    def test_digits_are_split_once_and_for_all(self) -> None:
        train, test = Digits(train=True), Digits(train=False)
        assert (len(train), len(test)) == (1437, 360)
        assert not {image.tobytes() for image in train.data} & {image.tobytes() for image in test.data}

    def test_fashion_mnist_in_its_own_format(self, tmp_path: Path) -> None:
        generator = numpy.random.default_rng(0)
        raw = tmp_path / "FashionMNIST" / "raw"
        raw.mkdir(parents=True)
        for part in ("train", "t10k"):
            images = generator.integers(0, 256, (20, 28, 28), dtype="uint8")
            labels = numpy.arange(20, dtype="uint8") % 10
            _write_idx(raw / f"{part}-images-idx3-ubyte", images)
            _write_idx(raw / f"{part}-labels-idx1-ubyte", labels)
        training = run("--program", "mlp", "--data", tmp_path, "--epochs", 1, "--batch-size", 9)
        assert training.images.classes[0] == "T-shirt/top"
        assert [len(training.images.train), len(training.images.validation), len(training.images.test)] == [18, 2, 20]
        image, label = training.images.test[3]
        numpy.testing.assert_allclose(image.numpy()[0], (images[3] / 255 - 0.5) / 0.5, atol=1e-6)
        assert label == 3

    def test_folders_of_images(self, tmp_path: Path) -> None:
        _write_folders(tmp_path, ["ant", "bee", "cat", "dog"])
        training = run("--program", "transfer", "--data", tmp_path, "--epochs", 1, "--batch-size", 2)
        assert training.images.classes == ["cat", "dog"]
        images = load_images(RECIPES["cifar"], tmp_path)
        assert [images.test[index][1] for index in range(4)] == [0, 1, 2, 3]
        assert tuple(images.test[0][0].shape) == (3, 32, 32)

    def test_a_limit_takes_all_classes_of_sorted_folders(self, tmp_path: Path) -> None:
        _write_folders(tmp_path, ["ant", "bee"], count=6)
        images = load_images(RECIPES["cifar"], tmp_path, limit=4)
        assert [images.train[index][1] for index in range(4)] == [0, 0, 1, 1]

    @pytest.mark.parametrize(("folder", "message"), [("nowhere", "no such folder"), ("", "no images there")])
    def test_a_folder_without_images(self, folder: str, message: str, tmp_path: Path) -> None:
        with pytest.raises(SystemExit, match=message):
            run("--data", tmp_path / folder)


def _write_idx(path: Path, array: numpy.ndarray) -> None:
    path.write_bytes(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())


def _write_folders(root: Path, classes: list[str], count: int = 2) -> None:
    """``count`` images of one colour a class to train and one to test; the colour tells the class."""
    for part, number in (("train", count), ("test", 1)):
        for shade, name in enumerate(classes):
            (root / part / name).mkdir(parents=True)
            for index in range(number):
                colour = (60 * shade, 40, 10 * index)
                Image.new("RGB", (40 + index, 36), colour).save(root / part / name / f"{index}.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--program", "vgg"], "invalid choice"),
        (["--epochs", "0"], "--epochs must be 1 at least, not 0"),
        (["--resume"], "--resume needs --checkpoint"),
        (["--seeds", "2", "--checkpoint", "a.pt"], "--seeds makes several runs"),
        (["--weights", "a.pth"], "--weights is for --program transfer"),
    ],
)
def test_options_that_make_no_sense(arguments: list[str], message: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        options.parse(arguments, None)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_checkpoints_keep_tensors_of_either_library() -> None:
    nested = {"a": [oracle.ones(2), 3], "b": (oracle.zeros(1, dtype=oracle.int64), None)}
    ours = checkpoints.mapped(nested, checkpoints.to_minitorch)
    assert isinstance(ours["a"][0], minitorch.Tensor)
    assert ours["a"][1:] == [3]
    assert ours["b"][0].dtype == minitorch.int64
