"""Files for TensorBoard's projector, which shows the rows of a matrix as points in space.

They lie beside the event file, in ``<step>/<tag>/``: the matrix, the labels, and a *sprite*, one picture that
has the points' thumbnails as a square grid. ``projector_config.pbtxt`` lists all of them.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.utils.tensorboard.images import grid, png_file
from minitorch.utils.tensorboard.library import library
from minitorch.utils.tensorboard.messages import HostArray, as_host_array


def write_embedding(
    folder: Path, step: int, tag: str, mat: Any, metadata: Any, label_img: Any, metadata_header: Any
) -> Any:
    """Write the files of one embedding and return its entry for the configuration."""
    points = as_host_array(mat)
    _check(points, metadata, label_img)
    name = f"{step:05d}"
    target = folder / name / _encoded(tag)
    target.mkdir(parents=True, exist_ok=True)
    place = f"{name}/{_encoded(tag)}"
    info = library().projector.EmbeddingInfo(tensor_name=f"{tag}:{name}", tensor_path=f"{place}/tensors.tsv")
    _write_table(target / "tensors.tsv", points.tolist())
    if metadata is not None:
        _write_table(target / "metadata.tsv", _label_rows(metadata, metadata_header))
        info.metadata_path = f"{place}/metadata.tsv"
    if label_img is not None:
        thumbnails = as_host_array(label_img)
        (target / "sprite.png").write_bytes(png_file(sprite(thumbnails)))
        info.sprite.image_path = f"{place}/sprite.png"
        info.sprite.single_image_dim.extend([thumbnails.shape[3], thumbnails.shape[2]])
    return info


def write_configuration(folder: Path, infos: list[Any]) -> None:
    """Write the list of all embeddings."""
    from google.protobuf import text_format  # comes with tensorboard

    configuration = library().projector.ProjectorConfig(embeddings=infos)
    (folder / "projector_config.pbtxt").write_text(text_format.MessageToString(configuration), encoding="utf-8")


def sprite(images: HostArray) -> HostArray:
    """Thumbnails (N, C, H, W) with values in 0 … 1 as one square picture of √N columns, in bytes (H, W, 3)."""
    picture = grid(images, columns=math.ceil(math.sqrt(len(images)))).transpose(1, 2, 0)
    square = np.zeros((picture.shape[1], picture.shape[1], 3))
    square[: picture.shape[0]] = picture
    return (square * 255).clip(0, 255).astype(np.uint8)


def _check(points: HostArray, metadata: Any, label_img: Any) -> None:
    if points.ndim != 2:
        raise AssertionError("mat should be 2D, where mat.size(0) is the number of data points")
    for name, given in (("labels", metadata), ("images", label_img)):
        if given is not None and len(given) != len(points):
            raise AssertionError(f"#{name} should equal with #data points")


def _label_rows(metadata: Any, header: Any) -> list[list[Any]]:
    if not header:
        return [[label] for label in metadata]
    if len(header) != len(metadata[0]):
        raise AssertionError("len of header must be equal to the number of columns in metadata")
    return [list(header), *(list(labels) for labels in metadata)]


def _write_table(path: Path, rows: list[list[Any]]) -> None:
    lines = ["\t".join(str(cell) for cell in row) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _encoded(tag: str) -> str:
    """The tag as the name of one folder."""
    return tag.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")
