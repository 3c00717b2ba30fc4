"""The networks: parameter counts as published, names and outputs against the same architecture written in torch."""

from __future__ import annotations

import zipfile
from collections import OrderedDict
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import minitorch
from minitorch.vision import models
from minitorch.vision.models.densenet import DenseNet
from minitorch.vision.models.resnet import BasicBlock, Bottleneck, ResNet
from minitorch.vision.models.vgg import VGG, make_layers
from tests.vision.support import seed_both


@pytest.fixture
def without_start_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks whose weights are whatever the memory held: their pages are never touched, so they cost nothing."""
    for name in ("uniform_", "normal_", "fill_", "zero_"):
        monkeypatch.setattr(minitorch.Tensor, name, lambda self, *args, **kwargs: self)


_COUNTS = {
    "lenet": 44_426,
    "lenet5": 61_706,
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg13": 133_047_848,
    "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "wide_resnet50_2": 68_883_240,
    "densenet121": 7_978_856,
    "densenet161": 28_681_000,
    "densenet169": 14_149_480,
    "densenet201": 20_013_928,
}


@pytest.mark.usefixtures("without_start_values")
@pytest.mark.parametrize("name", _COUNTS)
def test_published_parameter_counts(name: str) -> None:
    model = getattr(models, name)()
    assert sum(parameter.numel() for parameter in model.parameters()) == _COUNTS[name]


@pytest.mark.usefixtures("without_start_values")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alexnet", {"features.0.weight": (64, 3, 11, 11), "classifier.1.weight": (4096, 9216)}),
        ("vgg16", {"features.0.weight": (64, 3, 3, 3), "features.28.bias": (512,), "classifier.6.bias": (1000,)}),
        ("vgg16_bn", {"features.1.running_mean": (64,), "features.40.weight": (512, 512, 3, 3)}),
        (
            "resnet50",
            {
                "layer1.0.conv1.weight": (64, 64, 1, 1),
                "layer1.0.downsample.0.weight": (256, 64, 1, 1),
                "layer4.2.bn3.num_batches_tracked": (),
                "fc.weight": (1000, 2048),
            },
        ),
        (
            "densenet121",
            {
                "features.conv0.weight": (64, 3, 7, 7),
                "features.denseblock1.denselayer1.norm1.weight": (64,),
                "features.denseblock4.denselayer16.conv2.weight": (32, 128, 3, 3),
                "features.transition3.conv.weight": (512, 1024, 1, 1),
                "features.norm5.running_var": (1024,),
                "classifier.weight": (1000, 1024),
            },
        ),
    ],
)
def test_published_names_and_shapes(name: str, expected: dict[str, tuple[int, ...]]) -> None:
    state = getattr(models, name)().state_dict()
    for key, shape in expected.items():
        assert state[key].shape == shape


# -------------------------------------------------------------------------------- the same networks in torch


class _TorchBasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int, downsample: Any) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Any) -> Any:
        out = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(out + (x if self.downsample is None else self.downsample(x)))


class _TorchBottleneck(nn.Module):
    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: int, downsample: Any) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.downsample = downsample

    def forward(self, x: Any) -> Any:
        out = torch.relu(self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x))))))
        return torch.relu(self.bn3(self.conv3(out)) + (x if self.downsample is None else self.downsample(x)))


class _TorchResNet(nn.Module):
    def __init__(self, block: Any, layers: list[int], num_classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for index, count in enumerate(layers):
            planes, stride = 64 * 2**index, 1 if index == 0 else 2
            stage = []
            for number in range(count):
                downsample = None
                if number == 0 and (stride != 1 or channels != planes * block.expansion):
                    downsample = nn.Sequential(
                        nn.Conv2d(channels, planes * block.expansion, 1, stride, bias=False),
                        nn.BatchNorm2d(planes * block.expansion),
                    )
                stage.append(block(channels, planes, stride if number == 0 else 1, downsample))
                channels = planes * block.expansion
            setattr(self, f"layer{index + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Any) -> Any:
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class _TorchDenseLayer(nn.Module):
    def __init__(self, channels: int, growth: int, width: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, width * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width * growth)
        self.conv2 = nn.Conv2d(width * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x: Any) -> Any:
        new = self.conv2(torch.relu(self.norm2(self.conv1(torch.relu(self.norm1(x))))))
        return torch.cat([x, new], 1)


def _torch_densenet(growth: int, blocks: tuple[int, ...], first: int, width: int, classes: int) -> Any:
    features: Any = OrderedDict(
        conv0=nn.Conv2d(3, first, 7, 2, 3, bias=False),
        norm0=nn.BatchNorm2d(first),
        relu0=nn.ReLU(),
        pool0=nn.MaxPool2d(3, 2, 1),
    )
    channels = first
    for index, layers in enumerate(blocks, start=1):
        block = OrderedDict()
        for number in range(layers):
            block[f"denselayer{number + 1}"] = _TorchDenseLayer(channels, growth, width)
            channels += growth
        features[f"denseblock{index}"] = nn.Sequential(block)
        if index < len(blocks):
            features[f"transition{index}"] = nn.Sequential(
                OrderedDict(
                    norm=nn.BatchNorm2d(channels),
                    relu=nn.ReLU(),
                    conv=nn.Conv2d(channels, channels // 2, 1, bias=False),
                    pool=nn.AvgPool2d(2),
                )
            )
            channels //= 2
    features["norm5"] = nn.BatchNorm2d(channels)
    tail = OrderedDict(relu=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    net = nn.Sequential(
        OrderedDict(features=nn.Sequential(features), tail=nn.Sequential(tail), classifier=nn.Linear(channels, classes))
    )
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
    return net


def _compare(ours: Any, theirs: Any, size: int) -> None:
    """The same parameters under the same names, the same outputs when training and when not, the same gradients."""
    state, expected = ours.state_dict(), theirs.state_dict()
    assert list(state) == list(expected)
    for name, value in expected.items():
        # normal numbers agree to the last bit but one
        np.testing.assert_allclose(state[name].numpy(), value.numpy(), rtol=1e-5, atol=1e-6, err_msg=name)
    image = np.random.default_rng(0).standard_normal((2, 3, size, size))
    _compare_gradients(deepcopy(ours).double(), deepcopy(theirs).double(), image)
    image = image.astype(np.float32)
    for training in (True, False):
        ours.train(training)
        theirs.train(training)
        found, wanted = ours(minitorch.tensor(image)), theirs(torch.tensor(image))
        np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-3, atol=1e-4)


def _compare_gradients(ours: Any, theirs: Any, image: Any) -> None:
    """In float64: in float32 a rectifier's input near 0 may have either sign, and its gradient is there or not."""
    for training in (True, False):
        ours.train(training)
        theirs.train(training)
        found, wanted = ours(minitorch.tensor(image)), theirs(torch.tensor(image))
        np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-9, atol=1e-9)
    found.sum().backward()
    wanted.sum().backward()
    gradients = dict(ours.named_parameters())
    for name, parameter in theirs.named_parameters():
        expected = parameter.grad.numpy()
        np.testing.assert_allclose(
            gradients[name].grad.numpy(), expected, atol=1e-9 * np.abs(expected).max() + 1e-12, err_msg=name
        )


def test_resnet_of_basic_blocks() -> None:
    seed_both()
    theirs = _TorchResNet(_TorchBasicBlock, [1, 2, 1, 1], 5)
    _compare(ResNet(BasicBlock, [1, 2, 1, 1], num_classes=5), theirs, 64)


def test_resnet_of_bottlenecks() -> None:
    seed_both()
    theirs = _TorchResNet(_TorchBottleneck, [1, 1, 1, 1], 5)
    _compare(ResNet(Bottleneck, [1, 1, 1, 1], num_classes=5), theirs, 64)


def test_densenet() -> None:
    seed_both()
    theirs = _torch_densenet(4, (2, 3), 8, 2, 5)
    _compare(DenseNet(4, (2, 3), 8, bn_size=2, num_classes=5), theirs, 64)


def test_vgg() -> None:
    """The convolutions with small widths; the classifier, which would hold 100 million numbers, is cut down."""
    for batch_norm in (False, True):
        layers: list[Any] = []
        seed_both()
        for before, after in ((3, 6), (6, 8)):
            layers.append(nn.Conv2d(before, after, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(after))
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
        ours, theirs = make_layers([6, "M", 8, "M"], batch_norm), nn.Sequential(*layers)
        _compare(ours, theirs, 16)


def test_vgg_draws_its_weights_in_torchvisions_order(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    for name in ("uniform_", "normal_", "fill_", "zero_"):
        monkeypatch.setattr(
            minitorch.Tensor,
            name,
            lambda self, *args, _name=name, **kwargs: drawn.append((_name, tuple(self.shape), args)) or self,
        )
    features = make_layers([6, "M", 8])
    drawn.clear()
    VGG(features, num_classes=3)
    own = [("uniform_", shape) for shape in ((4096, 25088), (4096,), (4096, 4096), (4096,), (3, 4096), (3,))]
    assert [(name, shape) for name, shape, _ in drawn[:6]] == own
    assert [(name, shape) for name, shape, _ in drawn[6:]] == [
        *(each for shape in ((6, 3, 3, 3), (8, 6, 3, 3)) for each in (("normal_", shape), ("fill_", shape[:1]))),
        *(each for _, shape in own[::2] for each in (("normal_", shape), ("fill_", shape[:1]))),
    ]
    assert drawn[6][2][1] == pytest.approx((2 / (6 * 9)) ** 0.5)  # fan_out
    assert [args[:2] for name, shape, args in drawn[6:] if name == "normal_" and len(shape) == 2] == [(0, 0.01)] * 3


@pytest.mark.usefixtures("without_start_values")
def test_alexnet() -> None:
    torch.manual_seed(0)
    theirs = nn.Sequential(
        OrderedDict(
            features=nn.Sequential(
                nn.Conv2d(3, 64, 11, 4, 2),
                nn.ReLU(),
                nn.MaxPool2d(3, 2),
                nn.Conv2d(64, 192, 5, padding=2),
                nn.ReLU(),
                nn.MaxPool2d(3, 2),
                nn.Conv2d(192, 384, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(384, 256, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(256, 256, 3, padding=1),
                nn.ReLU(),
                nn.MaxPool2d(3, 2),
            ),
            avgpool=nn.AdaptiveAvgPool2d(6),
            flatten=nn.Flatten(),
            classifier=nn.Sequential(
                nn.Dropout(),
                nn.Linear(9216, 4096),
                nn.ReLU(),
                nn.Dropout(),
                nn.Linear(4096, 4096),
                nn.ReLU(),
                nn.Linear(4096, 7),
            ),
        )
    ).eval()
    ours = models.alexnet(num_classes=7).eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(
        {name: minitorch.from_numpy(value.numpy()) for name, value in theirs.state_dict().items()}, assign=True
    )
    image = np.random.default_rng(0).standard_normal((1, 3, 80, 80)).astype(np.float32)
    with minitorch.no_grad(), torch.no_grad():
        found, wanted = ours(minitorch.tensor(image)), theirs(torch.tensor(image))
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-5)


# -------------------------------------------------------------------------------------------- small networks


def test_lenets() -> None:
    seed_both()
    theirs = nn.Sequential(
        OrderedDict(
            conv=nn.Sequential(
                nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.MaxPool2d(2)
            ),
            flatten=nn.Flatten(),
            fc=nn.Sequential(nn.Linear(256, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
        )
    )
    ours = models.lenet()
    image = np.random.default_rng(0).random((2, 1, 28, 28), dtype=np.float32)
    found, wanted = ours(minitorch.tensor(image)), theirs(torch.tensor(image))
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-4, atol=1e-6)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    five = models.lenet5(num_classes=4)
    assert five(minitorch.rand(2, 1, 32, 32)).shape == (2, 4)
    assert [name for name, _ in five.named_children()] == ["conv1", "conv2", "fc1", "fc2", "fc3"]


# ------------------------------------------------------------------------------------------------- arguments


def test_resnet_arguments() -> None:
    zeroed = ResNet(Bottleneck, [1, 1, 1, 1], num_classes=2, zero_init_residual=True)
    assert not zeroed.layer1[0].bn3.weight.numpy(force=True).any()
    dilated = ResNet(Bottleneck, [1, 1, 1, 2], 2, replace_stride_with_dilation=(False, False, True))
    assert dilated.layer4[1].conv2.dilation == (2, 2)
    assert dilated.layer4[0].conv2.stride == (1, 1)
    with pytest.raises(ValueError, match="replace_stride_with_dilation should be None or a 3-element tuple"):
        ResNet(BasicBlock, [1, 1, 1, 1], replace_stride_with_dilation=(True,))
    with pytest.raises(ValueError, match="BasicBlock only supports groups=1 and base_width=64"):
        ResNet(BasicBlock, [1, 1, 1, 1], groups=2)
    with pytest.raises(NotImplementedError, match="Dilation > 1 not supported in BasicBlock"):
        ResNet(BasicBlock, [1, 1, 1, 2], replace_stride_with_dilation=(True, True, True))
    grouped = ResNet(
        Bottleneck, [1, 1, 1, 1], 2, groups=4, width_per_group=4, norm_layer=lambda n: minitorch.nn.GroupNorm(2, n)
    )
    assert grouped.layer1[0].conv2.weight.shape == (16, 4, 3, 3)
    assert grouped(minitorch.rand(1, 3, 32, 32)).shape == (1, 2)


def test_densenet_arguments() -> None:
    with pytest.raises(NotImplementedError, match="memory_efficient=True is not supported"):
        DenseNet(4, (1,), 4, memory_efficient=True)
    net = DenseNet(4, (2,), 8, drop_rate=0.9, num_classes=2)
    image = minitorch.rand(1, 3, 32, 32)
    assert not np.array_equal(net(image).detach().numpy(), net(image).detach().numpy())
    net.eval()
    np.testing.assert_array_equal(net(image).detach().numpy(), net(image).detach().numpy())


@pytest.mark.parametrize("options", [{"weights": "DEFAULT_ENUM"}, {"pretrained": True}, {"weights": 3}])
def test_there_is_no_download_of_weights(options: dict[str, Any]) -> None:
    if options.get("weights") == "DEFAULT_ENUM":
        options = {"weights": object()}
    with pytest.raises(ValueError, match="minitorch does not download weights"):
        models.resnet18(**options)


def test_pretrained_false_is_accepted() -> None:
    assert models.lenet(pretrained=False, num_classes=3).fc[4].out_features == 3


def test_weights_from_a_file_that_torch_wrote(tmp_path: Path) -> None:
    torch.manual_seed(1)
    theirs = _TorchResNet(_TorchBasicBlock, [2, 2, 2, 2], 3)
    state = theirs.state_dict()
    # the oldest published files lack the counters of batch norm
    without_counters = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    for number, each in enumerate((state, without_counters)):
        path = tmp_path / f"{number}.pth"
        torch.save(each, path)
        assert zipfile.is_zipfile(path)
        ours = models.resnet18(weights=path, num_classes=3).state_dict()
        for name, value in state.items():
            np.testing.assert_array_equal(ours[name].numpy(), value.numpy())


def test_published_densenet_names_are_translated() -> None:
    from minitorch.vision.models.densenet import _renamed

    old = {"features.denseblock1.denselayer2.norm.1.running_mean": 1, "features.norm5.weight": 2, "classifier.bias": 3}
    assert _renamed(old) == {
        "features.denseblock1.denselayer2.norm1.running_mean": 1,
        "features.norm5.weight": 2,
        "classifier.bias": 3,
    }
