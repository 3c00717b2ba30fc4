"""Files of the safetensors format: named tensors and nothing else, through its own library.

The format holds no code and no shared memory; tensors that share memory are each written in full.
Source: https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from minitorch.autograd.variable import Variable, wrap
from minitorch.backend import host, to_numpy
from minitorch.dtypes import from_numpy_dtype
from minitorch.serialization.atomic import replacing
from minitorch.serialization.storage import Storage, restore
from minitorch.tensor.tensor import Tensor


def save_safetensors(
    tensors: dict[str, Any], path: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Write named tensors to a ``.safetensors`` file, in one step as ``save`` does.

    Args: tensors: a state_dict, for example; metadata: texts to keep with them.
    Raises: TypeError for anything but tensors under strings; ImportError, naming the extra to install, where the
    library is missing.

    >>> import os, tempfile
    >>> import minitorch as torch
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
    >>> torch.serialization.save_safetensors({"weight": torch.ones(2)}, path)
    >>> torch.serialization.load_safetensors(path)
    {'weight': tensor([1., 1.])}
    """
    arrays = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Variable):
            raise TypeError(
                f"save_safetensors: expected tensors under strings, got {type(tensor).__name__} under {name!r}"
            )
        arrays[name] = host.asarray(to_numpy(tensor.array), order="C")
    content = _library().save(arrays, metadata)
    with replacing(os.fspath(path)) as file:
        file.write(content)


def load_safetensors(path: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """The named tensors in a ``.safetensors`` file, on ``device``.

    Raises: RuntimeError for a damaged file; TypeError for a dtype that NumPy lacks (bfloat16); ImportError, naming
    the extra to install, where the library is missing.
    """
    library = _library()
    try:
        arrays = library.load_file(os.fspath(path))
    except FileNotFoundError:
        raise
    except (TypeError, KeyError) as error:
        raise TypeError(f"load_safetensors: a tensor in the file has a dtype that minitorch lacks ({error})") from error
    except Exception as error:
        raise RuntimeError(f"load_safetensors: the file is damaged or of another format ({error})") from error
    return {name: _tensor(array, str(device)) for name, array in arrays.items()}


def _tensor(array: Any, location: str) -> Tensor:
    from_numpy_dtype(array.dtype)  # raises for the types that no tensor has
    tensor: Tensor = wrap(restore(Storage(array), location).array, Tensor)
    return tensor


def _library() -> Any:
    try:
        return importlib.import_module("safetensors.numpy")
    except ImportError as error:
        raise ImportError(
            f"safetensors cannot be imported ({error}); install it with: pip install 'minitorch[safetensors]'"
        ) from error
