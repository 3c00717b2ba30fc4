"""Images, under torchvision's names: transforms. Needs Pillow: ``pip install 'minitorch[vision]'``.

``import minitorch`` does not import this package: say ``from minitorch import vision``, or the part you need.
"""

from minitorch.vision import transforms

__all__ = ["transforms"]
