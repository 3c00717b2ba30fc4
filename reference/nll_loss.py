"""Negative log-likelihood: the price of the log-probability given to the true class."""

import numpy as np


def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    """Negative log-likelihood loss.

    Formula: loss[n, …] = -weight[t] · input[n, t, …] with t = target[n, …], and 0 where
    t = ignore_index; "sum" adds the losses up, "mean" divides their sum by Σ weight[t] over the
    places that are not ignored (nan if that is 0), "none" returns them all.
    Shapes: input (N, C, d₁, …) or (C,) of log-probabilities, target (N, d₁, …) or () of class
    indices, weight (C,) → (), or the shape of target for "none".
    """
    losses = np.zeros(target.shape)
    total_loss = 0.0
    for place in np.ndindex(*target.shape):
        if target[place] != ignore_index:
            losses[place] = -class_weight(weight, target[place]) * input[chosen(place, target)]
            total_loss += losses[place]
    return reduced(losses, total_loss, total_weight(target, weight, ignore_index), reduction)


def nll_loss_gradient(grad_output, input, target, weight=None, ignore_index=-100, reduction="mean"):
    """Return grad_input.

    Gradient: -grad_output · weight[t] at the true class t of every place that is not ignored,
    divided by Σ weight[t] for "mean"; 0 everywhere else.
    """
    divisor = total_weight(target, weight, ignore_index) if reduction == "mean" else 1.0
    grad_input = np.zeros(input.shape)
    with np.errstate(all="ignore"):  # classes of weight 0 alone: 0 / 0 is nan
        for place in np.ndindex(*target.shape):
            if target[place] != ignore_index:
                grad = grad_output[place] if reduction == "none" else grad_output
                grad_input[chosen(place, target)] = -grad * class_weight(weight, target[place]) / divisor
    return grad_input


def class_weight(weight, c):
    """Return the weight of class c, which is 1 without weights."""
    return 1.0 if weight is None else weight[c]


def total_weight(target, weight, ignore_index):
    """Return Σ weight[t] over the places of the target that are not ignored."""
    result = np.float64(0)
    for place in np.ndindex(*target.shape):
        if target[place] != ignore_index:
            result += class_weight(weight, target[place])
    return result


def chosen(place, target):
    """Return the index (n, t, …) into the input of the true class at `place` (n, …) of the target."""
    return (*place[:1], target[place], *place[1:])


def reduced(losses, total_loss, divisor, reduction):
    """Return the losses, their total, or total / divisor, as `reduction` asks."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.asarray(total_loss)
    return np.asarray(total_loss / divisor if divisor != 0 else np.nan)  # a mean over nothing is nan
