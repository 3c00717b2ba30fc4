"""One small program an op, for both libraries: ``lambda torch, x, y: …`` on two tensors of 4 × 4 positive numbers.

``x`` has the dtype that the test asks for, ``y`` another or the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minitorch

Program = Callable[[Any, Any, Any], Any]


def image(x: Any) -> Any:
    """One image of one channel."""
    return x.reshape(1, 1, 4, 4)


def block(x: Any) -> Any:
    """A batch of two matrices 2 × 4."""
    return x.reshape(2, 2, 4)


def labels(torch: Any, x: Any) -> Any:
    """The classes of four rows."""
    return torch.tensor([0, 1, 2, 3], device=x.device)


def index(torch: Any, x: Any) -> Any:
    """A place in each row."""
    return torch.tensor([[0, 1, 2, 3]], device=x.device)


def positive_definite(torch: Any, x: Any) -> Any:
    """A matrix with an inverse, in x's dtype."""
    return x + 4 * torch.eye(4, dtype=x.dtype, device=x.device)


PRODUCTS: dict[str, Program] = {
    "matmul": lambda torch, x, y: torch.matmul(x, y),
    "@": lambda torch, x, y: x @ y,
    "Tensor.matmul": lambda torch, x, y: x.matmul(y[0]),
    "mm": lambda torch, x, y: torch.mm(x, y),
    "mv": lambda torch, x, y: torch.mv(x, y[0]),
    "bmm": lambda torch, x, y: torch.bmm(block(x), block(y).transpose(1, 2)),
    "dot": lambda torch, x, y: torch.dot(x[0], y[0]),
    "vdot": lambda torch, x, y: torch.vdot(x[0], y[0]),
    "inner": lambda torch, x, y: torch.inner(x, y),
    "inner of vectors": lambda torch, x, y: torch.inner(x[0], y[0]),
    "tensordot of vectors": lambda torch, x, y: torch.tensordot(x[0], y[0], 1),
    "tensordot of all": lambda torch, x, y: torch.tensordot(x, y, 2),
    "outer": lambda torch, x, y: torch.outer(x[0], y[0]),
    "addmm": lambda torch, x, y: torch.addmm(x, x, y),
    "addmv": lambda torch, x, y: torch.addmv(x[0], x, y[0]),
    "addr": lambda torch, x, y: torch.addr(x, x[0], y[0]),
    "addbmm": lambda torch, x, y: torch.addbmm(x[:2, :2], block(x), block(y).transpose(1, 2)),
    "baddbmm": lambda torch, x, y: torch.baddbmm(x[:2, :2], block(x), block(y).transpose(1, 2)),
    "chain_matmul": lambda torch, x, y: torch.chain_matmul(x, y, x),
    "multi_dot": lambda torch, x, y: torch.linalg.multi_dot([x, y, x]),
    "vecdot": lambda torch, x, y: torch.linalg.vecdot(x, y),
    "matrix_power": lambda torch, x, y: torch.linalg.matrix_power(x, 3),
    "einsum product": lambda torch, x, y: torch.einsum("ij,jk->ik", x, y),
    "einsum sum": lambda torch, x, y: torch.einsum("ij->i", x),
    "einsum elementwise": lambda torch, x, y: torch.einsum("ij,ij->ij", x, y),
    "einsum outer": lambda torch, x, y: torch.einsum("i,j->ij", x[0], y[0]),
    "einsum dot": lambda torch, x, y: torch.einsum("i,i->", x[0], y[0]),
    "einsum list": lambda torch, x, y: torch.einsum("ij,jk->ik", [x, y]),
    "tensordot": lambda torch, x, y: torch.tensordot(x, y, 1),
    "kron": lambda torch, x, y: torch.kron(x, y),
    "cross": lambda torch, x, y: torch.cross(x[:, :3], y[:, :3], dim=1),
    "linalg.cross": lambda torch, x, y: torch.linalg.cross(x[:, :3], y[:, :3]),
    "linear": lambda torch, x, y: torch.nn.functional.linear(x, y, y[0]),
    "linear without bias": lambda torch, x, y: torch.nn.functional.linear(x, y),
    "bilinear": lambda torch, x, y: torch.nn.functional.bilinear(x, x, y.reshape(1, 4, 4)),
    "conv1d": lambda torch, x, y: torch.nn.functional.conv1d(x.reshape(1, 4, 4), y[:, :, None]),
    "conv2d": lambda torch, x, y: torch.nn.functional.conv2d(image(x), image(y)[..., :3, :3], y[0, :1]),
    "conv2d same": lambda torch, x, y: torch.nn.functional.conv2d(image(x), image(y)[..., :3, :3], padding="same"),
    "conv_transpose1d": lambda torch, x, y: torch.nn.functional.conv_transpose1d(x.reshape(1, 4, 4), y[:, :, None]),
    "conv_transpose2d": lambda torch, x, y: torch.nn.functional.conv_transpose2d(image(x), image(y)),
    "attention": lambda torch, x, y: torch.nn.functional.scaled_dot_product_attention(block(x), block(y), block(y)),
    "prelu": lambda torch, x, y: torch.nn.functional.prelu(x, y[0]),
    "cov": lambda torch, x, y: torch.cov(x),
    "corrcoef": lambda torch, x, y: torch.corrcoef(x),
}
_UNARY_NAMES = """
    exp expm1 exp2 log log2 log10 log1p sqrt rsqrt reciprocal square abs neg sign sigmoid tanh sin cos tan asin acos
    atan sinh cosh asinh atanh erf erfc erfinv lgamma digamma logit relu frac floor round trunc isnan sinc deg2rad
    positive nan_to_num softplus gelu silu mish elu selu celu hardtanh hardswish hardsigmoid leaky_relu logsigmoid
    softsign tanhshrink hardshrink softshrink relu6 threshold rrelu
"""
UNARY = _UNARY_NAMES.split()
UNARY_OPTIONS: dict[str, tuple[float, ...]] = {"threshold": (0.5, 0.0)}


def unary(name: str) -> Program:
    """The function of this name, wherever torch has it."""

    def program(torch: Any, x: Any, y: Any) -> Any:
        found = getattr(torch, name, None) or getattr(torch.nn.functional, name)
        return found(x, *UNARY_OPTIONS.get(name, ()))

    return program


def method(name: str) -> Program:
    """The tensor's method of this name."""
    return lambda torch, x, y: getattr(x, name)()


METHODS = [name for name in UNARY if hasattr(minitorch.Tensor, name) and name not in UNARY_OPTIONS]
ELEMENTWISE: dict[str, Program] = {
    "add": lambda torch, x, y: x + y,
    "add number": lambda torch, x, y: x + 1.5,
    "sub": lambda torch, x, y: x - y,
    "mul": lambda torch, x, y: x * y,
    "div": lambda torch, x, y: x / y,
    "number / tensor": lambda torch, x, y: 2.0 / x,
    "pow number": lambda torch, x, y: x**2,
    "pow": lambda torch, x, y: x**y,
    "number ** tensor": lambda torch, x, y: 2.0**x,
    "torch.pow of a number": lambda torch, x, y: torch.pow(2.0, x),
    "float_power": lambda torch, x, y: torch.float_power(x, 2),
    "atan2": lambda torch, x, y: torch.atan2(x, y),
    "hypot": lambda torch, x, y: torch.hypot(x, y),
    "xlogy": lambda torch, x, y: torch.xlogy(x, y),
    "logaddexp": lambda torch, x, y: torch.logaddexp(x, x),
    "maximum": lambda torch, x, y: torch.maximum(x, y),
    "where": lambda torch, x, y: torch.where(x > 0.5, x, y),
    "clamp": lambda torch, x, y: torch.clamp(x, 0.1, 0.9),
    "lerp": lambda torch, x, y: torch.lerp(x, x, 0.5),
    "addcmul": lambda torch, x, y: torch.addcmul(x, y, y),
    "addcdiv": lambda torch, x, y: torch.addcdiv(x, y, y),
    "eq": lambda torch, x, y: x == y,
    "masked_fill": lambda torch, x, y: x.masked_fill(x > 0.5, 0.0),
}
REDUCTIONS: dict[str, Program] = {
    "sum": lambda torch, x, y: torch.sum(x),
    "sum dim": lambda torch, x, y: x.sum(1, keepdim=True),
    "sum dtype": lambda torch, x, y: torch.sum(x, dtype=torch.float16),
    "mean": lambda torch, x, y: torch.mean(x),
    "prod": lambda torch, x, y: torch.prod(x),
    "prod dim": lambda torch, x, y: torch.prod(x, 0),
    "cumsum": lambda torch, x, y: torch.cumsum(x, 0),
    "cumprod": lambda torch, x, y: torch.cumprod(x, 0),
    "logcumsumexp": lambda torch, x, y: torch.logcumsumexp(x, 0),
    "logsumexp": lambda torch, x, y: torch.logsumexp(x, 0),
    "var": lambda torch, x, y: torch.var(x),
    "std": lambda torch, x, y: torch.std(x, 0),
    "amax": lambda torch, x, y: torch.amax(x, 0),
    "max": lambda torch, x, y: torch.max(x, 0),
    "median": lambda torch, x, y: torch.median(x),
    "quantile": lambda torch, x, y: torch.quantile(x, 0.5),
    "nanquantile": lambda torch, x, y: torch.nanquantile(x, 0.5),
    "trace": lambda torch, x, y: torch.trace(x),
    "norm": lambda torch, x, y: torch.norm(x),
    "norm dim": lambda torch, x, y: x.norm(2, 1),
    "linalg.norm": lambda torch, x, y: torch.linalg.norm(x),
    "vector_norm": lambda torch, x, y: torch.linalg.vector_norm(x),
    "matrix_norm": lambda torch, x, y: torch.linalg.matrix_norm(x),
    "dist": lambda torch, x, y: torch.dist(x, x),
    "renorm": lambda torch, x, y: torch.renorm(x, 2, 0, 0.1),
    "softmax": lambda torch, x, y: torch.softmax(x, 1),
    "log_softmax": lambda torch, x, y: torch.log_softmax(x, 1),
    "functional.softmax": lambda torch, x, y: torch.nn.functional.softmax(x, dim=1),
    "functional.softmax dtype": lambda torch, x, y: torch.nn.functional.softmax(x, dim=1, dtype=torch.float64),
    "functional.log_softmax": lambda torch, x, y: torch.nn.functional.log_softmax(x, dim=1),
    "Tensor.softmax": lambda torch, x, y: x.softmax(1),
    "softmin": lambda torch, x, y: torch.nn.functional.softmin(x, dim=1),
    "count_nonzero": lambda torch, x, y: torch.count_nonzero(x),
    "argmax": lambda torch, x, y: torch.argmax(x),
    "sort": lambda torch, x, y: torch.sort(x, 1),
    "diff": lambda torch, x, y: torch.diff(x),
}
SHAPES: dict[str, Program] = {
    "cat": lambda torch, x, y: torch.cat([x, y]),
    "stack": lambda torch, x, y: torch.stack([x, y]),
    "hstack": lambda torch, x, y: torch.hstack([x, y]),
    "vstack": lambda torch, x, y: torch.vstack([x, y]),
    "index_copy": lambda torch, x, y: torch.index_copy(x, 0, labels(torch, x), y),
    "index_put": lambda torch, x, y: torch.index_put(x, (labels(torch, x),), y),
    "index_add": lambda torch, x, y: torch.index_add(x, 0, labels(torch, x), x),
    "scatter_add": lambda torch, x, y: torch.scatter_add(x, 0, index(torch, x), y),
    "gather": lambda torch, x, y: torch.gather(x, 0, index(torch, x)),
    "pad": lambda torch, x, y: torch.nn.functional.pad(x, (1, 1)),
    "pad reflect 1": lambda torch, x, y: torch.nn.functional.pad(x, (1, 1), mode="reflect"),
    "pad reflect 2": lambda torch, x, y: torch.nn.functional.pad(image(x), (1, 1, 1, 1), mode="reflect"),
    "pad reflect 3": lambda torch, x, y: torch.nn.functional.pad(x.reshape(1, 4, 2, 2), (1,) * 6, mode="reflect"),
    "pad replicate 1": lambda torch, x, y: torch.nn.functional.pad(x, (1, 1), mode="replicate"),
    "pad replicate 2": lambda torch, x, y: torch.nn.functional.pad(image(x), (1, 1, 1, 1), mode="replicate"),
    "pad replicate 3": lambda torch, x, y: torch.nn.functional.pad(x.reshape(1, 4, 2, 2), (1,) * 6, mode="replicate"),
    "pad circular": lambda torch, x, y: torch.nn.functional.pad(image(x), (1, 1, 1, 1), mode="circular"),
    "transpose": lambda torch, x, y: x.t(),
    "tril": lambda torch, x, y: torch.tril(x),
    "flip": lambda torch, x, y: torch.flip(x, (0,)),
}
LAYERS: dict[str, Program] = {
    "layer_norm": lambda torch, x, y: torch.nn.functional.layer_norm(x, (4,)),
    "layer_norm affine": lambda torch, x, y: torch.nn.functional.layer_norm(x, (4,), y[0], y[1]),
    "rms_norm": lambda torch, x, y: torch.nn.functional.rms_norm(x, (4,)),
    "group_norm": lambda torch, x, y: torch.nn.functional.group_norm(x, 2),
    "group_norm affine": lambda torch, x, y: torch.nn.functional.group_norm(x, 2, y[0], y[1]),
    "batch_norm": lambda torch, x, y: torch.nn.functional.batch_norm(x, None, None, training=True),
    "batch_norm affine": lambda torch, x, y: torch.nn.functional.batch_norm(
        x, y[0].clone(), y[1].clone(), y[2], y[3], training=True
    ),
    "instance_norm": lambda torch, x, y: torch.nn.functional.instance_norm(image(x)),
    "local_response_norm": lambda torch, x, y: torch.nn.functional.local_response_norm(image(x), 2),
    "normalize": lambda torch, x, y: torch.nn.functional.normalize(x),
    "max_pool2d": lambda torch, x, y: torch.nn.functional.max_pool2d(image(x), 2),
    "avg_pool2d": lambda torch, x, y: torch.nn.functional.avg_pool2d(image(x), 2),
    "adaptive_avg_pool2d": lambda torch, x, y: torch.nn.functional.adaptive_avg_pool2d(image(x), 2),
    "max_unpool2d": lambda torch, x, y: torch.nn.functional.max_unpool2d(
        *torch.nn.functional.max_pool2d(image(x), 2, return_indices=True), 2
    ),
    "max_unpool1d": lambda torch, x, y: torch.nn.functional.max_unpool1d(
        *torch.nn.functional.max_pool1d(x, 2, return_indices=True), 2
    ),
    "interpolate nearest": lambda torch, x, y: torch.nn.functional.interpolate(image(x), scale_factor=2),
    "interpolate bilinear": lambda torch, x, y: torch.nn.functional.interpolate(image(x), 6, mode="bilinear"),
    "interpolate bicubic": lambda torch, x, y: torch.nn.functional.interpolate(image(x), 6, mode="bicubic"),
    "interpolate linear": lambda torch, x, y: torch.nn.functional.interpolate(x[None], 6, mode="linear"),
    "interpolate area": lambda torch, x, y: torch.nn.functional.interpolate(image(x), 2, mode="area"),
    "dropout": lambda torch, x, y: torch.nn.functional.dropout(x, 0.5),
    "embedding": lambda torch, x, y: torch.nn.functional.embedding(labels(torch, x), x),
    "glu": lambda torch, x, y: torch.nn.functional.glu(x),
    "unfold": lambda torch, x, y: torch.nn.functional.unfold(image(x), 2),
    "pixel_shuffle": lambda torch, x, y: torch.nn.functional.pixel_shuffle(x.reshape(1, 4, 2, 2), 2),
    "cosine_similarity": lambda torch, x, y: torch.nn.functional.cosine_similarity(x, y),
    "pairwise_distance": lambda torch, x, y: torch.nn.functional.pairwise_distance(x, y),
    "cdist": lambda torch, x, y: torch.cdist(x, y),
    "pdist": lambda torch, x, y: torch.pdist(x),
    "linalg.inv": lambda torch, x, y: torch.linalg.inv(positive_definite(torch, x)),
    "inverse": lambda torch, x, y: torch.inverse(positive_definite(torch, x)),
    "linalg.solve": lambda torch, x, y: torch.linalg.solve(positive_definite(torch, x), y),
}


def loss(name: str, *extra: Any, **options: Any) -> Program:
    """A loss between x and y."""
    return lambda torch, x, y: getattr(torch.nn.functional, name)(x, y, *extra, **options)


LOSSES: dict[str, Program] = {
    **{name: loss(name) for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div")},
    **{name: loss(name) for name in ("poisson_nll_loss", "soft_margin_loss", "hinge_embedding_loss")},
    "binary_cross_entropy": loss("binary_cross_entropy"),
    "binary_cross_entropy_with_logits": loss("binary_cross_entropy_with_logits"),
    "gaussian_nll_loss": lambda torch, x, y: torch.nn.functional.gaussian_nll_loss(x, y, x),
    "cross_entropy": lambda torch, x, y: torch.nn.functional.cross_entropy(x, labels(torch, x)),
    "cross_entropy weight": lambda torch, x, y: torch.nn.functional.cross_entropy(x, labels(torch, x), y[0]),
    "cross_entropy probabilities": lambda torch, x, y: torch.nn.functional.cross_entropy(x, y),
    "cross_entropy smoothing": lambda torch, x, y: torch.nn.functional.cross_entropy(
        x, labels(torch, x), label_smoothing=0.1
    ),
    "nll_loss": lambda torch, x, y: torch.nn.functional.nll_loss(x, labels(torch, x)),
    "margin_ranking_loss": lambda torch, x, y: torch.nn.functional.margin_ranking_loss(x, y, y),
    "triplet_margin_loss": lambda torch, x, y: torch.nn.functional.triplet_margin_loss(x, y, x + 1),
    "multi_margin_loss": lambda torch, x, y: torch.nn.functional.multi_margin_loss(x, labels(torch, x)),
    "multilabel_margin_loss": lambda torch, x, y: torch.nn.functional.multilabel_margin_loss(x[0], labels(torch, x)),
    "multilabel_soft_margin_loss": loss("multilabel_soft_margin_loss"),
    "cosine_embedding_loss": lambda torch, x, y: torch.nn.functional.cosine_embedding_loss(x, y, y[0]),
    "ctc_loss": lambda torch, x, y: torch.nn.functional.ctc_loss(
        x.reshape(4, 1, 4), torch.tensor([[1, 2]], device=x.device), (4,), (2,)
    ),
}
IN_PLACE: dict[str, Program] = {
    "exp_": lambda torch, x, y: x.clone().exp_(),
    "mul_": lambda torch, x, y: x.clone().mul_(y),
    "pow_": lambda torch, x, y: x.clone().pow_(2),
    "addmm_": lambda torch, x, y: x.clone().addmm_(x, x),
    "addcmul_": lambda torch, x, y: x.clone().addcmul_(x, x),
    "cumsum_": lambda torch, x, y: x.clone().cumsum_(0),
    "softmax out": lambda torch, x, y: torch.softmax(x, 1, out=torch.empty_like(x)),
    "mm out": lambda torch, x, y: torch.mm(x, x, out=torch.empty_like(x)),
    "exp out": lambda torch, x, y: torch.exp(x, out=torch.empty_like(x)),
    "relu_": lambda torch, x, y: torch.relu_(x.clone()),
    "clamp_": lambda torch, x, y: x.clone().clamp_(0.1, 0.2),
    "index_put_": lambda torch, x, y: x.clone().index_put_((labels(torch, x),), x),
}


def module(make: Callable[[Any], Any], *shape: int) -> Program:
    """A module of float32 parameters called with x in another shape."""

    def program(torch: Any, x: Any, y: Any) -> Any:
        torch.manual_seed(0)
        return make(torch.nn).to(x.device)(x.reshape(shape))

    return program


MODULES: dict[str, Program] = {
    "Linear": module(lambda nn: nn.Linear(4, 3), 4, 4),
    "Conv2d": module(lambda nn: nn.Conv2d(1, 2, 3), 1, 1, 4, 4),
    "BatchNorm2d": module(lambda nn: nn.BatchNorm2d(1), 1, 1, 4, 4),
    "LayerNorm": module(lambda nn: nn.LayerNorm(4), 4, 4),
    "GroupNorm": module(lambda nn: nn.GroupNorm(2, 4), 4, 4),
    "InstanceNorm2d": module(lambda nn: nn.InstanceNorm2d(1, affine=True), 1, 1, 4, 4),
    "RNN": module(lambda nn: nn.RNN(4, 3), 2, 2, 4),
    "GRU": module(lambda nn: nn.GRU(4, 3), 2, 2, 4),
    "RNNCell": module(lambda nn: nn.RNNCell(4, 3), 4, 4),
    "LSTMCell": module(lambda nn: nn.LSTMCell(4, 3), 4, 4),
    "GRUCell": module(lambda nn: nn.GRUCell(4, 3), 4, 4),
    "PReLU": module(lambda nn: nn.PReLU(), 4, 4),
    "attention layer": lambda torch, x, y: module(lambda nn: _SelfAttention(nn), 2, 2, 4)(torch, x, y),
}


class _SelfAttention:
    """``MultiheadAttention`` of one tensor with itself."""

    def __init__(self, nn: Any) -> None:
        self.layer = nn.MultiheadAttention(4, 2)

    def to(self, device: Any) -> _SelfAttention:
        self.layer.to(device)
        return self

    def __call__(self, x: Any) -> Any:
        return self.layer(x, x, x)


PROGRAMS: dict[str, Program] = {
    **PRODUCTS,
    **{name: unary(name) for name in UNARY},
    **{f"Tensor.{name}": method(name) for name in METHODS},
    **ELEMENTWISE,
    **REDUCTIONS,
    **SHAPES,
    **LAYERS,
    **LOSSES,
    **IN_PLACE,
    **MODULES,
}
DTYPES = [("float32", "float32"), ("float16", "float16"), ("float16", "float32"), ("float32", "float16")]
