"""Images, under torchvision's names: datasets, transforms, networks, grids of images, image files.

Needs Pillow: ``pip install 'minitorch[vision]'``. ``import minitorch`` does not import this package: say
``from minitorch import vision``, or the part you need.
"""

from minitorch.vision import datasets, io, models, transforms, utils

__all__ = ["datasets", "io", "models", "transforms", "utils"]
