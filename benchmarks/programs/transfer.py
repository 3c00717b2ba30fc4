"""A network that knows one task learns another: its features are frozen, its classifier is new."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.programs.networks import new_head
from benchmarks.programs.recipes import Recipe, photographs

# What published networks were trained with: mean and standard deviation of red, green and blue on ImageNet.
IMAGENET_STATISTICS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def head_name(model: Any) -> str:
    """The part of a published network that names classes: ``classifier``, or ``fc`` in residual networks."""
    for name in ("classifier", "fc"):
        if hasattr(model, name):
            return name
    raise ValueError(f"{type(model).__name__} has neither classifier nor fc")


def freeze_and_replace_head(torch: Any, model: Any, classes: int) -> Any:
    """No gradient reaches the network's parts any more but its new classifier, for ``classes`` classes."""
    name = head_name(model)
    old_layers = [layer for layer in getattr(model, name).modules() if isinstance(layer, torch.nn.Linear)]
    for parameter in model.parameters():
        parameter.requires_grad = False
        parameter.grad = None
    setattr(model, name, new_head(torch.nn, old_layers[0].in_features, classes))
    return model


def published_network(name: str, weights: Any) -> Any:
    """A network of ``minitorch.vision.models`` with the weights in a file, as torchvision publishes them."""
    from minitorch.vision import models

    if not callable(getattr(models, name, None)):
        raise SystemExit(f"--network {name}: minitorch.vision.models has no such network")
    return getattr(models, name)(weights=weights)


def for_photographs(recipe: Recipe) -> Recipe:
    """The recipe with images as published networks want them."""
    return replace(recipe, size=224, channels=3, framing=photographs)
