"""Operations that treat every element on its own: arithmetic, roots, activations, choices.

Each operation is one formula for single numbers; `map_elements` applies it at every place, and
`broadcast_shape` says what "every place" means when the inputs have different shapes.
"""

import numpy as np

# ---- broadcasting ----------------------------------------------------------------------------


def broadcast_shape(*shapes):
    """Return the shape of the result when arrays of these shapes are combined.

    Shapes are lined up at their last size. A missing size counts as 1, and a size of 1 stretches to
    the size it meets: (2, 1, 4) and (3, 1) give (2, 3, 4).
    Raises: ValueError if two different sizes meet and neither is 1.
    """
    rank = max(len(shape) for shape in shapes)
    result = []
    for position in range(-rank, 0):
        sizes = {shape[position] for shape in shapes if len(shape) >= -position}
        sizes.discard(1)
        if len(sizes) > 1:
            raise ValueError(f"broadcast: sizes {sorted(sizes)} meet in shapes {shapes}; all but one must be 1")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def broadcast_index(index, shape):
    """Return the place inside an array of `shape` that supplies the element at `index` of the result.

    Leading positions that the array lacks are dropped, and a stretched size has only place 0.
    """
    own_index = index[len(index) - len(shape) :]
    return tuple(0 if size == 1 else position for position, size in zip(own_index, shape))


def sum_to_shape(array, shape):
    """Add up `array` into `shape`, undoing a broadcast: the gradient of stretching an array.

    An element that was used at many places of the result collects the gradient of all of them.
    """
    result = np.zeros(shape)
    for index in np.ndindex(*array.shape):
        result[broadcast_index(index, shape)] += array[index]
    return result


def map_elements(formula, *inputs):
    """Apply `formula`, a function of single numbers, at every place of the broadcast inputs."""
    arrays = [np.asarray(array, dtype=np.float64) for array in inputs]
    output = np.zeros(broadcast_shape(*(array.shape for array in arrays)))
    with np.errstate(all="ignore"):  # 1/0 is inf and 0/0 is nan here, not an error
        for index in np.ndindex(*output.shape):
            output[index] = formula(*(array[broadcast_index(index, array.shape)] for array in arrays))
    return output


def map_gradient(formula, grad_output, *inputs, position=0):
    """Return the gradient of `inputs[position]`: `formula(g, *numbers)` everywhere, summed to its shape."""
    return sum_to_shape(map_elements(formula, grad_output, *inputs), np.shape(inputs[position]))


# ---- arithmetic ------------------------------------------------------------------------------


def add(input, other):
    """Sum. Formula: output = input + other."""
    return map_elements(lambda x, y: x + y, input, other)


def add_gradient(grad_output, input, other):
    """Return (grad_input, grad_other): grad_output for both."""
    grad_input = map_gradient(lambda g, x, y: g, grad_output, input, other)
    grad_other = map_gradient(lambda g, x, y: g, grad_output, input, other, position=1)
    return grad_input, grad_other


def sub(input, other):
    """Difference. Formula: output = input - other."""
    return map_elements(lambda x, y: x - y, input, other)


def sub_gradient(grad_output, input, other):
    """Return (grad_input, grad_other): grad_output and -grad_output."""
    grad_input = map_gradient(lambda g, x, y: g, grad_output, input, other)
    grad_other = map_gradient(lambda g, x, y: -g, grad_output, input, other, position=1)
    return grad_input, grad_other


def mul(input, other):
    """Product. Formula: output = input · other."""
    return map_elements(lambda x, y: x * y, input, other)


def mul_gradient(grad_output, input, other):
    """Return (grad_input, grad_other): grad_output · other and grad_output · input."""
    grad_input = map_gradient(lambda g, x, y: g * y, grad_output, input, other)
    grad_other = map_gradient(lambda g, x, y: g * x, grad_output, input, other, position=1)
    return grad_input, grad_other


def div(input, other):
    """Quotient. Formula: output = input / other."""
    return map_elements(lambda x, y: x / y, input, other)


def div_gradient(grad_output, input, other):
    """Return (grad_input, grad_other): grad_output / other and -grad_output · input / other²."""
    grad_input = map_gradient(lambda g, x, y: g / y, grad_output, input, other)
    grad_other = map_gradient(lambda g, x, y: -g * x / (y * y), grad_output, input, other, position=1)
    return grad_input, grad_other


def pow(input, exponent):
    """Power. Formula: output = input ^ exponent; nan for a negative input and a fractional exponent."""
    return map_elements(lambda x, y: x**y, input, exponent)


def pow_gradient(grad_output, input, exponent):
    """Return (grad_input, grad_exponent).

    Gradient: grad_input = grad_output · exponent · input ^ (exponent - 1), and 0 for exponent 0;
    grad_exponent = grad_output · input ^ exponent · log(input), and 0 for 0 ^ exponent, exponent ≥ 0.
    """

    def exponent_formula(g, x, y):
        return 0.0 if x == 0 and y >= 0 else g * x**y * np.log(x)

    grad_input = map_gradient(lambda g, x, y: 0.0 if y == 0 else g * y * x ** (y - 1), grad_output, input, exponent)
    return grad_input, map_gradient(exponent_formula, grad_output, input, exponent, position=1)


# ---- exponentials, roots, absolute value ------------------------------------------------------


def exp(input):
    """Exponential. Formula: output = e ^ input."""
    return map_elements(lambda x: np.exp(x), input)


def exp_gradient(grad_output, input):
    """Return grad_input = grad_output · e ^ input."""
    return map_gradient(lambda g, x: g * np.exp(x), grad_output, input)


def log(input):
    """Natural logarithm. Formula: output = ln(input); -inf at 0, nan below."""
    return map_elements(lambda x: np.log(x), input)


def log_gradient(grad_output, input):
    """Return grad_input = grad_output / input."""
    return map_gradient(lambda g, x: g / x, grad_output, input)


def sqrt(input):
    """Square root. Formula: output = √input; nan below 0."""
    return map_elements(lambda x: np.sqrt(x), input)


def sqrt_gradient(grad_output, input):
    """Return grad_input = grad_output / (2 √input)."""
    return map_gradient(lambda g, x: g / (2 * np.sqrt(x)), grad_output, input)


def abs(input):
    """Absolute value. Formula: output = |input|."""
    return map_elements(lambda x: np.fabs(x), input)


def abs_gradient(grad_output, input):
    """Return grad_input = grad_output · sign(input), with sign(0) = 0."""
    return map_gradient(lambda g, x: g if x > 0 else -g if x < 0 else 0.0, grad_output, input)


# ---- activations -----------------------------------------------------------------------------


def sigmoid(input):
    """Logistic function. Formula: output = 1 / (1 + e ^ -input)."""
    return map_elements(lambda x: 1 / (1 + np.exp(-x)), input)


def sigmoid_gradient(grad_output, input):
    """Return grad_input = grad_output · s · (1 - s), where s = sigmoid(input)."""
    return map_gradient(lambda g, s: g * s * (1 - s), grad_output, sigmoid(input))


def tanh(input):
    """Hyperbolic tangent. Formula: output = (e ^ x - e ^ -x) / (e ^ x + e ^ -x)."""
    return map_elements(lambda x: np.tanh(x), input)


def tanh_gradient(grad_output, input):
    """Return grad_input = grad_output · (1 - tanh²(input))."""
    return map_gradient(lambda g, x: g * (1 - np.tanh(x) ** 2), grad_output, input)


def relu(input):
    """Rectifier. Formula: output = input where input > 0, else 0 (nan stays nan)."""
    return map_elements(lambda x: 0.0 if x <= 0 else x, input)


def relu_gradient(grad_output, input):
    """Return grad_input = grad_output where input > 0, else 0."""
    return map_gradient(lambda g, x: 0.0 if x <= 0 else g, grad_output, input)


def leaky_relu(input, negative_slope=0.01):
    """Leaky rectifier. Formula: output = input where input > 0, else negative_slope · input."""
    return map_elements(lambda x: x if x > 0 else negative_slope * x, input)


def leaky_relu_gradient(grad_output, input, negative_slope=0.01):
    """Return grad_input = grad_output where input > 0, else negative_slope · grad_output."""
    return map_gradient(lambda g, x: g if x > 0 else negative_slope * g, grad_output, input)


# ---- limits and choices ----------------------------------------------------------------------


def clamp(input, min=None, max=None):
    """Limit to [min, max]; `None` means no limit on that side.

    Formula: output = min(max(input, lower), upper); if lower > upper, everything becomes upper.
    """
    lower = -np.inf if min is None else min
    upper = np.inf if max is None else max

    def limit(x):
        raised = lower if x < lower else x
        return upper if raised > upper else raised

    return map_elements(limit, input)


def clamp_gradient(grad_output, input, min=None, max=None):
    """Return grad_input = grad_output where lower ≤ input ≤ upper, limits included, else 0."""
    lower = -np.inf if min is None else min
    upper = np.inf if max is None else max
    return map_gradient(lambda g, x: g if lower <= x <= upper else 0.0, grad_output, input)


def maximum(input, other):
    """Larger of two. Formula: output = input if input > other else other; nan if either is nan."""
    return map_elements(lambda x, y: x if x > y or np.isnan(x) else y, input, other)


def maximum_gradient(grad_output, input, other):
    """Return (grad_input, grad_other): grad_output goes to the larger one, half to each of two equals."""

    def share(g, mine, yours):
        return 0.0 if mine < yours else g / 2 if mine == yours else g

    grad_input = map_gradient(share, grad_output, input, other)
    grad_other = map_gradient(lambda g, x, y: share(g, y, x), grad_output, input, other, position=1)
    return grad_input, grad_other


def minimum(input, other):
    """Smaller of two. Formula: output = input if input < other else other; nan if either is nan."""
    return map_elements(lambda x, y: x if x < y or np.isnan(x) else y, input, other)


def minimum_gradient(grad_output, input, other):
    """Return (grad_input, grad_other): grad_output goes to the smaller one, half to each of two equals."""

    def share(g, mine, yours):
        return 0.0 if mine > yours else g / 2 if mine == yours else g

    grad_input = map_gradient(share, grad_output, input, other)
    grad_other = map_gradient(lambda g, x, y: share(g, y, x), grad_output, input, other, position=1)
    return grad_input, grad_other


def where(condition, input, other):
    """Choice. Formula: output = input where condition holds, else other."""
    return map_elements(lambda c, x, y: x if c else y, condition, input, other)


def where_gradient(grad_output, condition, input, other):
    """Return (grad_input, grad_other): grad_output goes to the one that was chosen, 0 to the other."""
    inputs = (condition, input, other)
    grad_input = map_gradient(lambda g, c, x, y: g if c else 0.0, grad_output, *inputs, position=1)
    grad_other = map_gradient(lambda g, c, x, y: 0.0 if c else g, grad_output, *inputs, position=2)
    return grad_input, grad_other
