"""Operations that gather many elements into one number: sum, mean, max and their relatives.

`dim` names the dimensions to reduce: `None` for all, one integer, or a tuple of integers; negative
values count from the end. With `keepdim` a reduced dimension stays, with size 1. The gradients take
grad_output with or without those sizes of 1.
"""

import numpy as np

# ---- which elements meet ---------------------------------------------------------------------


def reduced_dims(shape, dim=None):
    """Return the set of dimensions that `dim` names, counted from the front."""
    if dim is None or shape == ():
        return set(range(len(shape)))
    dims = dim if isinstance(dim, tuple) else (dim,)
    return {d % len(shape) for d in dims}


def kept_shape(shape, dim=None):
    """Return `shape` with every reduced size replaced by 1: (2, 3, 4) over dim 1 gives (2, 1, 4)."""
    reduced = reduced_dims(shape, dim)
    return tuple(1 if d in reduced else size for d, size in enumerate(shape))


def dropped_shape(shape, dim=None):
    """Return `shape` without the reduced dimensions: (2, 3, 4) over dim 1 gives (2, 4)."""
    reduced = reduced_dims(shape, dim)
    return tuple(size for d, size in enumerate(shape) if d not in reduced)


def groups(shape, dim=None):
    """Return a dictionary from each place of the result to the places of the input it is made from.

    Places of the result are written with the reduced dimensions kept, so `groups((2, 2), 1)` is
    `{(0, 0): [(0, 0), (0, 1)], (1, 0): [(1, 0), (1, 1)]}`.
    """
    reduced = reduced_dims(shape, dim)
    members = {place: [] for place in np.ndindex(*kept_shape(shape, dim))}
    for index in np.ndindex(*shape):
        place = tuple(0 if d in reduced else position for d, position in enumerate(index))
        members[place].append(index)
    return members


def reduce_elements(formula, input, dim=None, keepdim=False):
    """Apply `formula`, a function from a list of numbers to one number, to every group."""
    input = np.asarray(input, dtype=np.float64)
    output = np.zeros(kept_shape(input.shape, dim))
    with np.errstate(all="ignore"):  # the mean of nothing is nan, not an error
        for place, members in groups(input.shape, dim).items():
            output[place] = formula([input[index] for index in members])
    return output if keepdim else output.reshape(dropped_shape(input.shape, dim))


def reduce_gradient(formula, grad_output, input, dim=None):
    """Apply `formula(g, numbers)`, which returns one gradient for each number, to every group."""
    input = np.asarray(input, dtype=np.float64)
    grad_output = np.reshape(grad_output, kept_shape(input.shape, dim))
    grad_input = np.zeros(input.shape)
    with np.errstate(all="ignore"):
        for place, members in groups(input.shape, dim).items():
            gradients = formula(grad_output[place], [input[index] for index in members])
            for index, gradient in zip(members, gradients):
                grad_input[index] = gradient
    return grad_input


# ---- formulas over a list of numbers -----------------------------------------------------------


def total(numbers):
    """Return n₁ + n₂ + …, and 0 for an empty list."""
    result = np.float64(0)
    for number in numbers:
        result = result + number
    return result


def product(numbers):
    """Return n₁ · n₂ · …, and 1 for an empty list."""
    result = np.float64(1)
    for number in numbers:
        result = result * number
    return result


def average(numbers):
    """Return total / count; nan for an empty list."""
    return total(numbers) / len(numbers)


def first_largest(numbers):
    """Return the position of the first largest number; a nan counts as larger than any number."""
    best = 0
    for position, number in enumerate(numbers):
        if number > numbers[best] or (np.isnan(number) and not np.isnan(numbers[best])):
            best = position
    return best


def first_smallest(numbers):
    """Return the position of the first smallest number; a nan counts as smaller than any number."""
    return first_largest([-number for number in numbers])


def log_total_exp(numbers):
    """Return log(Σ e ^ n), moved by the largest number first so that no exponential overflows."""
    shift = numbers[first_largest(numbers)] if numbers else np.float64(0)
    if np.isinf(shift):
        shift = np.float64(0)
    return shift + np.log(total([np.exp(number - shift) for number in numbers]))


# ---- sums ------------------------------------------------------------------------------------


def sum(input, dim=None, keepdim=False):
    """Sum. Formula: output = Σ input over `dim`."""
    return reduce_elements(total, input, dim, keepdim)


def sum_gradient(grad_output, input, dim=None):
    """Return grad_input: every element receives the grad_output of its sum."""
    return reduce_gradient(lambda g, numbers: [g for _ in numbers], grad_output, input, dim)


def mean(input, dim=None, keepdim=False):
    """Mean. Formula: output = Σ input / n, where n elements meet."""
    return reduce_elements(average, input, dim, keepdim)


def mean_gradient(grad_output, input, dim=None):
    """Return grad_input = grad_output / n."""
    return reduce_gradient(lambda g, numbers: [g / len(numbers) for _ in numbers], grad_output, input, dim)


def var(input, dim=None, correction=1, keepdim=False):
    """Variance. Formula: output = Σ (input - mean)² / (n - correction); correction 1 is Bessel's.

    The divisor is never negative: with n ≤ correction it is 0, and the result nan or inf.
    """

    def variance(numbers):
        center = average(numbers)
        return total([(number - center) ** 2 for number in numbers]) / degrees(numbers, correction)

    return reduce_elements(variance, input, dim, keepdim)


def var_gradient(grad_output, input, dim=None, correction=1):
    """Return grad_input = grad_output · 2 (input - mean) / (n - correction)."""

    def gradients(g, numbers):
        center = average(numbers)
        return [g * 2 * (number - center) / degrees(numbers, correction) for number in numbers]

    return reduce_gradient(gradients, grad_output, input, dim)


def degrees(numbers, correction):
    """Return the degrees of freedom n - correction, at least 0."""
    return len(numbers) - correction if len(numbers) > correction else 0


def logsumexp(input, dim=None, keepdim=False):
    """Logarithm of a sum of exponentials. Formula: output = log Σ e ^ input over `dim`."""
    return reduce_elements(log_total_exp, input, dim, keepdim)


def logsumexp_gradient(grad_output, input, dim=None):
    """Return grad_input = grad_output · e ^ (input - output): the softmax, times grad_output."""

    def gradients(g, numbers):
        output = log_total_exp(numbers)
        return [g * np.exp(number - output) for number in numbers]

    return reduce_gradient(gradients, grad_output, input, dim)


def cumsum(input, dim):
    """Running sum along one dimension, same shape as input. Formula: output_i = Σ_{j ≤ i} input_j."""
    output = np.zeros(np.shape(input))
    for members in groups(np.shape(input), dim).values():
        running = 0.0
        for index in members:
            running = running + input[index]
            output[index] = running
    return output


def cumsum_gradient(grad_output, dim):
    """Return grad_input_j = Σ_{i ≥ j} grad_output_i: a running sum from the other end."""
    grad_input = np.zeros(np.shape(grad_output))
    for members in groups(np.shape(grad_output), dim).values():
        running = 0.0
        for index in reversed(members):
            running = running + grad_output[index]
            grad_input[index] = running
    return grad_input


# ---- product ---------------------------------------------------------------------------------


def prod(input, dim=None, keepdim=False):
    """Product. Formula: output = Π input over `dim`."""
    return reduce_elements(product, input, dim, keepdim)


def prod_gradient(grad_output, input, dim=None):
    """Return grad_input_i = grad_output · Π_{j ≠ i} input_j, which zeros among the inputs do not spoil."""

    def gradients(g, numbers):
        return [g * product(numbers[:i] + numbers[i + 1 :]) for i in range(len(numbers))]

    return reduce_gradient(gradients, grad_output, input, dim)


# ---- extremes --------------------------------------------------------------------------------


def positions(find, input, dim=None, keepdim=False):
    """Apply `find`, which returns a position in a list of numbers, to every group; an int64 array."""
    return reduce_elements(find, input, dim, keepdim).astype(np.int64)


def argmax(input, dim=None, keepdim=False):
    """Position of the first largest element along `dim`, or in the flattened input if `dim` is None."""
    return positions(first_largest, input, dim, keepdim)


def argmin(input, dim=None, keepdim=False):
    """Position of the first smallest element along `dim`, or in the flattened input if `dim` is None."""
    return positions(first_smallest, input, dim, keepdim)


def max(input, dim=None, keepdim=False):
    """Largest element: one number if `dim` is None, else (values, indices) along `dim`.

    Ties: the index is that of the first. A nan wins over every number.
    """
    values = reduce_elements(lambda numbers: numbers[first_largest(numbers)], input, dim, keepdim)
    return values if dim is None else (values, argmax(input, dim, keepdim))


def max_gradient(grad_output, input, dim=None):
    """Return grad_input: grad_output goes to the chosen element along `dim`, the first of equals.

    With `dim` None all equal largest elements share grad_output evenly.
    """
    return extreme_gradient(first_largest, grad_output, input, dim)


def min(input, dim=None, keepdim=False):
    """Smallest element: one number if `dim` is None, else (values, indices) along `dim`.

    Ties: the index is that of the first. A nan wins over every number.
    """
    values = reduce_elements(lambda numbers: numbers[first_smallest(numbers)], input, dim, keepdim)
    return values if dim is None else (values, argmin(input, dim, keepdim))


def min_gradient(grad_output, input, dim=None):
    """Return grad_input by the rule of `max_gradient`, for the smallest elements."""
    return extreme_gradient(first_smallest, grad_output, input, dim)


def extreme_gradient(find, grad_output, input, dim=None):
    """Return grad_input of the element at position `find(numbers)`, or of all its equals if `dim` is None."""

    def gradients(g, numbers):
        chosen = find(numbers)
        if dim is not None:
            return [g if position == chosen else 0.0 for position in range(len(numbers))]
        equal = [number == numbers[chosen] for number in numbers]
        return [g / total(equal) if is_equal else 0.0 for is_equal in equal]

    return reduce_gradient(gradients, grad_output, input, dim)
