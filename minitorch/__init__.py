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
    set_default_dtype,
    uint8,
)
from minitorch.dtypes import bool_ as bool, float16 as half, float32 as float, float64 as double
from minitorch.dtypes import int16 as short, int32 as int, int64 as long
from minitorch.device import device
from minitorch.tensor.size import Size
from minitorch.tensor.tensor import Tensor
from minitorch.tensor.printing import set_printoptions

# creation and random numbers: tensor/creation.py, tensor/random.py
from minitorch.tensor.creation import tensor

# arithmetic: ops/arithmetic.py
from minitorch.ops.arithmetic import add, mul

# comparison and logic: ops/comparison.py

# functions of one operand and activations: ops/elementwise.py, ops/activation.py

# reductions and sorting: ops/reduction.py, ops/sorting.py

# shape and joining: ops/shape.py, ops/joining.py

# indexing: ops/indexing.py

# matrix products: ops/matmul.py

# softmax and its relatives: ops/softmax.py

from minitorch import autograd
