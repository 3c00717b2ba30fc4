"""The stand-in for CuPy refuses what CuPy refuses, and computes the rest as NumPy does."""

import copy
import pickle

import numpy as np
import pytest

from tests.harness.strict_array import FUNCTIONS, DeviceSynchronizedError, StrictArray, strict, strict_x

HOST = np.arange(3.0)


@pytest.fixture
def matrix() -> StrictArray:
    strict.reset_counters()
    return strict.arange(6.0, dtype=strict.float32).reshape(2, 3)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x + HOST,
        lambda x: HOST * x,
        lambda x: x < HOST,
        lambda x: x.__iadd__(HOST),
        lambda x: x[HOST.astype(int)],
        lambda x: x[:, slice(None, x.sum())],
        lambda x: x.__setitem__(0, HOST),
        lambda x: x.__setitem__(0, [1.0, 2.0, 3.0]),
        lambda x: x.fill([1.0]),
        lambda x: strict.maximum(x, HOST),
        lambda x: strict.exp([1.0, 2.0]),
        lambda x: strict.where(x > 1, HOST, x),
        lambda x: strict.where(True, x, x),
        lambda x: strict.concatenate([x[0], HOST]),
        lambda x: strict.stack([1.0, 2.0]),
        lambda x: strict.sum([1.0, 2.0]),
        lambda x: strict.add(x, 1, out=np.empty((2, 3))),
        lambda x: strict.zeros(x.sum()),
        lambda x: x.reshape(3, strict.asarray(2)),
        lambda x: range(strict.asarray(3)),
        lambda x: HOST[strict.asarray([0])],
        lambda x: {x: 1},
    ],
)
def test_host_arrays_lists_and_device_numbers_are_refused(matrix, use) -> None:
    with pytest.raises(TypeError):
        use(matrix)


@pytest.mark.parametrize(
    "stray",
    [np.sum, np.exp, np.asarray, np.zeros_like, np.ndim, np.result_type, lambda x: np.array([x, x])],
)
def test_numpy_called_on_a_device_array_is_refused(matrix, stray) -> None:
    with pytest.raises(TypeError, match=r"call xp\.|Implicit conversion"):
        stray(matrix)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: strict.sum(x, where=x > 1),
        lambda x: strict.max(x, initial=0),
        lambda x: x.max(initial=0),
        lambda x: strict.exp(x, where=x > 1),
        lambda x: strict.var(x, correction=1),
        lambda x: strict.argsort(x, stable=True),
        lambda x: strict.take(x, 0, mode="clip"),
        lambda x: strict.clip(x, min=0, max=1),
        lambda x: strict.einsum("ij->i", x, out=x[:, 0]),
        lambda x: strict.zeros(3, device="cpu"),
        lambda x: strict.flip(m=x),
        lambda x: strict.lib.stride_tricks.as_strided(x, (2,), (4,), writeable=False),
    ],
)
def test_keywords_that_only_numpy_has_are_refused(matrix, use) -> None:
    with pytest.raises(TypeError):
        use(matrix)


def test_names_that_only_numpy_has_do_not_exist(matrix) -> None:
    for name in ("errstate", "unstack", "insert", "vecdot", "nditer", "frompyfunc", "longdouble"):
        assert not hasattr(strict, name)
        assert hasattr(np, name)
    assert not hasattr(strict.linalg, "multi_dot")
    assert not hasattr(matrix, "resize")
    assert not hasattr(matrix, "__index__")
    assert not hasattr(matrix, "__imatmul__")
    assert not hasattr(matrix.flags, "writeable")


def test_every_listed_function_resolves() -> None:
    assert [name for name in sorted(FUNCTIONS) if not hasattr(strict, name)] == []


def test_ufunc_methods_are_as_few_as_in_cupy(matrix) -> None:
    assert strict.add.reduce(matrix).tolist() == [3, 5, 7]
    assert strict.multiply.accumulate(matrix[1]).tolist() == [3, 12, 60]
    for method in (strict.maximum.reduce, strict.maximum.accumulate, strict.logical_and.reduce):
        with pytest.raises(NotImplementedError):
            method(matrix)


def test_scatter_adds_up_and_knows_its_types() -> None:
    target, index = strict.zeros(3, dtype=strict.float32), strict.asarray([1, 1, 2])
    strict.add.at(target, index, strict.ones(3, dtype=strict.float32))
    strict_x.scatter_max(target, index, 1.5)
    assert target.tolist() == [0, 2, 1.5]
    with pytest.raises(TypeError, match="only supports"):
        strict.add.at(strict.zeros(3, dtype=strict.int8), index, 1)
    with pytest.raises(NotImplementedError):
        strict.multiply.at(target, index, 2)


def test_assigning_one_element_twice_is_refused_unless_the_value_is_one() -> None:
    target, index = strict.zeros(3), strict.asarray([1, 1])
    target[index] = 5
    assert target.tolist() == [0, 5, 0]
    with pytest.raises(ValueError, match="twice"):
        target[index] = strict.asarray([1.0, 2.0])


def test_more_than_one_mask_is_refused(matrix) -> None:
    with pytest.raises(ValueError, match="boolean"):
        matrix[strict.asarray([True, False]), strict.asarray([True, False, True])]


def test_results_without_dimensions_stay_arrays(matrix) -> None:
    results = [
        matrix.sum(),
        matrix[0, 0],
        strict.max(matrix),
        strict.exp(1.0),
        strict.allclose(matrix, matrix),
    ]
    results += [strict.count_nonzero(matrix), strict.dot(matrix[0], matrix[0]), matrix[0, 0] * 2]
    assert all(isinstance(result, strict.ndarray) and result.shape == () for result in results)


def test_views_share_memory(matrix) -> None:
    matrix[0, 0][...] = 9
    matrix.T[1] += 1
    matrix.reshape(-1)[5] = 7
    assert matrix.tolist() == [[9, 2, 2], [3, 5, 7]]
    windows = strict.lib.stride_tricks.sliding_window_view(matrix, 2, axis=1)
    assert windows.shape == (2, 2, 2)
    assert matrix[0].data.ptr == windows.data.ptr
    assert matrix[0].base is matrix.base


def test_out_and_asarray_give_the_same_object(matrix) -> None:
    assert strict.add(matrix, 1, out=matrix) is matrix
    assert strict.asarray(matrix) is matrix
    assert strict.array(matrix) is not matrix
    before = matrix
    matrix *= 2
    assert before is matrix


def test_operators_take_scalars_of_python_and_numpy(matrix) -> None:
    assert (np.float32(2) * matrix).dtype == np.float32
    assert (2 * matrix + True).dtype == np.float32
    assert (matrix @ matrix.T).shape == (2, 2)
    assert (1 - matrix[0]).tolist() == [1, 0, -1]
    assert (matrix == None) is False  # noqa: E711
    quotient, remainder = divmod(matrix[1], 2)
    assert (quotient.tolist(), remainder.tolist()) == ([1, 2, 2], [1, 0, 1])


def test_an_operand_of_higher_priority_takes_over(matrix) -> None:
    class Tensor:
        __array_priority__ = 1000

        def __radd__(self, other: object) -> str:
            return "tensor"

    assert matrix + Tensor() == "tensor"


def test_the_device_warns_of_nothing(matrix, recwarn) -> None:
    assert strict.isinf(1 / matrix[0, 0]).tolist() is True
    assert not recwarn.list


@pytest.mark.parametrize(
    "wait",
    [
        float,
        int,
        bool,
        lambda x: x.item(),
        lambda x: x.tolist(),
        lambda x: f"{x:.2f}",
        lambda x: strict.nonzero(x[None]),
        lambda x: strict.where(x[None] > 0),
        lambda x: x[None][x[None] > 0],
        lambda x: strict.unique(x),
        lambda x: strict.cuda.get_current_stream().synchronize(),
    ],
)
def test_waits_are_counted_and_can_be_forbidden(matrix, wait) -> None:
    wait(matrix.sum())
    assert (strict.synchronizations, strict.transfers) == (1, 0)
    with strict.forbid_synchronization(), pytest.raises(DeviceSynchronizedError):
        wait(matrix.sum())
    assert not strict.synchronization_forbidden


def test_transfers_are_counted(matrix) -> None:
    uploaded = strict.asarray(HOST)
    assert strict.uploads == 1
    uploaded += 1
    assert HOST.tolist() == [0, 1, 2]
    assert uploaded.get().tolist() == strict.asnumpy(uploaded).tolist() == [1, 2, 3]
    assert (strict.transfers, strict.synchronizations) == (2, 0)
    with strict.forbid_synchronization(), pytest.raises(DeviceSynchronizedError):
        uploaded.get()


def test_what_a_device_cannot_hold_is_refused() -> None:
    for host in (np.array(["a"]), np.array([None]), np.zeros(1, np.longdouble)):
        with pytest.raises(ValueError, match="Unsupported dtype"):
            strict.asarray(host)


def test_copies_pickles_and_lists_of_arrays(matrix) -> None:
    for other in (copy.copy(matrix), copy.deepcopy(matrix), pickle.loads(pickle.dumps(matrix))):
        other[0] = 0
        assert matrix[0, 1].item() == 1
    assert strict.array([matrix, matrix]).shape == (2, 2, 3)


def test_the_module_passes_for_cupy(matrix) -> None:
    assert type(matrix).__name__ == "ndarray"
    assert strict.float32 is np.float32
    assert strict.get_array_module(matrix) is strict
    assert strict.cuda.is_available()
    assert strict.cuda.runtime.getDeviceCount() == 1
    with strict.cuda.Device(0) as device:
        assert device == matrix.device
    with pytest.raises(RuntimeError, match="ordinal"):
        strict.cuda.Device(1)
    eigenvalues, _ = strict.linalg.eigh(strict.eye(2))
    assert eigenvalues.tolist() == [1, 1]
