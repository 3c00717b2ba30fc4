"""Dropout: silence random elements in training, and scale the others up to make good for it.

Source: Srivastava et al., "Dropout", 2014 (here in its "inverted" form).
"""

import numpy as np


def dropout(input, mask, p=0.5):
    """Drop the elements whose mask is 0.

    Formula: output = input · mask / (1 - p), and 0 everywhere for p = 1; so that the mean stays the
    same when each mask element is 1 with probability 1 - p.
    Shapes: input and mask of one shape → that shape.
    """
    output = np.zeros(input.shape)
    for index in np.ndindex(*input.shape):
        if p < 1:
            output[index] = input[index] * mask[index] / (1 - p)
    return output


def dropout_gradient(grad_output, mask, p=0.5):
    """Return grad_input = grad_output · mask / (1 - p), and 0 for p = 1: the same map as the forward."""
    return dropout(grad_output, mask, p)
