"""What a test file says about an op, once; ``contract.py`` turns it into all kinds of test.

    Declaration(
        name="add",
        samples=add_samples,              # draws a Sample: which shapes, which options
        reference=reference.elementwise.add,
        errors=[ErrorCase(...)],
    )

A sample holds *specifications* of tensors (``Spec``: shape, range, layout), not values; values come from a
seeded generator, so that a failing example shrinks to its structure and can be printed in a line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy

LAYOUTS = ("contiguous", "transposed", "strided", "offset")


@dataclass(frozen=True)
class Spec:
    """A tensor to be made: ``shape``, a dtype (None: the test's), values in [low, high], and how they are laid out.

    ``gap``: keep this far from each value in ``kinks`` (where a derivative jumps). ``distinct``: no two equal
    values, but ``spacing`` apart: for max, sort and their like, where ties are tested on their own. Normalisation
    divides by the standard deviation, and multiplies rounding errors as much: there the spacing is wider.
    ``values``: these exactly. ``differentiable``: gradients may be asked for.
    """

    shape: tuple[int, ...] = ()
    dtype: str | None = None
    low: float = -2.0
    high: float = 2.0
    kinks: tuple[float, ...] = ()
    gap: float = 0.05
    distinct: bool = False
    spacing: float = 0.03
    values: Any = None
    layout: str = "contiguous"
    differentiable: bool = True

    def make(self, generator: numpy.random.Generator, dtype: str) -> numpy.ndarray:
        """A NumPy array as specified."""
        name = self.dtype or dtype
        values = numpy.asarray(self.values) if self.values is not None else self._draw(generator, name)
        return arrange(values.astype(name), self.layout)

    def _draw(self, generator: numpy.random.Generator, name: str) -> numpy.ndarray:
        if name == "bool":
            return generator.integers(0, 2, self.shape)
        if numpy.dtype(name).kind in "iu":
            low = max(int(self.low), numpy.iinfo(name).min)
            return generator.integers(low, int(self.high) + 1, self.shape)
        if self.distinct:
            size = int(numpy.prod(self.shape))
            return ((generator.permutation(size) - size // 2) * self.spacing + 0.011).reshape(self.shape)
        values = generator.uniform(self.low, self.high, self.shape)
        for kink in self.kinks:
            side = numpy.where(values >= kink, 1.0, -1.0)
            values = numpy.where(abs(values - kink) < self.gap, kink + side * self.gap * 2, values)
        return values


def arrange(values: numpy.ndarray, layout: str) -> numpy.ndarray:
    """The same values in another memory layout."""
    if layout == "transposed" and values.ndim >= 2:
        return numpy.ascontiguousarray(values.swapaxes(-1, -2)).swapaxes(-1, -2)
    if layout == "strided" and values.ndim >= 1:
        wide = numpy.zeros((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)
        wide[..., ::2] = values
        return wide[..., ::2]
    if layout == "offset":
        flat = numpy.zeros(values.size + 3, values.dtype)
        flat[3:] = values.reshape(-1)
        return flat[3:].reshape(values.shape)
    return numpy.ascontiguousarray(values).reshape(values.shape)


class Sample:
    """The arguments of one call, tensors as ``Spec`` (also inside lists and tuples)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def __repr__(self) -> str:
        inside = [repr(arg) for arg in self.args] + [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"Sample({', '.join(inside)})"

    def map(self, change: Callable[[Spec], Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with every Spec replaced by ``change(spec)``."""
        args = [_map(arg, change) for arg in self.args]
        return args, {name: _map(value, change) for name, value in self.kwargs.items()}

    def specs(self) -> list[Spec]:
        """Every Spec, in the order of the arguments."""
        found: list[Spec] = []
        self.map(lambda spec: found.append(spec))
        return found

    def with_layouts(self, layouts: Sequence[str]) -> Sample:
        """The same sample with these layouts, tensor by tensor."""
        remaining = iter(layouts)
        args, kwargs = self.map(lambda spec: replace(spec, layout=next(remaining, "contiguous")))
        return Sample(*args, **kwargs)


def _map(value: Any, change: Callable[[Spec], Any]) -> Any:
    if isinstance(value, Spec):
        return change(value)
    if isinstance(value, (list, tuple)) and any(isinstance(each, Spec) for each in value):
        return type(value)([_map(each, change) for each in value])
    return value


@dataclass(frozen=True)
class ErrorCase:
    """A call that must fail: in torch with ``error``, in minitorch too, with a text that matches ``match``.

    ``sample`` uses Specs for tensors. ``torch_error``: where torch's own type differs from what we raise on
    purpose (give the reason in a comment); None: torch accepts the call and we say that we do not.
    """

    sample: Sample
    error: type[Exception]
    match: str = ""
    dtype: str = "float32"
    torch_error: type[Exception] | None = Exception


@dataclass
class Declaration:
    """All that the tests of one op must know.

    name: the path below the package, such as ``add`` or ``nn.functional.conv2d``; also ``Tensor.clamp``.
    samples: draws a ``Sample`` (called with Hypothesis's ``draw``).
    ours, theirs: the two functions, if ``name`` does not lead to them.
    reference, tiny: the definition from ``reference/`` called with NumPy arrays, and the samples it is tried on.
    dtypes: floating dtypes that values are compared in; integer_dtypes: further ones, without gradients.
    differentiable, twice: whether first and second gradients are compared.
    tolerance: (rtol, atol) by dtype name where the common table is too strict, with the reason beside it.
    strict: whether the op is run on the strict array type (``strict_array.py``).
    has_kernels: whether the contract is also run on the emulator (not if each sample needs kernels of its own).
    same_on_cuda: whether a GPU's values are the CPU's; random numbers are not.
    """

    name: str
    samples: Callable[[Any], Sample]
    ours: Callable[..., Any] | None = None
    theirs: Callable[..., Any] | None = None
    reference: Callable[..., Any] | None = None
    tiny: Sequence[Sample] = ()
    errors: Sequence[ErrorCase] = ()
    dtypes: tuple[str, ...] = ("float64", "float32")
    integer_dtypes: tuple[str, ...] = ()
    differentiable: bool = True
    twice: bool = True
    tolerance: dict[str, tuple[float, float]] = field(default_factory=dict)
    strict: bool = True
    same_on_cuda: bool = True
    has_kernels: bool = False
    check_layouts: bool = True

    def __repr__(self) -> str:
        return f"Declaration({self.name!r})"  # shown with every failing example: short

    @property
    def device_dtype(self) -> str:
        """The dtype in which a device is compared with the CPU: float64, unless the op takes integers only."""
        return "float64" if "float64" in self.dtypes else self.dtypes[0]

    def resolve(self, package: Any) -> Callable[..., Any]:
        """The op in ``minitorch`` or in ``torch``."""
        explicit = self.ours if package.__name__ == "minitorch" else self.theirs
        if explicit is not None:
            return explicit
        found = package
        for part in self.name.split("."):
            found = getattr(found, part)
        return found  # type: ignore[no-any-return]
