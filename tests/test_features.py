"""The public names that minitorch promises, and the signatures of its classes against torch's."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch as oracle

import minitorch

# Every name that must be there, by its path in the package, grouped by subject. A new family adds a group.
FEATURES = {
    "creation": """
        tensor as_tensor from_numpy zeros ones full empty zeros_like ones_like full_like empty_like arange
        linspace eye rand randn randint randperm rand_like randn_like normal bernoulli manual_seed diag tril
        triu FloatTensor LongTensor device is_tensor cuda.is_available
    """,
    "tensor attributes and conversion": """
        Tensor.numpy Tensor.item Tensor.tolist Tensor.size Tensor.shape Tensor.dim Tensor.ndim
        Tensor.ndimension Tensor.numel Tensor.__len__ Tensor.__iter__ Tensor.__bool__ Tensor.__float__
        Tensor.__int__ Tensor.dtype Tensor.device Tensor.type Tensor.cpu Tensor.__repr__ Tensor.float
        Tensor.double Tensor.half Tensor.long Tensor.int Tensor.short Tensor.byte Tensor.char Tensor.bool
        Tensor.to Tensor.is_contiguous Tensor.stride
    """,
    "shape and views": """
        reshape Tensor.reshape Tensor.view Tensor.view_as Tensor.reshape_as flatten Tensor.flatten squeeze
        Tensor.squeeze unsqueeze Tensor.unsqueeze transpose Tensor.transpose t Tensor.t Tensor.T permute
        Tensor.permute Tensor.expand Tensor.expand_as broadcast_to broadcast_tensors Tensor.repeat cat stack
        hstack vstack split Tensor.split chunk Tensor.chunk unbind narrow Tensor.contiguous Tensor.clone
        clone movedim flip roll tile ravel meshgrid repeat_interleave Tensor.resize_ Tensor.t_
        Tensor.squeeze_ Tensor.unsqueeze_
    """,
    "indexing": """
        Tensor.__getitem__ Tensor.__setitem__ index_select gather scatter scatter_add masked_select
        masked_fill where take nonzero select take_along_dim Tensor.gather Tensor.scatter_
        Tensor.masked_fill_ Tensor.masked_fill
    """,
    "reductions": """
        sum mean prod max min amax amin argmax argmin std var all any norm logsumexp cumsum cumprod median
        topk sort argsort count_nonzero unique Tensor.sum Tensor.mean Tensor.prod Tensor.max Tensor.min
        Tensor.argmax Tensor.argmin Tensor.std Tensor.var Tensor.all Tensor.any Tensor.norm Tensor.cumsum
        Tensor.topk Tensor.sort
    """,
    "elementwise": """
        add sub mul div true_divide floor_divide remainder fmod pow neg abs sign exp expm1 exp2 log log1p
        log2 log10 sqrt rsqrt square reciprocal sin cos tan asin acos atan atan2 sinh cosh tanh sigmoid relu
        erf clamp clamp_min clamp_max maximum minimum floor ceil round trunc frac lerp addcmul addcdiv isnan
        isinf isfinite Tensor.add Tensor.sub Tensor.mul Tensor.div Tensor.pow Tensor.neg Tensor.abs
        Tensor.exp Tensor.log Tensor.sqrt Tensor.square Tensor.tanh Tensor.sigmoid Tensor.relu Tensor.clamp
        Tensor.sign Tensor.softmax Tensor.log_softmax Tensor.add_ Tensor.sub_ Tensor.mul_ Tensor.div_
        Tensor.pow_ Tensor.neg_ Tensor.exp_ Tensor.sqrt_ Tensor.zero_ Tensor.fill_ Tensor.copy_
        Tensor.clamp_ Tensor.normal_ Tensor.uniform_ Tensor.random_ Tensor.bernoulli_ Tensor.lerp_
        Tensor.addcmul_ Tensor.addcdiv_ Tensor.abs_ Tensor.sigmoid_ Tensor.tanh_ Tensor.relu_ Tensor.__add__
        Tensor.__sub__ Tensor.__mul__ Tensor.__truediv__ Tensor.__floordiv__ Tensor.__mod__ Tensor.__pow__
        Tensor.__matmul__ Tensor.__neg__ Tensor.__abs__ Tensor.__radd__ Tensor.__rsub__ Tensor.__rmul__
        Tensor.__rpow__ Tensor.__rtruediv__ Tensor.__iadd__ Tensor.__isub__ Tensor.__imul__
        Tensor.__itruediv__ softmax log_softmax
    """,
    "comparison and logic": """
        eq ne lt le gt ge equal allclose isclose logical_and logical_or logical_not logical_xor bitwise_and
        bitwise_or bitwise_xor bitwise_not Tensor.eq Tensor.__eq__ Tensor.__ne__ Tensor.__lt__ Tensor.__le__
        Tensor.__gt__ Tensor.__ge__ Tensor.__and__ Tensor.__or__ Tensor.__xor__ Tensor.__invert__
    """,
    "matrix products": """
        matmul mm bmm mv dot addmm baddbmm outer einsum Tensor.matmul Tensor.mm linalg.norm
        linalg.vector_norm
    """,
    "autograd": """
        Tensor.backward Tensor.requires_grad Tensor.requires_grad_ Tensor.is_leaf Tensor.grad_fn
        Tensor.detach Tensor.data no_grad set_grad_enabled enable_grad autograd.grad autograd.Function
        Tensor.retain_grad
    """,
    "nn.functional": """
        nn.functional.conv2d nn.functional.conv1d nn.functional.conv_transpose2d nn.functional.max_pool2d
        nn.functional.avg_pool2d nn.functional.adaptive_avg_pool2d nn.functional.adaptive_max_pool2d
        nn.functional.linear nn.functional.batch_norm nn.functional.layer_norm nn.functional.group_norm
        nn.functional.dropout nn.functional.relu nn.functional.leaky_relu nn.functional.sigmoid
        nn.functional.tanh nn.functional.softmax nn.functional.log_softmax nn.functional.softplus
        nn.functional.hardtanh nn.functional.gelu nn.functional.silu nn.functional.elu
        nn.functional.nll_loss nn.functional.cross_entropy nn.functional.binary_cross_entropy
        nn.functional.binary_cross_entropy_with_logits nn.functional.l1_loss nn.functional.mse_loss
        nn.functional.smooth_l1_loss nn.functional.huber_loss nn.functional.poisson_nll_loss
        nn.functional.gaussian_nll_loss nn.functional.kl_div nn.functional.margin_ranking_loss
        nn.functional.multilabel_margin_loss nn.functional.soft_margin_loss nn.functional.multi_margin_loss
        nn.functional.triplet_margin_loss nn.functional.hinge_embedding_loss
        nn.functional.cosine_embedding_loss nn.functional.ctc_loss nn.functional.embedding
        nn.functional.one_hot nn.functional.pad nn.functional.unfold nn.functional.fold
        nn.functional.interpolate
    """,
    "modules": """
        nn.Module nn.Sequential nn.ModuleList nn.ModuleDict nn.ParameterList nn.ParameterDict nn.Parameter
        nn.Linear nn.Conv1d nn.Conv2d nn.ConvTranspose2d nn.MaxPool2d nn.AvgPool2d nn.AdaptiveAvgPool2d
        nn.AdaptiveMaxPool2d nn.BatchNorm1d nn.BatchNorm2d nn.LayerNorm nn.GroupNorm nn.Dropout nn.Flatten
        nn.ReLU nn.LeakyReLU nn.Sigmoid nn.Tanh nn.Softmax nn.LogSoftmax nn.Softplus nn.Hardtanh nn.GELU
        nn.SiLU nn.ELU nn.CrossEntropyLoss nn.NLLLoss nn.BCELoss nn.BCEWithLogitsLoss nn.L1Loss nn.MSELoss
        nn.SmoothL1Loss nn.HuberLoss nn.PoissonNLLLoss nn.GaussianNLLLoss nn.KLDivLoss nn.MarginRankingLoss
        nn.MultiLabelMarginLoss nn.SoftMarginLoss nn.MultiMarginLoss nn.TripletMarginLoss
        nn.HingeEmbeddingLoss nn.CosineEmbeddingLoss nn.CTCLoss nn.Embedding nn.RNN nn.GRU nn.LSTM nn.Unfold
        nn.Fold nn.Upsample
    """,
    "nn.init": """
        nn.init.uniform_ nn.init.normal_ nn.init.constant_ nn.init.ones_ nn.init.zeros_ nn.init.eye_
        nn.init.dirac_ nn.init.xavier_uniform_ nn.init.xavier_normal_ nn.init.kaiming_uniform_
        nn.init.kaiming_normal_ nn.init.orthogonal_ nn.init.sparse_ nn.init.calculate_gain
    """,
    "optimizers": """
        optim.Optimizer optim.SGD optim.ASGD optim.Adadelta optim.Adagrad optim.Adam optim.AdamW
        optim.Adamax optim.RAdam optim.NAdam optim.SparseAdam optim.LBFGS optim.RMSprop optim.Rprop
    """,
    "mixed precision": """
        autocast amp.autocast amp.GradScaler amp.custom_fwd amp.custom_bwd amp.is_autocast_available
        amp.autocast_mode.is_autocast_available is_autocast_enabled set_autocast_enabled get_autocast_dtype
        set_autocast_dtype is_autocast_cache_enabled set_autocast_cache_enabled clear_autocast_cache
        cuda.amp.autocast cuda.amp.GradScaler cuda.amp.custom_fwd cuda.amp.custom_bwd
    """,
    "CUDA graphs": """
        cuda.CUDAGraph cuda.graph cuda.graph_pool_handle cuda.is_current_stream_capturing
        cuda.make_graphed_callables
    """,
    "GPUs": """
        cuda.device cuda.device_of cuda.set_device cuda.current_device cuda.is_initialized cuda.init
        cuda.get_device_name cuda.get_device_capability cuda.get_device_properties
        cuda.can_device_access_peer cuda.Stream cuda.ExternalStream cuda.Event cuda.StreamContext cuda.stream
        cuda.set_stream cuda.current_stream cuda.default_stream cuda.memory_allocated
        cuda.max_memory_allocated cuda.memory_reserved cuda.max_memory_reserved cuda.reset_peak_memory_stats
        cuda.empty_cache cuda.mem_get_info cuda.memory_stats cuda.memory_summary
        cuda.set_per_process_memory_fraction cuda.OutOfMemoryError OutOfMemoryError Tensor.record_stream
        Tensor.pin_memory Tensor.is_pinned Tensor.get_device cuda.manual_seed cuda.manual_seed_all cuda.seed
        cuda.seed_all cuda.initial_seed cuda.get_rng_state cuda.get_rng_state_all cuda.set_rng_state
        cuda.set_rng_state_all
    """,
    "devices and settings": """
        device Tensor.cuda Tensor.is_cuda cuda.is_available cuda.device_count cuda.synchronize
        set_default_dtype get_num_threads set_num_threads backends.cuda.matmul.allow_tf32
        backends.mps.is_available Size finfo iinfo set_printoptions inference_mode is_grad_enabled
    """,
}
NAMES = [name for group in FEATURES.values() for name in group.split()]


def resolve(package: Any, path: str) -> Any:
    """What stands at this path; of a method, the function, of a property, the property."""
    found = package
    for step in path.split("."):
        found = getattr(found, step)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_there_and_of_torch_s_kind(name: str) -> None:
    ours, theirs = resolve(minitorch, name), resolve(oracle, name)
    assert inspect.isclass(ours) == inspect.isclass(theirs)
    assert callable(ours) == callable(theirs)


@pytest.mark.parametrize("name", [name for name in NAMES if "." not in name])
def test_top_level_names_are_public(name: str) -> None:
    assert name in minitorch.__all__


def test_no_name_twice() -> None:
    for title, group in FEATURES.items():
        assert len(set(group.split())) == len(group.split()), title


# ------------------------------------------------------------------------------------------------------ signatures

# Constructors that are declared otherwise than torch's, with the reason.
EXCEPTIONS = {"RNN": "torch declares (*args, **kwargs) over typed overloads; we name the first four arguments"}


def exported(package: Any, base: type) -> dict[str, type]:
    """The public classes of the package that derive from ``base``, by name."""
    return {
        name: value
        for name, value in sorted(vars(package).items())
        if inspect.isclass(value) and issubclass(value, base) and not name.startswith("_")
    }


CLASSES = {
    **{("nn", name): kind for name, kind in exported(minitorch.nn, minitorch.nn.Module).items()},
    **{("optim", name): kind for name, kind in exported(minitorch.optim, minitorch.optim.Optimizer).items()},
    **{("optim.lr_scheduler", name): kind for name, kind in exported(minitorch.optim.lr_scheduler, object).items()},
}


def parameters(made: Any) -> list[tuple[str, str, str]]:
    """Name, kind and default of each parameter of the constructor; a dictionary of any options has no name."""
    return [
        (
            "" if each.kind == each.VAR_KEYWORD else each.name,
            each.kind.name,
            str(each.default).replace("minitorch.", "torch."),
        )
        for each in inspect.signature(made).parameters.values()
    ]


@pytest.mark.parametrize(("family", "name"), [key for key in CLASSES if key[1] not in EXCEPTIONS])
def test_constructors_take_torch_s_arguments(family: str, name: str) -> None:
    ours, theirs = CLASSES[family, name], resolve(oracle, f"{family}.{name}")
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_are_needed(name: str) -> None:
    assert parameters(getattr(minitorch.nn, name)) != parameters(getattr(oracle.nn, name))


FUNCTIONS = {
    f"{family}.{name}": value
    for family in ("nn.functional", "nn.init", "nn.utils", "autograd")
    for name, value in sorted(vars(resolve(minitorch, family)).items())
    if inspect.isfunction(value) and not name.startswith("_") and hasattr(resolve(oracle, family), name)
}
FUNCTION_EXCEPTIONS = {
    **dict.fromkeys(
        ("nn.functional.sigmoid", "nn.functional.tanh", "nn.functional.threshold"),
        "the very function of the top level, which takes out=, too",
    ),
    **dict.fromkeys(
        ("autograd.gradcheck", "autograd.gradgradcheck"), "a small check, without torch's forward mode and batching"
    ),
}


def declared_in_python(function: Any) -> bool:
    """Whether torch says which arguments it takes: not for builtins, nor for those that dispatch by a flag."""
    try:
        return not any(each.kind == each.VAR_POSITIONAL for each in inspect.signature(function).parameters.values())
    except ValueError:
        return False


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if declared_in_python(resolve(oracle, name))])
def test_functions_take_torch_s_arguments(name: str) -> None:
    equal = parameters(FUNCTIONS[name]) == parameters(resolve(oracle, name))
    assert equal is (name not in FUNCTION_EXCEPTIONS)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RNN", (3, 4, 2, "relu", False, True, 0.5, True)),
        ("LSTM", (3, 4, 2, False, True, 0.5, True, 2)),
        ("GRU", (3, 4, 2, False, True, 0.5, True)),
        ("RNNCell", (3, 4, True, "relu", "cpu", None)),
        ("LSTMCell", (3, 4, False, "cpu", None)),
        ("GRUCell", (3, 4, False, "cpu", None)),
    ],
)
def test_recurrent_layers_by_position(name: str, arguments: tuple[Any, ...]) -> None:
    """Their declared signatures say little, so all the arguments are given by position."""
    ours, theirs = getattr(minitorch.nn, name)(*arguments), getattr(oracle.nn, name)(*arguments)
    assert str(ours) == str(theirs)
    assert [tuple(p.shape) for p in ours.parameters()] == [tuple(p.shape) for p in theirs.parameters()]
