"""``summary``: every number against one computed by hand, or by torch's own counter of operations."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import minitorch
from minitorch import nn
from minitorch.utils import summary
from minitorch.utils.flops import layer_flops


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Any) -> Any:
        x = self.flatten(self.features(x))
        return self.fc3(self.fc2(self.fc1(x).relu()).relu())


# name, kind, depth, output shape, parameters, FLOPs, bytes of the output (float32, batch of 2)
LENET_ROWS = [
    ("", "LeNet", 0, "[2, 10]", 0, None, 0),
    ("features", "Sequential", 1, "[2, 16, 5, 5]", 0, None, 0),
    ("0", "Conv2d", 2, "[2, 6, 28, 28]", 6 * 25 + 6, 2 * (2 * 25 * 6 * 28 * 28), 2 * 6 * 28 * 28 * 4),
    ("1", "ReLU", 2, "[2, 6, 28, 28]", 0, 2 * 6 * 28 * 28, 2 * 6 * 28 * 28 * 4),
    ("2", "MaxPool2d", 2, "[2, 6, 14, 14]", 0, 2 * 6 * 14 * 14 * 4, 2 * 6 * 14 * 14 * 4),
    ("3", "Conv2d", 2, "[2, 16, 10, 10]", 16 * 6 * 25 + 16, 2 * (2 * 150 * 16 * 100), 2 * 16 * 100 * 4),
    ("4", "ReLU", 2, "[2, 16, 10, 10]", 0, 2 * 1600, 2 * 1600 * 4),
    ("5", "MaxPool2d", 2, "[2, 16, 5, 5]", 0, 2 * 400 * 4, 2 * 400 * 4),
    ("flatten", "Flatten", 1, "[2, 400]", 0, 0, 0),
    ("fc1", "Linear", 1, "[2, 120]", 48_120, 2 * (2 * 400 * 120), 2 * 120 * 4),
    ("fc2", "Linear", 1, "[2, 84]", 10_164, 2 * (2 * 120 * 84), 2 * 84 * 4),
    ("fc3", "Linear", 1, "[2, 10]", 850, 2 * (2 * 84 * 10), 2 * 10 * 4),
]


def _fields(row: Any) -> tuple[Any, ...]:
    return row.name, row.kind, row.depth, row.output_shape, row.parameters, row.flops, row.output_bytes


class TestKnownNetworks:
    def test_lenet(self) -> None:
        found = summary(LeNet(), (2, 1, 32, 32))
        assert [_fields(row) for row in found.rows] == LENET_ROWS
        assert found.total_parameters == found.trainable_parameters == 61_706
        assert found.non_trainable_parameters == 0
        assert found.total_flops == sum(row[5] or 0 for row in LENET_ROWS)
        assert found.input_bytes == 2 * 32 * 32 * 4
        assert found.parameter_bytes == 61_706 * 4
        assert found.forward_backward_bytes == 2 * sum(row[6] for row in LENET_ROWS)
        assert found.total_bytes == found.input_bytes + found.forward_backward_bytes + found.parameter_bytes
        assert found.not_called == found.without_formula == []

    def test_alexnet(self) -> None:
        """Krizhevsky's network as in torchvision, with a classifier for ten classes."""

        def build(nn: Any) -> Any:
            return nn.Sequential(
                nn.Sequential(
                    nn.Conv2d(3, 64, 11, stride=4, padding=2),
                    nn.ReLU(inplace=True),
                    nn.MaxPool2d(3, stride=2),
                    nn.Conv2d(64, 192, 5, padding=2),
                    nn.ReLU(inplace=True),
                    nn.MaxPool2d(3, stride=2),
                    nn.Conv2d(192, 384, 3, padding=1),
                    nn.ReLU(inplace=True),
                    nn.Conv2d(384, 256, 3, padding=1),
                    nn.ReLU(inplace=True),
                    nn.Conv2d(256, 256, 3, padding=1),
                    nn.ReLU(inplace=True),
                    nn.MaxPool2d(3, stride=2),
                ),
                nn.AdaptiveAvgPool2d((6, 6)),
                nn.Flatten(),
                nn.Sequential(nn.Dropout(), nn.Linear(9216, 10)),
            )

        found = summary(build(nn), (1, 3, 224, 224))
        # 64·(3·121+1) + 192·(64·25+1) + 384·(192·9+1) + 256·(384·9+1) + 256·(256·9+1), and 9216·10 + 10
        assert found.total_parameters == 23_296 + 307_392 + 663_936 + 884_992 + 590_080 + 92_170
        matrix = [row for row in found.rows if row.kind in ("Conv2d", "Linear")]
        products = [
            64 * 55 * 55 * 363,
            192 * 27 * 27 * 1600,
            384 * 13 * 13 * 1728,
            256 * 13 * 13 * 3456,
            256 * 13 * 13 * 2304,
            9216 * 10,
        ]
        assert [row.flops for row in matrix] == [2 * count for count in products]
        elements = 64 * 55 * 55 + 192 * 27 * 27 + (384 + 256 + 256) * 13 * 13  # of the activations
        windows = (64 * 27 * 27 + 192 * 13 * 13 + 256 * 6 * 6) * 9 + 256 * 6 * 6  # 6 → 6: windows of one element
        assert found.total_flops == 2 * sum(products) + elements + windows
        with FlopCounterMode(display=False) as counter:
            build(torch.nn)(torch.zeros(1, 3, 224, 224))
        assert sum(row.flops for row in matrix) == counter.get_total_flops()
        assert [row.output_bytes for row in found.rows if row.kind == "ReLU"] == [0] * 5  # in place: no memory


class TestFormulas:
    CASES = [
        ("depthwise", nn.Conv2d(4, 8, 3, groups=4), [(2, 4, 5, 5)], 2 * (2 * 8 * 9) * 9),
        ("conv1d", nn.Conv1d(3, 5, 4, stride=2, dilation=2), [(2, 3, 11)], 2 * (2 * 5 * 3) * 12),
        ("transposed", nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), [(1, 4, 5, 5)], 2 * 4 * 25 * 3 * 9),
        ("linear on sequences", nn.Linear(3, 4, bias=False), [(2, 5, 3)], 2 * 2 * 5 * 3 * 4),
        ("bilinear", nn.Bilinear(3, 4, 5), [(2, 3), (2, 4)], 2 * 2 * 5 * (3 * 4 + 4)),
        ("rnn", nn.RNN(3, 4), [(7, 2, 3)], 14 * 2 * (4 * 3 + 4 * 4)),
        ("lstm", nn.LSTM(3, 4, num_layers=2, bidirectional=True), [(7, 2, 3)], 14 * 2 * 2 * (16 * 7 + 16 * 12)),
        ("gru cell", nn.GRUCell(3, 4), [(2, 3)], 2 * 2 * (12 * 3 + 12 * 4)),
        # projections of 5, 4, 4 and 5 vectors of 8 by 8×8 matrices; 5·4 scores and a weighted sum, 8 products each
        ("attention", nn.MultiheadAttention(8, 2), [(5, 1, 8), (4, 1, 8), (4, 1, 8)], 2 * 18 * 64 + 2 * 2 * 20 * 8),
        ("batch-norm", nn.BatchNorm2d(3), [(2, 3, 4, 4)], 4 * 96),
        ("batch-norm, not affine", nn.BatchNorm2d(3, affine=False), [(2, 3, 4, 4)], 2 * 96),
        ("instance-norm", nn.InstanceNorm2d(3), [(2, 3, 4, 4)], 6 * 96),
        ("layer-norm", nn.LayerNorm(4), [(2, 3, 4)], 8 * 24),
        ("group-norm", nn.GroupNorm(2, 4, affine=False), [(2, 4, 3)], 6 * 24),
        ("rms-norm", nn.RMSNorm(4), [(2, 3, 4)], 4 * 24),
        ("max-pool", nn.MaxPool2d((2, 3), stride=1), [(2, 3, 4, 5)], 2 * 3 * 3 * 3 * 6),
        ("avg-pool", nn.AvgPool1d(2), [(2, 3, 8)], 2 * 3 * 4 * 2),
        # 5 → 3: windows of 2, 3 and 2 elements; 4 → 2: 2 and 2
        ("adaptive pool", nn.AdaptiveAvgPool2d((3, 2)), [(2, 3, 5, 4)], 2 * 3 * 7 * 4),
        ("sigmoid", nn.Sigmoid(), [(2, 3)], 6),
        ("softmax", nn.Softmax(dim=1), [(2, 3)], 30),
        ("glu", nn.GLU(), [(2, 6)], 12),
        ("padding", nn.ZeroPad2d(1), [(1, 1, 2, 2)], 0),
        ("dropout", nn.Dropout(), [(2, 3)], 0),
    ]

    @pytest.mark.parametrize(("layer", "shapes", "flops"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
    def test_layer(self, layer: Any, shapes: list[Any], flops: int) -> None:
        assert summary(layer, shapes).total_flops == flops

    @pytest.mark.parametrize(
        ("kind", "options", "shape"),
        [
            ("Conv2d", {"in_channels": 4, "out_channels": 6, "kernel_size": (3, 2), "groups": 2}, (2, 4, 7, 6)),
            ("Conv1d", {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 2}, (2, 4, 9)),
            ("ConvTranspose2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "stride": 2}, (2, 4, 5, 5)),
            ("Linear", {"in_features": 4, "out_features": 6}, (5, 4)),
        ],
    )
    def test_equals_torchs_counter(self, kind: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
        with FlopCounterMode(display=False) as counter:
            getattr(torch.nn, kind)(**options)(torch.zeros(shape))
        assert summary(getattr(nn, kind)(**options), shape).total_flops == counter.get_total_flops()

    def test_packed_sequence_counts_its_steps(self) -> None:
        packed = nn.utils.rnn.pack_sequence([minitorch.zeros(5, 3), minitorch.zeros(2, 3)])
        layer = nn.GRU(3, 4)
        assert layer_flops(layer, (packed,), layer(packed)) == 7 * 2 * (12 * 3 + 12 * 4)

    def test_unknown_layer_is_named(self) -> None:
        class Cube(nn.Module):
            def forward(self, x: Any) -> Any:
                return x**3

        found = summary(nn.Sequential(Cube(), nn.ReLU()), (2, 3))
        assert found.rows[1].flops is None
        assert found.without_formula == ["Cube"]
        assert found.total_flops == 6
        assert "FLOPs: 6 (not counted: Cube)" in str(found)


class TestSharing:
    def test_layer_called_twice(self) -> None:
        layer = nn.Linear(3, 3)
        found = summary(nn.Sequential(layer, nn.Tanh(), layer), (2, 3))
        assert [(row.name, row.parameters, row.shared_parameters) for row in found.rows[1:]] == [
            ("0", 12, 0),
            ("1", 0, 0),
            ("0", 0, 12),
        ]
        assert found.total_parameters == 12
        assert found.parameter_bytes == 48
        assert found.total_flops == 36 + 6 + 36
        assert "(shared)" in str(found)

    def test_tied_weights(self) -> None:
        model = nn.Sequential(nn.Embedding(7, 3), nn.Linear(3, 7))
        model[1].weight = model[0].weight
        found = summary(model, (2, 4), dtype=minitorch.int64)
        assert [(row.parameters, row.shared_parameters) for row in found.rows[1:]] == [(21, 0), (7, 21)]
        assert found.total_parameters == 28

    def test_frozen(self) -> None:
        model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
        model[0].requires_grad_(False)
        found = summary(model, (1, 3))
        assert (found.trainable_parameters, found.non_trainable_parameters) == (10, 16)


class TestStructure:
    def test_recurrent_output(self) -> None:
        found = summary(nn.LSTM(3, 4, num_layers=2, batch_first=True), (2, 5, 3))
        (row,) = found.rows
        assert row.output_shape == "([2, 5, 4], ([2, 2, 4], [2, 2, 4]))"
        assert row.parameters == 16 * (3 + 4 + 2) + 16 * (4 + 4 + 2)
        assert row.output_bytes == (40 + 16 + 16) * 4

    def test_nested_containers(self) -> None:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(2, 2)) for _ in range(2)])
                self.heads = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 3)})

            def forward(self, x: Any) -> Any:
                for block in self.blocks:
                    x = block(x)
                return {name: head(x) for name, head in self.heads.items()}

        found = summary(Net(), (4, 2))
        assert [(row.depth, row.name) for row in found.rows] == [
            (0, ""),
            (1, "blocks.0"),
            (2, "0"),
            (1, "blocks.1"),
            (2, "0"),
            (1, "heads.a"),
            (1, "heads.b"),
        ]
        assert found.rows[0].output_shape == "{a: [4, 1], b: [4, 3]}"
        assert found.total_parameters == 6 + 6 + 3 + 9
        assert found.not_called == []

    @pytest.mark.parametrize("given", ["tensors", "shapes", "mixed", "dict"])
    def test_several_inputs(self, given: str) -> None:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.left, self.right = nn.Linear(3, 2), nn.Linear(4, 2)

            def forward(self, x: Any, y: Any) -> Any:
                return self.left(x) + self.right(y)

        x, y = minitorch.zeros(5, 3), minitorch.zeros(5, 4)
        inputs = {
            "tensors": (x, y),
            "shapes": [(5, 3), (5, 4)],
            "mixed": [x, [5, 4]],
            "dict": {"y": (5, 4), "x": x},
        }
        found = summary(Net(), inputs[given])
        assert found.total_flops == 2 * 5 * (6 + 8)
        assert found.input_bytes == (15 + 20) * 4

    def test_a_dtype_for_each_input(self) -> None:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.embedding = nn.Embedding(4, 2, dtype=minitorch.float64)

            def forward(self, x: Any, y: Any) -> Any:
                assert y.dtype == minitorch.float64  # as the parameters
                return self.embedding(x) + y

        found = summary(Net(), [(3,), (3, 2)], dtype=[minitorch.int64, None])
        assert found.input_bytes == 3 * 8 + 6 * 8

    def test_depth_folds(self) -> None:
        full, folded = summary(LeNet(), (2, 1, 32, 32)), summary(LeNet(), (2, 1, 32, 32), depth=1)
        assert folded.rows == full.rows
        lines = str(folded).splitlines()
        (features,) = [line for line in lines if "features: Sequential" in line]
        assert features.endswith("  110.8 KiB")  # 8 · (2 · 4704 + 1176 + 2 · 1600 + 400) bytes
        assert f"{156 + 2416:,}" in features
        assert f"{sum(row[5] or 0 for row in LENET_ROWS[2:8]):,}" in features
        assert not any("Conv2d" in line for line in lines)
        alone = str(summary(LeNet(), (2, 1, 32, 32), depth=0)).splitlines()
        assert len(alone) == 1 + 1 + 1 + 1 + 3
        assert "61,706" in alone[2]

    def test_module_that_is_not_called(self) -> None:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 3)

            def forward(self, x: Any) -> Any:
                return self.used(x)

        found = summary(Net(), (1, 2))
        assert found.not_called == ["unused"]
        assert "Not called: unused" in str(found)
        assert found.rows[0].parameters == 9
        assert sum(row.parameters for row in found.rows) == found.total_parameters == 15

    def test_attention_reads_its_projections_weights(self) -> None:
        found = summary(nn.MultiheadAttention(8, 2), [(5, 1, 8)] * 3)
        assert found.not_called == []
        assert found.rows[0].parameters == 4 * (64 + 8)


class TestPass:
    def test_leaves_the_model_as_it_was(self) -> None:
        model = nn.Sequential(nn.BatchNorm1d(3), nn.Sequential(nn.Dropout(), nn.Linear(3, 2)))
        model[1].eval()
        before = {name: value.clone() for name, value in model.state_dict().items()}
        minitorch.manual_seed(0)
        expected = minitorch.rand(3).tolist()
        minitorch.manual_seed(0)
        summary(model, (4, 3))
        assert minitorch.rand(3).tolist() == expected  # no number was drawn
        assert [module.training for module in model.modules()] == [True, True, False, False, False]
        assert all((value == before[name]).all() for name, value in model.state_dict().items())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
        assert all(parameter.grad is None for parameter in model.parameters())

    def test_after_an_error_too(self) -> None:
        model = nn.Sequential(nn.Linear(3, 2), nn.Linear(3, 2))
        with pytest.raises(RuntimeError):
            summary(model, (4, 3))
        assert all(module.training for module in model.modules())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
        assert minitorch.is_grad_enabled()

    def test_runs_without_grad_in_eval_mode(self) -> None:
        seen = []

        class Spy(nn.Module):
            def forward(self, x: Any) -> Any:
                seen.append((self.training, minitorch.is_grad_enabled()))
                return x

        summary(Spy(), (1,))
        assert seen == [(False, False)]

    @pytest.mark.cuda
    def test_cuda(self) -> None:
        here, there = summary(LeNet(), (2, 1, 32, 32)), summary(LeNet().cuda(), (2, 1, 32, 32))
        assert here.rows == there.rows


class TestErrors:
    def test_input_of_another_kind(self) -> None:
        with pytest.raises(TypeError, match="expected a tensor, a shape, or a list or dict of these, got str"):
            summary(nn.ReLU(), "input")
        with pytest.raises(TypeError, match="expected a tensor or a shape for each input, got 'x'"):
            summary(nn.ReLU(), [(2, 3), "x"])

    def test_depth(self) -> None:
        with pytest.raises(ValueError, match="depth must be at least 0, got -1"):
            summary(nn.ReLU(), (1,), depth=-1)

    def test_dtypes(self) -> None:
        with pytest.raises(ValueError, match="1 dtypes for 2 inputs"):
            summary(nn.ReLU(), [(1,), (2,)], dtype=[minitorch.float32])
