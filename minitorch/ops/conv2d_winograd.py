"""Convolution with fewer multiplications: Winograd's minimal filtering, for many channels, stride 1 and odd kernels.

Two neighbouring outputs of three taps share most of their inputs:

    y₀ = d₀ g₀ + d₁ g₁ + d₂ g₂                     six multiplications
    y₁ = d₁ g₀ + d₂ g₁ + d₃ g₂

    m₀ = (d₀ − d₂) g₀                 m₁ = (d₁ + d₂) (g₀ + g₁ + g₂) / 2          four
    m₃ = (d₁ − d₃) g₂                 m₂ = (d₂ − d₁) (g₀ − g₁ + g₂) / 2
    y₀ = m₀ + m₁ + m₂                 y₁ = m₁ − m₂ − m₃

The sums of taps are made once for all images. In two dimensions the same is done with columns and then with rows:
a *tile* of 2 × 2 outputs takes 4 · 4 = 16 multiplications instead of 2 · 2 · 3 · 3 = 36. Each d is a vector of C_in
channels, each m one of C_out, each multiplication a product with a matrix; so there are 16 matrix products

    (tiles × C_in) · (C_in × C_out)            one for each of the 16 combinations ("points")

Five taps are three and two more; two taps take three multiplications:

    m₄ = (d₃ − d₄) g₃      m₅ = d₄ (g₃ + g₄)      m₆ = (d₄ − d₅) g₄      y₀ += m₄ + m₅      y₁ += m₅ − m₆

so a tile takes 49 instead of 100. (A scheme with six would need larger coefficients and lose digits.)

**The gradients** are the same sums read backwards. The input's is a convolution with the kernel turned round. The
kernel's: ∂loss/∂m = the transpose of the sums that made y (``_spread_gradient``), times d's sums, summed over tiles.

**What it is worth**: 2.25 and 2.04 times fewer multiplications, for about ten passes over the data. That pays from
about a hundred channels on. Torch's time over ours, two cores, forward | input's and kernel's gradient, float32:

    shape                        direct         this
    128→128 3×3, 32², b8       0.60 | 0.70   0.69 | 0.79
    256→256 3×3, 16², b8       0.69 | 0.58   1.01 | 1.02
    384→384 3×3, 12², b16      0.65 | 0.59   1.09 | 1.11
    96→256 5×5, 26², b16       0.68 | 0.66   0.71 | 0.70

**Numerics**: the error against float64 is 1 to 3 times torch's. Sums may overflow, or mix an infinity of one window
into its neighbours, where the convolution itself would not: a result that is not finite is computed again directly.

Source: A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016; S. Winograd, "Arithmetic
Complexity of Computations", 1980.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minitorch.backend import Array, array_module, host, parallel, split
from minitorch.backend.threads import LEAST_FLOP
from minitorch.ops.conv2d_layout import PADDED_CHANNELS, empty_images, images_to_channels_last
from minitorch.ops.windows import Windows, inside

BLOCK_BYTES = 24_000_000  # of the sums of one block of images: more of them make longer products
PIECE_BYTES = 1_600_000  # of the scratch with which one thread adds up: it stays in its cache
# The sums of taps, a row for each product.
TAPS = {
    3: [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]],
    5: [
        *([1, 0, 0, 0, 0], [0.5, 0.5, 0.5, 0, 0], [0.5, -0.5, 0.5, 0, 0], [0, 0, 1, 0, 0]),
        *([0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1]),
    ],
}


def applies(windows: Windows, groups: int) -> bool:
    """Whether the convolution is of the kind that this file computes."""
    return groups == 1 and windows.stride == windows.dilation == (1, 1) and all(k in TAPS for k in windows.kernel_size)


def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_in, H, W) and (C_out, C_in, K_h, K_w) → (N, C_out, H_out, W_out)."""
    kernels = _kernels(weight, _tap_sums(windows, weight.dtype))
    return _convolve(input, kernels.swapaxes(1, 2), bias, windows)


def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and the weight → (N, C_in, H, W): a convolution with the kernel turned round."""
    kernels = _kernels(weight, _tap_sums(windows, weight.dtype)[:, ::-1])
    return _convolve(output, kernels, bias, windows.of_transpose())


def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in, K_h, K_w)."""
    xp = array_module(input)
    C_out, C_in = output.shape[1], input.shape[1]
    tiles = _Tiles(windows, input, C_in, C_out)
    total = xp.zeros((tiles.points, C_out, C_in), input.dtype)
    for images in tiles.blocks(len(input)):
        sums = tiles.sums_of_images(input[images])
        gradients = tiles.gradients_of_products(output[images])

        def work(points: slice, sums: Array = sums, gradients: Array = gradients) -> None:
            total[points] += xp.matmul(gradients[points].swapaxes(1, 2), sums[points])

        tiles.run(tiles.points, work)
    return _kernel_gradient(total, _tap_sums(windows, input.dtype)).reshape(C_out, C_in, *windows.kernel_size)


def is_finite(result: Array) -> bool:
    """Whether the result can be trusted (see Numerics); a sum that overflows by itself only costs time."""
    xp = array_module(result)
    parts = result.reshape(len(result), result[0].size)
    sums = parallel(split(len(result), result.size), lambda part: xp.add.reduce(parts[part], None))
    return all(bool(xp.isfinite(each)) for each in sums)


def _convolve(input: Array, kernels: Array, bias: Array | None, windows: Windows) -> Array:
    """The convolution, given the sums of taps as (points, C_in, C_out)."""
    xp = array_module(input)
    C_in, C_out = kernels.shape[1:]
    tiles = _Tiles(windows, input, C_in, C_out)
    output = empty_images((len(input), C_out, *windows.output_size), input)
    for images in tiles.blocks(len(input)):
        sums = tiles.sums_of_images(input[images])
        products = xp.empty((*sums.shape[:2], C_out), input.dtype)

        def work(points: slice, sums: Array = sums, products: Array = products) -> None:
            xp.matmul(sums[points], kernels[points], out=products[points])

        tiles.run(tiles.points, work)
        if bias is not None:
            products[tiles.everywhere] += bias
        tiles.sum_products(products, output[images])
    return output


def _tap_sums(windows: Windows, dtype: Any) -> Array:
    """(points, K_h · K_w): how a kernel's elements are added up for each point."""
    rows, columns = (host.array(TAPS[size], dtype) for size in windows.kernel_size)
    return host.kron(rows, columns)


def _kernels(weight: Array, tap_sums: Array) -> Array:
    """(C_out, C_in, K_h, K_w) → (points, C_out, C_in)."""
    xp = array_module(weight)
    C_out, C_in = weight.shape[:2]
    kernels = xp.empty((len(tap_sums), C_out * C_in), weight.dtype)
    flat = weight.reshape(C_out * C_in, tap_sums.shape[1])

    def work(part: slice) -> None:
        xp.matmul(tap_sums, flat[part].T, out=kernels[:, part])

    parallel(split(C_out * C_in, kernels.size), work)
    return kernels.reshape(len(tap_sums), C_out, C_in)


def _kernel_gradient(total: Array, tap_sums: Array) -> Array:
    """The transpose of ``_kernels``: (points, C_out, C_in) → (C_out · C_in, K_h · K_w)."""
    xp = array_module(total)
    flat = total.reshape(len(tap_sums), total[0].size)
    gradient = xp.empty((total[0].size, tap_sums.shape[1]), total.dtype)

    def work(part: slice) -> None:
        xp.matmul(flat[:, part].T, tap_sums, out=gradient[part])

    parallel(split(len(gradient), total.size), work)
    return gradient


def _spread(inputs: Sequence[Array], sums: Array) -> None:
    """d₀ … d₃ (or d₅) of all tiles → the factor of each product that is made of them."""
    xp = array_module(sums)
    xp.subtract(inputs[0], inputs[2], out=sums[0])
    xp.add(inputs[1], inputs[2], out=sums[1])
    xp.subtract(inputs[2], inputs[1], out=sums[2])
    xp.subtract(inputs[1], inputs[3], out=sums[3])
    if len(sums) == 7:
        xp.subtract(inputs[3], inputs[4], out=sums[4])
        sums[5] = inputs[4]
        xp.subtract(inputs[4], inputs[5], out=sums[6])


def _gather(products: Array, first: Array, second: Array) -> None:
    """The products → y₀ and y₁ of all tiles."""
    xp = array_module(products)
    xp.add(products[0], products[1], out=first)
    first += products[2]
    xp.subtract(products[1], products[2], out=second)
    second -= products[3]
    if len(products) == 7:
        first += products[4]
        first += products[5]
        second += products[5]
        second -= products[6]


def _spread_gradient(first: Array, second: Array, gradients: Array) -> None:
    """The transpose of ``_gather``: gradients of y₀ and y₁ → those of the products."""
    xp = array_module(gradients)
    gradients[0] = first
    xp.add(first, second, out=gradients[1])
    xp.subtract(first, second, out=gradients[2])
    xp.negative(second, out=gradients[3])
    if len(gradients) == 7:
        gradients[4] = first
        gradients[5] = gradients[1]
        gradients[6] = gradients[3]


class _Tiles:
    """The tiles of 2 × 2 outputs: their number, and the sums of what they see and of what is made of it."""

    def __init__(self, windows: Windows, like: Array, C_in: int, C_out: int) -> None:
        self.windows, self.like, self.C_in, self.C_out = windows, like, C_in, C_out
        self.rows, self.columns = (-(-size // 2) for size in windows.output_size)
        self.row_points, self.column_points = (len(TAPS[size]) for size in windows.kernel_size)
        self.points = self.row_points * self.column_points
        self.everywhere = self.column_points + 1  # the point that enters all four outputs with a plus
        self.flop = 2 * len(like) * self.rows * self.columns * self.points * C_in * C_out

    def blocks(self, N: int) -> list[slice]:
        """A few images at a time."""
        image_bytes = self.points * self.rows * self.columns * (self.C_in + self.C_out) * self.like.itemsize
        count = -(-N * image_bytes // BLOCK_BYTES)
        size = -(-N // min(count, N)) if N else 1
        return [slice(start, min(start + size, N)) for start in range(0, N, size)]

    def run(self, count: int, work: Callable[[slice], None]) -> None:
        """Share ``count`` things out among the threads."""
        parallel(split(count, self.flop, LEAST_FLOP), work)

    def run_pieces(self, N: int, channels: int, work: Callable[[slice, slice, dict[Any, Array]], None]) -> None:
        """``work`` on a few images, or rows of tiles of one image, at a time.

        It is given a place for the scratch that one thread uses again and again.
        """
        row_bytes = (4 + 2 * self.row_points) * self.columns * channels * self.like.itemsize
        step = max(1, PIECE_BYTES // row_bytes)
        images, rows = (1, step) if step < self.rows else (step // self.rows, self.rows)

        def run(share: slice) -> None:
            scratch: dict[Any, Array] = {}
            for first in range(share.start, share.stop, images):
                for top in range(0, self.rows, rows):
                    chosen = slice(first, min(first + images, share.stop))
                    work(chosen, slice(top, min(top + rows, self.rows)), scratch)

        self.run(N, run)

    def sums_of_images(self, images: Array) -> Array:
        """(n, C_in, H, W) → (points, n · tiles, C_in)."""
        xp = array_module(images)
        n, columns, C = len(images), self.columns, self.C_in
        sums = xp.empty((self.row_points, self.column_points, n, self.rows, columns, C), images.dtype)
        K_h, K_w = self.windows.kernel_size

        def work(chosen: slice, rows: slice, scratch: dict[Any, Array]) -> None:
            padded, last = self._padded(images[chosen], rows, scratch), 2 * (rows.stop - rows.start) - 1
            half = _scratch(scratch, "half", (self.row_points, len(padded), (last + 1) // 2, *padded.shape[2:]), padded)
            _spread([padded[:, u : u + last : 2] for u in range(K_h + 1)], half)
            parts = [half[:, :, :, v : v + 2 * columns - 1 : 2] for v in range(K_w + 1)]
            _spread(parts, sums[:, :, chosen, rows].swapaxes(0, 1))

        self.run_pieces(n, C, work)
        return sums.reshape(self.points, n * self.rows * columns, C)

    def _padded(self, images: Array, tile_rows: slice, scratch: dict[Any, Array]) -> Array:
        """(n, C, H, W) → (n, rows, columns, C): what some rows of tiles see, zeros where that is padding."""
        n, C, H, W = images.shape
        (K_h, K_w), (p_h, p_w) = self.windows.kernel_size, self.windows.padding
        height, width = 2 * (tile_rows.stop - tile_rows.start) + K_h - 1, 2 * self.columns + K_w - 1
        rows, input_rows = inside(height, 2 * tile_rows.start - p_h, 1, H)
        columns, input_columns = inside(width, -p_w, 1, W)
        padded = _scratch(scratch, f"padded {rows}", (n, height, width, C), images)
        images_to_channels_last(images[:, :, input_rows, input_columns], padded[:, rows, columns], scratch)
        return padded

    def sum_products(self, products: Array, output: Array) -> None:
        """(points, n · tiles, C_out) → ``output`` (n, C_out, H_out, W_out)."""
        n, columns, C = len(output), self.columns, self.C_out
        products = products.reshape(self.row_points, self.column_points, n, self.rows, columns, C)
        W = self.windows.output_size[1]

        def work(chosen: slice, rows: slice, scratch: dict[Any, Array]) -> None:
            part, target = products[:, :, chosen, rows], output[chosen, :, 2 * rows.start : 2 * rows.stop]
            count, height = part.shape[2:4]
            half = _scratch(scratch, "half", (2, self.column_points, count, height, columns, C), part)
            _gather(part, half[0], half[1])
            places = _scratch(scratch, "places", (count, height, 2, columns, 2, C + PADDED_CHANNELS), part)[..., :C]
            tiles = places.transpose(2, 4, 0, 1, 3, 5)  # (2, 2, n, rows, columns, C)
            _gather(half.swapaxes(0, 1), tiles[:, 0], tiles[:, 1])
            whole = places.reshape(count, 2 * height, 2 * columns, C)
            target[...] = whole[:, : target.shape[2], :W].transpose(0, 3, 1, 2)

        self.run_pieces(n, C, work)

    def gradients_of_products(self, output: Array) -> Array:
        """The transpose of ``sum_products``: (n, C_out, H_out, W_out) → (points, n · tiles, C_out)."""
        xp = array_module(output)
        n, columns, C = len(output), self.columns, self.C_out
        gradients = xp.empty((self.row_points, self.column_points, n, self.rows, columns, C), output.dtype)
        W = self.windows.output_size[1]

        def work(chosen: slice, rows: slice, scratch: dict[Any, Array]) -> None:
            part, height = output[chosen, :, 2 * rows.start : 2 * rows.stop], rows.stop - rows.start
            count, seen = len(part), part.shape[2]
            places = _scratch(scratch, f"places {seen}", (count, 2 * height, 2 * columns, C), part)
            images_to_channels_last(part, places[:, :seen, :W], scratch)
            pairs = places.reshape(count, height, 2, 2 * columns, C)
            half = _scratch(scratch, "half", (self.row_points, count, height, 2 * columns, C), part)
            _spread_gradient(pairs[:, :, 0], pairs[:, :, 1], half)
            halves = half.reshape(self.row_points, count, height, columns, 2, C)
            parts = gradients[:, :, chosen, rows].swapaxes(0, 1)
            _spread_gradient(halves[..., 0, :], halves[..., 1, :], parts)

        self.run_pieces(n, C, work)
        return gradients.reshape(self.points, n * self.rows * columns, C)


def _scratch(scratch: dict[Any, Array], name: str, shape: tuple[int, ...], like: Array) -> Array:
    """Memory of that shape, zero when it is first used (what is padding stays zero)."""
    key = name, shape
    if key not in scratch:
        scratch[key] = array_module(like).zeros(shape, like.dtype)
    return scratch[key]
