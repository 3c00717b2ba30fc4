"""SparseAdam: torch's Adam for sparse gradients, here for its errors only."""

from __future__ import annotations

from typing import Any

from minitorch.optim.optimizer import Optimizer, check_betas, check_learning_rate


class SparseAdam(Optimizer):
    """Adam that updates only the rows that occur in a sparse gradient.

    minitorch has dense tensors only, and for a dense gradient torch's SparseAdam raises: so does this one.
    Raises: ValueError for options out of range; RuntimeError in ``step`` for a dense gradient.

    >>> import minitorch as torch
    >>> torch.optim.SparseAdam([torch.nn.Parameter(torch.ones(2))]).defaults["betas"]
    (0.9, 0.999)
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check_learning_rate(lr)
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def _update(self, group: dict[str, Any], parameters: list[Any]) -> None:
        if parameters:
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
