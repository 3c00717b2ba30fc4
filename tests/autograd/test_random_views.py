"""Random programs of views and in-place changes, run in both libraries."""

from __future__ import annotations

from typing import Any

import numpy
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import as_numpy, to_ours, to_torch
from tests.harness.contract import SEEDS

VIEWS = {
    "row": lambda x, n: x[n % x.shape[0]],
    "rows": lambda x, n: x[n % x.shape[0] :],
    "every other": lambda x, n: x[..., n % 2 :: 2],
    "last": lambda x, n: x[..., -1:],
    "turned": lambda x, n: x.transpose(0, -1),
    "permuted": lambda x, n: x.movedim(0, -1),
    "unsqueezed": lambda x, n: x.unsqueeze(n % (len(x.shape) + 1)),
    "squeezed": lambda x, n: x.squeeze(),
    "flat": lambda x, n: x.reshape(-1),
    "narrowed": lambda x, n: x.narrow(-1, 0, max(x.shape[-1] - 1, 1)),
    "windows": lambda x, n: x.unfold(-1, min(2, x.shape[-1]), 2),
    "expanded": lambda x, n: x.unsqueeze(0).expand(2, *x.shape),
    "chunk": lambda x, n: x.chunk(2)[0],
    "diagonal": lambda x, n: x.diagonal(0, 0, -1),
    "copy": lambda x, n: x * 2,
    "detached": lambda x, n: x.detach(),
}
CHANGES = {
    "scaled": lambda x, y, n: x.mul_(n + 1.5),
    "plus number": lambda x, y, n: x.add_(n),
    "times other": lambda x, y, n: x.mul_(y.sum()),
    "plus other": lambda x, y, n: x.add_(y.reshape(-1)[:1].sum()),
    "squared": lambda x, y, n: x.mul_(x * 1),
    "set": lambda x, y, n: x.__setitem__(Ellipsis, n),
    "set from other": lambda x, y, n: x.__setitem__(Ellipsis, y.reshape(-1)[0] * 2),
    "first set": lambda x, y, n: x.__setitem__(0, y.reshape(-1)[-1] * 1),
    "some set": lambda x, y, n: x.__setitem__([0], y.reshape(-1)[-1] * 3),
    "masked": lambda x, y, n: x.masked_fill_(x > n, 0.5),
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["view", "view", "view", "change", "change", "use"]),
        st.sampled_from(sorted(VIEWS)),
        st.sampled_from(sorted(CHANGES)),
        st.integers(0, 5),
        st.integers(0, 9),
        st.integers(0, 9),
        st.integers(0, 7).map(lambda n: n == 0),
    ),
    min_size=1,
    max_size=12,
)


def perform(steps: Any, package: Any, make: Any, values: numpy.ndarray, with_constant: bool) -> Any:
    """Run a random program. The outcome: values, gradient and every view's state; or where it failed, and how."""
    leaf = make(values, True)
    tensors = [leaf * 1]
    if with_constant:
        tensors.append(make(values * 0.5))
    used = []
    for number, (kind, view, change, parameter, first, second, without_grad) in enumerate(steps):
        x, y = tensors[first % len(tensors)], tensors[second % len(tensors)]
        if kind == "change" and any(step == 0 and size > 1 for step, size in zip(x.stride(), x.shape)):
            continue  # torch lets some changes of expanded tensors pass, but not their backward
        try:
            # Views are made with grad enabled: what torch calls requires_grad for others gets no gradient in torch.
            with package.set_grad_enabled(kind == "view" or not without_grad):
                if kind == "change" and package.is_grad_enabled():
                    _ = x.grad_fn  # torch may take a view for a leaf until it is asked
                if kind == "view":
                    tensors.append(VIEWS[view](x, parameter))
                elif kind == "change":
                    CHANGES[change](x, y, parameter)
                else:
                    used.append((x * y.sum()).sum())
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            return number, type(error)
    try:
        total = sum([each.sum() for each in tensors], sum(used))
        total.backward()
    except RuntimeError as error:
        return len(steps), type(error), "inplace" in str(error)
    gradient = None if leaf.grad is None else as_numpy(leaf.grad)
    return gradient, [as_numpy(each) for each in tensors], [each.requires_grad for each in tensors]


@given(steps=STEPS, seed=SEEDS, with_constant=st.booleans())
def test_random_programs(steps, seed, with_constant) -> None:
    values = numpy.random.default_rng(seed).uniform(0.5, 1.5, (2, 3, 2))
    theirs = perform(steps, oracle, to_torch, values, with_constant)
    ours = perform(steps, torch, to_ours, values, with_constant)
    if isinstance(theirs[0], int) or isinstance(ours[0], int):
        assert ours == theirs
        return
    for actual, expected in zip(ours[1], theirs[1], strict=True):
        numpy.testing.assert_allclose(actual, expected, 1e-7)
    assert ours[2] == theirs[2]
    assert (ours[0] is None) == (theirs[0] is None)
    if ours[0] is not None:
        scale = max(abs(theirs[0]).max(), 1)
        numpy.testing.assert_allclose(ours[0] / scale, theirs[0] / scale, 1e-7, 1e-10)
