"""CUDA graphs under torch's names: ``CUDAGraph`` and the context manager ``graph`` that captures one.

    static_input = torch.zeros(8, 4, device="cuda")
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        static_output = model(static_input)   # is written down, and not done

    static_input.copy_(batch)
    captured.replay()                         # now it is done: static_output has the model's output for this batch

The rules are torch's. A graph reads and writes the tensors of its capture, at their addresses: new values are copied
into its inputs, and its outputs are overwritten by the next replay (``clone()`` what is to stay). Numbers of Python
are what they were at the capture. Nothing in a capture may look at a value on the GPU, nor copy from or to the host:
an error names the operation that does. Do the work a few times before, on a side stream: that compiles kernels and
creates optimizers' states. (``make_graphed_step`` does all of this for a training step, ``make_graphed_callables`` for
parts of a network.)

**Gradients.** ``zero_grad(set_to_none=True)`` before the capture lets backward make the gradients in the graph's
memory, where each replay overwrites them: then no call of ``zero_grad`` is needed between replays. Gradients that are
there when the capture begins are added to, by each replay; leave them where they are as long as the graph is used.

**Memory.** What is allocated during a capture comes from a pool of the graph's. Nobody else gets it until the graph
is gone or ``reset``, and so are the tensors in it. Graphs that share a pool (``pool=``) must be replayed in the order
of their captures and never at the same time, since one may use what another has freed.
"""

from __future__ import annotations

import contextlib
import gc
from types import TracebackType
from typing import Any, ClassVar

from minitorch.backend import accelerator, graphs
from minitorch.backend.capture_errors import explained

ERROR_MODES = ("global", "thread_local", "relaxed")


class CUDAGraph:
    """A CUDA graph: captured once, then replayed as often as one likes.

    Raises: RuntimeError for calls in an order that makes no sense, such as ``replay`` without a capture;
    NotImplementedError for ``keep_graph``, as CuPy instantiates a graph as soon as it is captured.
    """

    def __init__(self, keep_graph: bool = False) -> None:
        if keep_graph:
            raise NotImplementedError("keep_graph=True: CuPy makes every captured graph ready for launches at once")
        self._capture: graphs.Capture | None = None
        self._graph: graphs.Graph | None = None
        self._generators: list[graphs.CapturedGenerator] = []

    def capture_begin(
        self,
        pool: graphs.Handle | None = None,
        capture_error_mode: str = "global",
        check_input_liveness: bool = False,
    ) -> None:
        """Capture what this thread launches on the current stream from now on. Use ``graph``, which calls this.

        Args: pool: the name of the pool to take memory from, from ``graph_pool_handle`` or another graph's ``pool``.
        capture_error_mode: accepted as in torch ("global", "thread_local", "relaxed"), without effect. CUDA is always
        asked for "relaxed", as CuPy's pool could not grow during a capture otherwise.
        Raises: RuntimeError on the default stream, while another capture goes on in this thread, and for a graph that
        has been captured already; NotImplementedError for ``check_input_liveness``.
        """
        if check_input_liveness:
            raise NotImplementedError("check_input_liveness=True: minitorch does not track which tensors a graph reads")
        if capture_error_mode not in ERROR_MODES:
            raise RuntimeError(
                f"Unknown capture error mode. Expected `global`, `thread_local`, or `relaxed`, got {capture_error_mode}"
            )
        if self._graph is not None or self._capture is not None:
            raise RuntimeError(
                "This CUDAGraph instance already owns a captured graph. To capture a new graph, create a new instance."
            )
        generators = [*graphs.default_generators, *self._generators]
        capture = graphs.Capture(graphs.pool_of(pool), generators)
        capture.begin()
        self._capture = capture

    def capture_end(self) -> None:
        """End the capture; from now on the graph can be replayed.

        Raises: RuntimeError if no capture goes on, if the current stream is not the one it began on, or if something
        in it cannot be captured.
        """
        capture, self._capture = self._capture, None
        if capture is None:
            raise RuntimeError("capture_end() called without a capture_begin() before it")
        self._graph = capture.end()

    def _abort(self) -> None:
        """Leave the capture after an error."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.abort()

    def replay(self) -> None:
        """Do what was captured once more, on the current stream; nothing waits for it."""
        if self._graph is None:
            raise RuntimeError("Called CUDAGraph::replay without a preceding successful capture.")
        self._graph.replay()

    def reset(self) -> None:
        """Delete the graph; its memory is free as soon as no tensor lies in it. It may be captured anew."""
        self._abort()
        self._graph = None

    def pool(self) -> graphs.Handle:
        """The name of the graph's memory pool, for another graph's ``capture_begin``."""
        if self._graph is None:
            raise RuntimeError("Called CUDAGraph::pool() without a preceding successful capture.")
        return self._graph.pool.handle

    def debug_dump(self, debug_path: str) -> None:
        """Write the graph to a file, in the language of Graphviz, which draws it."""
        if self._graph is None:
            raise RuntimeError("Called CUDAGraph::debug_dump without a preceding successful capture.")
        with open(debug_path, "w", encoding="utf-8") as file:
            file.write(self._graph.executable.debug_dot_str())

    def enable_debug_mode(self) -> None:
        """Accepted for torch's sake: ``debug_dump`` works without."""

    def register_generator_state(self, generator: Any) -> None:
        """Let a random generator take part in the next capture, as the default ones do anyway.

        Each replay then draws the numbers that come next, as if its work were done without a graph.
        Args: generator: a ``Generator`` of the GPU, or anything with the methods of ``graphs.CapturedGenerator``.
        Raises: RuntimeError for a generator that cannot, such as one of the CPU.
        """
        generator = getattr(generator, "numbers", generator)
        missing = [name for name in ("begin_capture", "end_capture", "before_replay") if not hasattr(generator, name)]
        if missing:
            raise RuntimeError(f"{type(generator).__name__} cannot be captured in a CUDA graph: it draws on the host")
        if all(known is not generator for known in [*graphs.default_generators, *self._generators]):
            self._generators.append(generator)


class graph:  # noqa: N801 (torch's name)
    """A context whose work on the GPU is captured in a graph, instead of being done.

    Args: cuda_graph: takes the graph; pool, capture_error_mode: see ``CUDAGraph.capture_begin``; stream: where to
    capture, instead of a side stream that is kept for this (anything but the default stream).
    Raises: RuntimeError that names the operation, if one cannot be captured. The stream is usable afterwards.

    >>> import minitorch as torch
    >>> if torch.cuda.is_available():
    ...     x, captured = torch.ones(2, device="cuda"), torch.cuda.CUDAGraph()
    ...     with torch.cuda.graph(captured):
    ...         y = x + 1
    ...     captured.replay()
    """

    default_capture_stream: ClassVar[Any] = None  # as in torch: set, it is used where ``stream`` is not given

    def __init__(
        self,
        cuda_graph: CUDAGraph,
        pool: graphs.Handle | None = None,
        stream: Any = None,
        capture_error_mode: str = "global",
        enable_annotations: bool = False,
        check_input_liveness: bool = False,
    ) -> None:
        accelerator.require()
        if enable_annotations:
            raise NotImplementedError("enable_annotations=True: minitorch does not annotate the kernels of a graph")
        self.cuda_graph, self.pool, self.capture_error_mode = cuda_graph, pool, capture_error_mode
        self.check_input_liveness = check_input_liveness
        self.capture_stream = stream if stream is not None else type(self).default_capture_stream
        self._context = contextlib.ExitStack()

    def __enter__(self) -> None:
        gc.collect()  # what dies in the middle of a capture would be memory that the graph could have had
        graphs.free_memory()
        self._context = contextlib.ExitStack()
        self._context.enter_context(graphs.side_stream(_stream_of(self.capture_stream)))
        try:
            self.cuda_graph.capture_begin(self.pool, self.capture_error_mode, self.check_input_liveness)
        except BaseException:
            self._context.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._context:
            if error is None:
                self.cuda_graph.capture_end()
                return
            self.cuda_graph._abort()
        better = explained(error)
        if better is not None:
            raise better from error


def _stream_of(stream: Any) -> Any:
    """CuPy's stream behind one of ours."""
    return getattr(stream, "backend_stream", stream)


def graph_pool_handle() -> graphs.Handle:
    """The name of a new memory pool, that graphs can share: see ``CUDAGraph.capture_begin``."""
    return graphs.new_handle()


def is_current_stream_capturing() -> bool:
    """Whether a graph is being captured on the current stream; False where no GPU was used yet."""
    return graphs.is_current_stream_capturing()
