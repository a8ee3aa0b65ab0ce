"""numpy.einsum: linear in each operand; its adjoint is another einsum, with an ellipsis for the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from .._registry import jvp, vjp


class Contraction:
    """One call, read: labels (numbers) of each operand and of the result; labels of an ellipsis are negative.

    ``places`` says where each array stands among einsum's arguments.
    """

    def __init__(self, operands: Any, specs: Any, result: Any) -> None:
        if specs[0].dtype.kind in "US":
            terms, output = _read_text(str(operands[0]))
            self.places = list(range(1, len(operands)))
        else:
            pairs = len(operands) // 2
            terms = [list(labels) for labels in operands[1 : 2 * pairs : 2]]
            output = list(operands[-1]) if len(operands) % 2 else None
            self.places = list(range(0, 2 * pairs, 2))
        arrays = [np.asarray(operands[place]) for place in self.places]
        # With ``dtype=float`` the real parts of complex numbers are multiplied.
        self.arrays = arrays if result.dtype.kind == "c" else [np.real(a) for a in arrays]
        shapes = [specs[place].shape for place in self.places]
        if output is None:
            count = Counter(label for term in terms for label in term)
            output = [Ellipsis, *sorted(label for label, n in count.items() if label is not Ellipsis and n == 1)]
        extra = [len(shape) - len(term) + 1 if Ellipsis in term else 0 for term, shape in zip(terms, shapes, strict=True)]
        self.terms = [_spelled(term, n) for term, n in zip(terms, extra, strict=True)]
        self.output = _spelled(output, max(extra, default=0))
        self.sizes: dict[int, int] = {}
        for term, shape in zip(self.terms, shapes, strict=True):
            for label, size in zip(term, shape, strict=True):
                self.sizes[label] = max(self.sizes.get(label, 1), size) if size else 0

    def run(self, terms: list[tuple[Any, list]], output: list) -> Any:
        """einsum over arrays with their labels; Ellipsis stands for a batch."""
        numbers: dict = {Ellipsis: Ellipsis}
        arguments: list = []
        for array, labels in terms:
            arguments += [array, [numbers.setdefault(label, len(numbers) - 1) for label in labels]]
        arguments.append([numbers[label] for label in output])
        return np.einsum(*arguments, optimize=len(terms) > 2)

    def cotangent(self, ct: Any, number: int) -> Any:
        """The cotangent of one operand: a repeated label is kept apart by an identity matrix, one that stands nowhere else
        is filled with ones."""
        terms = [(ct, [Ellipsis, *self.output])]
        for other, (array, labels) in enumerate(zip(self.arrays, self.terms, strict=True)):
            if other != number:
                terms.append((np.conjugate(array) if np.iscomplexobj(array) else array, labels))
        # Sizes differ where an operand of length 1 is broadcast.
        present = set(self.output)
        for array, labels in terms[1:]:
            present |= {label for label, size in zip(labels, array.shape, strict=True) if size == self.sizes[label]}
        output: list = [Ellipsis]
        for position, label in enumerate(self.terms[number]):
            size = self.sizes[label]
            if label in output:
                apart = ("apart", position)
                terms.append((np.eye(size, dtype=ct.real.dtype), [label, apart]))
                label = apart
            elif label not in present:
                terms.append((np.ones(size, ct.real.dtype), [label]))
            output.append(label)
        return self.run(terms, output)

    def tangent(self, tangents: Any) -> Any:
        parts = []
        for number, place in enumerate(self.places):
            terms = list(zip(self.arrays, self.terms, strict=True))
            terms[number] = (tangents[place], [Ellipsis, *self.terms[number]])
            parts.append(self.run(terms, [Ellipsis, *self.output]))
        return sum(parts[1:], parts[0])


def _read_text(subscripts: str) -> tuple[list, list | None]:
    """The labels of "ij,jk->ik" as numbers in alphabetical order."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = [_read_term(term) for term in left.split(",")]
    return terms, _read_term(right) if arrow else None


def _read_term(term: str) -> list:
    return [Ellipsis if letter == "." else ord(letter) for letter in term.replace("...", ".")]


def _spelled(labels: list, extra: int) -> list:
    """Labels with those of the axes that an ellipsis stands for, counted from the right."""
    spelled: list = []
    for label in labels:
        spelled += range(-extra, 0) if label is Ellipsis else [int(label)]
    return spelled


class _OnDemand:
    """Cotangents of those operands that are asked for."""

    def __init__(self, cotangent: Callable) -> None:
        self.cotangent = cotangent

    def __getitem__(self, place: int) -> Any:
        return self.cotangent(place)


@vjp(np.einsum, "operands")
def einsum_vjp(ct: Any, operands: Any, operands_spec: Any, ans_spec: Any) -> Any:
    contraction = Contraction(operands, operands_spec, ans_spec)
    return _OnDemand(lambda place: contraction.cotangent(ct, contraction.places.index(place)))


@jvp(np.einsum, "operands")
def einsum_jvp(tangent: Any, operands: Any, operands_spec: Any, ans_spec: Any) -> Any:
    return Contraction(operands, operands_spec, ans_spec).tangent(tangent)
