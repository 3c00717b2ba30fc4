"""Summary messages: what ``SummaryWriter`` writes for scalars, histograms, texts, sounds and curves."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np

from minitorch.tensor.tensor import Tensor
from minitorch.utils.tensorboard.library import library

HostArray = Any  # a NumPy array; its methods are used, and its dtype is known only at run time


def as_host_array(value: Any) -> HostArray:
    """A tensor, NumPy array or number as a NumPy array; a number as one of one element, as torch makes it.

    Raises: NotImplementedError, as torch, for anything else.
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    if np.isscalar(value):
        return np.array([value])
    raise NotImplementedError(f"Got {type(value)}, but numpy array or minitorch tensor are expected.")


def _summary(tag: str, **content: Any) -> Any:
    return library().Summary(value=[library().Summary.Value(tag=tag, **content)])


def plugin_metadata(name: str, content: Any = None) -> Any:
    """What tells TensorBoard which of its plugins shows a message; ``content`` is the plugin's own message."""
    data = b"" if content is None else content.SerializeToString()
    SummaryMetadata = library().SummaryMetadata
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=name, content=data))


def shape_message(shape: Any) -> Any:
    """A shape as TensorBoard stores it."""
    TensorShapeProto = library().TensorShapeProto
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> Any:
    """One number. The new style stores it as a tensor, which loads faster.

    Raises: AssertionError, as torch, for a value of several elements.
    """
    array = as_host_array(value).squeeze()
    if array.ndim != 0:
        raise AssertionError(
            "Tensor should contain one element (0 dimensions). "
            f"Was given size: {array.size} and {array.ndim} dimensions."
        )
    number = float(array)
    if not new_style:
        return _summary(tag, simple_value=number)
    TensorProto = library().TensorProto
    tensor = TensorProto(float_val=[number], dtype="DT_FLOAT")
    if double_precision:
        tensor = TensorProto(double_val=[number], dtype="DT_DOUBLE")
    return _summary(tag, tensor=tensor, metadata=plugin_metadata("scalars"))


# -------------------------------------------------------------------------------------------- histograms


def default_limits() -> list[float]:
    """TensorBoard's bins: ±10⁻¹² · 1.1ᵏ up to 10²⁰, and 0 between them."""
    positive = []
    limit = 1e-12
    while limit < 1e20:
        positive.append(limit)
        limit *= 1.1
    return [-limit for limit in reversed(positive)] + [0] + positive


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None = None) -> Any:
    """How many values lie in each bin; see ``bucket_counts``.

    Raises: ValueError if there is no value, or none in any bin (all NaN).
    """
    array = as_host_array(values).astype(float).reshape(-1)
    if array.size == 0:
        raise ValueError("The input has no element.")
    counts, limits = bucket_counts(array, bins, max_bins)
    return histogram_raw(tag, array.min(), array.max(), len(array), array.sum(), array.dot(array), limits, counts)


def bucket_counts(values: HostArray, bins: Any, max_bins: int | None = None) -> tuple[list[float], list[float]]:
    """The counts and the right limits of the bins between the first and the last that are not empty.

    An empty bin stands in front: TensorBoard knows right limits only, and takes the first bin's left limit from
    there. Args: bins: as of ``numpy.histogram``; max_bins: merge neighbours until there are about this many.
    """
    counts, limits = np.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        counts, limits = _merge_neighbours(counts, limits, len(counts) // max_bins)
    occupied = np.flatnonzero(counts)
    if occupied.size == 0:
        raise ValueError("The histogram is empty: no value lies in any of its bins.")
    first, last = occupied[0], occupied[-1]
    before = [0] if first == 0 else counts[first - 1 : first].tolist()
    return before + counts[first : last + 1].tolist(), limits[first : last + 2].tolist()


def _merge_neighbours(counts: HostArray, limits: HostArray, group: int) -> tuple[HostArray, HostArray]:
    """Make one bin of every ``group`` bins; the last may be of fewer."""
    starts = np.arange(0, len(counts), group)
    return np.add.reduceat(counts, starts), np.append(limits[starts], limits[-1])


def histogram_raw(
    tag: str,
    min: Any,
    max: Any,
    num: Any,
    sum: Any,
    sum_squares: Any,
    bucket_limits: Any,
    bucket_counts: Any,
) -> Any:
    """A histogram that was computed elsewhere."""
    message = library().HistogramProto(
        min=min,
        max=max,
        num=num,
        sum=sum,
        sum_squares=sum_squares,
        bucket_limit=bucket_limits,
        bucket=bucket_counts,
    )
    return _summary(tag, histo=message)


# ----------------------------------------------------------------------------------------- text and sound


def _strings(strings: list[bytes], shape: tuple[int, ...]) -> Any:
    return library().TensorProto(dtype="DT_STRING", string_val=strings, tensor_shape=shape_message(shape))


def text(tag: str, string: str) -> Any:
    """A text, which TensorBoard reads as Markdown."""
    metadata = plugin_metadata("text", library().TextPluginData(version=0))
    return _summary(f"{tag}/text_summary", metadata=metadata, tensor=_strings([string.encode()], (1,)))


def audio(tag: str, sound: Any, sample_rate: int = 44100) -> Any:
    """A mono sound with amplitudes in −1 … 1 (others are clipped), as a WAV file of 16 bits.

    Raises: AssertionError, as torch, for a sound of several channels.
    """
    samples = as_host_array(sound).squeeze()
    if samples.ndim != 1:
        raise AssertionError("input tensor should be 1 dimensional.")
    samples = (samples.clip(-1, 1) * np.iinfo(np.int16).max).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(sample_rate)
        target.writeframes(samples.tobytes())
    message = library().Summary.Audio(
        sample_rate=sample_rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=file.getvalue(),
        content_type="audio/wav",
    )
    return _summary(tag, audio=message)


# ------------------------------------------------------------------------------------------------ curves

_MOST_THRESHOLDS = 127  # more than TensorBoard's format holds


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: int = 127, weights: Any = None) -> Any:
    """Precision and recall for thresholds between 0 and 1, from labels 0 or 1 and predicted probabilities."""
    num_thresholds = min(num_thresholds, _MOST_THRESHOLDS)
    positive = as_host_array(labels).astype(np.float64)
    weight = 1.0 if weights is None else as_host_array(weights)
    bucket = np.floor(as_host_array(predictions) * (num_thresholds - 1)).astype(np.int32)

    def at_least(amounts: HostArray) -> HostArray:
        """For each threshold: the sum of the amounts whose prediction reaches it."""
        sums, _ = np.histogram(bucket, bins=num_thresholds, range=(0, num_thresholds - 1), weights=amounts)
        return np.cumsum(sums[::-1])[::-1]

    true_positive, false_positive = at_least(positive * weight), at_least((1 - positive) * weight)
    true_negative, false_negative = false_positive[0] - false_positive, true_positive[0] - true_positive
    precision = true_positive / np.maximum(1e-7, true_positive + false_positive)
    recall = true_positive / np.maximum(1e-7, true_positive + false_negative)
    rows = (true_positive, false_positive, true_negative, false_negative, precision, recall)
    return pr_curve_raw(tag, rows, num_thresholds)


def pr_curve_raw(tag: str, rows: Any, num_thresholds: int = 127) -> Any:
    """A curve that was computed elsewhere: counts of true and false positives and negatives, precision, recall."""
    data = np.stack([as_host_array(row) for row in rows])
    content = library().PrCurvePluginData(version=0, num_thresholds=min(num_thresholds, _MOST_THRESHOLDS))
    tensor = library().TensorProto(
        dtype="DT_FLOAT", float_val=data.reshape(-1).tolist(), tensor_shape=shape_message(data.shape)
    )
    return _summary(tag, metadata=plugin_metadata("pr_curves", content), tensor=tensor)


def custom_scalars(layout: dict[str, Any]) -> Any:
    """Charts that show several scalars: ``{category: {chart: [kind, tags]}}``, kind "Multiline" or "Margin".

    Raises: AssertionError, as torch, for a margin chart without exactly three tags (value, lower, upper).
    """
    messages = library().layout
    categories = [
        messages.Category(title=title, chart=[_chart(name, *chart) for name, chart in charts.items()])
        for title, charts in layout.items()
    ]
    content = messages.Layout(category=categories).SerializeToString()
    metadata = plugin_metadata("custom_scalars")
    return _summary("custom_scalars__config__", tensor=_strings([content], ()), metadata=metadata)


def _chart(title: str, kind: str, tags: list[str]) -> Any:
    messages = library().layout
    if kind != "Margin":
        return messages.Chart(title=title, multiline=messages.MultilineChartContent(tag=tags))
    if len(tags) != 3:
        raise AssertionError(f"Expected 3 tags, got {len(tags)}.")
    series = messages.MarginChartContent.Series(value=tags[0], lower=tags[1], upper=tags[2])
    return messages.Chart(title=title, margin=messages.MarginChartContent(series=[series]))
