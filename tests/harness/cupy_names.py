"""What CuPy 14.2 has and takes, read from it: the tables behind ``strict_array.py``."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# fmt: off
FUNCTIONS = words(
    """
    abs absolute acos acosh add all allclose amax amin angle any append arange arccos arccosh arcsin arcsinh
    arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around array_equal array_equiv
    array_split ascontiguousarray asfortranarray asin asinh astype atan atan2 atanh atleast_1d atleast_2d
    atleast_3d average bincount bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not
    bitwise_or bitwise_right_shift bitwise_xor bool bool_ broadcast_arrays broadcast_shapes broadcast_to
    can_cast cbrt ceil clip column_stack complex128 complex64 complexfloating compress concat concatenate
    conj conjugate copy copysign copyto cos cosh count_nonzero cross cumprod cumsum cumulative_prod
    cumulative_sum deg2rad degrees delete diag diag_indices diag_indices_from diagflat diagonal diff
    digitize divide divmod dot dsplit dstack dtype ediff1d einsum empty empty_like equal exp exp2
    expand_dims expm1 extract eye fabs fill_diagonal finfo fix flatnonzero flip fliplr flipud float16
    float32 float64 float_power floating floor floor_divide fmax fmin fmod frexp full full_like gcd generic
    gradient greater greater_equal heaviside histogram histogram2d histogramdd hsplit hstack hypot i0
    identity iinfo imag indices inexact inf inner int16 int32 int64 int8 int_ integer interp intersect1d
    intp invert isclose iscomplex iscomplexobj isdtype isfinite isfortran isin isinf isnan isneginf isposinf
    isreal isrealobj isscalar issubdtype ix_ kron lcm ldexp left_shift less less_equal lexsort linspace log
    log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logspace matmul
    matrix_transpose max maximum may_share_memory mean median meshgrid min min_scalar_type minimum mod modf
    moveaxis multiply nan nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian
    nanmin nanprod nanstd nansum nanvar ndim negative newaxis nextafter nonzero not_equal number ones
    ones_like outer packbits pad partition percentile permute_dims pi positive pow power prod promote_types
    put_along_axis putmask quantile rad2deg radians ravel ravel_multi_index real real_if_close reciprocal
    remainder repeat reshape resize result_type right_shift rint roll rollaxis rot90 round s_ searchsorted
    select setdiff1d setxor1d shape shares_memory sign signbit signedinteger sin sinc sinh size sort split
    sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace
    transpose tri tril tril_indices tril_indices_from trim_zeros triu triu_indices triu_indices_from
    true_divide trunc uint16 uint32 uint64 uint8 union1d unique unique_all unique_counts unique_inverse
    unique_values unpackbits unravel_index unsignedinteger vander var vdot vsplit vstack where zeros
    zeros_like"""
)
LINALG_FUNCTIONS = words(
    """
    LinAlgError cholesky cond cross det eig eigh eigvals eigvalsh inv lstsq matmul matrix_power matrix_rank
    matrix_transpose norm pinv qr slogdet solve svd tensorinv tensorsolve"""
)
METHODS = words(
    """
    all any argmax argmin argpartition argsort astype clip compress conj conjugate copy cumprod cumsum
    diagonal dot flatten max mean min nonzero partition prod ravel repeat reshape round searchsorted sort
    squeeze std sum swapaxes take trace transpose var view"""
)
PROPERTIES = words("T dtype imag itemsize mT nbytes ndim real shape size strides")
WAITING_METHODS = words("__bool__ __complex__ __float__ __format__ __int__ item tobytes tolist")
PYTHON_METHODS = words("__copy__ __deepcopy__ __len__ __repr__ __str__")
FLAGS = words("c_contiguous f_contiguous owndata")  # CuPy has no "writeable"
BINARY_OPERATORS = words("add and floordiv lshift matmul mod mul or pow rshift sub truediv xor")
OTHER_OPERATORS = words("abs eq ge gt invert le lt ne neg pos")
# NumPy's keyword, or its name for a parameter, and the functions of CuPy that do not take it.
LACKING_KEYWORDS = {
    "ar1": "intersect1d union1d", "ar2": "intersect1d union1d", "arr": "extract take_along_axis",
    "arrays": "concat concatenate stack", "axis": "lexsort trim_zeros", "casting": "einsum",
    "correction": "std var nanstd nanvar", "count": "unpackbits", "hermitian": "matrix_rank pinv svd",
    "initial": "max min amax amin prod sum nanmax nanmin nanprod nansum", "keepdims": "count_nonzero",
    "kind": "partition argpartition isin", "m": "flip fliplr flipud rot90", "max": "clip",
    "mean": "std var nanstd nanvar", "min": "clip", "mode": "take", "obj": "delete",
    "order": "argsort sort partition argpartition einsum", "out": "einsum", "rtol": "matrix_rank pinv",
    "shape": "reshape unravel_index", "sorted": "unique", "sparse": "indices", "stable": "argsort sort",
    "subok": "broadcast_to broadcast_arrays copy as_strided", "upper": "cholesky",
    "weights": "percentile quantile",
    "where": "all any max min amax amin mean prod std sum var nanmax nanmin nanmean nanprod nanstd nansum",
    "writeable": "as_strided sliding_window_view", "x1": "matmul", "x2": "matmul",
}
SYNCHRONIZING = WAITING_METHODS | words(
    """
    argwhere bincount cholesky compress cond delete det eig eigh eigvals eigvalsh extract flatnonzero
    intersect1d inv lstsq matrix_rank nonzero pinv qr setdiff1d setxor1d slogdet solve svd trim_zeros
    union1d unique unique_all unique_counts unique_inverse unique_values"""
)
NEEDS_DEVICE_ARRAY = METHODS | words("bincount expand_dims flip moveaxis roll tensordot where")
NEEDS_DEVICE_ARRAY |= words("put_along_axis take_along_axis")
NEEDS_DEVICE_ARRAYS = words("column_stack concat concatenate dstack hstack stack vstack")
NEEDS_PYTHON_NUMBERS = words(
    """
    broadcast_to empty expand_dims eye moveaxis ones reshape squeeze swapaxes tile transpose zeros"""
)
SCALAR_IN_NUMPY = words("allclose array_equal array_equiv count_nonzero")
GENERALIZED_KEYWORDS = words("axes axis casting dtype keepdims order out signature")
ATOMIC_INTEGERS = words("int32 int64 uint32 uint64")
SCATTER_TYPES = {
    "add": ATOMIC_INTEGERS | words("float16 float32 float64"), "subtract": words("int32 uint32"),
    "maximum": ATOMIC_INTEGERS | words("float32 float64"),
    "minimum": ATOMIC_INTEGERS | words("float32 float64"),
    "bitwise_and": ATOMIC_INTEGERS, "bitwise_or": ATOMIC_INTEGERS, "bitwise_xor": ATOMIC_INTEGERS,
}
# fmt: on
