"""Published weights: from a file that the user has, never from the network."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from minitorch.nn.module import Module
from minitorch.serialization import load


def build(
    network: Callable[..., Module],
    weights: Any,
    options: dict[str, Any],
    renamed: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda state: state,
) -> Any:
    """``network(**options)``, with the parameters in the file ``weights`` if that is not None.

    Args: options: also ``pretrained``, the old spelling of ``weights``; renamed: gives the parameters of an old
    file the names of today.
    Raises: ValueError for anything that is neither None nor a path: there is no download of weights.
    """
    options = dict(options)
    pretrained = options.pop("pretrained", False)
    if pretrained or (weights is not None and not isinstance(weights, (str, os.PathLike))):
        asked = "pretrained=True" if pretrained else f"weights={weights!r}"
        raise ValueError(
            f"{asked}: minitorch does not download weights. Save a state_dict to a file yourself (torchvision's "
            "published .pth files fit) and pass its path as weights=PATH, or weights=None for random ones."
        )
    model = network(**options)
    if weights is not None:
        model.load_state_dict(renamed(load(weights)))
    return model
