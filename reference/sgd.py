"""Stochastic gradient descent, with momentum.

Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
"""

import numpy as np


def sgd_step(
    parameter,
    grad,
    momentum_buffer=None,
    *,
    lr=1e-3,
    momentum=0.0,
    dampening=0.0,
    weight_decay=0.0,
    nesterov=False,
    maximize=False,
):
    """Take one step; returns (new parameter, new momentum_buffer), the buffer None without momentum.

    Formula, element by element:
      g = grad                             (-grad if maximize)
      g = g + weight_decay · parameter
      b = momentum · b + (1 - dampening) · g     (b = g in the first step, when there is no buffer)
      g = g + momentum · b  if nesterov, else  g = b
      parameter = parameter - lr · g
    Shapes: parameter, grad and momentum_buffer of one shape.
    """
    new_parameter = np.zeros(parameter.shape)
    new_buffer = np.zeros(parameter.shape) if momentum != 0 else None
    for index in np.ndindex(*parameter.shape):
        step = -grad[index] if maximize else grad[index]
        step = step + weight_decay * parameter[index]
        if momentum != 0:
            if momentum_buffer is None:
                new_buffer[index] = step
            else:
                new_buffer[index] = momentum * momentum_buffer[index] + (1 - dampening) * step
            step = step + momentum * new_buffer[index] if nesterov else new_buffer[index]
        new_parameter[index] = parameter[index] - lr * step
    return new_parameter, new_buffer
