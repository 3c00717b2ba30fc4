"""Two-dimensional convolution, and how it becomes fast. Read ``reference/conv2d.py`` first; then, step by step:

1. **The loops.** ``corr2d`` there slides a kernel over an image: four nested loops around one multiplication.
   ``conv2d`` there adds batch, channels, stride, padding, dilation and groups; still one multiplication a turn.

2. **One matrix product** (``by_columns`` below). Copy the window that each output element looks at into a column:
   K = C_in·K_h·K_w rows, one column an output place (``unfold.py``). Each kernel, flattened, is a row of K numbers.
   All those multiplications are then

       (C_out × K) · (K × H_out·W_out) = C_out × H_out·W_out          (for each image)

   and matrix products are what computers do best. It costs memory: every input element is copied K_h·K_w times.

3. **Small blocks.** A CPU is fast on what its cache holds. So take a few images at a time. How their windows are
   copied, in which memory order, and how many multiplications are left, depends on the shapes: ``conv2d_choice.py``
   has the table. From the simplest on:

   ``conv2d_pointwise.py``       a kernel of 1 × 1 needs no copy
   ``conv2d_flat.py``            step 2 with the rows of an image laid end to end, so that what is copied lies in long
                                 runs
   ``conv2d_batch_last.py``      step 2 with images innermost, for the same reason; also where a stride skips places
   ``conv2d_rows.py``            only the kernel's width is unrolled: the rows of a window are the same copy, shifted;
                                 one product a kernel row, added up: K_w copies instead of K_h·K_w
   ``conv2d_channels_last.py``   the same with channels innermost, and products cut to the size that BLAS likes
   ``conv2d_winograd.py``        sums of neighbours first, then less than half of the multiplications

4. **No columns at all** (``conv2d.cu``, launched by ``conv2d_cuda.py``). A GPU computes the product of step 2 tile by
   tile, and reads each tile of the columns a few numbers at a time. It is known which element of the image a number of
   the columns would be a copy of; so the kernel reads it from the image, and the columns are never made. That file
   continues this story. ``backends.cudnn.enabled = False`` brings step 2 back on a GPU, with cuBLAS, as in torch.

**Gradients.** Every product input[p] · weight[q] that went into output[o] sends grad_output[o] · weight[q] back to
input[p], and grad_output[o] · input[p] to weight[q]. So there are three functions of two operands each,

    Convolution(input, weight)              → output
    TransposedConvolution(output, weight)   → input     scatter each element of the output over its window
    KernelCorrelation(output, input)        → weight    the same products, gathered at the kernel's elements

and each is linear in both operands. The gradient of any of the three is made of the other two, and so second
derivatives, third ones and so on need nothing more. ``conv_transpose2d`` is the second function by itself.
"""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.backend import Array, is_on_cpu
from minitorch.backend.layout import in_order
from minitorch.ops import conv2d_cuda, conv2d_flat, conv2d_rows, conv2d_winograd
from minitorch.ops.autocast import autocasts
from minitorch.ops.conv2d_choice import choose
from minitorch.ops.conv2d_layout import result_order
from minitorch.ops.conv2d_winograd import is_finite
from minitorch.ops.conv_arguments import check_arrays, convolution_windows, is_unbatched
from minitorch.ops.matmul import multiply
from minitorch.ops.reduction import Sum
from minitorch.ops.shape import squeeze, unsqueeze
from minitorch.ops.unfold import fold_array, unfold_array
from minitorch.ops.windows import Windows, as_planes, like_rank

FLOP_OF_ADDITION = 40.0  # an addition waits for memory as long as so many multiplications and additions of a product


class Convolution(Function):
    """output = input ⋆ weight + bias."""

    def forward(self, input: Array, weight: Array, bias: Array | None, *, windows: Windows, groups: int) -> Array:
        self.windows, self.groups = windows, groups
        needs_input, needs_weight = self.needs_input_grad[:2]
        self.save(input if needs_weight else None, weight if needs_input else None)
        return _compute("convolve", (input, weight, bias), windows, groups)

    def backward(self, grad_output: Any) -> Any:
        input, weight = self.saved
        options = {"windows": self.windows, "groups": self.groups}
        flop = 0 if weight is None else _flop(grad_output, weight)  # without, there is nothing to do at the same time
        grad_bias = sum_over_places(grad_output) if self.needs_input_grad[2] else None
        grad_weight = None if input is None else KernelCorrelation.apply_later(flop, grad_output, input, **options)
        grad_input = None if weight is None else TransposedConvolution.apply(grad_output, weight, None, **options)
        return grad_input, grad_weight, grad_bias


class TransposedConvolution(Function):
    """The input's gradient, given the output's: every element of ``output`` times the kernel, added at its window."""

    backward_name = "ConvolutionBackward0"

    def forward(self, output: Array, weight: Array, bias: Array | None, *, windows: Windows, groups: int) -> Array:
        self.windows, self.groups = windows, groups
        needs_output, needs_weight = self.needs_input_grad[:2]
        self.save(output if needs_weight else None, weight if needs_output else None)
        return _compute("transpose", (output, weight, bias), windows, groups)

    def backward(self, grad_input: Any) -> Any:
        output, weight = self.saved
        options = {"windows": self.windows, "groups": self.groups}
        flop = 0 if weight is None or output is None else _flop(output, weight)
        grad_bias = sum_over_places(grad_input) if self.needs_input_grad[2] else None
        grad_weight = None if output is None else KernelCorrelation.apply_later(flop, output, grad_input, **options)
        grad_output = None if weight is None else Convolution.apply(grad_input, weight, None, **options)
        return grad_output, grad_weight, grad_bias


class KernelCorrelation(Function):
    """The weight's gradient: for each element of the kernel, Σ of the output times the input that it met."""

    backward_name = "ConvolutionBackwardBackward0"

    def forward(self, output: Array, input: Array, *, windows: Windows, groups: int) -> Array:
        self.windows, self.groups = windows, groups
        needs_output, needs_input = self.needs_input_grad[:2]
        self.save(output if needs_input else None, input if needs_output else None)
        return _compute("correlate_kernel", (output, input), windows, groups)

    def backward(self, grad_weight: Any) -> Any:
        output, input = self.saved
        options = {"windows": self.windows, "groups": self.groups}
        grad_output = None if input is None else Convolution.apply(input, grad_weight, None, **options)
        grad_input = None if output is None else TransposedConvolution.apply(output, grad_weight, None, **options)
        return grad_output, grad_input


def sum_over_places(images: Any) -> Any:
    """(N, C, …) → (C,): the gradient of a bias, which was added at every place of every image. Perhaps ``Later``."""
    dims = (0, *range(2, images.ndim))
    return Sum.apply_later(FLOP_OF_ADDITION * math.prod(images.shape), images, dims=dims)


def _flop(output: Any, weight: Any) -> float:
    """The operations of a convolution that has this output, or of its gradients."""
    return 2.0 * math.prod(output.shape) * math.prod(weight.shape[1:])


def _compute(name: str, operands: tuple[Array | None, ...], windows: Windows, groups: int) -> Array:
    """Run one of the three functions where its operands lie: on planes, and float16 on a CPU in float32."""
    first = operands[0]
    assert first is not None  # only the bias may be missing
    planes = [each if each is None or each.ndim == 1 else as_planes(each) for each in operands]
    if not is_on_cpu(first):
        module: Any = conv2d_cuda if conv2d_cuda.applies(planes, windows, groups) else by_columns
        result = getattr(module, name)(*planes, windows, groups)
    else:
        if first.dtype.char == "e":
            planes = [None if each is None else each.astype("float32") for each in planes]
        result = _compute_on_cpu(name, planes, windows, groups)
    if name != "correlate_kernel":
        result = in_order(result, result_order(*planes[:2]))
    return like_rank(result.astype(first.dtype, copy=False), first.ndim)


def _compute_on_cpu(name: str, planes: list[Array], windows: Windows, groups: int) -> Array:
    """Run the algorithm that suits the shapes."""
    first, second = planes[:2]
    if 0 in (first.size, second.size):
        return getattr(conv2d_rows, name)(*planes, windows, groups)
    C_out, C_in = (first.shape[1], second.shape[1]) if name == "correlate_kernel" else second.shape[:2]
    algorithm = choose(name, first, C_in, C_out, windows, groups)
    result = getattr(algorithm, name)(*planes, windows, groups)
    spreads = algorithm is conv2d_winograd or (algorithm is conv2d_flat and name == "correlate_kernel")
    if spreads and not is_finite(result):
        return getattr(conv2d_rows, name)(*planes, windows, groups)
    return result


class by_columns:  # noqa: N801 (a namespace: the same three names as in conv2d_rows)
    """Step 2 of the story: the three functions as matrix products with unfolded columns, for any array module."""

    @staticmethod
    def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
        """(N, C_in, H, W) and (C_out, C_in / groups, K_h, K_w) → (N, C_out, H_out, W_out)."""
        columns = _grouped(unfold_array(input, windows), groups)
        output = multiply(_kernels(weight, groups), columns)
        return _add_bias(output.reshape(len(input), len(weight), *windows.output_size), bias)

    @staticmethod
    def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
        """(N, C_out, H_out, W_out) and the weight → (N, C_in, H, W)."""
        kernels, images = _kernels(weight, groups), _grouped(_flat(output), groups)
        columns = multiply(kernels.swapaxes(1, 2), images)  # (N, groups, K, H_out·W_out)
        N, _, K, places = columns.shape
        return _add_bias(fold_array(columns.reshape(N, groups * K, places), windows), bias)

    @staticmethod
    def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
        """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in / groups, K_h, K_w)."""
        columns = _grouped(unfold_array(input, windows), groups)
        images = _grouped(_flat(output), groups)
        kernels = multiply(images, columns.swapaxes(2, 3)).sum(0, dtype=input.dtype)
        return kernels.reshape(output.shape[1], input.shape[1] // groups, *windows.kernel_size)


def _kernels(weight: Array, groups: int) -> Array:
    """(C_out, C_in / groups, K_h, K_w) → (groups, C_out / groups, K): each kernel a row."""
    C_out, C_in, K_h, K_w = weight.shape
    return weight.reshape(groups, C_out // groups, C_in * K_h * K_w)


def _flat(images: Array) -> Array:
    """(N, C, H, W) → (N, C, H·W)."""
    N, C, H, W = images.shape
    return images.reshape(N, C, H * W)


def _grouped(rows: Array, groups: int) -> Array:
    """(N, rows, places) → (N, groups, rows / groups, places)."""
    N, count, places = rows.shape
    return rows.reshape(N, groups, count // groups, places)


def _add_bias(images: Array, bias: Array | None) -> Array:
    if bias is not None:
        images += bias[:, None, None]  # in place: the product is ours
    return images


def convolve(
    op: str, dims: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """The convolution of ``dims`` dimensions that the arguments describe, checked; ``op`` names it in errors."""
    call = check_arrays(op, dims, input, weight, bias, groups)
    windows = convolution_windows(call, stride, padding, dilation)
    if is_unbatched(input, dims):
        return squeeze(Convolution.apply(unsqueeze(input, 0), weight, bias, windows=windows, groups=groups), 0)
    return Convolution.apply(input, weight, bias, windows=windows, groups=groups)


@autocasts
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolve images with C_out kernels (as in all of deep learning, the kernel is not flipped).

    Formula: output[n, o, i, j] = bias[o] + Σ_{c,u,v} input[n, first + c, i·s_h − p_h + u·d_h, j·s_w − p_w + v·d_w]
      · weight[o, c, u, v], where ``first`` is the first input channel of the group that o belongs to.
    Shapes: input (N, C_in, H, W) or (C_in, H, W), weight (C_out, C_in / groups, K_h, K_w), bias (C_out)
      → (N, C_out, H_out, W_out) with H_out = ⌊(H + 2 p_h − d_h (K_h − 1) − 1) / s_h⌋ + 1.
    Gradient: see the top of this file.
    Args: ``stride``, ``padding``, ``dilation`` an int or a pair; ``padding`` also "valid" (none) or "same" (as much
      as keeps H and W, stride 1 only); ``groups`` splits the channels into parts convolved separately.
    Raises: RuntimeError if channels, groups, bias or dtypes do not fit, the kernel exceeds the padded input, or a
      number is out of range.
    Numerics: the order of summation is BLAS's; float16 accumulates in float32. On a GPU, float32 rounds its factors to
      TF32 (11 significant bits) unless ``backends.cudnn.allow_tf32`` is False, as in torch.

    >>> import minitorch as torch
    >>> image = torch.tensor([[[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]]])
    >>> torch.nn.functional.conv2d(image, torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]))
    tensor([[[[19., 25.],
              [37., 43.]]]])
    """
    return convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)
