"""Launching ``random.cu``: what a GPU's generator draws, a launch for each draw. The formulas stand there."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

import numpy
from numpy.typing import DTypeLike

from minitorch.backend import accelerator
from minitorch.backend import distribution_arguments as arguments
from minitorch.backend.arrays import Array, row_major
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, TYPES, blocks_for

Shape = int | tuple[int, ...]

kernels = KernelFile(Path(__file__).with_name("random.cu"))
_ELEMENTS = {
    **TYPES,
    "bool": "bool",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long long",
    "uint8": "unsigned char",
    "uint16": "unsigned short",
    "uint32": "unsigned int",
    "uint64": "unsigned long long",
}
_HALF_WORDS, _WORDS = 4, 2  # elements that a thread makes of its counter, of 32 bits or of 64 each
_SMALL_RANGE = 1 << 32  # integers of a larger range take the whole counter


class Place(NamedTuple):
    """Where a draw's numbers are: arguments of a kernel (see ``philox.cuh``)."""

    state: Array | None
    seed: numpy.uint64
    offset: numpy.uint64


class DeviceDistributions(ABC):
    """The distributions of ``CPUGenerator``, drawn on a GPU. Each method returns a fresh array, row after row.

    Arguments are checked as there; but nobody looks at values that lie on the GPU, as that would mean to wait for it.
    """

    index: int

    @abstractmethod
    def next_place(self) -> Place:
        """The place of the next draw."""

    def empty(self, shape: Shape, dtype: DTypeLike) -> Array:
        """Fresh memory on the generator's GPU."""
        cupy = accelerator.require(self.index)
        if cupy.cuda.runtime.getDevice() == self.index:
            return cupy.empty(shape, dtype)
        with cupy.cuda.Device(self.index):
            return cupy.empty(shape, dtype)

    def _draw(
        self, kernel: str, shape: Shape, dtype: numpy.dtype[Any], parameters: list[Any], each: int, *inputs: Array
    ) -> Array:
        """The output of a kernel that makes ``each`` elements of a counter; a draw of none takes no offset."""
        output = self.empty(shape, dtype)
        if output.size:
            settings = {"ELEMENT": _ELEMENTS[dtype.name]}
            if kernel == "bernoulli_from":
                settings["PROBABILITY"] = _ELEMENTS[inputs[0].dtype.name]
            blocks = blocks_for(output.size, each * BLOCK)
            everything = [output, *inputs, *self.next_place(), *parameters, output.size]
            kernels.launch(kernel, (blocks,), (BLOCK,), everything, settings)
        return output

    def _draw_floating(self, kernel: str, shape: Shape, dtype: numpy.dtype[Any], *parameters: float) -> Array:
        each = _WORDS if dtype == numpy.float64 else _HALF_WORDS
        return self._draw(kernel, shape, dtype, [float(value) for value in parameters], each)

    # ---- continuous

    def uniform(self, shape: Shape, dtype: DTypeLike, low: float = 0.0, high: float = 1.0) -> Array:
        """`rand` and `uniform_(low, high)`: low + u·(high − low); what rounding makes `high` is `low`."""
        dtype = arguments.require_floating(dtype, "check_uniform_bounds")
        arguments.check_uniform_bounds(low, high, dtype)
        return self._draw_floating("uniform", shape, dtype, low, high)

    def normal(
        self, shape: Shape, dtype: DTypeLike, mean: float = 0.0, std: float = 1.0, in_blocks: bool = True
    ) -> Array:
        """`randn` and `normal_(mean, std)`: Box–Muller pairs. ``in_blocks`` means something to the CPU only."""
        dtype = arguments.check_normal(dtype, std, "normal_kernel_cuda")
        return self._draw_floating("normal", shape, dtype, mean, std)

    def exponential(self, shape: Shape, dtype: DTypeLike, rate: float = 1.0) -> Array:
        """`exponential_(rate)`: −log(u) / rate, never 0."""
        return self._draw_floating("exponential", shape, arguments.check_exponential(dtype, rate), rate)

    def log_normal(self, shape: Shape, dtype: DTypeLike, mean: float = 1.0, std: float = 2.0) -> Array:
        """`log_normal_(mean, std)`: exp of normals."""
        dtype = arguments.check_log_normal(dtype, std, "log_normal_cuda")
        return self._draw_floating("log_normal", shape, dtype, mean, std)

    def cauchy(self, shape: Shape, dtype: DTypeLike, median: float = 0.0, sigma: float = 1.0) -> Array:
        """`cauchy_(median, sigma)`: median + sigma·tan(π·(u − ½))."""
        return self._draw_floating("cauchy", shape, arguments.check_cauchy(dtype, sigma), median, sigma)

    # ---- discrete

    def integers(self, low: int, high: int | None, shape: Shape, dtype: DTypeLike) -> Array:
        """`randint(low, high)` and `random_(low, high)`; ``high=None``: up to the largest value of the dtype."""
        dtype = numpy.dtype(dtype)
        if high is None and low == -(2**63):
            arguments.check_full_range(dtype, "random_full_64_bits_range_kernel_cuda")
            return self._integers(low, 2**64, shape, dtype)
        low, high = arguments.integer_bounds(low, high, dtype)
        return self._integers(low, high - low, shape, dtype)

    def random(self, shape: Shape, dtype: DTypeLike) -> Array:
        """`random_()`: from 0 to the largest value of the dtype; for floats, to 2^digits."""
        dtype = numpy.dtype(dtype)
        arguments.check_random(dtype, "random_kernel_cuda")
        return self._integers(0, arguments.largest_integer(dtype) + 1, shape, dtype)

    def _integers(self, low: int, size: int, shape: Shape, dtype: numpy.dtype[Any]) -> Array:
        each = _WORDS if size <= _SMALL_RANGE else 1
        bounds = [numpy.uint64(low % 2**64), numpy.uint64(size % 2**64)]
        return self._draw("integers", shape, dtype, bounds, each)

    def geometric(self, shape: Shape, dtype: DTypeLike, probability: float) -> Array:
        """`geometric_(probability)`: ⌈log u / log(1 − probability)⌉ with u float64."""
        arguments.check_geometric(probability)
        return self._draw("geometric", shape, numpy.dtype(dtype), [math.log1p(-probability)], _WORDS)

    def bernoulli(self, probability: float, shape: Shape, dtype: DTypeLike) -> Array:
        """`bernoulli_(probability)` and dropout masks: 1 where a word of 32 bits is below its share."""
        arguments.check_bernoulli(probability)
        bound = numpy.uint64(round(probability * 2**32))
        return self._draw("bernoulli", shape, numpy.dtype(dtype), [bound], _HALF_WORDS)

    def bernoulli_from(self, probabilities: Array, dtype: DTypeLike | None = None) -> Array:
        """`torch.bernoulli(probabilities)`: 1 where a float64 uniform is below the element's probability.

        Nobody looks whether these lie in [0, 1]: the sample is 0 below, and for nan, and 1 above.
        """
        arguments.require_floating(probabilities.dtype, "bernoulli_tensor_cuda_p_")
        chosen = numpy.dtype(probabilities.dtype if dtype is None else dtype)
        return self._draw("bernoulli_from", probabilities.shape, chosen, [], _WORDS, row_major(probabilities))

    def permutation(self, n: int) -> Array:
        """`randperm(n)`: the order of n random keys of 64 bits; int64."""
        arguments.check_permutation(n)
        keys = self._integers(-(2**63), 2**64, n, numpy.dtype("int64"))
        return keys.argsort() if n else keys

    def multinomial(self, probabilities: Array, num_samples: int, replacement: bool = False) -> Array:
        """`torch.multinomial`: `num_samples` indices per row, drawn in proportion to `probabilities`.

        As on the CPU: without replacement (or for one sample) the largest p/q with q exponential; with replacement a
        uniform number per sample, searched in the cumulative sums. Nobody looks whether a row can be drawn from.
        """
        arguments.check_multinomial(probabilities, num_samples, replacement)
        if replacement and num_samples > 1:
            return self._multinomial_by_search(probabilities, num_samples)
        if probabilities.dtype == numpy.float16:  # of which quotients would be too large
            probabilities = probabilities.astype("float32")
        scores = probabilities / self.exponential(probabilities.shape, probabilities.dtype)
        if num_samples == 1:
            return scores.argmax(-1)[..., None]
        return row_major((-scores).argsort(axis=-1)[..., :num_samples])

    def _multinomial_by_search(self, probabilities: Array, num_samples: int) -> Array:
        cumulative = row_major(probabilities.astype("float64").cumsum(axis=-1))
        shape = (*probabilities.shape[:-1], num_samples)
        sizes = [probabilities.shape[-1], num_samples]
        return self._draw("categories", shape, numpy.dtype("int64"), sizes, _WORDS, cumulative)
