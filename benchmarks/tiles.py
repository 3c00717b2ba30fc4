"""Is the cut that ``tiled_product.cut`` chooses the fastest? Every tile is timed, for the layers of the networks.

    python benchmarks/tiles.py
    python benchmarks/tiles.py --shapes alexnet --functions convolve --arithmetic FLOAT32 --parts 4
    python benchmarks/tiles.py --tile 128x128=16,2x4,1          # another way to make a tile: step, warps, blocks

A line a product: microseconds of the chosen cut, those that were estimated, and the fastest found; with ``--all``, the
best of each tile. A time is that of a CUDA graph with ten calls, so that it has no gaps between the kernels.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy
from conv import NETWORKS

import minitorch
from minitorch.backend import accelerator
from minitorch.ops import conv2d_cuda, matmul_cuda, tiled_product
from minitorch.ops.conv_arguments import ConvolutionCall, convolution_windows
from minitorch.ops.tiled_product import Arithmetic, Cut, Tile

CALLS, REPLAYS = 10, 3
CLOCK = 1.755e3  # cycles a microsecond, for the estimates
PRODUCTS = [(4096, 4096, 4096), (1024, 1024, 1024), (8, 25088, 4096), (16, 6400, 4096)]  # M, K, N
ARITHMETICS = {"TF32": "float32", "FLOAT32": "float32", "FLOAT16": "float16", "FLOAT64": "float64"}


class Job(NamedTuple):
    """A product to time: its sizes, and a function that computes it."""

    name: str
    sizes: tuple[int, int, int]  # M, N, K
    run: Callable[[], Any]


def convolutions(shapes: list[str], functions: list[str], dtype: str) -> Iterator[Job]:
    """The layers' three functions."""
    for network in shapes:
        for N, C_in, size, C_out, K, stride, padding in NETWORKS.get(network, ()):
            x, w = _random(N, C_in, size, size, dtype=dtype), _random(C_out, C_in, K, K, dtype=dtype)
            call = ConvolutionCall("conv2d", 2, x, w, None, 1)
            windows = convolution_windows(call, (stride, stride), (padding, padding), (1, 1))
            g = _random(N, C_out, *windows.output_size, dtype=dtype)
            arguments = {"convolve": (x, w, None), "transpose": (g, w, None), "correlate_kernel": (g, x)}
            for name in functions:
                run = getattr(conv2d_cuda, name)
                key = conv2d_cuda._Call(name, N, C_in, C_out, windows, 1, (), tiled_product.TF32, 0)
                label = f"{network} {C_in}→{C_out} on {size}² {name}"
                yield Job(label, key.sizes()[:3], _bound(run, *arguments[name], windows, 1))


def products(dtype: str) -> Iterator[Job]:
    """Matrix products, row-major and with a transposed right factor, as a linear layer has it."""
    for M, K, N in PRODUCTS:
        a, b, weight = _random(M, K, dtype=dtype), _random(K, N, dtype=dtype), _random(N, K, dtype=dtype)
        yield Job(f"{M}×{K} @ {K}×{N}", (M, N, K), _bound(matmul_cuda.device_matrix_product, a, b))
        yield Job(f"{M}×{K} @ ({N}×{K}).T", (M, N, K), _bound(matmul_cuda.device_matrix_product, a, weight.T))


def _bound(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: function(*arguments)


def _random(*shape: int, dtype: str) -> Any:
    """Normal numbers, a million of them again and again."""
    some = numpy.random.default_rng(0).standard_normal(2**20, dtype="float32").astype(dtype)
    return accelerator.require().asarray(numpy.resize(some, shape))


def candidates(problem: Any, most_parts: int) -> Iterator[Cut]:
    """For each tile the numbers of parts that are estimated to be fastest."""
    for size in problem.arithmetic.tiles:
        cuts = [Cut(size, parts) for parts in sorted(set(problem.part_counts(size)))]
        yield from sorted(cuts, key=problem.cycles)[:most_parts]


def microseconds(run: Callable[[], Any], chosen: Cut) -> float:
    """What a call takes, cut like this."""
    for module in (conv2d_cuda, matmul_cuda):
        module.cut = lambda *_: chosen  # type: ignore[attr-defined]
        module._plan.cache_clear()  # type: ignore[attr-defined]
    run()  # compiles
    graph, cuda = minitorch.cuda.CUDAGraph(), accelerator.require().cuda
    with minitorch.cuda.graph(graph):
        for _ in range(CALLS):
            run()
    graph.replay()
    times = []
    for _ in range(REPLAYS):
        start, end = cuda.Event(), cuda.Event()
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(cuda.get_elapsed_time(start, end) / CALLS * 1e3)
    return float(min(times))


def report(job: Job, arithmetic: Arithmetic, most_parts: int, every_tile: bool) -> None:
    """Print the lines of one product."""
    M, N, K = job.sizes
    problem = tiled_product._Problem(M, N, K, 1, arithmetic, accelerator.multiprocessors())
    chosen = tiled_product.cut(*problem)
    cuts = {*candidates(problem, most_parts), chosen}
    times = {each: microseconds(job.run, each) for each in cuts}
    best = min(times, key=lambda each: times[each])
    estimate, rate = problem.cycles(chosen) / CLOCK, 2e-6 * M * N * K / times[best]
    print(
        f"{job.name:44} {_show(chosen):14} {times[chosen]:8.1f} µs, estimated {estimate:8.1f}; "
        f"best {_show(best):14} {times[best]:8.1f} µs, {rate:6.1f} TFLOP/s",
        flush=True,
    )
    for size in arithmetic.tiles if every_tile else ():
        fastest = min((each for each in times if each.tile == size), key=lambda each: times[each])
        print(f"    {_show(fastest):14} {times[fastest]:8.1f} µs, estimated {problem.cycles(fastest) / CLOCK:8.1f}")


def _show(chosen: Cut) -> str:
    return f"{chosen.tile[0]}x{chosen.tile[1]}/{chosen.parts}"


def other_tile(text: str) -> tuple[tuple[int, int], Tile]:
    """``128x128=16,2x4,1``: a size, and the step, warps and blocks to make it with."""
    found = re.fullmatch(r"(\d+)x(\d+)=(\d+),(\d+)x(\d+),(\d+)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 128x128=16,2x4,1")
    rows, columns, step, warps_down, warps_across, blocks = map(int, found.groups())
    return (rows, columns), Tile(step, (warps_down, warps_across), blocks, 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", nargs="*", default=["products", *NETWORKS], help="networks, and products")
    functions = ["convolve", "transpose", "correlate_kernel"]
    parser.add_argument("--functions", nargs="*", choices=functions, default=functions)
    parser.add_argument("--arithmetic", choices=list(ARITHMETICS), default="TF32")
    parser.add_argument("--parts", type=int, default=2, help="how many numbers of parts to try with each tile")
    parser.add_argument("--tile", type=other_tile, nargs="*", default=[], help="make a tile in another way")
    parser.add_argument("--all", action="store_true", help="show the best of each tile")
    options = parser.parse_args()
    arithmetic, dtype = getattr(tiled_product, options.arithmetic), ARITHMETICS[options.arithmetic]
    table = tiled_product.WITH_TENSOR_CORES if arithmetic.tensor_cores else tiled_product.WITHOUT_TENSOR_CORES
    table.update(options.tile)
    arithmetic = arithmetic._replace(tiles=tuple({**dict.fromkeys(arithmetic.tiles), **dict(options.tile)}))
    accelerator.allow_tf32(options.arithmetic == "TF32")
    minitorch.backends.cudnn.allow_tf32 = options.arithmetic == "TF32"
    for job in products(dtype) if "products" in options.shapes else ():
        report(job, arithmetic, options.parts, options.all)
    for job in convolutions(options.shapes, options.functions, dtype):
        report(job, arithmetic, options.parts, options.all)


if __name__ == "__main__":
    main()
