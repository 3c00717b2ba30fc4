"""Work on several threads gives what one thread gives, and every time the same."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

import minitorch
from minitorch.backend import in_pieces, in_rows, matrix_product, parallel, pieces, split
from minitorch.backend.threads import one_blas_thread


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = minitorch.get_num_threads()
    minitorch.set_num_threads(2)
    yield
    minitorch.set_num_threads(before)


def random(*shape: int) -> numpy.ndarray:
    return numpy.random.default_rng(0).standard_normal(shape).astype("float32")


# ---- shares ------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 2, 7, 1000])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_shares_cover_the_range_once(length: int, number: int) -> None:
    minitorch.set_num_threads(number)
    shares = split(length, 1e9)
    assert [index for share in shares for index in range(length)[share]] == list(range(length))
    assert len(shares) == max(min(number, length), 1)


def test_small_work_is_not_split() -> None:
    assert split(100, 100) == [slice(0, 100)]


def test_results_come_in_order_from_other_threads() -> None:
    both = threading.Barrier(2, timeout=20)  # broken if the two do not run at the same time

    def work(share: int) -> tuple[int, int]:
        both.wait()
        return share, threading.get_ident()

    first, second = parallel([3, 4], work)
    assert (first[0], second[0]) == (3, 4)
    assert first[1] == threading.get_ident() != second[1]


def test_more_shares_than_threads() -> None:
    assert parallel(list(range(50)), lambda share: share * share) == [n * n for n in range(50)]


def test_the_first_error_is_raised_after_all_have_ended() -> None:
    ended = []

    def work(share: int) -> None:
        ended.append(share)
        if share:
            raise ValueError(f"share {share}")

    with pytest.raises(ValueError, match="share 1"):
        parallel([0, 1, 2], work)
    assert sorted(ended) == [0, 1, 2]
    assert parallel([1, 2], abs) == [1, 2]  # the threads are still there


def test_a_share_does_not_split_its_own_work() -> None:
    def work(share: int) -> Any:
        return split(10, 1e9), parallel([1, 2], lambda _: threading.get_ident()), threading.get_ident()

    for shares, inner, outer in parallel([0, 1], work):
        assert shares == [slice(0, 10)]
        assert set(inner) == {outer}
    assert len(split(10, 1e9)) == 2  # afterwards it is as before


def test_callers_in_several_threads() -> None:
    results: dict[int, list[int]] = {}

    def call(number: int) -> None:
        for _ in range(50):
            results[number] = parallel([number, -number], lambda share: share * 2)

    callers = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert results == {number: [2 * number, -2 * number] for number in range(4)}


# ---- BLAS ------------------------------------------------------------------------------------


def blas_threads() -> list[int]:
    return [library.get_num_threads() for library in one_blas_thread.libraries()]


def test_blas_is_held_to_one_thread_meanwhile() -> None:
    usual = blas_threads()
    assert set(usual) == {2}
    assert all(set(found) == {1} for found in parallel([0, 1], lambda _: blas_threads()))
    assert blas_threads() == usual
    with pytest.raises(ZeroDivisionError):
        parallel([0, 1], lambda share: 1 // share)
    assert blas_threads() == usual


def test_set_num_threads_inside() -> None:
    with one_blas_thread:
        minitorch.set_num_threads(3)
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {3}


@pytest.mark.parametrize("number", [0, -1])
def test_no_threads(number: int) -> None:
    with pytest.raises(RuntimeError, match="set_num_threads expects a positive integer"):
        minitorch.set_num_threads(number)


@pytest.mark.parametrize(("value", "expected"), [("3", "3"), ("", str(len(os.sched_getaffinity(0))))])
def test_the_environment_sets_the_number(value: str, expected: str) -> None:
    command = "import minitorch; print(minitorch.get_num_threads())"
    environment = {**os.environ, "OMP_NUM_THREADS": value}
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("inside", [False, True])
def test_after_a_fork(inside: bool) -> None:
    """A child process has none of its parent's threads, and starts its own."""
    parallel([0, 1], abs)

    def fork() -> int:
        pid = os.fork()
        if pid == 0:
            ok = parallel([1, 2, 3], lambda share: share + 1) == [2, 3, 4] and set(blas_threads()) == {2}
            os._exit(0 if ok else 1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    if inside:
        with one_blas_thread:
            assert fork() == 0
    else:
        assert fork() == 0


# ---- the same values as on one thread --------------------------------------------------------


def products() -> list[numpy.ndarray]:
    a, b, batch = random(300, 200), random(200, 500), random(6, 200, 300)
    return [matrix_product(a, b), matrix_product(b.T, a.T), matrix_product(batch, a), matrix_product(batch, batch.mT)]


def test_matrix_products() -> None:
    split_products = products()
    minitorch.set_num_threads(1)
    for actual, expected in zip(split_products, products()):
        numpy.testing.assert_allclose(actual, expected, 1e-5, 1e-4)


@pytest.fixture
def small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small work be split, too, so that tests of it are quick."""
    monkeypatch.setattr(pieces, "LEAST_SHARE", 1 << 14)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_pieces_of_arrays_that_lie_alike(order: tuple[int, ...], small_shares: None) -> None:
    x = random(40, 50, 200).transpose(order)
    doubled, sizes = numpy.empty_like(x), []

    def work(x: numpy.ndarray, doubled: numpy.ndarray) -> None:
        numpy.add(x, x, out=doubled)
        sizes.append(x.shape)

    in_pieces(work, x, doubled)
    assert (doubled == 2 * x).all()
    assert len(sizes) == 4  # two pieces for each of two threads
    other = numpy.empty(x.shape, "float32") if order != (0, 1, 2) else numpy.empty((200, 50, 40), "float32").T
    in_pieces(work, x, other)
    assert (other == 2 * x).all()
    assert sizes[4:] == [x.shape]  # at once: they do not lie alike


def test_pieces_and_rows(small_shares: None) -> None:
    x = random(7, 50_000)
    doubled, sums = numpy.empty_like(x), numpy.empty(7, "float32")
    in_pieces(lambda x, doubled: numpy.add(x, x, out=doubled), x, doubled)
    counts = in_rows(lambda x, sums: (x.sum(1, out=sums), len(x))[1], x, sums)
    assert sum(counts) == 7
    assert (doubled == 2 * x).all()
    numpy.testing.assert_allclose(sums, x.sum(1), 1e-5)


def network_values(number: int) -> list[numpy.ndarray]:
    """Every op that is split: outputs and gradients."""
    torch, F = minitorch, minitorch.nn.functional
    torch.set_num_threads(number)
    x = torch.tensor(random(6, 16, 40, 40), requires_grad=True)
    kernel, strided = (torch.tensor(random(24, 16, 3, 3) * factor, requires_grad=True) for factor in (0.1, 0.2))
    weight, bias = torch.tensor(random(24), requires_grad=True), torch.tensor(random(24), requires_grad=True)
    hidden = F.relu(F.batch_norm(F.conv2d(x, kernel, bias, padding=1), None, None, weight, bias, training=True))
    pooled = F.avg_pool2d(F.max_pool2d(hidden, 3, 2, 1), 2) + F.softmax(F.max_pool2d(F.avg_pool2d(hidden, 2), 2), 3)
    small = F.conv2d(x, strided, stride=3, padding=2)
    loss = (pooled * pooled).sum() + (small * small).sum()
    loss.backward()
    return [hidden.detach().numpy(), pooled.detach().numpy()] + [
        each.grad.numpy() for each in (x, kernel, strided, weight, bias)
    ]


def test_ops_do_not_depend_on_the_threads(small_shares: None) -> None:
    for actual, expected in zip(network_values(3), network_values(1)):
        numpy.testing.assert_allclose(actual, expected, 1e-4, 1e-5 * abs(expected).max())


def test_ops_give_the_same_bits_every_time(small_shares: None) -> None:
    first = network_values(2)
    for _ in range(3):
        for actual, expected in zip(network_values(2), first):
            assert actual.tobytes() == expected.tobytes()


def test_one_large_image_is_split_too() -> None:
    x, kernel = random(1, 16, 90, 90), random(16, 16, 3, 3)
    results = []
    for number in (1, 2):
        minitorch.set_num_threads(number)
        results.append(minitorch.conv2d(minitorch.tensor(x), minitorch.tensor(kernel), padding=1).numpy())
    numpy.testing.assert_allclose(*results, 1e-4, 1e-4)
