"""Cross-entropy between a target and the softmax of scores.

A target of class indices is the special case of a target of probabilities in which one class has all
the probability; `target_probabilities` writes every target in the second form, and one formula
serves both.
"""

import numpy as np

from reference.nll_loss import chosen, class_weight, reduced, total_weight
from reference.softmax import log_softmax, log_softmax_gradient


def cross_entropy(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """Cross-entropy loss of scores (logits).

    Formula: loss[n, …] = -Σ_c weight[c] · q[n, c, …] · log_softmax(input)[n, c, …], where q is the
    target's probability with label smoothing ε: q = (1 - ε) · target + ε / C, and q = 0 where the
    target is ignored. "sum" adds the losses up, "none" returns them all, and "mean" divides their
    sum by `mean_divisor`.
    Shapes: input (N, C, d₁, …) or (C,); target of class indices (N, d₁, …) or (), or of
    probabilities with the shape of input; weight (C,) → (), or the losses' shape (N, d₁, …) for "none".
    """
    class_dim = 0 if input.ndim == 1 else 1
    logs = log_softmax(input, class_dim)
    q = target_probabilities(input, target, ignore_index, label_smoothing)
    losses = np.zeros(input.shape[:class_dim] + input.shape[class_dim + 1 :])
    total_loss = 0.0
    for index in np.ndindex(*input.shape):
        if is_indices(input, target) and q[index] == 0:
            continue  # a class that is not meant costs nothing, not even 0 · ∞
        loss = -class_weight(weight, index[class_dim]) * q[index] * logs[index]
        losses[index[:class_dim] + index[class_dim + 1 :]] += loss
        total_loss += loss
    return reduced(losses, total_loss, mean_divisor(input, target, weight, ignore_index), reduction)


def cross_entropy_gradient(
    grad_output, input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    """Return grad_input.

    Gradient: with w_c = weight[c] · q_c at each place,
    grad_input_c = grad_output · (softmax(input)_c · Σ_k w_k - w_c), divided by `mean_divisor` for
    "mean". For one true class and no weights this is the well-known softmax(input) - target.
    """
    class_dim = 0 if input.ndim == 1 else 1
    q = target_probabilities(input, target, ignore_index, label_smoothing)
    divisor = mean_divisor(input, target, weight, ignore_index) if reduction == "mean" else 1.0
    grad_logs = np.zeros(input.shape)
    with np.errstate(all="ignore"):
        for index in np.ndindex(*input.shape):
            place = index[:class_dim] + index[class_dim + 1 :]
            if is_indices(input, target) and target[place] == ignore_index:
                continue
            grad = grad_output[place] if reduction == "none" else grad_output
            grad_logs[index] = -grad * class_weight(weight, index[class_dim]) * q[index] / divisor
    return log_softmax_gradient(grad_logs, input, class_dim)


def cross_entropy_target_gradient(grad_output, input, target, weight=None, reduction="mean", label_smoothing=0.0):
    """Return grad_target, for a target of probabilities.

    Gradient: grad_target_c = -grad_output · (1 - ε) · weight[c] · log_softmax(input)_c, divided by
    `mean_divisor` for "mean".
    """
    class_dim = 0 if input.ndim == 1 else 1
    logs = log_softmax(input, class_dim)
    divisor = mean_divisor(input, target, weight, None) if reduction == "mean" else 1.0
    grad_target = np.zeros(input.shape)
    for index in np.ndindex(*input.shape):
        place = index[:class_dim] + index[class_dim + 1 :]
        grad = grad_output[place] if reduction == "none" else grad_output
        scale = (1 - label_smoothing) * class_weight(weight, index[class_dim]) / divisor
        grad_target[index] = -grad * scale * logs[index]
    return grad_target


def is_indices(input, target):
    """Return whether the target holds class indices, which have no class dimension."""
    return target.ndim < input.ndim


def target_probabilities(input, target, ignore_index, label_smoothing):
    """Return q in the shape of input: (1 - ε) · target + ε / C; 0 at ignored places.

    An index t stands for probability 1 of class t and 0 of the others.
    """
    class_dim = 0 if input.ndim == 1 else 1
    C = input.shape[class_dim]
    q = np.zeros(input.shape)
    for index in np.ndindex(*input.shape):
        if is_indices(input, target):
            place = index[:class_dim] + index[class_dim + 1 :]
            if target[place] == ignore_index:
                continue
            probability = 1.0 if index == chosen(place, target) else 0.0
        else:
            probability = target[index]
        q[index] = (1 - label_smoothing) * probability + label_smoothing / C
    return q


def mean_divisor(input, target, weight, ignore_index):
    """Return what "mean" divides by.

    For class indices: Σ weight[t] over the places that are not ignored. For probabilities: the
    number of places, whatever the weights.
    """
    if is_indices(input, target):
        return total_weight(target, weight, ignore_index)
    return input.size / input.shape[0 if input.ndim == 1 else 1]
