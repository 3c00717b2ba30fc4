"""Two-dimensional convolution, grown in two steps.

`corr2d` slides one kernel over one image. `conv2d` does the same for a batch of images with many
channels, and adds stride, padding, dilation, groups and bias. Its heart is `multiplications`, the
list of all single products; forward and both gradients are three sums over that one list.
"""

import numpy as np


def corr2d(X, K):
    """Slide the kernel K over the image X: two-dimensional cross-correlation.

    Formula: Y[i, j] = Σ_{u,v} X[i + u, j + v] · K[u, v]
    Shapes: X (H, W), K (h, w) → (H - h + 1, W - w + 1)
    """
    h, w = K.shape
    Y = np.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            for u in range(h):
                for v in range(w):
                    Y[i, j] += X[i + u, j + v] * K[u, v]
    return Y


def conv2d(input, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Convolve a batch of images with C_out kernels.

    Formula: output[n, c_out, i, j] = bias[c_out]
      + Σ_{c,u,v} input[n, first + c, i·s_h - p_h + u·d_h, j·s_w - p_w + v·d_w] · weight[c_out, c, u, v]
    where s, p, d are stride, padding, dilation, the input is 0 outside its borders, and `first` is
    the first input channel of the group that c_out belongs to.
    Shapes: input (N, C_in, H, W), weight (C_out, C_in / groups, K_h, K_w), bias (C_out,)
    → (N, C_out, H_out, W_out), where H_out = ⌊(H + 2 p_h - d_h (K_h - 1) - 1) / s_h⌋ + 1.
    """
    N, C_out = input.shape[0], weight.shape[0]
    H_out, W_out = output_size(input.shape, weight.shape, stride, padding, dilation)
    output = np.zeros((N, C_out, H_out, W_out))
    for place, input_place, weight_place in multiplications(
        input.shape, weight.shape, stride, padding, dilation, groups
    ):
        output[place] += input[input_place] * weight[weight_place]
    if bias is not None:
        for n, c_out, i, j in np.ndindex(*output.shape):
            output[n, c_out, i, j] += bias[c_out]
    return output


def conv2d_gradient(grad_output, input, weight, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Return (grad_input, grad_weight, grad_bias).

    Gradient: each product input[p] · weight[q] that went into output[o] adds
    grad_output[o] · weight[q] to grad_input[p] and grad_output[o] · input[p] to grad_weight[q];
    grad_bias[c_out] = Σ_{n,i,j} grad_output[n, c_out, i, j].
    """
    grad_input, grad_weight = np.zeros(input.shape), np.zeros(weight.shape)
    grad_bias = np.zeros(weight.shape[0])
    for place, input_place, weight_place in multiplications(
        input.shape, weight.shape, stride, padding, dilation, groups
    ):
        grad_input[input_place] += grad_output[place] * weight[weight_place]
        grad_weight[weight_place] += grad_output[place] * input[input_place]
    for n, c_out, i, j in np.ndindex(*grad_output.shape):
        grad_bias[c_out] += grad_output[n, c_out, i, j]
    return grad_input, grad_weight, grad_bias


def multiplications(input_shape, weight_shape, stride, padding, dilation, groups):
    """Yield, for every single multiplication of the convolution, its place in (output, input, weight)."""
    N, _, H, W = input_shape
    C_out, C_in_per_group, K_h, K_w = weight_shape
    C_out_per_group = C_out // groups
    H_out, W_out = output_size(input_shape, weight_shape, stride, padding, dilation)
    for n, c_out, i, j in np.ndindex(N, C_out, H_out, W_out):
        first_channel = c_out // C_out_per_group * C_in_per_group
        for c, u, v in np.ndindex(C_in_per_group, K_h, K_w):
            row = i * stride[0] - padding[0] + u * dilation[0]
            column = j * stride[1] - padding[1] + v * dilation[1]
            if 0 <= row < H and 0 <= column < W:  # outside lies the padding, zeros that add nothing
                yield (n, c_out, i, j), (n, first_channel + c, row, column), (c_out, c, u, v)


def output_size(input_shape, weight_shape, stride, padding, dilation):
    """Return (H_out, W_out): at how many places the dilated kernel fits into the padded input."""
    sizes = []
    for axis in (0, 1):
        padded = input_shape[2 + axis] + 2 * padding[axis]
        reach = dilation[axis] * (weight_shape[2 + axis] - 1) + 1
        sizes.append((padded - reach) // stride[axis] + 1)
    return tuple(sizes)
