"""torch's policies for CUDA, tried on the CPU: ``python -m tests.amp.cuda_policies`` prints what each program gives.

A torch built for CPUs alone knows the policies all the same: its header ``ATen/autocast_mode.h`` lists them. Here they
replace those for the CPU in torch's dispatcher, for this process. Which policy an op *reaches*, also through
others that it is composed of, is then torch's own affair.

Prints JSON: {program: {dtypes: dtypes of the results, or an error's text}}.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from tests.amp.programs import DTYPES, PROGRAMS
from tests.harness.compare import flatten

MACROS = {
    "AT_FORALL_LOWER_PRECISION_FP": "lower",
    "AT_FORALL_FP32": "float32",
    "AT_FORALL_FP32_SET_OPT_DTYPE": "float32 result",
    "AT_FORALL_PROMOTE": "widest",
}


def listed() -> Iterator[tuple[str, str]]:
    """(operator with overload, policy) of the header's lists."""
    header = (Path(torch.__file__).parent / "include/ATen/autocast_mode.h").read_text()
    for macro, policy in MACROS.items():
        body = re.search(rf"#define {macro}\(_\)(.*?)\n\n", header, re.S)
        assert body, f"{macro} is not in torch's header any more"
        for entry in re.findall(r"_\(([\w, ]+)\)", body.group(1)):
            name, _, overload = entry.partition(", ")
            yield (f"{name}.{overload}" if overload else name), policy
    yield "norm.Scalar", "float32 result"
    yield "norm.ScalarOpt_dim", "float32 result"
    yield "binary_cross_entropy", "banned"


def cast(value: Any, dtype: torch.dtype) -> Any:
    """torch's cached_cast, without the cache."""
    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.is_floating_point() and value.dtype != torch.float64 else value
    if isinstance(value, (list, tuple)):
        return type(value)(cast(each, dtype) for each in value)
    return value


def tensors(values: Any) -> list[torch.Tensor]:
    """The tensors among the arguments."""
    return [each for each in flatten(list(values)) if isinstance(each, torch.Tensor)]


def kernel(operator: Any, policy: str) -> Any:
    """What the dispatcher shall call: torch's WrapFunction_ in Python."""
    names = [argument.name for argument in operator._schema.arguments]

    def run(*args: Any, **options: Any) -> Any:
        with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCPU)):
            if policy == "banned":
                raise RuntimeError("unsafe to autocast")
            given = dict(zip(names, args)) | options
            if policy == "float32 result":
                first = given[names[0]]
                is_eligible = first.is_floating_point() and first.dtype != torch.float64
                if is_eligible and "dtype" in names and given.get("dtype") is None:
                    given["dtype"] = torch.float32
                elif is_eligible and "dtype" not in names:  # torch's fp32_append_dtype
                    given = {name: cast(value, torch.float32) for name, value in given.items()}
            else:
                dtype = torch.float32 if policy == "float32" else torch.float16
                if policy == "widest" and any(each.dtype == torch.float32 for each in tensors(given.values())):
                    dtype = torch.float32
                given = {name: cast(value, dtype) for name, value in given.items()}
            return operator(**given)

    return run


def install() -> list[Any]:
    """Replace the CPU's policies by CUDA's; they stay while the returned libraries live."""
    library = torch.library.Library("aten", "IMPL", "AutocastCPU")
    for name in torch._C._dispatch_get_registrations_for_dispatch_key("AutocastCPU"):
        library.impl(name.removeprefix("aten::"), torch.library.fallthrough_kernel, "AutocastCPU", allow_override=True)
    for name, policy in listed():
        packet, _, overload = name.partition(".")
        found = getattr(torch.ops.aten, packet, None)
        if found is None:
            continue
        operator = getattr(found, overload or "default", None) or getattr(found, found.overloads()[0])
        library.impl(name, kernel(operator, policy), "AutocastCPU", allow_override=True)
    return [library]


def outcome(program: Any, values: Any, dtypes: tuple[str, str]) -> list[str] | str:
    """The dtypes of a program's results."""
    x, y = (torch.tensor(value, dtype=getattr(torch, dtype)) for value, dtype in zip(values, dtypes))
    torch.manual_seed(0)
    try:
        with torch.autocast("cpu", dtype=torch.float16):
            return [str(each.dtype) for each in flatten(program(torch, x, y))]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    given = json.load(sys.stdin)
    kept = install()
    print(
        json.dumps(
            {
                name: {" ".join(dtypes): outcome(program, given, dtypes) for dtypes in DTYPES}
                for name, program in PROGRAMS.items()
            }
        )
    )
