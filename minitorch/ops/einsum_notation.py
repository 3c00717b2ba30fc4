"""Reading einsum's notation: ``"...ij,jk->...ik"`` or lists of numbers become one label a dimension.

A label is a letter, or ``("...", n)`` for the n-th last dimension that an ellipsis stands for: counted from the
end, because that is how ellipses broadcast against each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from minitorch.autograd.variable import raw

Label = Any  # a letter, or ("...", n)
Labels = list[Label]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def read(equation: Any, operands: tuple[Any, ...]) -> tuple[list[Labels], Labels, list[Any]]:
    """The labels of each operand, those of the result, and the operands, all checked.

    Raises: RuntimeError, ValueError or TypeError, with torch's text, for whatever is wrong with the equation
    or does not fit the operands.
    """
    if not isinstance(equation, str) and hasattr(raw(equation), "dtype"):
        equation, operands = from_sublists((equation, *operands))
    if not isinstance(equation, str):
        raise TypeError(f"einsum(): argument 'equation' (position 1) must be str, not {type(equation).__name__}")
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not operands:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and "
            "its subscripts list"
        )
    _check_letters(equation)
    inputs, arrow, output = equation.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        which = "fewer" if len(operands) < len(terms) else "more"
        raise RuntimeError(f"einsum(): {which} operands were provided than specified in the equation")
    labels = [_of_operand(number, term, raw(operands[number]).ndim) for number, term in enumerate(terms)]
    _check_sizes(labels, operands)
    result = _of_output(output, labels) if arrow else _implicit_output(labels)
    return labels, result, list(operands)


def from_sublists(arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """``(a, [0, 1], b, [1, 2], [0, 2])`` as an equation and its operands; ``...`` is Python's Ellipsis."""
    count = len(arguments) // 2
    terms = [_letters(arguments[2 * index + 1]) for index in range(count)]
    equation = ",".join(terms)
    if len(arguments) % 2:
        equation += "->" + _letters(arguments[-1])
    return equation, tuple(arguments[0 : 2 * count : 2])


def _letters(numbers: Sequence[Any]) -> str:
    letters = []
    for number in numbers:
        if number is not Ellipsis and not 0 <= number < len(_LETTERS):
            raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
        letters.append("..." if number is Ellipsis else _LETTERS[number])
    return "".join(letters)


def _check_letters(equation: str) -> None:
    """Raise unless the equation is letters, dots, commas and spaces, with at most one arrow."""
    arrow = equation.find("->")
    for index, character in enumerate(equation):
        is_sign = character in ". " or (character == "," and not 0 <= arrow < index)
        if not (character in _LETTERS or is_sign or (index in (arrow, arrow + 1) and arrow >= 0)):
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {index} in the equation string, subscripts must be "
                "in [a-zA-Z]"
            )


def _tokens(term: str, owner: str) -> list[str]:
    """The letters of one term, and '...' for an ellipsis."""
    tokens = re.findall(r"\.\.\.|\S", term)
    if "." in tokens:
        raise RuntimeError(f"einsum(): found '.' for {owner} that is not part of any ellipsis")
    if tokens.count("...") > 1:
        raise RuntimeError(f"einsum(): found '.' for {owner} for which an ellipsis was already found")
    return tokens


def _of_operand(number: int, term: str, ndim: int) -> Labels:
    """One label a dimension of operand ``number``."""
    tokens = _tokens(term, f"operand {number}")
    named = len(tokens) - ("..." in tokens)
    if named > ndim or ("..." not in tokens and named < ndim):
        what = "is more than" if "..." in tokens else "does not match"
        end = "" if "..." in tokens else " and no ellipsis was given"
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({named}) {what} the number of dimensions "
            f"({ndim}) for operand {number}{end}"
        )
    labels: Labels = []
    for token in tokens:
        labels += [("...", n) for n in range(ndim - named, 0, -1)] if token == "..." else [token]
    return labels


def _check_sizes(labels: list[Labels], operands: Sequence[Any]) -> None:
    """Raise unless every label has one size everywhere, or size 1, which broadcasts between operands."""
    seen: dict[Label, int] = {}
    for number, (names, operand) in enumerate(zip(labels, operands)):
        own: dict[Label, int] = {}
        for label, size in zip(names, raw(operand).shape):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {number} but the sizes don't match, "
                    f"{size} != {own[label]}"
                )
            if seen.get(label, 1) == 1:
                seen[label] = size
            elif size not in (1, seen[label]):
                what = f"subscript {label}" if isinstance(label, str) else "a dimension covered by ellipsis"
                raise RuntimeError(
                    f"einsum(): {what} has size {size} for operand {number} which does not broadcast with "
                    f"previously seen size {seen[label]}"
                )


def _ellipsis_labels(labels: list[Labels]) -> Labels:
    """The labels of all dimensions that some ellipsis stands for, outermost first."""
    deepest = max((label[1] for names in labels for label in names if not isinstance(label, str)), default=0)
    return [("...", n) for n in range(deepest, 0, -1)]


def _of_output(term: str, labels: list[Labels]) -> Labels:
    """The labels to the right of the arrow."""
    tokens = _tokens(term, "output")
    known = {label for names in labels for label in names}
    result: Labels = []
    for token in tokens:
        if token == "...":
            result += _ellipsis_labels(labels)
            continue
        if token in result:
            raise RuntimeError(f"einsum(): output subscript {token} appears more than once in the output")
        if token not in known:
            raise RuntimeError(
                f"einsum(): output subscript {token} does not appear in the equation for any input operand"
            )
        result.append(token)
    return result


def _implicit_output(labels: list[Labels]) -> Labels:
    """Without an arrow: what the ellipses cover, then the letters that occur once, in alphabetical order."""
    letters = [label for names in labels for label in names if isinstance(label, str)]
    return _ellipsis_labels(labels) + sorted(letter for letter in letters if letters.count(letter) == 1)
