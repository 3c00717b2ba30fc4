"""``SummaryWriter``: the same messages as torch's, read back with TensorBoard's own reader; and the graph."""

from __future__ import annotations

import io
import itertools
import re
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from torch.utils.tensorboard import SummaryWriter as TorchWriter

import minitorch
from minitorch import nn
from minitorch.utils.tensorboard import SummaryWriter
from minitorch.utils.tensorboard.recording import record_graph

RANDOM = np.random.default_rng(0)


def raw_events(folder: Path) -> list[Any]:
    """All events of a folder's files in the order of writing, without the first, which names the version."""
    events = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        events += [Event.FromString(record) for record in RawEventFileLoader(str(path)).Load()]
    return [event for event in events if not event.HasField("file_version")]


def read(folder: Path) -> EventAccumulator:
    """TensorBoard's view of a folder."""
    reader = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0, "histograms": 0, "tensors": 0})
    return reader.Reload()


def folders(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_dir())


# ------------------------------------------------------------------------------------- compared with torch

VALUES = RANDOM.standard_normal(500).astype(np.float32)
PHOTO = RANDOM.random((3, 5, 7)).astype(np.float32) * 1.5 - 0.25  # some of it out of range
BYTES = RANDOM.integers(0, 256, (5, 7, 3)).astype(np.uint8)
BATCH = RANDOM.random((11, 3, 4, 6)).astype(np.float32)
LABELS, PREDICTIONS = RANDOM.integers(0, 2, 60), RANDOM.random(60)
WEIGHTS = RANDOM.random(60)
LIMITS = [-2.0, -1.0, 0.5, 3.0]

# (name, what to write): called with a writer, and with the function that makes a tensor of its library
CALLS: dict[str, Callable[[Any, Any], None]] = {
    "scalar": lambda writer, tensor: writer.add_scalar("y=x", 0.1, 3, 12.5),
    "scalar_tensor": lambda writer, tensor: writer.add_scalar("a/b", tensor(np.float32(0.1)), walltime=1.0),
    "scalar_array": lambda writer, tensor: writer.add_scalar("a b", np.array([[2]]), np.int64(4), 1.0),
    "scalar_new_style": lambda writer, tensor: writer.add_scalar("a", 0.1, 1, 1.0, new_style=True),
    "scalar_double": lambda writer, tensor: writer.add_scalar("a", 0.1, 1, 1.0, True, True),
    "histogram": lambda writer, tensor: writer.add_histogram("h", tensor(VALUES), 1, walltime=1.0),
    "histogram_auto": lambda writer, tensor: writer.add_histogram("h", tensor(VALUES), 1, "auto", 1.0),
    "histogram_fd": lambda writer, tensor: writer.add_histogram("h", VALUES, 1, "fd", 1.0),
    "histogram_limits": lambda writer, tensor: writer.add_histogram("h", VALUES, 1, LIMITS, 1.0),
    "histogram_gap": lambda writer, tensor: writer.add_histogram("h", np.array([1, 1, 9]), 1, 20, 1.0),
    "histogram_one_value": lambda writer, tensor: writer.add_histogram("h", np.zeros(4), 1, walltime=1.0),
    "histogram_integers": lambda writer, tensor: writer.add_histogram("h", tensor(LABELS), 1, walltime=1.0),
    "histogram_max_bins": lambda writer, tensor: writer.add_histogram("h", VALUES, 1, walltime=1.0, max_bins=64),
    "histogram_exact_bins": lambda writer, tensor: writer.add_histogram("h", VALUES, 1, 60, 1.0, 20),
    "histogram_raw": lambda writer, tensor: writer.add_histogram_raw(
        "h", 0, 2, 3, 3.0, 5.0, [1, 2, 3], [1, 1, 1], 1, 1.0
    ),
    "image": lambda writer, tensor: writer.add_image("i", tensor(PHOTO), 1, 1.0),
    "image_bytes": lambda writer, tensor: writer.add_image("i", BYTES, 1, 1.0, dataformats="HWC"),
    "image_grey": lambda writer, tensor: writer.add_image("i", tensor(PHOTO[:1]), 1, 1.0),
    "image_hw": lambda writer, tensor: writer.add_image("i", tensor(PHOTO[0]), 1, 1.0, "HW"),
    "image_whc": lambda writer, tensor: writer.add_image("i", tensor(PHOTO.T), 1, 1.0, "whc"),
    "image_rgba": lambda writer, tensor: writer.add_image("i", BATCH[:4, 0], 1, 1.0),
    "images": lambda writer, tensor: writer.add_images("i", tensor(BATCH), 1, 1.0),
    "images_grey": lambda writer, tensor: writer.add_images("i", tensor(BATCH[:, :1]), 1, 1.0),
    "images_few": lambda writer, tensor: writer.add_images("i", BATCH[:3].transpose(0, 2, 3, 1), 1, 1.0, "NHWC"),
    "text": lambda writer, tensor: writer.add_text("t", "**bold** ßå", 1, 1.0),
    "audio": lambda writer, tensor: writer.add_audio("s", tensor(VALUES[None] / 8), 1, 8000, 1.0),
    "pr_curve": lambda writer, tensor: writer.add_pr_curve("p", tensor(LABELS), tensor(PREDICTIONS), 1, walltime=1.0),
    "pr_curve_weights": lambda writer, tensor: writer.add_pr_curve("p", LABELS, PREDICTIONS, 1, 200, WEIGHTS, 1.0),
    "pr_curve_raw": lambda writer, tensor: writer.add_pr_curve_raw(
        "p", *(tensor(BATCH[0, 0, i % 4]) for i in range(6)), 1, 6, walltime=1.0
    ),
}
LAYOUT = {"Taiwan": {"twse": ["Multiline", ["a", "b"]]}, "USA": {"dow": ["Margin", ["a", "b", "c"]]}}


class TestSameMessagesAsTorch:
    @staticmethod
    def _write(tmp_path: Path, write: Callable[[Any, Any], None]) -> tuple[list[Any], list[Any]]:
        for name, make, tensor in (
            ("ours", SummaryWriter, minitorch.tensor),
            ("torch", TorchWriter, torch.tensor),
        ):
            with make(tmp_path / name) as writer:
                write(writer, tensor)
        return raw_events(tmp_path / "ours"), raw_events(tmp_path / "torch")

    @pytest.mark.parametrize("name", CALLS)
    def test_message(self, tmp_path: Path, name: str) -> None:
        ours, theirs = self._write(tmp_path, CALLS[name])
        assert len(ours) == 1
        assert ours == theirs

    def test_custom_scalars(self, tmp_path: Path) -> None:
        def write(writer: Any, tensor: Any) -> None:
            writer.add_custom_scalars(LAYOUT)
            writer.add_custom_scalars_multilinechart(["a", "b"])
            writer.add_custom_scalars_marginchart(["a", "b", "c"], "category", "title")

        ours, theirs = self._write(tmp_path, write)
        assert [event.summary for event in ours] == [event.summary for event in theirs]
        assert len(ours) == 3

    def test_scalars(self, tmp_path: Path) -> None:
        def write(writer: Any, tensor: Any) -> None:
            for step in range(3):
                writer.add_scalars("run/loss", {"train": step, "test": tensor(2.0 * step)}, step, 5.0)

        assert self._write(tmp_path, write) == ([], [])
        assert folders(tmp_path / "ours") == folders(tmp_path / "torch") == ["run_loss_test", "run_loss_train"]
        for name in ("run_loss_test", "run_loss_train"):
            ours = raw_events(tmp_path / "ours" / name)
            assert ours == raw_events(tmp_path / "torch" / name)
            assert len(ours) == 3

    def test_hparams(self, tmp_path: Path) -> None:
        def write(writer: Any, tensor: Any) -> None:
            hparams = {"rate": 0.1, "batch": 4, "optimizer": "SGD", "nesterov": True, "nothing": None}
            domains = {"batch": [4, 8], "optimizer": ["SGD", "Adam"]}
            writer.add_hparams(hparams, {"loss": 0.5, "accuracy": tensor(0.75)}, domains, "first", 2)

        self._write(tmp_path, write)
        ours, theirs = raw_events(tmp_path / "ours" / "first"), raw_events(tmp_path / "torch" / "first")
        assert len(ours) == 5
        assert [(event.step, event.summary) for event in ours] == [(event.step, event.summary) for event in theirs]

    def test_hparam_tensor(self, tmp_path: Path) -> None:
        def write(writer: Any, tensor: Any) -> None:
            writer.add_hparams({"rate": tensor(np.array([0.25]))}, {}, run_name="first")

        self._write(tmp_path, write)
        ours, theirs = raw_events(tmp_path / "ours" / "first"), raw_events(tmp_path / "torch" / "first")
        assert [event.summary for event in ours] == [event.summary for event in theirs]

    def test_purge_step(self, tmp_path: Path) -> None:
        for name, make in (("ours", SummaryWriter), ("torch", TorchWriter)):
            with make(tmp_path / name, purge_step=7) as writer:
                writer.add_scalar("a", 1, 7)
        ours, theirs = raw_events(tmp_path / "ours"), raw_events(tmp_path / "torch")
        assert [event.step for event in ours] == [event.step for event in theirs] == [7, 7]
        assert ours[0].session_log == theirs[0].session_log

    def test_figure(self, tmp_path: Path) -> None:
        matplotlib = pytest.importorskip("matplotlib")
        matplotlib.use("agg")
        plt = pytest.importorskip("matplotlib.pyplot")

        def write(writer: Any, tensor: Any) -> None:
            figures = [plt.figure(figsize=(2, 1)) for _ in range(3)]
            for each in figures:
                each.gca().plot([0, 1], [1, 0])
            writer.add_figure("one", figures[0], 1, close=False, walltime=1.0)
            assert plt.fignum_exists(figures[0].number)
            writer.add_figure("many", figures, 1, walltime=1.0)
            assert not any(plt.fignum_exists(each.number) for each in figures)

        ours, theirs = self._write(tmp_path, write)
        assert ours == theirs
        assert len(ours) == 2

    def test_embedding(self, tmp_path: Path) -> None:
        def write(writer: Any, tensor: Any) -> None:
            points, images = tensor(VALUES[:15].reshape(5, 3)), tensor(BATCH[:5])
            writer.add_embedding(points, ["a", "b", "c", "d", 5], images, 3, tag="x/y")
            writer.add_embedding(points, [[i, i * i] for i in range(5)], metadata_header=["i", "square"])

        self._write(tmp_path, write)
        files = {}
        for name in ("ours", "torch"):
            paths = [path for path in (tmp_path / name).rglob("*") if path.is_file() and "tfevents" not in path.name]
            files[name] = {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in paths}
        assert len(files["ours"]) == 6
        assert files["ours"] == files["torch"]


# ---------------------------------------------------------------------------------------------- read back


class TestReadBack:
    def test_scalars(self, tmp_path: Path) -> None:
        with SummaryWriter(tmp_path) as writer:
            for i in range(100):
                writer.add_scalar("y=x", i, i, 1000.0 + i)
        points = read(tmp_path).Scalars("y=x")
        assert [(point.step, point.value, point.wall_time) for point in points] == [
            (i, float(i), 1000.0 + i) for i in range(100)
        ]

    def test_image(self, tmp_path: Path) -> None:
        with SummaryWriter(tmp_path) as writer:
            writer.add_image("photo", minitorch.tensor(PHOTO), 2)
            writer.add_image("bytes", BYTES, dataformats="HWC")
        reader = read(tmp_path)
        (image,) = reader.Images("photo")
        assert (image.step, image.height, image.width) == (2, 5, 7)
        pixels = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
        np.testing.assert_array_equal(pixels, np.floor(np.clip(PHOTO * np.float32(255), 0, 255)).transpose(1, 2, 0))
        (image,) = reader.Images("bytes")
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(image.encoded_image_string))), BYTES)

    def test_images_are_laid_out_eight_in_a_row(self, tmp_path: Path) -> None:
        with SummaryWriter(tmp_path) as writer:
            writer.add_images("batch", (BATCH * 255).astype(np.uint8))
        (image,) = read(tmp_path).Images("batch")
        pixels = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
        assert pixels.shape == (2 * 4, 8 * 6, 3)
        np.testing.assert_array_equal(pixels[4:, 12:18], (BATCH[10] * 255).astype(np.uint8).transpose(1, 2, 0))
        assert not pixels[4:, 18:].any()

    def test_histogram(self, tmp_path: Path) -> None:
        with SummaryWriter(tmp_path) as writer:
            writer.add_histogram("h", minitorch.tensor(VALUES), 5)
        (found,) = read(tmp_path).Histograms("h")
        histogram, values = found.histogram_value, VALUES.astype(float)
        assert found.step == 5
        assert (histogram.min, histogram.max, histogram.num) == (values.min(), values.max(), 500)
        np.testing.assert_allclose([histogram.sum, histogram.sum_squares], [values.sum(), (values**2).sum()])
        limits = np.array(histogram.bucket_limit)
        counted = [((values >= low) & (values < high)).sum() for low, high in itertools.pairwise(limits)]
        assert histogram.bucket == [0, *counted]
        assert limits[0] <= values.min() < limits[1]
        assert limits[-2] <= values.max() < limits[-1]
        np.testing.assert_allclose(limits[-1] / limits[-2], 1.1)

    def test_text(self, tmp_path: Path) -> None:
        with SummaryWriter(tmp_path) as writer:
            writer.add_text("note", "größer\n", 1)
        (event,) = read(tmp_path).Tensors("note/text_summary")
        assert event.tensor_proto.string_val[0].decode() == "größer\n"

    def test_audio(self, tmp_path: Path) -> None:
        with SummaryWriter(tmp_path) as writer:
            writer.add_audio("tone", minitorch.tensor([[0.0, 0.5, -1.0, 3.0]]), sample_rate=100)
        (sound,) = read(tmp_path).Audio("tone")
        with wave.open(io.BytesIO(sound.encoded_audio_string)) as file:
            assert (file.getframerate(), file.getnchannels()) == (100, 1)
            assert np.frombuffer(file.readframes(4), "<i2").tolist() == [0, 16383, -32767, 32767]


class TestFiles:
    def test_flush_shows_everything(self, tmp_path: Path) -> None:
        writer = SummaryWriter(tmp_path)
        writer.add_scalar("a", 1, 0)
        writer.add_scalars("b", {"c": 2}, 0)
        writer.flush()
        assert len(raw_events(tmp_path)) == len(raw_events(tmp_path / "b_c")) == 1
        writer.close()

    def test_writing_goes_on_after_close(self, tmp_path: Path) -> None:
        writer = SummaryWriter(tmp_path, filename_suffix=".x")
        writer.add_scalar("a", 1, 0)
        writer.close()
        writer.close()
        writer.flush()
        writer.add_scalar("a", 2, 1)
        writer.close()
        assert [path.name.endswith(".x") for path in tmp_path.iterdir()] == [True, True]
        assert [(event.step, event.summary.value[0].simple_value) for event in raw_events(tmp_path)] == [(0, 1), (1, 2)]

    def test_default_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with SummaryWriter(comment="_lr") as writer:
            assert re.fullmatch(r"runs[/\\]\w{3}\d\d_\d\d-\d\d-\d\d_.+_lr", str(writer.get_logdir()))
            assert Path(writer.get_logdir()).is_dir()
            assert writer.file_writer.get_logdir() == writer.get_logdir()

    def test_missing_package(self, tmp_path: Path) -> None:
        """The module can be imported without tensorboard; a writer says what to install."""
        program = (
            "import sys; sys.modules['tensorboard'] = None\n"
            "from minitorch.utils.tensorboard import SummaryWriter\n"
            "try: SummaryWriter('logs')\n"
            "except ImportError as error: print(error)"
        )
        result = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(minitorch.__file__).parent.parent), "OMP_NUM_THREADS": "1"},
        )
        assert "pip install 'minitorch[tensorboard]'" in result.stdout
        assert not list(tmp_path.iterdir())

    def test_import_loads_no_optional_package(self) -> None:
        program = (
            "import sys, minitorch.utils.tensorboard; "
            "print([n for n in ('tensorboard', 'PIL', 'matplotlib', 'google') if n in sys.modules])"
        )
        root = Path(minitorch.__file__).parent.parent
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
        assert result.stdout.strip() == "[]"


class TestErrors:
    @pytest.fixture
    def writer(self, tmp_path: Path) -> Any:
        with SummaryWriter(tmp_path) as writer:
            yield writer

    @pytest.mark.parametrize(
        ("method", "arguments", "error", "text"),
        [
            ("add_scalar", ("a", np.zeros(2)), AssertionError, "Tensor should contain one element"),
            ("add_scalar", ("a", [1]), NotImplementedError, "numpy array or minitorch tensor are expected"),
            ("add_histogram", ("a", np.zeros(0)), ValueError, "The input has no element."),
            ("add_histogram", ("a", np.full(2, 9.0), 0, [0, 1]), ValueError, "no value lies in any of its bins"),
            ("add_histogram_raw", ("a", 0, 1, 1, 1, 1, [1, 2], [1]), ValueError, "bucket_limits"),
            ("add_image", ("a", BATCH), AssertionError, r"tensor shape: \(11, 3, 4, 6\), input_format: CHW"),
            ("add_image", ("a", PHOTO, 0, 0, "CCW"), AssertionError, "same dimension shorthand twice"),
            ("add_image", ("a", PHOTO, 0, 0, "XYZ"), ValueError, "dataformats must be made of"),
            ("add_images", ("a", np.zeros((16, 6, 30, 30))), AssertionError, "got 6"),
            ("add_audio", ("a", np.zeros((2, 3))), AssertionError, "input tensor should be 1 dimensional"),
            ("add_custom_scalars_marginchart", (["a"],), AssertionError, "Expected 3 tags, got 1"),
            ("add_hparams", ([], {}), TypeError, "hparam_dict and metric_dict should be dictionary"),
            ("add_hparams", ({"a": []}, {}), ValueError, "value should be one of"),
            ("add_hparams", ({"a": 1}, {}, {"a": ["x"]}), TypeError, r"hparam_domain_discrete\[a\] should be a list"),
            ("add_hparams", ({"a": 1}, {}, {"b": [1]}), TypeError, r"hparam_domain_discrete\[b\] should be a list"),
            ("add_graph", (nn.ReLU(),), ValueError, "input_to_model is needed"),
            ("add_embedding", (np.zeros(3),), AssertionError, "mat should be 2D"),
            ("add_embedding", (np.zeros((3, 2)), ["a"]), AssertionError, "#labels should equal"),
            ("add_embedding", (np.zeros((3, 2)), None, BATCH), AssertionError, "#images should equal"),
        ],
    )
    def test_error(self, writer: Any, method: str, arguments: Any, error: type[Exception], text: str) -> None:
        with pytest.raises(error, match=text):
            getattr(writer, method)(*arguments)

    @pytest.mark.parametrize(
        "method", ["add_tensor", "add_image_with_boxes", "add_video", "add_mesh", "add_onnx_graph"]
    )
    def test_unsupported(self, writer: Any, method: str) -> None:
        with pytest.raises(NotImplementedError, match=f"SummaryWriter.{method} is not supported"):
            getattr(writer, method)("a", 1)

    def test_nothing_of_torchs_interface_is_missing(self) -> None:
        theirs = {name for name in vars(TorchWriter) if not name.startswith("_")}
        assert theirs <= set(vars(SummaryWriter))


# -------------------------------------------------------------------------------------------------- graph


class SkipNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, padding=1)
        self.body = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.ReLU(inplace=True))
        self.dropout = nn.Dropout()
        self.fc = nn.Linear(2 * 4 * 4, 5)

    def forward(self, x: Any) -> Any:
        x = self.conv1(x / 2)
        x = x + self.body(x)
        return self.fc(self.dropout(x).flatten(1))


SKIP_EDGES = {
    "input/x": [],
    "SkipNet/Div": ["input/x"],
    "SkipNet/conv1/weight": [],
    "SkipNet/conv1/bias": [],
    "SkipNet/conv1/Convolution": ["SkipNet/Div", "SkipNet/conv1/weight", "SkipNet/conv1/bias"],
    "SkipNet/body/0/weight": [],
    "SkipNet/body/0/Convolution": ["SkipNet/conv1/Convolution", "SkipNet/body/0/weight"],
    "SkipNet/body/1/Relu": ["SkipNet/body/0/Convolution"],
    "SkipNet/Add": ["SkipNet/conv1/Convolution", "SkipNet/body/1/Relu"],
    "SkipNet/View": ["SkipNet/Add"],
    "SkipNet/fc/weight": [],
    "SkipNet/fc/bias": [],
    "SkipNet/fc/Addmm": ["SkipNet/View", "SkipNet/fc/weight", "SkipNet/fc/bias"],
    "output/output": ["SkipNet/fc/Addmm"],
}


def edges(model: Any, inputs: Any) -> dict[str, list[str]]:
    nodes = record_graph(model, inputs)
    assert len({node.name for node in nodes}) == len(nodes)
    return {node.name: node.inputs for node in nodes}


class TestGraph:
    def test_skip_connection_read_back(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with SummaryWriter(tmp_path) as writer:
            writer.add_graph(SkipNet(), minitorch.ones(3, 1, 4, 4), verbose=True)
        nodes = {node.name: node for node in read(tmp_path).Graph().node}
        assert {name: sorted(node.input) for name, node in nodes.items()} == {
            name: sorted(inputs) for name, inputs in SKIP_EDGES.items()
        }

        def shape(name: str) -> list[int]:
            return [dim.size for dim in nodes[name].attr["_output_shapes"].list.shape[0].dim]

        assert shape("input/x") == [3, 1, 4, 4]
        assert shape("SkipNet/conv1/Convolution") == [3, 2, 4, 4]
        assert shape("SkipNet/conv1/weight") == [2, 1, 3, 3]
        assert shape("output/output") == [3, 5]
        assert nodes["SkipNet/conv1/Convolution"].op == "Convolution"
        assert nodes["SkipNet/fc/weight"].op == "Parameter"
        assert nodes["SkipNet/fc/Addmm"].attr["layer"].s.decode() == repr(nn.Linear(32, 5))
        assert "layer" not in nodes["SkipNet/Add"].attr
        assert nodes["SkipNet/Add"].attr["dtype"].s == b"torch.float32"
        assert "SkipNet/body/1/Relu (3, 2, 4, 4) <- SkipNet/body/0/Convolution\n" in capsys.readouterr().out

    def test_layer_used_twice(self) -> None:
        layer = nn.Linear(2, 2, bias=False)
        assert edges(nn.Sequential(layer, nn.Tanh(), layer), minitorch.ones(1, 2)) == {
            "input/input": [],
            "Sequential/0/weight": [],
            "Sequential/0/Mm": ["input/input", "Sequential/0/weight"],
            "Sequential/1/Tanh": ["Sequential/0/Mm"],
            "Sequential/0/Mm_1": ["Sequential/1/Tanh", "Sequential/0/weight"],
            "output/output": ["Sequential/0/Mm_1"],
        }

    def test_network_without_parameters(self) -> None:
        found = edges(nn.Sequential(nn.MaxPool2d(2), nn.Sigmoid()), minitorch.ones(1, 1, 4, 4))
        assert found["Sequential/1/Sigmoid"] == ["Sequential/0/MaxPool2DWithIndices"]
        assert found["Sequential/0/MaxPool2DWithIndices"] == ["input/input"]

    def test_several_inputs_and_outputs(self) -> None:
        class Net(nn.Module):
            def forward(self, x: Any, pair: Any) -> Any:
                first, second = minitorch.split(x, 1)
                return {"sum": first + pair[0], "product": second * pair[1], "count": 3}

        x, y = minitorch.ones(2, 3), minitorch.ones(1, 3)
        assert edges(Net(), (x, [y, y])) == {
            "input/x": [],
            "input/pair_1": [],
            "input/pair_2": [],
            "Net/Split": ["input/x"],
            "Net/Add": ["Net/Split", "input/pair_1"],
            "Net/Mul": ["Net/Split:1", "input/pair_2"],
            "output/output_0": ["Net/Add"],
            "output/output_1": ["Net/Mul"],
        }

    def test_integer_input_leads_to_its_embeddings(self) -> None:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.word, self.place = nn.Embedding(5, 4), nn.Embedding(5, 4)

            def forward(self, ids: Any) -> Any:
                return self.word(ids) + self.place(ids)

        found = edges(Net(), minitorch.tensor([0, 1]))
        assert found["Net/word/Embedding"] == ["Net/word/weight", "input/ids"]
        assert found["Net/place/Embedding"] == ["Net/place/weight", "input/ids"]
        assert found["Net/Add"] == ["Net/word/Embedding", "Net/place/Embedding"]

    def test_op_of_an_inner_module_is_not_its_callers(self) -> None:
        class Inner(nn.Module):
            def forward(self, x: Any) -> Any:
                return x.exp() + x

        class Outer(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = Inner()

            def forward(self, *values: Any) -> Any:
                return self.inner(values[0].sin() * values[1]).cos()

        assert edges(Outer(), (minitorch.ones(2), minitorch.ones(2))) == {
            "input/values_0": [],
            "input/values_1": [],
            "Outer/Sin": ["input/values_0"],
            "Outer/Mul": ["Outer/Sin", "input/values_1"],
            "Outer/inner/Exp": ["Outer/Mul"],
            "Outer/inner/Add": ["Outer/inner/Exp", "Outer/Mul"],
            "Outer/Cos": ["Outer/inner/Add"],
            "output/output": ["Outer/Cos"],
        }

    def test_names_are_unique(self) -> None:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.Exp_1 = nn.Parameter(minitorch.ones(2))  # the name that the second exp would have

            def forward(self, x: Any) -> Any:
                return (x * self.Exp_1).exp().exp()

        found = edges(Net(), minitorch.ones(2))
        assert found["Net/Mul"] == ["input/x", "Net/Exp_1"]
        assert found["Net/Exp_2"] == ["Net/Exp"]

    def test_deep_chain(self) -> None:
        class Chain(nn.Module):
            def forward(self, x: Any) -> Any:
                for _ in range(3000):
                    x = x.sin()
                return x

        found = edges(Chain(), minitorch.ones(1))
        assert found["Chain/Sin_2999"] == ["Chain/Sin_2998"]
        assert len(found) == 3002

    def test_leaves_model_and_input_as_they_were(self) -> None:
        model = nn.Sequential(nn.ReLU(inplace=True), nn.BatchNorm1d(2), nn.Linear(2, 2), nn.Dropout())
        model[2].requires_grad_(False)
        model[1].eval()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        x = minitorch.tensor([[-1.0, 2.0], [3.0, -4.0]])
        minitorch.manual_seed(0)
        expected = minitorch.rand(3).tolist()
        minitorch.manual_seed(0)
        found = edges(model, x)
        assert "Sequential/2/weight" in found  # frozen, but drawn
        assert minitorch.rand(3).tolist() == expected  # no number was drawn
        assert x.tolist() == [[-1.0, 2.0], [3.0, -4.0]]
        assert not x.requires_grad
        assert [each.requires_grad for each in model.parameters()] == [True, True, False, False]
        assert [module.training for module in model] == [True, False, True, True]
        assert all((value == before[name]).all() for name, value in model.state_dict().items())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())

    def test_after_an_error_too(self) -> None:
        model = nn.Sequential(nn.Linear(3, 2), nn.Linear(3, 2)).requires_grad_(False)
        with pytest.raises(RuntimeError), minitorch.no_grad():
            record_graph(model, minitorch.ones(1, 3))
        assert not any(each.requires_grad for each in model.parameters())
        assert all(module.training for module in model.modules())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())

    def test_under_no_grad(self) -> None:
        with minitorch.no_grad():
            assert edges(SkipNet(), minitorch.ones(3, 1, 4, 4)) == SKIP_EDGES

    @pytest.mark.cuda
    def test_cuda(self, tmp_path: Path) -> None:
        with SummaryWriter(tmp_path) as writer:
            writer.add_scalar("a", minitorch.tensor(2.5, device="cuda"), 1)
            writer.add_histogram("h", minitorch.tensor(VALUES, device="cuda"), 1)
            writer.add_graph(SkipNet().cuda(), minitorch.ones(3, 1, 4, 4, device="cuda"))
        reader = read(tmp_path)
        assert reader.Scalars("a")[0].value == 2.5
        assert reader.Histograms("h")[0].histogram_value.num == 500
        assert {node.name for node in reader.Graph().node} == set(SKIP_EDGES)
