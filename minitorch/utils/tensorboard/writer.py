"""``SummaryWriter``: torch's interface to TensorBoard."""

from __future__ import annotations

import os
import socket
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.utils.tensorboard import messages
from minitorch.utils.tensorboard.embedding import write_configuration, write_embedding
from minitorch.utils.tensorboard.file_writer import FileWriter
from minitorch.utils.tensorboard.graph import graph_message, graph_text
from minitorch.utils.tensorboard.hparams import hparams
from minitorch.utils.tensorboard.images import draw_figure, image
from minitorch.utils.tensorboard.library import library
from minitorch.utils.tensorboard.recording import record_graph


class SummaryWriter:
    """Writes what TensorBoard shows into event files; also a context manager that closes them.

    To look at them: ``tensorboard --logdir=runs``, or the folder that was given.

    Args: log_dir: the folder, by default ``runs/<date>_<host><comment>``; comment: has an effect only there;
    purge_step: after a crash, the step at which the run resumes, so that TensorBoard hides what was written for
    this step and later ones; max_queue: how many messages may wait before an ``add`` call waits for the disk;
    flush_secs: how often the file is flushed; filename_suffix: added to the names of the event files.

    In the methods, ``tag`` names a display (a slash makes groups), ``global_step`` is the place on its axis,
    ``walltime`` the time in seconds since 1970 (default: now). Values are tensors of either device, NumPy arrays
    or numbers.

    Raises: ImportError if the package tensorboard is missing.
    Differences from torch: ``add_graph`` draws the ops that autograd records instead of a traced program;
    ``add_video``, ``add_mesh``, ``add_image_with_boxes``, ``add_tensor`` and ``add_onnx_graph`` raise
    NotImplementedError.

    >>> import tempfile
    >>> from minitorch.utils.tensorboard import SummaryWriter
    >>> with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
    ...     for step in range(3):
    ...         writer.add_scalar("y=2x", 2 * step, step)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        if not log_dir:
            started = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{started}_{socket.gethostname()}{comment}")
        self.log_dir = log_dir
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self.default_bins = messages.default_limits()
        self.file_writer: FileWriter | None = None
        self.all_writers: dict[str, FileWriter] | None = None  # by folder: add_scalars writes into folders of its own
        self._embeddings: list[Any] = []
        self._get_file_writer()

    def _get_file_writer(self) -> FileWriter:
        """The writer of ``log_dir``; after ``close`` a new one, which starts another file."""
        if self.file_writer is None or self.all_writers is None:
            self.file_writer = self._open(str(self.log_dir))
            self.all_writers = {self.file_writer.get_logdir(): self.file_writer}
            if self.purge_step is not None:
                self._purge(self.file_writer, self.purge_step)
                self.purge_step = None
        return self.file_writer

    def _open(self, folder: str) -> FileWriter:
        return FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)

    @staticmethod
    def _purge(writer: FileWriter, step: int) -> None:
        """The sign that a run was restarted at ``step``."""
        Event, SessionLog = library().Event, library().SessionLog
        writer.add_event(Event(step=step, file_version="brain.Event:2"))
        writer.add_event(Event(step=step, session_log=SessionLog(status=SessionLog.START)))

    def get_logdir(self) -> str | os.PathLike[str]:
        """The folder of the event files."""
        return self.log_dir

    def _add(self, summary: Any, global_step: Any = None, walltime: float | None = None) -> None:
        self._get_file_writer().add_summary(summary, global_step, walltime)

    # ------------------------------------------------------------------------------------------ numbers

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """A point of a curve. ``new_style`` loads faster, and only there can it be stored as a double."""
        self._add(messages.scalar(tag, scalar_value, new_style, double_precision), global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None, walltime: float | None = None
    ) -> None:
        """A point of each of several curves in one chart; each curve is a run, in a folder of its own."""
        walltime = time.time() if walltime is None else walltime
        folder = self._get_file_writer().get_logdir()
        writers = self.all_writers if self.all_writers is not None else {}
        for tag, value in tag_scalar_dict.items():
            path = f"{folder}/{main_tag.replace('/', '_')}_{tag}"
            if path not in writers:
                writers[path] = self._open(path)
            writers[path].add_summary(messages.scalar(main_tag, value), global_step, walltime)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """How values are distributed. Args: bins: "tensorflow", or what ``numpy.histogram`` takes: "auto", limits …"""
        limits = self.default_bins if isinstance(bins, str) and bins == "tensorflow" else bins
        self._add(messages.histogram(tag, values, limits, max_bins), global_step, walltime)

    def add_histogram_raw(
        self,
        tag: str,
        min: Any,
        max: Any,
        num: Any,
        sum: Any,
        sum_squares: Any,
        bucket_limits: Any,
        bucket_counts: Any,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """A histogram that was computed elsewhere; ``bucket_limits`` are the right ones."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        summary = messages.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts)
        self._add(summary, global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: dict[str, list[Any]] | None = None,
        run_name: str | None = None,
        global_step: Any = None,
    ) -> None:
        """A row in the table of runs: hyperparameters and what they led to. It is a run of its own, ``run_name``."""
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        summaries = hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self._get_file_writer().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(folder) as writer:
            for summary in summaries:
                writer._add(summary, global_step)
            for tag, value in metric_dict.items():
                writer.add_scalar(tag, value, global_step)

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Precision over recall, from labels 0 or 1 and predicted probabilities."""
        self._add(messages.pr_curve(tag, labels, predictions, num_thresholds, weights), global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag: str,
        true_positive_counts: Any,
        false_positive_counts: Any,
        true_negative_counts: Any,
        false_negative_counts: Any,
        precision: Any,
        recall: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """A curve that was computed elsewhere; as in torch, ``weights`` has no effect."""
        counts = (true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts)
        self._add(messages.pr_curve_raw(tag, (*counts, precision, recall), num_thresholds), global_step, walltime)

    def add_custom_scalars(self, layout: dict[str, Any]) -> None:
        """Charts that collect scalars: ``{category: {chart: ["Multiline" or "Margin", tags]}}``; once a writer."""
        self._add(messages.custom_scalars(layout))

    def add_custom_scalars_multilinechart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """One chart of several curves."""
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """One chart of a curve between two others: three tags."""
        self.add_custom_scalars({category: {title: ["Margin", tags]}})

    # --------------------------------------------------------------------------- images, text and sound

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """A picture of 1 (grey), 3 or 4 channels: uint8 in 0 … 255, others in 0 … 1.

        Args: dataformats: a letter a dimension: "CHW", "HWC" (as OpenCV and Pillow have it), "HW".
        """
        self._add(image(tag, img_tensor, dataformats), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """A batch of pictures of 1 or 3 channels, as one picture with eight in a row."""
        self._add(image(tag, img_tensor, dataformats), global_step, walltime)

    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """A matplotlib figure, or a list of figures of one size; ``close`` releases them."""
        if isinstance(figure, list):
            pixels = np.stack([draw_figure(each, close) for each in figure])
            self.add_images(tag, pixels, global_step, walltime)
        else:
            self.add_image(tag, draw_figure(figure, close), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: Any = None, walltime: float | None = None) -> None:
        """A text in Markdown."""
        self._add(messages.text(tag, text_string), global_step, walltime)

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: Any = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """A mono sound, (1, L) or (L), with amplitudes in −1 … 1."""
        self._add(messages.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    # --------------------------------------------------------------------------------- graph, embedding

    def add_graph(
        self, model: Any, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True
    ) -> None:
        """The graph of ``model``: its ops in boxes of its modules, and what flows between them.

        The model runs once, in eval mode; see ``record_graph`` (recording.py) for what is seen.

        Args: input_to_model: a tensor, or a tuple or list of the positional arguments; verbose: print the graph;
        use_strict_trace: without meaning here, as nothing is traced.
        Raises: ValueError without an input.
        """
        if input_to_model is None:
            raise ValueError("add_graph: input_to_model is needed: the graph is recorded while the model runs on it")
        nodes = record_graph(model, input_to_model)
        if verbose:
            print(graph_text(nodes))
        self._get_file_writer().add_graph(graph_message(nodes))

    def add_embedding(
        self,
        mat: Any,
        metadata: Any = None,
        label_img: Any = None,
        global_step: int | None = None,
        tag: str = "default",
        metadata_header: Any = None,
    ) -> None:
        """The rows of ``mat`` (N, D) as points in space, with N labels and thumbnails (N, C, H, W).

        Args: metadata_header: names of the columns, where each label is a list of several.
        """
        folder = Path(self._get_file_writer().get_logdir())
        step = 0 if global_step is None else int(global_step)
        self._embeddings.append(write_embedding(folder, step, tag, mat, metadata, label_img, metadata_header))
        write_configuration(folder, self._embeddings)

    # ------------------------------------------------------------------------------------ not supported

    def add_tensor(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        raise _unsupported("add_tensor")

    def add_image_with_boxes(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        raise _unsupported("add_image_with_boxes")

    def add_video(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        raise _unsupported("add_video")

    def add_mesh(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        raise _unsupported("add_mesh")

    def add_onnx_graph(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        raise _unsupported("add_onnx_graph")

    # ---------------------------------------------------------------------------------------------- end

    def flush(self) -> None:
        """Return when everything that was added is on the disk."""
        for writer in (self.all_writers or {}).values():
            writer.flush()

    def close(self) -> None:
        """Flush and close the files. A later ``add`` starts new ones."""
        for writer in (self.all_writers or {}).values():
            writer.close()
        self.file_writer = self.all_writers = None

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _unsupported(method: str) -> NotImplementedError:
    return NotImplementedError(f"SummaryWriter.{method} is not supported by minitorch")
