"""Which of the algorithms computes a convolution on a CPU. All give the same; they differ in what they are fast at.

    file                      what is unrolled                 fast for
    conv2d_pointwise.py       nothing                          kernels of 1 × 1
    conv2d_winograd.py        nothing: sums of taps            many channels, 3 × 3 and 5 × 5, stride 1
    conv2d_channels_last.py   the kernel's width               16 to 48 channels, stride 1
    conv2d_flat.py            the kernel, in long runs         fewer than 16 channels, stride 1
    conv2d_batch_last.py      the kernel, images innermost     everything else, of two images or more
    conv2d_rows.py            the kernel's width or all of it  groups, a large single image, few places, integers

Measured (two cores with AVX-512, two threads, float32; ms: forward/input's gradient/kernel's gradient; * is chosen):

    shape                       rows             batch_last        channels_last    winograd         torch
    3→64 3×3, 64², b8           1.7/ 7.0/ 1.7*   1.1*/ 1.7*/ 1.5   4.9/ 3.7/ 2.8                     0.7/ 2.3/ 0.8
    3→32 5×5, 32², b64          3.7/ 7.8/ 2.8*   2.5*/ 4.8*/ 3.7                                     1.3/ 5.3/ 1.3
    1→6 5×5, 28², b256          2.0/ 4.1/ 1.9    1.4*/ 2.7*/ 1.4*                                    0.9/ 7.5/ 0.9
    1→96 11×11 /4, 224², b16    8.6/29.3/ 8.1    6.0*/12.2*/ 7.5*                                    3.8/58.9/ 4.0
    6→16 5×5, 14², b256         1.9/ 4.0/ 1.9    1.3*/ 2.6*/ 1.5   1.7/ 2.6 / 1.4*                   0.5/ 1.9/ 0.6
    32→32 5×5, 16², b64         7.4/ 6.9/ 6.7                      4.5*/4.2*/ 4.6*                   2.4/ 2.5/ 2.5
    32→64 5×5, 8², b64          3.5/ 3.3/ 4.4                      2.5*/2.2*/ 2.4*                   1.1/ 1.2/ 1.2
    64→64 3×3, 64², b8         16.3/15.6/13.7   13.2/16.5/11.5    15.3*/15.2*/14.1* 18.1/17.5/19.2   6.8/ 7.6/ 7.9
    64→128 3×3 /2, 56², b16    10.6/13.2/10.9    9.2*/12.7*/ 9.9*                                    6.2/ 8.1/ 7.0
    128→256 3×3, 16², b8        5.0/ 5.9/ 6.5    4.9 / 5.6 / 5.5   6.4/ 6.1/ 6.9    4.5*/4.5*/4.6*   4.0/ 3.6/ 3.6
    96→256 5×5, 26², b16       51.5/56.0/47.2   42.2*/50.6*/42.2*  61 / 65 /106    49.4/51.6/50.2   33.5/35.2/34.9
    128→128 3×3, 32², b8       10.7/10.0/ 9.6    9.5/11.6/ 9.3    11.2/10.8/11.2    9.6*/9.9*/10.1*  6.3/ 7.5/ 7.2
    384→384 3×3, 12², b16      25.0/25.3/30.8                                      15.0*/14.6*/15.2* 16.3/16.5/16.6
    512→512 3×3, 4², b8         2.8*/3.2*/ 5.1*  3.2 / 2.7 / 5.6  12.1/ 7.1/ 8.2    4.0/ 3.9/ 5.4    1.9/ 1.8/ 3.1
    64→64 3×3, 56², one image   1.6*/1.7*/ 1.7*  2.8 / 3.4 / 2.5   2.1/ 2.0/ 1.9    3.0/ 3.0/ 3.1    0.9/ 0.9/ 0.9

on another processor, with half of the cache a core (1 MB), which decided where the above was close:

    64→64 3×3, 64², b8         19.5/18.9/17.9   21.4/28.1/19.8    16.3*/16.2*/17.5* 21.3/21.8/23.5  12.4/12.6/14.4
    6→16 5×5, 14², b256         1.7/ 3.7/ 1.8    1.1*/ 2.1*/ 1.5   1.5/ 2.9/ 1.4*                    0.7/ 1.7/ 1.3

and with few channels, on the first one and on one thread, where rows end to end were still to come:

    shape                       rows             batch_last        flat                              torch
    1→6 5×5, 28², b256          2.1/   - / 2.4   2.5 / 3.6*/ 2.5   1.5*/ 4.4/ 1.6*                   1.7/15.5/ 1.8
    3→32 5×5, 32², b64          6.1/   - / 3.4*  4.5 / 6.5*/ 5.0   2.9*/18.1/ 4.2                    2.3/10.6/ 2.5
    3→64 3×3, 64², b8           2.1/   - / 2.3*  1.7 / 2.2*/ 3.0   1.4*/ 8.3/ 2.7                    1.2/ 4.3/ 1.4
    8→16 3×3, 28², b64          2.3/ 3.2/ 2.3    2.5 / 3.7 / 3.2   1.7*/ 2.2/ 2.1                    1.0/ 2.0/ 1.6

Two threads hardly help where there is little to compute (first row: 1.3 to 1.8 ms). NumPy's calls take 20 µs each, and
after each of them a thread asks for Python's lock, and waits 50 µs where the other one has it.
"""

from __future__ import annotations

from types import ModuleType

from minitorch.backend import Array
from minitorch.ops import (
    conv2d_batch_last,
    conv2d_channels_last,
    conv2d_flat,
    conv2d_pointwise,
    conv2d_rows,
    conv2d_winograd,
)
from minitorch.ops.windows import Windows

ALGORITHMS: dict[str, ModuleType] = {
    "rows": conv2d_rows,
    "batch_last": conv2d_batch_last,
    "flat": conv2d_flat,
    "channels_last": conv2d_channels_last,
    "winograd": conv2d_winograd,
    "pointwise": conv2d_pointwise,
}
MANY_CHANNELS = 128  # from here on Winograd's sums cost less than the multiplications that they save
MANY_TILES = 96  # … and its sums of taps are worth making
FEW_CHANNELS = 16  # below, copying runs of that many channels is slow …
VERY_FEW_CHANNELS = 6  # … and below that also for the gradients, whose products are larger
MEDIUM_CHANNELS = 48  # above, products are wide enough in any layout …
LARGEST_MEDIUM = 64  # … unless neither image has more than this
MANY_IMAGES = 64
MOST_PLACES_OF_ONE = 10_000

forced: str | None = None  # the name of the algorithm that computes whatever it can; for tests


def choose(name: str, images: Array, C_in: int, C_out: int, windows: Windows, groups: int) -> ModuleType:
    """The algorithm for the function ``name``; ``images`` is its first operand."""
    if forced is not None:
        is_able = forced == "rows" or ALGORITHMS[forced].applies(windows, groups)
        return ALGORITHMS[forced] if is_able and images.dtype.kind == "f" else conv2d_rows
    if groups > 1 or images.dtype.kind != "f":
        return conv2d_rows
    if len(images) < 2:
        return _choose_for_one_image(name, C_in, C_out, windows)
    if conv2d_pointwise.applies(windows, groups):
        return conv2d_pointwise
    return _choose_by_size(name, images, C_in, C_out, windows)


def _choose_for_one_image(name: str, C_in: int, C_out: int, windows: Windows) -> ModuleType:
    """Of a small one with few channels, what is remembered of the shape counts: LeNet's first layer, 44 → 21 µs."""
    H_out, W_out = windows.output_size
    if C_in >= FEW_CHANNELS or H_out * W_out > MOST_PLACES_OF_ONE:
        return conv2d_rows
    return conv2d_flat if _suits_long_runs(name, C_in, C_out, windows) else conv2d_batch_last


def _choose_by_size(name: str, images: Array, C_in: int, C_out: int, windows: Windows) -> ModuleType:
    fewest, (H_out, W_out) = min(C_in, C_out), windows.output_size
    places = len(images) * H_out * W_out
    if fewest >= MANY_CHANNELS and images.dtype.char == "f" and conv2d_winograd.applies(windows, 1):
        return conv2d_winograd if places >= 4 * MANY_TILES else conv2d_rows
    if fewest >= MANY_CHANNELS and places < 4 * MANY_TILES:
        return conv2d_rows
    has_stride = windows.stride != (1, 1)
    few = FEW_CHANNELS if name == "convolve" else VERY_FEW_CHANNELS
    is_medium = fewest <= MEDIUM_CHANNELS or max(C_in, C_out) <= LARGEST_MEDIUM
    if _suits_long_runs(name, C_in, C_out, windows):
        return conv2d_flat
    if few <= fewest and is_medium and not has_stride and not _shrinks(name, images, fewest, windows):
        return conv2d_channels_last
    if name == "correlate_kernel" and C_in < VERY_FEW_CHANNELS and C_out >= FEW_CHANNELS and not has_stride:
        return conv2d_rows
    return conv2d_batch_last


def _suits_long_runs(name: str, C_in: int, C_out: int, windows: Windows) -> bool:
    """Whether it pays to lay an image's rows end to end: to unroll few channels, and few products with them."""
    is_small = C_in < FEW_CHANNELS and (name == "convolve" or (name == "correlate_kernel" and C_out < FEW_CHANNELS))
    return is_small and conv2d_flat.applies(windows, 1) and conv2d_flat.wastes_little(windows)


def _shrinks(name: str, images: Array, fewest: int, windows: Windows) -> bool:
    """Whether many small images lose a third of their places: to find their gradient, place by place, takes longer."""
    (H, W), (H_out, W_out) = windows.input_size, windows.output_size
    is_small = fewest < FEW_CHANNELS // 2 and len(images) >= MANY_IMAGES
    return name == "transpose" and is_small and 3 * H_out * W_out <= 2 * H * W
