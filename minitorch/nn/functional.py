"""``nn.functional``: the layers' mathematics as plain functions; re-exports from ``ops``, no logic."""

# activations: ops/activation.py, ops/hard_activation.py, ops/smooth_activation.py
from minitorch.ops.activation import (
    celu,
    celu_,
    elu,
    elu_,
    leaky_relu,
    leaky_relu_,
    prelu,
    relu,
    relu_,
    rrelu,
    rrelu_,
    selu,
    selu_,
    threshold,
    threshold_,
)
from minitorch.ops.elementwise import sigmoid, tanh
from minitorch.ops.hard_activation import hardshrink, hardsigmoid, hardswish, hardtanh, hardtanh_, relu6, softshrink
from minitorch.ops.smooth_activation import gelu, glu, logsigmoid, mish, silu, softplus, softsign, tanhshrink

# convolution and pooling: ops/conv2d.py, ops/max_pool2d.py, …
from minitorch.ops.conv2d import conv2d
from minitorch.ops.conv_transpose2d import conv_transpose2d
from minitorch.ops.conv1d import conv1d, conv_transpose1d
from minitorch.ops.max_pool2d import max_pool2d
from minitorch.ops.max_pool1d import max_pool1d
from minitorch.ops.max_unpool2d import max_unpool1d, max_unpool2d
from minitorch.ops.avg_pool2d import avg_pool2d
from minitorch.ops.avg_pool1d import avg_pool1d
from minitorch.ops.adaptive_avg_pool2d import adaptive_avg_pool2d
from minitorch.ops.adaptive_avg_pool1d import adaptive_avg_pool1d
from minitorch.ops.adaptive_max_pool2d import adaptive_max_pool2d
from minitorch.ops.adaptive_max_pool1d import adaptive_max_pool1d
from minitorch.ops.unfold import fold, unfold

# linear and embedding: ops/linear.py, ops/embedding.py
from minitorch.ops.embedding import embedding, one_hot
from minitorch.ops.attention import scaled_dot_product_attention
from minitorch.ops.linear import bilinear, linear
from minitorch.ops.multi_head_attention import multi_head_attention_forward

# normalisation and dropout: ops/batch_norm.py, ops/dropout.py
from minitorch.ops.batch_norm import batch_norm
from minitorch.ops.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from minitorch.ops.group_norm import group_norm
from minitorch.ops.instance_norm import instance_norm
from minitorch.ops.layer_norm import layer_norm, rms_norm
from minitorch.ops.local_response_norm import local_response_norm

# softmax and losses: ops/softmax.py, ops/nll_loss.py, ops/cross_entropy.py, ops/mse_loss.py
from minitorch.ops.softmax import functional_log_softmax as log_softmax, functional_softmax as softmax, softmin
from minitorch.ops.cross_entropy import cross_entropy
from minitorch.ops.mse_loss import mse_loss
from minitorch.ops.nll_loss import nll_loss
from minitorch.ops.regression_loss import (
    gaussian_nll_loss,
    huber_loss,
    kl_div,
    l1_loss,
    poisson_nll_loss,
    smooth_l1_loss,
)
from minitorch.ops.binary_cross_entropy import binary_cross_entropy, binary_cross_entropy_with_logits
from minitorch.ops.margin_loss import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from minitorch.ops.multi_margin_loss import multi_margin_loss, multilabel_margin_loss, multilabel_soft_margin_loss
from minitorch.ops.distance import cosine_similarity, normalize, pairwise_distance, pdist

# margins and rearranged pixels: ops/pad.py, ops/pixel_shuffle.py
from minitorch.ops.pad import pad
from minitorch.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle

# sequences: ops/ctc_loss.py
from minitorch.ops.ctc_loss import ctc_loss

# other sizes of an image: ops/interpolate.py
from minitorch.ops.interpolate import interpolate

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "celu_",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "elu",
    "elu_",
    "embedding",
    "feature_alpha_dropout",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_unpool1d",
    "max_unpool2d",
    "mish",
    "mse_loss",
    "multi_head_attention_forward",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rms_norm",
    "rrelu",
    "rrelu_",
    "scaled_dot_product_attention",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unfold",
]
