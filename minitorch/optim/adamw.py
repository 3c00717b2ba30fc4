"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from minitorch.optim.adam import Adam


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter directly, instead of entering the running estimates.

    The formula and options are those of ``Adam`` with ``decoupled_weight_decay=True``.
    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    >>> import minitorch as torch
    >>> torch.optim.AdamW([torch.nn.Parameter(torch.ones(2))]).defaults["weight_decay"]
    0.01
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
