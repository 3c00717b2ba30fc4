"""`format_tensor` against torch: the expected text is always torch's own `repr`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minitorch.tensor.printing import dtype_is_shown, format_tensor, set_printoptions

FLOAT_DTYPES = ["float16", "float32", "float64"]
INTEGER_DTYPES = ["int8", "int16", "int32", "int64", "uint8"]
SPECIAL_FLOATS = st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf])
# On and just beside every limit at which torch changes the notation.
LIMITS = st.sampled_from([1e-4, 1.0001e-4, 9.999e-5, 0.1, 1.0, 999.5, 1000.0, 1001.0, 1e8, 1.0001e8])

OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 10),
        "threshold": st.sampled_from([0, 5, 50, 1000, float("inf")]),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.sampled_from([0, 10, 20, 37, 75, 80, 81, 120]),
        "profile": st.sampled_from(["default", "short", "full", "no such profile"]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@contextmanager
def both_printoptions(*calls: dict[str, Any]) -> Iterator[None]:
    """Make the same calls of set_printoptions here and in torch, and undo them afterwards."""
    try:
        for choices in calls:
            set_printoptions(**choices)
            torch.set_printoptions(**choices)
        yield
    finally:
        set_printoptions(profile="default")
        torch.set_printoptions(profile="default")


def format_like(tensor: torch.Tensor) -> str:
    """Our text for a torch tensor."""
    dtype_name, default_name = str(tensor.dtype), str(torch.get_default_dtype())
    shown = dtype_is_shown(dtype_name, default_name, empty=tensor.numel() == 0)
    return format_tensor(
        tensor.detach().numpy(),
        dtype_name=dtype_name if shown else None,
        requires_grad=tensor.requires_grad,
        grad_fn=tensor.grad_fn.name() if tensor.grad_fn else None,
    )


def assert_same_text(*tensors: torch.Tensor) -> None:
    for tensor in tensors:
        assert format_like(tensor) == repr(tensor)


def float_elements() -> st.SearchStrategy[st.SearchStrategy[float]]:
    """Ways to draw the elements of one array: it takes arrays of one kind to reach every notation."""
    whole = st.integers(-(10**6), 10**6).map(float)
    small_whole = st.integers(-99, 999).map(float)
    ordinary = st.floats(-100, 100)
    mixed = st.builds(lambda digits, power: digits * 10.0**power, st.floats(-10, 10), st.integers(-12, 12))
    kinds = [whole, small_whole, ordinary, mixed, LIMITS, SPECIAL_FLOATS]
    return st.sampled_from([*kinds, *(kind | SPECIAL_FLOATS for kind in kinds)])


def shapes(max_side: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    """From a scalar to four dimensions, some of them empty."""
    return hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=max_side) | hnp.array_shapes(
        min_dims=1, max_dims=4, min_side=0, max_side=3
    )


@st.composite
def float_tensors(draw: st.DrawFn) -> torch.Tensor:
    """A leaf tensor or, for half of those that require a gradient, the result of an operation."""
    values = draw(hnp.arrays(np.float64, draw(shapes()), elements=draw(float_elements())))
    with np.errstate(over="ignore", under="ignore"):
        values = values.astype(draw(st.sampled_from(FLOAT_DTYPES)))
    tensor = torch.from_numpy(values).requires_grad_(draw(st.booleans()))
    return draw(st.sampled_from([tensor, tensor.clone()]))


@st.composite
def exact_tensors(draw: st.DrawFn) -> torch.Tensor:
    """A tensor of integers or booleans."""
    dtype = draw(st.sampled_from([*INTEGER_DTYPES, "bool"]))
    values = draw(hnp.arrays(np.dtype(dtype), draw(shapes())))
    return torch.from_numpy(values)


class TestAgainstTorch:
    @settings(max_examples=300, deadline=None)
    @given(float_tensors())
    def test_floats(self, tensor: torch.Tensor) -> None:
        assert_same_text(tensor)

    @settings(max_examples=150, deadline=None)
    @given(exact_tensors())
    def test_integers_and_booleans(self, tensor: torch.Tensor) -> None:
        assert_same_text(tensor)

    @settings(max_examples=300, deadline=None)
    @given(float_tensors() | exact_tensors(), st.lists(OPTIONS, min_size=1, max_size=3))
    def test_printoptions(self, tensor: torch.Tensor, calls: list[dict[str, Any]]) -> None:
        with both_printoptions(*calls):
            assert_same_text(tensor)

    @settings(max_examples=100, deadline=None)
    @given(hnp.array_shapes(min_dims=1, max_dims=4, max_side=40), st.integers(0, 2**32 - 1), OPTIONS)
    def test_large_tensors(self, shape: tuple[int, ...], seed: int, choices: dict[str, Any]) -> None:
        shape = shape if np.prod(shape) < 5000 else shape[:2]
        values = np.random.default_rng(seed).normal(size=shape) * 10
        with both_printoptions(choices):
            assert_same_text(torch.from_numpy(values), torch.from_numpy(values.astype(np.int32)))


class TestScalars:
    @pytest.mark.parametrize("dtype", FLOAT_DTYPES)
    def test_floats(self, dtype: str) -> None:
        values = [0.0, -0.0, 1.0, 3.7, -2.5, 1e-5, 1e4, 12345.678, 1e10, np.nan, np.inf, -np.inf]
        for value in values:
            assert_same_text(torch.tensor(value, dtype=getattr(torch, dtype)))

    def test_extremes_of_float64_raise_no_warning(self) -> None:
        assert_same_text(torch.tensor([5e-324, 1.7976931348623157e308], dtype=torch.float64))

    @pytest.mark.parametrize("dtype", INTEGER_DTYPES)
    def test_extremes_of_integers(self, dtype: str) -> None:
        limits = torch.iinfo(getattr(torch, dtype))
        assert_same_text(torch.tensor([limits.min, limits.max], dtype=getattr(torch, dtype)))

    def test_booleans(self) -> None:
        assert_same_text(torch.tensor(True), torch.tensor([True, False]))


class TestSummary:
    @pytest.mark.parametrize(
        "shape", [(1000,), (1001,), (7, 143), (6, 167), (40, 40), (7, 11, 13), (2, 3, 200), (2, 1, 9, 100)]
    )
    def test_more_than_a_thousand_elements(self, shape: tuple[int, ...]) -> None:
        count = torch.arange(int(np.prod(shape))).reshape(shape)
        assert_same_text(count, count.float(), count / 7, count % 2 == 0)

    def test_hidden_elements_do_not_decide_the_format(self) -> None:
        tensor = torch.ones(40, 40)
        tensor[20, 20] = 1e-9
        assert_same_text(tensor)
        assert "e" not in format_like(tensor).removeprefix("tensor")

    def test_no_edge_items(self) -> None:
        with both_printoptions({"edgeitems": 0, "threshold": 1}):
            assert_same_text(torch.ones(2, 3), torch.ones(4, dtype=torch.int32), torch.tensor(1.0))
            assert_same_text(torch.ones(1), torch.ones(0), torch.ones(0, 3))


class TestSuffixes:
    @pytest.mark.parametrize("length", range(8, 26))
    def test_suffix_moves_to_its_own_line(self, length: int) -> None:
        leaf = torch.zeros(length, requires_grad=True)
        double = torch.zeros(length, dtype=torch.float64, requires_grad=True)
        assert_same_text(leaf, leaf * 2, double, double * 2, double.detach())

    @pytest.mark.parametrize("dtype", [*FLOAT_DTYPES, *INTEGER_DTYPES, "bool"])
    @pytest.mark.parametrize("default", [torch.float32, torch.float64])
    def test_dtype_is_named_unless_obvious(self, dtype: str, default: torch.dtype) -> None:
        before = torch.get_default_dtype()
        torch.set_default_dtype(default)
        try:
            for shape in [(), (2,), (0,), (0, 3), (3, 0, 4)]:
                assert_same_text(torch.zeros(shape, dtype=getattr(torch, dtype)))
        finally:
            torch.set_default_dtype(before)

    def test_device(self) -> None:
        """Without a second device, the order is known from torch's meta tensors."""
        empty = torch.zeros((0, 3), dtype=torch.float64, device="meta")
        ours = format_tensor(np.zeros((0, 3)), device="meta", dtype_name="torch.float64")
        assert ours == repr(empty).replace("...", "[]")
        assert format_tensor(np.ones(1), device="cuda:0") == "tensor([1.], device='cuda:0')"

    def test_prefix_sets_the_indent(self) -> None:
        text = format_tensor(np.eye(2), prefix="cell(", dtype_name="float64")
        assert text == "cell([[1., 0.],\n      [0., 1.]], dtype=float64)"


class TestOptions:
    def test_sci_mode_is_reset_by_every_call(self) -> None:
        tensor = torch.tensor([1.5, 2.0])
        with both_printoptions({"sci_mode": True}):
            assert_same_text(tensor)
        with both_printoptions({"sci_mode": True}, {"precision": 2}):
            assert_same_text(tensor)
            assert format_like(tensor) == "tensor([1.50, 2.00])"

    def test_profile_comes_before_the_other_options(self) -> None:
        with both_printoptions({"profile": "short", "precision": 6}):
            assert_same_text(torch.rand(2), torch.rand(2000))

    def test_unknown_option(self) -> None:
        with pytest.raises(TypeError) as theirs:
            torch.set_printoptions(digits=3)
        with pytest.raises(TypeError) as ours:
            set_printoptions(digits=3)  # type: ignore[call-arg]
        assert str(ours.value) == str(theirs.value)

    @pytest.mark.parametrize("precision", [-1, 2.5])
    def test_bad_precision_is_found_when_printing(self, precision: float) -> None:
        tensor = torch.tensor([0.5])
        with both_printoptions({"precision": precision}):
            with pytest.raises(ValueError) as theirs:  # noqa: PT011 - the message is compared below
                repr(tensor)
            with pytest.raises(ValueError) as ours:  # noqa: PT011
                format_like(tensor)
            assert str(ours.value) == str(theirs.value)
