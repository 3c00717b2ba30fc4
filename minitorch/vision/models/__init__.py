"""Well-known networks, with torchvision's names down to the parameters, so that its published weights fit."""

from minitorch.vision.models.alexnet import AlexNet, alexnet
from minitorch.vision.models.densenet import DenseNet, densenet121, densenet161, densenet169, densenet201
from minitorch.vision.models.lenet import LeNet, LeNet5, lenet, lenet5
from minitorch.vision.models.resnet import (
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    wide_resnet50_2,
)
from minitorch.vision.models.vgg import VGG, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn

__all__ = [
    "VGG",
    "AlexNet",
    "DenseNet",
    "LeNet",
    "LeNet5",
    "ResNet",
    "alexnet",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "lenet",
    "lenet5",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "wide_resnet50_2",
]
