"""Every layer against torch's: how it prints, its state, its start values bit for bit, outputs and gradients."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy
import pytest

import minitorch as torch
from tests.nn.support import assert_same_behaviour, assert_same_state, both, copy_state

IMAGES = (2, 4, 6, 5)


def case(name: str, *args: Any, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
    """A layer with its arguments, and the shape (or shapes) of its inputs."""
    shapes = inputs if isinstance(inputs, list) else [inputs]
    return name, args, kwargs, shapes


LINEAR = [
    case("Linear", 4, 3, inputs=(5, 4)),
    case("Linear", 4, 3, bias=False, inputs=(2, 5, 4)),
    case("Linear", 4, 3, inputs=(4,)),
    case("Bilinear", 3, 4, 2, inputs=[(5, 3), (5, 4)]),
    case("Bilinear", 3, 4, 2, bias=False, inputs=[(5, 3), (5, 4)]),
    case("Identity", 3, foo=4, inputs=(2, 3)),
    case("Flatten", inputs=(2, 3, 4)),
    case("Flatten", 0, 1, inputs=(2, 3, 4)),
    case("Unflatten", 1, (2, 3), inputs=(2, 6, 4)),
    case("Embedding", 5, 3, inputs=numpy.array([[1, 2, 1], [0, 4, 4]])),
    case("Embedding", 5, 3, padding_idx=-4, inputs=numpy.array([1, 2, 1, 0])),
    case("Embedding", 5, 3, scale_grad_by_freq=True, inputs=numpy.array([1, 2, 1, 0])),
]
CONVOLUTION = [
    case("Conv1d", 4, 6, 3, stride=2, padding=1, inputs=(2, 4, 9)),
    case("Conv2d", 4, 6, 3, inputs=IMAGES),
    case("Conv2d", 4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=2, groups=2, bias=False, inputs=(2, 4, 9, 8)),
    case("Conv2d", 4, 6, 3, padding="same", dilation=2, inputs=IMAGES),
    case("Conv2d", 4, 6, 3, padding="valid", inputs=IMAGES),
    case("Conv2d", 4, 6, 3, inputs=(4, 6, 5)),
    case("Conv2d", 4, 6, 3, padding=2, padding_mode="reflect", inputs=IMAGES),
    case("Conv2d", 4, 6, 3, padding=(2, 1), padding_mode="replicate", inputs=IMAGES),
    case("Conv2d", 4, 6, (4, 3), padding="same", padding_mode="circular", inputs=IMAGES),
    case("Conv1d", 4, 2, 3, padding=2, padding_mode="circular", inputs=(2, 4, 9)),
    case("ConvTranspose2d", 4, 6, 3, inputs=IMAGES),
    case("ConvTranspose2d", 4, 6, 3, stride=2, padding=1, output_padding=1, dilation=2, groups=2, inputs=IMAGES),
    case("ConvTranspose2d", 4, 6, (2, 3), bias=False, inputs=IMAGES),
    case("ConvTranspose1d", 4, 6, 3, stride=2, inputs=(2, 4, 5)),
]
POOLING = [
    case("MaxPool1d", 2, inputs=(2, 3, 7)),
    case("MaxPool2d", 2, inputs=IMAGES),
    case("MaxPool2d", kernel_size=2, inputs=IMAGES),
    case(
        "MaxPool2d",
        (3, 2),
        stride=(2, 1),
        padding=1,
        dilation=(1, 2),
        return_indices=True,
        ceil_mode=True,
        inputs=IMAGES,
    ),
    case("AvgPool1d", 2, inputs=(2, 3, 7)),
    case("AvgPool1d", 3, 2, 1, True, False, inputs=(2, 3, 7)),
    case("AvgPool2d", 2, inputs=IMAGES),
    case("AvgPool2d", (3, 2), (2, 1), 1, True, False, inputs=IMAGES),
    case("AvgPool2d", 2, divisor_override=3, inputs=IMAGES),
    case("AdaptiveAvgPool1d", 3, inputs=(2, 3, 7)),
    case("AdaptiveAvgPool2d", (3, None), inputs=IMAGES),
    case("AdaptiveAvgPool2d", 1, inputs=IMAGES),
    case("AdaptiveMaxPool2d", (3, 2), return_indices=True, inputs=IMAGES),
    case("AdaptiveMaxPool2d", 2, inputs=IMAGES),
    case("AdaptiveMaxPool1d", 3, inputs=(2, 3, 7)),
]
NORMALIZATION = [
    case("BatchNorm1d", 4, inputs=(5, 4)),
    case("BatchNorm1d", 4, momentum=None, inputs=(5, 4, 3)),
    case("BatchNorm2d", 4, inputs=IMAGES),
    case("BatchNorm2d", 4, eps=1e-3, momentum=0.3, affine=False, inputs=IMAGES),
    case("BatchNorm2d", 4, track_running_stats=False, inputs=IMAGES),
    case("BatchNorm2d", 4, bias=False, inputs=IMAGES),
    case("BatchNorm3d", 4, inputs=(2, 4, 2, 3, 2)),
    case("LayerNorm", 5, inputs=IMAGES),
    case("LayerNorm", (6, 5), eps=1e-3, inputs=IMAGES),
    case("LayerNorm", [6, 5], bias=False, inputs=IMAGES),
    case("LayerNorm", 5, elementwise_affine=False, inputs=IMAGES),
    case("GroupNorm", 2, 4, inputs=IMAGES),
    case("GroupNorm", 2, 4, eps=1e-3, affine=False, inputs=(3, 4)),
    case("GroupNorm", 2, 4, bias=False, inputs=(3, 4, 2)),
    case("InstanceNorm1d", 4, inputs=(2, 4, 5)),
    case("InstanceNorm2d", 4, affine=True, track_running_stats=True, inputs=IMAGES),
    case("InstanceNorm2d", 4, affine=True, bias=False, inputs=(4, 6, 5)),
    case("InstanceNorm3d", 4, eps=1e-3, inputs=(2, 4, 2, 3, 2)),
    case("RMSNorm", 5, inputs=IMAGES),
    case("RMSNorm", (6, 5), eps=1e-3, elementwise_affine=False, inputs=IMAGES),
    case("LocalResponseNorm", 2, alpha=0.1, beta=0.5, k=2.0, inputs=IMAGES),
]
DROPOUT = [
    case("Dropout", inputs=(5, 4)),
    case("Dropout", 0.3, inputs=IMAGES),
    case("Dropout1d", 0.3, inputs=(3, 4, 5)),
    case("Dropout2d", inputs=IMAGES),
    case("Dropout3d", inputs=(2, 4, 2, 3, 2)),
    case("AlphaDropout", 0.3, inputs=(5, 4)),
    case("FeatureAlphaDropout", 0.3, inputs=(5, 4, 3)),
]
ACTIVATION = [
    case("ReLU", inputs=IMAGES),
    case("ReLU6", inputs=IMAGES),
    case("LeakyReLU", inputs=IMAGES),
    case("LeakyReLU", 0.2, inputs=IMAGES),
    case("PReLU", inputs=IMAGES),
    case("PReLU", 4, 0.1, inputs=IMAGES),
    case("RReLU", 0.1, 0.3, inputs=(3, 4)),
    case("Sigmoid", inputs=IMAGES),
    case("Tanh", inputs=IMAGES),
    case("Softmax", dim=1, inputs=IMAGES),
    case("LogSoftmax", dim=-1, inputs=IMAGES),
    case("Softmin", dim=1, inputs=IMAGES),
    case("Softmax2d", inputs=IMAGES),
    case("Softmax2d", inputs=(4, 6, 5)),
    case("Softplus", inputs=IMAGES),
    case("Softplus", 2, 1, inputs=IMAGES),
    case("Softsign", inputs=IMAGES),
    case("Softshrink", 0.3, inputs=IMAGES),
    case("Hardshrink", 0.3, inputs=IMAGES),
    case("Hardtanh", inputs=IMAGES),
    case("Hardtanh", -0.5, 0.7, inputs=IMAGES),
    case("Hardsigmoid", inputs=IMAGES),
    case("Hardswish", inputs=IMAGES),
    case("GELU", inputs=IMAGES),
    case("GELU", "tanh", inputs=IMAGES),
    case("SiLU", inputs=IMAGES),
    case("Mish", inputs=IMAGES),
    case("ELU", 0.5, inputs=IMAGES),
    case("CELU", 0.5, inputs=IMAGES),
    case("SELU", inputs=IMAGES),
    case("GLU", inputs=(3, 4)),
    case("GLU", 1, inputs=IMAGES),
    case("LogSigmoid", inputs=IMAGES),
    case("Tanhshrink", inputs=IMAGES),
    case("Threshold", 0.2, -1.0, inputs=IMAGES),
]
INPLACE = [
    case(name, *args, inplace=True, inputs=(3, 4))
    for name, *args in [
        ("ReLU",),
        ("ReLU6",),
        ("LeakyReLU", 0.2),
        ("RReLU",),
        ("Hardtanh",),
        ("Hardsigmoid",),
        ("Hardswish",),
        ("SiLU",),
        ("Mish",),
        ("ELU",),
        ("CELU",),
        ("SELU",),
        ("Threshold", 0.1, 2.0),
        ("Dropout",),
    ]
]
DISTANCE = [
    case("PairwiseDistance", inputs=[(5, 4), (5, 4)]),
    case("PairwiseDistance", 1, 0.1, True, inputs=[(5, 4), (5, 4)]),
    case("CosineSimilarity", inputs=[(5, 4), (5, 4)]),
    case("CosineSimilarity", 0, 0.1, inputs=[(5, 4), (5, 4)]),
]
CASES = [*LINEAR, *CONVOLUTION, *POOLING, *NORMALIZATION, *DROPOUT, *ACTIVATION, *DISTANCE]


def label(value: Any) -> str:
    return str(value) if isinstance(value, (str, tuple, dict)) else "inputs"


@pytest.mark.parametrize(("name", "args", "kwargs", "inputs"), CASES, ids=label)
class TestLayers:
    def test_prints_as_torch(self, name, args, kwargs, inputs):
        ours, theirs = both(name, *args, **kwargs)
        assert repr(ours) == repr(theirs)

    def test_starts_with_torchs_values(self, name, args, kwargs, inputs):
        ours, theirs = both(name, *args, **kwargs)
        assert [key for key, _ in ours.named_parameters()] == [key for key, _ in theirs.named_parameters()]
        # the embedding's start values are normal: its logarithms and cosines are NumPy's, an ulp or two off
        assert_same_state(ours, theirs, "start values", exact=name != "Embedding")
        assert ours.state_dict()._metadata == theirs.state_dict()._metadata

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_training_equals_torch(self, name, args, kwargs, inputs, dtype):
        ours, theirs = both(name, *args, **kwargs)
        ours, theirs = getattr(ours, _METHOD[dtype])(), getattr(theirs, _METHOD[dtype])()
        copy_state(ours, theirs)
        assert_same_behaviour(ours, theirs, inputs, dtype)

    def test_evaluation_equals_torch(self, name, args, kwargs, inputs):
        ours, theirs = both(name, *args, **kwargs)
        ours, theirs = ours.double(), theirs.double()
        copy_state(ours, theirs)
        assert_same_behaviour(ours, theirs, inputs)  # running statistics get values of their own
        assert ours.eval().training is False
        assert_same_behaviour(ours, theirs.eval(), inputs)

    def test_survives_copy_and_pickle(self, name, args, kwargs, inputs):
        ours, _ = both(name, *args, **kwargs)
        for twin in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
            assert repr(twin) == repr(ours)
            for key, value in ours.state_dict().items():
                assert twin.state_dict()[key].tolist() == value.tolist()
                assert not numpy.shares_memory(twin.state_dict()[key].numpy(), value.numpy())


_METHOD = {"float64": "double", "float32": "float"}


@pytest.mark.parametrize(("name", "args", "kwargs", "inputs"), INPLACE, ids=label)
def test_in_place_activations_overwrite_their_input(name, args, kwargs, inputs):
    ours, theirs = both(name, *args, **kwargs)
    assert repr(ours) == repr(theirs)
    torch.manual_seed(0)
    values = torch.randn(3, 4, dtype=torch.float64)
    untouched = values.clone()
    torch.manual_seed(1)
    result = ours(values)
    assert result is values or numpy.shares_memory(result.numpy(), values.numpy())
    kwargs = {**kwargs, "inplace": False}
    torch.manual_seed(1)
    assert getattr(torch.nn, name)(*args, **kwargs)(untouched).tolist() == result.tolist()


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("Linear", (4, 3)),
        ("Bilinear", (2, 3, 4)),
        ("Conv2d", (2, 4, 3)),
        ("ConvTranspose2d", (2, 4, 3)),
        ("BatchNorm2d", (3,)),
        ("InstanceNorm2d", (3, 1e-5, 0.1, True, True)),
        ("LayerNorm", (3,)),
        ("RMSNorm", (3,)),
        ("GroupNorm", (1, 3)),
        ("Embedding", (3, 2)),
        ("PReLU", ()),
    ],
)
def test_factory_arguments(name, args):
    made = getattr(torch.nn, name)(*args, device="cpu", dtype=torch.float64)
    floating = [value for value in made.state_dict().values() if value.dtype.is_floating_point]
    assert floating
    assert all(value.dtype is torch.float64 for value in floating)
    for parameter in made.parameters():
        assert type(parameter) is torch.nn.Parameter
        assert parameter.requires_grad


ERRORS = [
    ("Conv2d", (2, 4, 3), {"groups": 0}, ValueError, "groups must be a positive integer"),
    ("Conv2d", (3, 4, 3), {"groups": 2}, ValueError, "in_channels must be divisible by groups"),
    ("Conv2d", (2, 3, 3), {"groups": 2}, ValueError, "out_channels must be divisible by groups"),
    ("Conv2d", (2, 4, 3), {"padding": "foo"}, ValueError, "Invalid padding string 'foo', should be one of"),
    (
        "Conv2d",
        (2, 4, 3),
        {"padding": "same", "stride": 2},
        ValueError,
        "padding='same' is not supported for strided convolutions",
    ),
    ("Conv2d", (2, 4, 3), {"padding_mode": "foo"}, ValueError, "but got padding_mode='foo'"),
    (
        "ConvTranspose2d",
        (2, 4, 3),
        {"padding_mode": "reflect"},
        ValueError,
        'Only "zeros" padding mode is supported for ConvTranspose2d',
    ),
    ("Bilinear", (0, 3, 4), {}, ValueError, "in1_features must be > 0, but got"),
    ("GroupNorm", (2, 3), {}, ValueError, r"num_channels \(3\) must be divisible by num_groups \(2\)"),
    ("Dropout", (1.5,), {}, ValueError, "dropout probability has to be between 0 and 1, but got 1.5"),
    ("Dropout2d", (-0.5,), {}, ValueError, "dropout probability has to be between 0 and 1, but got -0.5"),
    ("Embedding", (3, 4), {"padding_idx": 3}, AssertionError, "Padding_idx must be within num_embeddings"),
    ("Embedding", (3, 4), {"padding_idx": -4}, AssertionError, "Padding_idx must be within num_embeddings"),
    (
        "Embedding",
        (3, 4),
        {"_weight": numpy.ones((2, 2))},
        AssertionError,
        "Shape of weight does not match num_embeddings and embedding_dim",
    ),
    ("Unflatten", (1, 3), {}, TypeError, "unflattened_size must be a tuple of ints, but found type int"),
    ("Unflatten", (1, (2, "a")), {}, TypeError, "but found element of type str at pos 1"),
    ("Hardtanh", (2, 1), {}, AssertionError, r"max_val \(1\) must be greater than min_val \(2\)"),
    ("Linear", (2, 3, True, None, None, 5), {}, TypeError, "positional arguments"),
    ("ReLU", (), {"foo": 1}, TypeError, r"ReLU.__init__\(\) got an unexpected keyword argument 'foo'|foo"),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "error", "message"), ERRORS, ids=label)
def test_constructor_errors(name, args, kwargs, error, message):
    with pytest.raises(error, match=message):
        both(name, *args, **kwargs)
    translated = {
        key: torch.from_numpy(value) if isinstance(value, numpy.ndarray) else value for key, value in kwargs.items()
    }
    with pytest.raises(error, match=message):
        getattr(torch.nn, name)(*args, **translated)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("BatchNorm1d", (2,), r"expected 2D or 3D input \(got 1D input\)"),
        ("BatchNorm1d", (2, 2, 2, 2), r"expected 2D or 3D input \(got 4D input\)"),
        ("BatchNorm2d", (2, 2), r"expected 4D input \(got 2D input\)"),
        ("BatchNorm3d", (2, 2), r"expected 5D input \(got 2D input\)"),
        ("InstanceNorm1d", (2,), r"expected 2D or 3D input \(got 1D input\)"),
        ("InstanceNorm2d", (2, 2), r"expected 3D or 4D input \(got 2D input\)"),
        ("InstanceNorm3d", (2, 2), r"expected 4D or 5D input \(got 2D input\)"),
    ],
)
def test_errors_of_dimensions(name, shape, message):
    with pytest.raises(ValueError, match=message):
        getattr(torch.nn, name)(2)(torch.ones(shape))


def test_other_input_errors():
    with pytest.raises(ValueError, match="Softmax2d: expected input to be 3D or 4D, got 2D instead"):
        torch.nn.Softmax2d()(torch.ones(2, 2))
    with pytest.raises(ValueError, match=r"to match num_features \(3\), but got: 2"):
        torch.nn.InstanceNorm1d(3, affine=True)(torch.ones(2, 2, 2))


def test_output_size_of_a_transposed_convolution():
    ours, theirs = both("ConvTranspose2d", 2, 3, 3, stride=2, padding=1)
    import torch as oracle

    for size in ([9, 8], [10, 7], (1, 3, 9, 7)):
        assert ours(torch.ones(1, 2, 5, 4), size).shape == tuple(theirs(oracle.ones(1, 2, 5, 4), size).shape)
    for size in ([11, 8], [9], [8, 7]):
        with pytest.raises(ValueError, match=r"output size|output_size") as mine:
            ours(torch.ones(1, 2, 5, 4), size)
        with pytest.raises(ValueError, match=r"output size|output_size") as expected:
            theirs(oracle.ones(1, 2, 5, 4), size)
        assert str(mine.value) == str(expected.value)


def test_batches_before_version_2_are_counted_from_zero():
    layer = torch.nn.BatchNorm2d(3)
    state = layer.state_dict()
    del state["num_batches_tracked"]
    with pytest.raises(RuntimeError, match=r'Missing key.* "num_batches_tracked"'):
        layer.load_state_dict(state)
    state._metadata[""]["version"] = 1
    assert repr(layer.load_state_dict(state)) == "<All keys matched successfully>"


def test_momentum_none_keeps_the_mean_of_all_batches():
    ours, theirs = both("BatchNorm1d", 3, momentum=None)
    ours, theirs = ours.double(), theirs.double()
    for _ in range(3):
        assert_same_behaviour(ours, theirs, [(4, 3)])
    ours.reset_running_stats()
    assert ours.running_mean.tolist() == [0, 0, 0]
    assert ours.running_var.tolist() == [1, 1, 1]
    assert ours.num_batches_tracked.item() == 0


def test_pretrained_embedding():
    table = torch.arange(6.0).reshape(2, 3)
    layer = torch.nn.Embedding.from_pretrained(table)
    assert repr(layer) == "Embedding(2, 3)"
    assert layer.weight.requires_grad is False
    assert layer(torch.tensor([1])).tolist() == [[3, 4, 5]]
    assert torch.nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad is True
    with pytest.raises(AssertionError, match="Embeddings parameter is expected to be 2-dimensional"):
        torch.nn.Embedding.from_pretrained(torch.ones(3))
