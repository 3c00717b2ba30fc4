"""A program's stages: one as a rule; two where features are trained first and transferred then."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.programs import transfer
from benchmarks.programs.data import Images, load_images
from benchmarks.programs.recipes import Recipe


@dataclass
class Stage:
    """Something to train: images, and the network made of ``torch`` and of the stage before's network (or None)."""

    title: str
    recipe: Recipe
    images: Images
    build: Callable[[Any, Any], Any]
    head: str | None = None  # the only part trained


def make_stages(recipe: Recipe, options: argparse.Namespace) -> list[Stage]:
    """The stages of a program."""
    if not recipe.transfers:
        return [_plain_stage(recipe, options, recipe.title)]
    if options.weights is not None:
        return [_published_stage(recipe, options)]
    first = _plain_stage(recipe, options, "features, first half of the classes", share=(0, 2))
    if len(first.images.classes) < 2:
        raise SystemExit("transfer without --weights needs four classes at least: two to learn, two to transfer to")
    images = load_images(recipe, options.data, options.limit, share=(1, 2))

    def build(torch: Any, model: Any) -> Any:
        torch.manual_seed(options.seed)
        return transfer.freeze_and_replace_head(torch, model, len(images.classes))

    return [first, Stage("classifier, second half of the classes", recipe, images, build, "classifier")]


def _plain_stage(recipe: Recipe, options: argparse.Namespace, title: str, share: tuple[int, int] = (0, 1)) -> Stage:
    images = load_images(recipe, options.data, options.limit, share)

    def build(torch: Any, model: Any) -> Any:
        torch.manual_seed(options.seed)
        return recipe.network(torch.nn, len(images.classes))

    return Stage(title, recipe, images, build)


def _published_stage(recipe: Recipe, options: argparse.Namespace) -> Stage:
    recipe = transfer.for_photographs(recipe)
    images = load_images(recipe, options.data, options.limit, statistics=transfer.IMAGENET_STATISTICS)
    published = transfer.published_network(options.network, options.weights)
    head = transfer.head_name(published)

    def build(torch: Any, model: Any) -> Any:
        torch.manual_seed(options.seed)
        return transfer.freeze_and_replace_head(torch, published, len(images.classes))

    return Stage(f"classifier on {options.network}", recipe, images, build, head)
