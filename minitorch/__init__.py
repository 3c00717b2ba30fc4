"""minitorch: torch's names and behaviour, from scratch, on NumPy and CuPy.

The face of the library: re-exports under torch's names, no logic. Each block comes from one family of files;
``import minitorch as torch`` is how it is meant to be used.
"""

# ruff: noqa: A004, I001 (torch's names; the blocks below follow the families, not the alphabet)

from minitorch.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from minitorch.dtypes import (
    can_cast,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    result_type,
    set_default_dtype,
    uint8,
)
from minitorch.dtypes import bool_ as bool, float16 as half, float32 as float, float64 as double
from minitorch.dtypes import int16 as short, int32 as int, int64 as long
from minitorch.device import device
from minitorch.tensor.size import Size
from minitorch.tensor.tensor import Tensor
from minitorch.tensor.printing import set_printoptions
from minitorch.tensor.number_info import finfo, iinfo
from minitorch.tensor.legacy import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    set_default_tensor_type,
)
from minitorch.backend.threads import get_num_threads, set_num_threads

# creation and random numbers: tensor/creation.py, tensor/random.py
from minitorch.tensor.creation import (
    arange,
    as_tensor,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    from_numpy,
    full,
    full_like,
    is_floating_point,
    is_tensor,
    linspace,
    logspace,
    numel,
    ones,
    ones_like,
    scalar_tensor,
    tensor,
    zeros,
    zeros_like,
)
from minitorch.tensor.random import (
    Generator,
    bernoulli,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    multinomial,
    normal,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)

# arithmetic: ops/arithmetic.py, division.py, power.py, choice.py, clamping.py, interpolation.py, pairwise.py
from minitorch.ops.arithmetic import add, mul, multiply, neg, negative, positive, rsub, sub, subtract
from minitorch.ops.choice import fmax, fmin, maximum, minimum, where
from minitorch.ops.clamping import clamp, clamp_max, clamp_min, clip
from minitorch.ops.division import div, divide, floor_divide, fmod, remainder, true_divide
from minitorch.ops.interpolation import addcdiv, addcmul, lerp
from minitorch.ops.pairwise import (
    arctan2,
    atan2,
    copysign,
    gcd,
    heaviside,
    hypot,
    lcm,
    ldexp,
    logaddexp,
    logaddexp2,
    nextafter,
    xlogy,
)
from minitorch.ops.power import float_power, pow

# comparison and logic: ops/comparison.py, ops/bitwise.py
from minitorch.ops.comparison import (
    allclose,
    eq,
    equal,
    ge,
    greater,
    greater_equal,
    gt,
    isclose,
    isfinite,
    isin,
    isinf,
    isnan,
    isneginf,
    isposinf,
    le,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    not_equal,
)
from minitorch.ops.bitwise import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
)

# functions of one operand and activations: ops/elementwise.py, ops/activation.py
from minitorch.ops.elementwise import (
    abs,
    abs_,
    absolute,
    exp,
    exp_,
    log,
    log_,
    nan_to_num,
    nan_to_num_,
    reciprocal,
    reciprocal_,
    rsqrt,
    rsqrt_,
    sgn,
    sigmoid,
    sigmoid_,
    sign,
    signbit,
    sqrt,
    sqrt_,
    square,
    square_,
    tanh,
    tanh_,
)
from minitorch.ops.exponential import (
    exp2,
    exp2_,
    expm1,
    expm1_,
    log10,
    log10_,
    log1p,
    log1p_,
    log2,
    log2_,
    logit,
    logit_,
)
from minitorch.ops.rounding import ceil, ceil_, fix, fix_, floor, floor_, frac, frac_, round, round_, trunc, trunc_
from minitorch.ops.trigonometry import (
    acos,
    acos_,
    acosh,
    acosh_,
    arccos,
    arccos_,
    arccosh,
    arccosh_,
    arcsin,
    arcsin_,
    arcsinh,
    arcsinh_,
    arctan,
    arctan_,
    arctanh,
    arctanh_,
    asin,
    asin_,
    asinh,
    asinh_,
    atan,
    atan_,
    atanh,
    atanh_,
    cos,
    cos_,
    cosh,
    cosh_,
    deg2rad,
    deg2rad_,
    rad2deg,
    rad2deg_,
    sin,
    sin_,
    sinc,
    sinc_,
    sinh,
    sinh_,
    tan,
    tan_,
)
from minitorch.ops.special import erf, erf_, erfc, erfc_, erfinv
from minitorch.ops.gamma import digamma, lgamma, polygamma
from minitorch.ops.activation import celu, celu_, prelu, relu, relu_, rrelu, rrelu_, selu, selu_, threshold, threshold_
from minitorch.ops.hard_activation import hardshrink

# reductions and sorting: ops/reduction.py, product.py, logsumexp.py, truth.py, extremes.py, statistics.py,
# histogram.py, cumulative.py, sorting.py, median.py, unique.py, norm.py
from minitorch import linalg, return_types
from minitorch.ops.cumulative import cummax, cummin, cumsum, diff, logcumsumexp
from minitorch.ops.extremes import amax, amin, aminmax, argmax, argmin, max, min
from minitorch.ops.histogram import bincount, histc
from minitorch.ops.logsumexp import logsumexp
from minitorch.ops.median import median, nanmedian, nanquantile, quantile
from minitorch.ops.norm import dist, norm, renorm
from minitorch.ops.product import cumprod, prod
from minitorch.ops.reduction import mean, nanmean, nansum, sum, trace
from minitorch.ops.sorting import argsort, kthvalue, mode, msort, sort, topk
from minitorch.ops.statistics import corrcoef, cov, std, std_mean, var, var_mean
from minitorch.ops.truth import all, any, count_nonzero
from minitorch.ops.unique import unique, unique_consecutive

# shape and joining: ops/shape.py, ops/permutation.py, ops/joining.py
from minitorch.ops.shape import (
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    flatten,
    ravel,
    reshape,
    squeeze,
    unflatten,
    unsqueeze,
)
from minitorch.ops.permutation import (
    adjoint,
    moveaxis,
    movedim,
    permute,
    swapaxes,
    swapdims,
    t,
    transpose,
)
from minitorch.ops.joining import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    cat,
    column_stack,
    concat,
    concatenate,
    dstack,
    hstack,
    row_stack,
    stack,
    vstack,
)

from minitorch.memory_format import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    memory_format,
    preserve_format,
)
from minitorch.ops.strided import as_strided
from minitorch.ops.splitting import (
    chunk,
    dsplit,
    hsplit,
    narrow,
    select,
    split,
    tensor_split,
    unbind,
    vsplit,
)
from minitorch.ops.rearranging import flip, fliplr, flipud, repeat_interleave, roll, rot90, tile
from minitorch.ops.combining import block_diag, cartesian_prod, combinations, meshgrid
from minitorch.ops.diagonal import (
    diag,
    diag_embed,
    diagflat,
    diagonal,
    diagonal_scatter,
    select_scatter,
    slice_scatter,
    tril,
    triu,
)
from minitorch.tensor.triangles import tril_indices, triu_indices

# indexing: ops/indexing.py, ops/assignment.py, ops/index_along.py, ops/scatter.py, ops/masking.py, ops/searching.py
from minitorch.ops.assignment import index_put
from minitorch.ops.index_along import index_add, index_copy, index_fill, index_select
from minitorch.ops.scatter import gather, scatter, scatter_add, scatter_reduce, take_along_dim
from minitorch.ops.masking import (
    argwhere,
    masked_fill,
    masked_scatter,
    masked_select,
    nonzero,
    put,
    take,
)
from minitorch.ops.searching import bucketize, searchsorted

# convolution and pooling: ops/conv2d.py, ops/max_pool2d.py, …
from minitorch.ops.conv2d import conv2d
from minitorch.ops.conv_transpose2d import conv_transpose2d
from minitorch.ops.conv1d import conv1d, conv_transpose1d
from minitorch.ops.max_pool2d import max_pool2d
from minitorch.ops.max_pool1d import max_pool1d
from minitorch.ops.avg_pool1d import avg_pool1d
from minitorch.ops.adaptive_avg_pool1d import adaptive_avg_pool1d

# matrix products: ops/matmul.py, ops/addmm.py, ops/einsum.py
from minitorch.ops.addmm import addbmm, addmm, addmv, addr, baddbmm
from minitorch.ops.einsum import einsum, kron, tensordot
from minitorch.ops.linear_algebra import cholesky_of_tensor as cholesky, slogdet_of_tensor as slogdet
from minitorch.ops.linear_algebra import det, inverse, logdet, matrix_power
from minitorch.ops.multi_dot import chain_matmul
from minitorch.ops.vector_products import cross
from minitorch.ops.matmul import bmm, dot, ger, inner, matmul, mm, mv, outer, vdot

# softmax and its relatives: ops/softmax.py
from minitorch.ops.softmax import log_softmax, softmax

# distances: ops/distance.py
from minitorch.ops.distance import cdist, cosine_similarity, pairwise_distance, pdist

from minitorch import autograd, backends, cuda, nn, optim
