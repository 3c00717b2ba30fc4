"""Preparing and varying images, under torchvision's names: one file a subject, ``functional`` for the functions."""

from minitorch.vision.transforms import functional
from minitorch.vision.transforms.color import ColorJitter, Grayscale, RandomGrayscale
from minitorch.vision.transforms.composition import Compose, Lambda, RandomApply, RandomChoice, RandomOrder
from minitorch.vision.transforms.conversion import ConvertImageDtype, Normalize, PILToTensor, ToPILImage, ToTensor
from minitorch.vision.transforms.cropping import CenterCrop, RandomCrop
from minitorch.vision.transforms.erasing import RandomErasing
from minitorch.vision.transforms.flipping import RandomHorizontalFlip, RandomVerticalFlip
from minitorch.vision.transforms.images import InterpolationMode
from minitorch.vision.transforms.padding import Pad
from minitorch.vision.transforms.resizing import RandomResizedCrop, Resize
from minitorch.vision.transforms.rotation import RandomRotation

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ConvertImageDtype",
    "Grayscale",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomApply",
    "RandomChoice",
    "RandomCrop",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomOrder",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "ToPILImage",
    "ToTensor",
    "functional",
]
