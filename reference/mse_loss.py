"""Mean squared error."""

import numpy as np

from reference.elementwise import map_elements, map_gradient
from reference.nll_loss import reduced
from reference.reduction import total


def mse_loss(input, target, reduction="mean"):
    """Squared error.

    Formula: loss = (input - target)² at each place; "mean" and "sum" reduce them to one number,
    "none" returns them all.
    Shapes: input and target that broadcast to one shape → (), or that shape for "none".
    """
    losses = map_elements(lambda x, y: (x - y) ** 2, input, target)
    return reduced(losses, total([losses[place] for place in np.ndindex(*losses.shape)]), losses.size, reduction)


def mse_loss_gradient(grad_output, input, target, reduction="mean"):
    """Return (grad_input, grad_target).

    Gradient: grad_input = grad_output · 2 (input - target), divided by the number of places for
    "mean"; grad_target = -grad_input, each summed to its own shape.
    """
    count = map_elements(lambda x, y: 0.0, input, target).size if reduction == "mean" else 1
    grad_input = map_gradient(lambda g, x, y: g * 2 * (x - y) / count, grad_output, input, target)
    grad_target = map_gradient(lambda g, x, y: g * 2 * (y - x) / count, grad_output, input, target, position=1)
    return grad_input, grad_target
