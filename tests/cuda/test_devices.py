"""``minitorch.cuda``'s devices: with a GPU (or the stand-in), and without, where torch's CPU build is the judge."""

from __future__ import annotations

from typing import Any

import pytest
import torch as oracle

import minitorch as torch
from tests.harness.both import same


def test_what_there_is(gpu: Any) -> None:
    assert torch.cuda.is_available()
    assert torch.cuda.is_initialized()
    assert torch.cuda.init() is None
    assert torch.cuda.device_count() == gpu.cuda.runtime.getDeviceCount() >= 1
    assert torch.cuda.current_device() == 0


def test_properties_are_cuda_s(gpu: Any) -> None:
    properties, found = torch.cuda.get_device_properties(0), gpu.cuda.runtime.getDeviceProperties(0)
    assert properties.name == found["name"].decode() == torch.cuda.get_device_name()
    assert properties.total_memory == found["totalGlobalMem"] > 0
    assert properties.multi_processor_count == found["multiProcessorCount"] > 0
    assert properties.warp_size == 32
    assert (properties.major, properties.minor) == torch.cuda.get_device_capability("cuda")
    assert f"{properties.major}{properties.minor}" == gpu.cuda.Device(0).compute_capability
    assert repr(properties).startswith(f"_CudaDeviceProperties(name='{properties.name}', major={properties.major}, ")
    assert torch.cuda.get_device_properties("cuda:0") == properties
    assert torch.cuda.get_device_properties(torch.device("cuda")) == properties


@pytest.mark.parametrize("which", [-1, 77, "cuda:77"])
def test_there_are_no_properties_of_other_gpus(gpu: Any, which: Any) -> None:
    for ask in (torch.cuda.get_device_properties, torch.cuda.get_device_name, torch.cuda.get_device_capability):
        with pytest.raises(AssertionError, match="Invalid device id"):
            ask(which)
    with pytest.raises(AssertionError, match="Invalid peer device id"):
        torch.cuda.can_device_access_peer(0, which)


@pytest.mark.parametrize("which", [0, "cuda:0", "cuda", torch.device("cuda", 0), torch.device("cuda"), None, -1])
def test_device_is_a_context(gpu: Any, which: Any) -> None:
    with torch.cuda.device(which) as entered:
        assert entered is None
        assert torch.cuda.current_device() == 0
    assert torch.cuda.current_device() == 0
    with torch.cuda.device(torch.cuda.device(which)):  # torch takes its own, too
        assert torch.cuda.current_device() == 0


def test_device_goes_back_after_an_error(gpu: Any) -> None:
    with pytest.raises(KeyError), torch.cuda.device(0):
        raise KeyError
    assert torch.cuda.current_device() == 0


def test_devices_that_are_not_there(gpu: Any) -> None:
    count = torch.cuda.device_count()
    for use in (
        lambda: torch.cuda.set_device(count),
        lambda: torch.cuda.device(count).__enter__(),
        lambda: torch.cuda.synchronize(count),
        lambda: torch.cuda.current_stream(count),
        lambda: torch.cuda.Stream(f"cuda:{count}"),
        lambda: torch.cuda.mem_get_info(count),
    ):
        with pytest.raises(RuntimeError, match="CUDA error: invalid device ordinal"):
            use()


@pytest.mark.parametrize("name", ["set_device", "device", "synchronize", "get_device_name", "memory_allocated"])
def test_the_cpu_is_no_gpu(gpu: Any, name: str) -> None:
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        getattr(torch.cuda, name)("cpu")


def test_set_device(gpu: Any) -> None:
    for which in (0, "cuda:0", torch.device("cuda:0"), -1):
        torch.cuda.set_device(which)
        assert torch.cuda.current_device() == 0
    with pytest.raises(
        ValueError, match=r"Expected a torch\.device with a specified index or an integer, but got:cuda"
    ):
        torch.cuda.set_device("cuda")


def test_device_of(gpu: Any) -> None:
    assert torch.cuda.device_of(torch.ones(2)).idx == -1
    assert torch.cuda.device_of(torch.ones(2, device="cuda")).idx == 0
    with torch.cuda.device_of(torch.ones(2, device="cuda")):
        assert torch.cuda.current_device() == 0
    assert torch.ones(2, device="cuda").get_device() == 0
    assert torch.ones(2).get_device() == oracle.ones(2).get_device() == -1


def test_synchronize(gpu: Any) -> None:
    for which in (None, 0, "cuda", torch.device("cuda:0")):
        torch.cuda.synchronize(which)


@pytest.mark.cuda
def test_a_second_gpu_can_be_the_current_one() -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("one GPU")
    with torch.cuda.device(1):
        assert torch.cuda.current_device() == 1
        assert torch.ones(1, device="cuda").device == torch.device("cuda:1")
        assert torch.cuda.current_stream().device_index == 1
    assert torch.cuda.current_device() == 0


# ------------------------------------------------------------------------------------------------- without a GPU


@pytest.mark.parametrize(
    "program",
    [
        "torch.cuda.is_available()",
        "torch.cuda.is_initialized()",
        "torch.cuda.device_count()",
        "torch.cuda.set_device(-1)",
        "torch.cuda.device(0).idx",
        "torch.cuda.device('cuda:1').idx",
        "torch.cuda.device('cpu')",
        "torch.cuda.device_of(torch.ones(2)).idx",
        "torch.cuda.set_device('cpu')",
        "torch.cuda.set_device('cuda')",
    ],
)
def test_without_a_gpu_as_in_torch(no_gpu: None, program: str) -> None:
    if oracle.cuda.is_available():
        pytest.skip("torch has a GPU")
    run = compile(program, "program", "eval")
    if program == "torch.cuda.device_count()":
        assert torch.cuda.device_count() == 0
    same(lambda package: eval(run, {"torch": package}), message="cpu" in program)


@pytest.mark.parametrize(
    "name",
    [
        *("current_device", "init", "synchronize", "get_device_name", "get_device_capability", "get_device_properties"),
        *("current_stream", "default_stream", "Stream", "Event", "mem_get_info", "memory_summary"),
        "get_per_process_memory_fraction",
    ],
)
def test_without_a_gpu_there_is_an_error(no_gpu: None, name: str) -> None:
    """torch's CPU build raises AssertionError or RuntimeError; here it is always the latter."""
    with pytest.raises(RuntimeError, match="CUDA"):
        getattr(torch.cuda, name)()
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.cuda.set_device(0)
    with pytest.raises(RuntimeError, match="CUDA"), torch.cuda.device(0):
        pass


def test_names_are_torch_s() -> None:
    ours = {"make_graphed_step"}
    assert {name for name in torch.cuda.__all__ if not hasattr(oracle.cuda, name)} == ours
