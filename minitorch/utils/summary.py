"""``summary``: a table of a network's layers, with output shapes, parameters, operations and memory.

All numbers come from one real pass: a hook on every module notes what went in and what came out. What a
``forward`` does by itself, between its layers (``F.relu``, ``+``), passes through no module and is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.grad_mode import no_grad
from minitorch.nn.module import Module
from minitorch.tensor.creation import zeros
from minitorch.tensor.tensor import Tensor
from minitorch.utils.flops import layer_flops
from minitorch.utils.observation import evaluating, observed, tensors_in


@dataclass
class Row:
    """One call of one module."""

    name: str  # its path from the module that called it, such as "features.0"; the model's is ""
    kind: str  # its class
    depth: int  # how many calls it is inside of
    output_shape: str = ""
    parameters: int = 0  # of its own (not its layers'), as far as no row above has them
    shared_parameters: int = 0  # of its own, but counted in a row above
    flops: int | None = None  # None: a container, whose layers do the work, or a layer without a formula
    output_bytes: int = 0  # of a layer, unless its output lies in its input's memory
    is_layer: bool = True  # it called no other module


@dataclass
class Summary:
    """What ``summary`` found; ``str`` makes a table of it."""

    rows: list[Row]
    depth: int | None
    input_bytes: int
    parameter_bytes: int
    trainable_parameters: int
    non_trainable_parameters: int
    not_called: list[str] = field(default_factory=list)  # paths of modules with parameters that took no part

    @property
    def total_parameters(self) -> int:
        """All parameters of the model, each once."""
        return self.trainable_parameters + self.non_trainable_parameters

    @property
    def total_flops(self) -> int:
        """The operations of all layers that have a formula."""
        return sum(row.flops or 0 for row in self.rows)

    @property
    def without_formula(self) -> list[str]:
        """The kinds of layer whose operations are not in ``total_flops``."""
        return sorted({row.kind for row in self.rows if row.is_layer and row.flops is None})

    @property
    def forward_backward_bytes(self) -> int:
        """An estimate: every layer's output, and once more for the gradient of it."""
        return 2 * sum(row.output_bytes for row in self.rows)

    @property
    def total_bytes(self) -> int:
        """Input, outputs with gradients, and parameters."""
        return self.input_bytes + self.forward_backward_bytes + self.parameter_bytes

    def __str__(self) -> str:
        return "\n".join(_table(self._folded()) + self._totals())

    __repr__ = __str__

    def _folded(self) -> list[Row]:
        """The rows down to ``depth``; one that is cut off there stands for all below it."""
        shown: list[Row] = []
        for index, row in enumerate(self.rows):
            if self.depth is None or row.depth < self.depth:
                shown.append(row)
            elif row.depth == self.depth:
                shown.append(row if row.is_layer else _merged(row, self._below(index)))
        return shown

    def _below(self, index: int) -> list[Row]:
        end = index + 1
        while end < len(self.rows) and self.rows[end].depth > self.rows[index].depth:
            end += 1
        return self.rows[index + 1 : end]

    def _totals(self) -> list[str]:
        lines = [
            f"Parameters: {self.total_parameters:,} (trainable {self.trainable_parameters:,}, "
            f"non-trainable {self.non_trainable_parameters:,})",
            f"FLOPs: {self.total_flops:,}",
            f"Memory: input {_size(self.input_bytes)} + forward and backward "
            f"{_size(self.forward_backward_bytes)} + parameters {_size(self.parameter_bytes)} "
            f"= {_size(self.total_bytes)}",
        ]
        if self.without_formula:
            lines[1] += f" (not counted: {', '.join(self.without_formula)})"
        if self.not_called:
            lines.append(f"Not called: {', '.join(self.not_called)}")
        return lines


def summary(model: Module, input_or_shape: Any, *, depth: int | None = None, dtype: Any = None) -> Summary:
    """Run ``model`` once and list its layers in the order of their calls.

    The pass is made under ``no_grad`` and in eval mode; afterwards the model is in the mode it was in, and no
    hook is left. Parameters that two layers share are counted in the first. FLOPs count a multiply-add as two;
    the formulas are in ``minitorch/utils/flops.py``.

    Args: input_or_shape: a tensor, a shape with the batch's size (a tensor of zeros is made of it), a list of
    these for a model of several inputs, or a dict of these for keyword arguments; depth: fold the rows below
    this depth (0: the model alone; None: show all); dtype: of the tensors made from shapes, by default that of
    the first parameter; for several inputs also a list, one entry an input.
    Raises: TypeError for an input that is none of these; ValueError for a negative depth or for a list of
    another length.

    >>> import minitorch as torch
    >>> from minitorch import nn
    >>> from minitorch.utils import summary
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    >>> print(summary(model, (1, 1, 4, 4)))
    Layer         Output shape  Parameters  FLOPs  Output memory
    ------------------------------------------------------------
    Sequential    [1, 2]                --     --             --
      0: Conv2d   [1, 4, 2, 2]          40    288           64 B
      1: ReLU     [1, 4, 2, 2]           0     16           64 B
      2: Flatten  [1, 16]                0      0            0 B
      3: Linear   [1, 2]                34     64            8 B
    ------------------------------------------------------------
    Parameters: 74 (trainable 74, non-trainable 0)
    FLOPs: 368
    Memory: input 64 B + forward and backward 272 B + parameters 296 B = 632 B
    """
    if depth is not None and depth < 0:
        raise ValueError(f"summary: depth must be at least 0, got {depth}")
    args, kwargs = _inputs(model, input_or_shape, dtype)
    record = _Record(model)
    with no_grad(), evaluating(model), observed(model, record.before, record.after):
        model(*args, **kwargs)
    record.count_parameters()
    parameters = list(model.parameters())
    return Summary(
        rows=record.rows,
        depth=depth,
        input_bytes=sum(tensor.nbytes for tensor in tensors_in((args, kwargs))),
        parameter_bytes=sum(parameter.nbytes for parameter in parameters),
        trainable_parameters=sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        non_trainable_parameters=sum(parameter.numel() for parameter in parameters if not parameter.requires_grad),
        not_called=record.not_called(),
    )


class _Record:
    """The rows of a pass, and the calls that are under way."""

    def __init__(self, model: Module) -> None:
        self.paths = {module: path for path, module in model.named_modules()}
        self.rows: list[Row] = []
        self.modules: list[Module] = []  # of each row
        self.active: list[int] = []  # the rows of the calls under way, innermost last

    def before(self, module: Module, inputs: Any) -> None:
        path = self.paths[module]
        if self.active:
            caller = self.active[-1]
            self.rows[caller].is_layer = False
            path = path.removeprefix(f"{self.paths[self.modules[caller]]}.")
        self.active.append(len(self.rows))
        self.rows.append(Row(path, type(module).__name__, len(self.active) - 1))
        self.modules.append(module)

    def after(self, module: Module, inputs: Any, output: Any) -> None:
        row = self.rows[self.active.pop()]
        row.output_shape = _shape_text(output)
        if row.is_layer:
            row.flops = layer_flops(module, inputs, output)
            taken = {tensor.data_ptr() for tensor in tensors_in(inputs)}
            row.output_bytes = sum(tensor.nbytes for tensor in tensors_in(output) if tensor.data_ptr() not in taken)

    def count_parameters(self) -> None:
        """Give each parameter to the first row that has it.

        A module that was never called (``out_proj`` of an attention, which reads its weights) belongs to the
        row of the module that has it.
        """
        called, seen = set(self.modules), set()
        for row, module in zip(self.rows, self.modules):
            for parameter in _own_parameters(module, called):
                if id(parameter) in seen:
                    row.shared_parameters += parameter.numel()
                else:
                    seen.add(id(parameter))
                    row.parameters += parameter.numel()

    def not_called(self) -> list[str]:
        """The paths of modules with parameters that were never called, but for parts of a layer with a formula."""
        known = {module for row, module in zip(self.rows, self.modules) if row.flops is not None}
        parts = {part for module in known for part in module.modules()}
        skipped = parts.union(self.modules)
        return [
            path
            for module, path in self.paths.items()
            if module not in skipped and list(module.parameters(recurse=False))
        ]


def _own_parameters(module: Module, called: set[Module]) -> list[Tensor]:
    """The parameters of ``module`` and of those in it that have no row of their own."""
    own: dict[int, Tensor] = {id(each): each for each in module.parameters(recurse=False)}
    for child in module.children():
        if child not in called:
            own.update((id(each), each) for each in _own_parameters(child, called))
    return list(own.values())


def _inputs(model: Module, given: Any, dtype: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of the pass: tensors as they are, shapes as tensors of zeros."""
    if isinstance(given, dict):
        values, _ = _inputs(model, list(given.values()), dtype)
        return (), dict(zip(given, values))
    is_single = isinstance(given, Tensor) or _is_shape(given)
    if not is_single and not isinstance(given, (tuple, list)):
        raise TypeError(f"summary: expected a tensor, a shape, or a list or dict of these, got {type(given).__name__}")
    wanted: Sequence[Any] = (given,) if is_single else given
    types = list(dtype) if isinstance(dtype, (tuple, list)) else [dtype] * len(wanted)
    if len(types) != len(wanted):
        raise ValueError(f"summary: {len(types)} dtypes for {len(wanted)} inputs")
    return tuple([_tensor(model, each, kind) for each, kind in zip(wanted, types)]), {}


def _tensor(model: Module, given: Any, dtype: Any) -> Tensor:
    if isinstance(given, Tensor):
        return given
    if not _is_shape(given):
        raise TypeError(f"summary: expected a tensor or a shape for each input, got {given!r}")
    like = next((each for each in model.parameters() if each.is_floating_point()), None)
    if dtype is None:
        dtype = dtypes.get_default_dtype() if like is None else like.dtype
    made: Tensor = zeros(given, dtype=dtype, device=None if like is None else like.device)
    return made


def _is_shape(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and all(isinstance(size, int) for size in value)


# ---------------------------------------------------------------------------------------------- printing


def _merged(row: Row, below: list[Row]) -> Row:
    """One row in place of ``row`` and all rows below it."""
    rows = [row, *below]
    return Row(
        row.name,
        row.kind,
        row.depth,
        row.output_shape,
        parameters=sum(each.parameters for each in rows),
        shared_parameters=sum(each.shared_parameters for each in rows),
        flops=sum(each.flops or 0 for each in rows),
        output_bytes=sum(each.output_bytes for each in rows),
    )


def _table(rows: list[Row]) -> list[str]:
    header = ("Layer", "Output shape", "Parameters", "FLOPs", "Output memory")
    cells = [header, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths)) for line in cells)
    ]
    rule = "-" * len(lines[0])
    return [lines[0], rule, *lines[1:], rule]


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    name = f"{row.name}: {row.kind}" if row.name else row.kind
    nothing = "0" if row.is_layer else "--"
    parameters = f"{row.parameters:,}" if row.parameters else "(shared)" if row.shared_parameters else nothing
    flops = f"{row.flops:,}" if row.flops is not None else "?" if row.is_layer else "--"
    memory = _size(row.output_bytes) if row.is_layer else "--"
    return "  " * row.depth + name, row.output_shape, parameters, flops, memory


def _shape_text(output: Any) -> str:
    """``[2, 3]`` for a tensor; the same structure for nested ones."""
    if isinstance(output, Tensor):
        return str(list(output.shape))
    if isinstance(output, dict):
        return "{" + ", ".join(f"{key}: {_shape_text(value)}" for key, value in output.items()) + "}"
    if isinstance(output, (tuple, list)):
        return "(" + ", ".join(map(_shape_text, output)) + ")"
    return "None" if output is None else type(output).__name__


def _size(count: int) -> str:
    """A number of bytes as people read it: ``64 B``, ``1.5 KiB``."""
    if count < 1024:
        return f"{count} B"
    size, unit = count / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"
