"""The networks that several tests build, as functions of the package."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import Any


def cifar_network(torch: Any) -> Any:
    """Two convolutions with pooling, three linear layers, for images of 3×32×32; the norms are there but unused."""
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self) -> None:
            super(Net, self).__init__()  # noqa: UP008
            self.conv1 = nn.Conv2d(3, 6, 5)
            self.bn1 = nn.BatchNorm2d(6)
            self.pool = nn.MaxPool2d(2, 2)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.bn2 = nn.BatchNorm2d(16)
            self.fc1 = nn.Linear(16 * 5 * 5, 120)
            self.fc2 = nn.Linear(120, 84)
            self.fc3 = nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:
            x = self.pool(F.relu(self.conv1(x)))
            x = self.pool(F.relu(self.conv2(x)))
            x = x.view(-1, 16 * 5 * 5)
            x = F.relu(self.fc1(x))
            x = F.relu(self.fc2(x))
            return self.fc3(x)

    return Net()


def model_with_features(torch: Any) -> Any:
    """A module with layers of its own and a named Sequential inside."""
    nn = torch.nn

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels=3, out_channels=64, kernel_size=3)
            self.conv2 = nn.Conv2d(64, 64, 3)
            self.maxpool1 = nn.MaxPool2d(2, 2)
            self.features = nn.Sequential(
                OrderedDict([("conv3", nn.Conv2d(64, 128, 3)), ("conv4", nn.Conv2d(128, 128, 3)), ("relu1", nn.ReLU())])
            )

        def forward(self, x: Any) -> Any:
            return self.features(self.maxpool1(self.conv2(self.conv1(x))))

    return Model()


def classifier(torch: Any) -> Any:
    """Four linear layers with dropout between them, log-probabilities at the end."""
    nn, F = torch.nn, torch.nn.functional

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1 = nn.Linear(784, 256)
            self.fc2 = nn.Linear(256, 128)
            self.fc3 = nn.Linear(128, 64)
            self.fc4 = nn.Linear(64, 10)
            self.dropout = nn.Dropout(p=0.2)

        def forward(self, x: Any) -> Any:
            x = x.view(x.shape[0], -1)
            x = self.dropout(F.relu(self.fc1(x)))
            x = self.dropout(F.relu(self.fc2(x)))
            x = self.dropout(F.relu(self.fc3(x)))
            return F.log_softmax(self.fc4(x), dim=1)

    return Classifier()


def hidden_network(torch: Any, input_size: int, output_size: int, hidden_layers: list[int]) -> Any:
    """Any number of hidden layers in a ModuleList."""
    nn, F = torch.nn, torch.nn.functional

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden_layers = nn.ModuleList([nn.Linear(input_size, hidden_layers[0])])
            self.hidden_layers.extend([nn.Linear(a, b) for a, b in itertools.pairwise(hidden_layers)])
            self.output = nn.Linear(hidden_layers[-1], output_size)
            self.dropout = nn.Dropout(p=0.5)

        def forward(self, x: Any) -> Any:
            for each in self.hidden_layers:
                x = self.dropout(F.relu(each(x)))
            return F.log_softmax(self.output(x), dim=1)

    return Network()


def lenet(torch: Any) -> Any:
    """LeNet for one channel of 32×32."""
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, 5)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.fc1 = nn.Linear(16 * 5 * 5, 120)
            self.fc2 = nn.Linear(120, 84)
            self.fc3 = nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:
            x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            x = x.view(-1, self.num_flat_features(x))
            x = F.relu(self.fc1(x))
            x = F.relu(self.fc2(x))
            return self.fc3(x)

        def num_flat_features(self, x: Any) -> int:
            num_features = 1
            for s in x.size()[1:]:
                num_features *= s
            return num_features

    return Net()


def alexnet(torch: Any, width: int = 1) -> Any:
    """AlexNet for one channel of 224×224; ``width`` divides its channels and units."""
    nn = torch.nn

    class AlexNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Sequential(
                nn.Conv2d(1, 96 // width, 11, 4),
                nn.ReLU(),
                nn.MaxPool2d(3, 2),
                nn.Conv2d(96 // width, 256 // width, 5, 1, 2),
                nn.ReLU(),
                nn.MaxPool2d(3, 2),
                nn.Conv2d(256 // width, 384 // width, 3, 1, 1),
                nn.ReLU(),
                nn.Conv2d(384 // width, 384 // width, 3, 1, 1),
                nn.ReLU(),
                nn.Conv2d(384 // width, 256 // width, 3, 1, 1),
                nn.ReLU(),
                nn.MaxPool2d(3, 2),
            )
            self.fc = nn.Sequential(
                nn.Linear(256 // width * 5 * 5, 4096 // width),
                nn.ReLU(),
                nn.Dropout(0.5),
                nn.Linear(4096 // width, 4096 // width),
                nn.ReLU(),
                nn.Dropout(0.5),
                nn.Linear(4096 // width, 10),
            )

        def forward(self, img: Any) -> Any:
            feature = self.conv(img)
            return self.fc(feature.view(img.shape[0], -1))

    return AlexNet()


def three_convolutions(torch: Any) -> Any:
    """Three padded convolutions with pooling, flattened into two linear layers, for images of 3×32×32."""
    nn = torch.nn

    class Test(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model1 = nn.Sequential(
                nn.Conv2d(in_channels=3, out_channels=32, kernel_size=5, padding=2),
                nn.MaxPool2d(kernel_size=2),
                nn.Conv2d(in_channels=32, out_channels=32, kernel_size=5, padding=2),
                nn.MaxPool2d(kernel_size=2),
                nn.Conv2d(in_channels=32, out_channels=64, kernel_size=5, padding=2),
                nn.MaxPool2d(kernel_size=2),
                nn.Flatten(),
                nn.Linear(in_features=64 * 4 * 4, out_features=64),
                nn.Linear(in_features=64, out_features=10),
            )

        def forward(self, x: Any) -> Any:
            return self.model1(x)

    return Test()
