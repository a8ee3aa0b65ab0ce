"""numpy.einsum: linear in each operand; its adjoint is another einsum, with an ellipsis for the batch."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .._registry import jvp, vjp


class Labels:
    """The labels (numbers) of each operand of a call and of its result, those of an ellipsis being negative, and the size of
    each."""

    def __init__(self, terms: list[list], output: list | None, shapes: tuple[tuple[int, ...], ...]) -> None:
        if output is None:
            count = Counter(label for term in terms for label in term)
            output = [Ellipsis, *sorted(label for label, n in count.items() if label is not Ellipsis and n == 1)]
        extra = [len(shape) - len(term) + 1 if Ellipsis in term else 0 for term, shape in zip(terms, shapes, strict=True)]
        self.terms = [_spelled(term, n) for term, n in zip(terms, extra, strict=True)]
        self.output = _spelled(output, max(extra, default=0))
        self.shapes = shapes
        self.sizes: dict[int, int] = {}
        for term, shape in zip(self.terms, shapes, strict=True):
            for label, size in zip(term, shape, strict=True):
                self.sizes[label] = max(self.sizes.get(label, 1), size) if size else 0
        self._adjoints: dict[int, Adjoint] = {}

    def adjoint(self, number: int) -> Adjoint:
        """The einsum that gives the cotangent of one operand: a repeated label is kept apart by an identity matrix, one that
        stands nowhere else is filled with ones."""
        if number not in self._adjoints:
            self._adjoints[number] = self._adjoint(number)
        return self._adjoints[number]

    def _adjoint(self, number: int) -> Adjoint:
        others = [other for other in range(len(self.terms)) if other != number]
        terms: list[list] = [[Ellipsis, *self.output], *[self.terms[other] for other in others]]
        # Sizes differ where an operand of length 1 is broadcast.
        present = set(self.output)
        for other in others:
            labels = zip(self.terms[other], self.shapes[other], strict=True)
            present |= {label for label, size in labels if size == self.sizes[label]}
        made: list[tuple[Callable, int]] = []
        output: list = [Ellipsis]
        for position, label in enumerate(self.terms[number]):
            size = self.sizes[label]
            if label in output:
                apart = ("apart", position)
                made.append((np.eye, size))
                terms.append([label, apart])
                label = apart
            elif label not in present:
                made.append((np.ones, size))
                terms.append([label])
            output.append(label)
        *numbers, last = _numbered([*terms, output])
        return Adjoint(others, made, numbers, last)


class Adjoint(NamedTuple):
    """An einsum of the cotangent, some operands, and matrices that are made; the labels of all, and of the result."""

    others: list[int]
    made: list[tuple[Callable, int]]
    labels: list[list]
    output: list


def _numbered(terms: list[list]) -> list[list]:
    """Labels as einsum takes them; Ellipsis stands for a batch."""
    numbers: dict = {Ellipsis: Ellipsis}
    return [[numbers.setdefault(label, len(numbers) - 1) for label in term] for term in terms]


def _einsum(arrays: list, labels: list[list], output: list) -> Any:
    arguments = [part for pair in zip(arrays, labels, strict=True) for part in pair]
    return np.einsum(*arguments, output, optimize=len(arrays) > 2)


@functools.lru_cache(1024)
def _labels_of_text(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> Labels:
    return Labels(*_read_text(subscripts), shapes)


class Contraction:
    """One call. ``places`` says where each array stands among einsum's arguments."""

    def __init__(self, operands: Any, specs: Any, result: Any) -> None:
        is_text = specs[0].dtype.kind in "US"
        pairs = len(operands) // 2
        self.places = list(range(1, len(operands))) if is_text else list(range(0, 2 * pairs, 2))
        arrays = [np.asarray(operands[place]) for place in self.places]
        # With ``dtype=float`` the real parts of complex numbers are multiplied.
        self.arrays = arrays if result.dtype.kind == "c" else [np.real(a) for a in arrays]
        shapes = tuple([specs[place].shape for place in self.places])
        if is_text:
            self.labels = _labels_of_text(str(operands[0]), shapes)
        else:
            terms = [list(labels) for labels in operands[1 : 2 * pairs : 2]]
            self.labels = Labels(terms, list(operands[-1]) if len(operands) % 2 else None, shapes)

    def cotangent(self, ct: Any, number: int) -> Any:
        adjoint = self.labels.adjoint(number)
        others = [self.arrays[other] for other in adjoint.others]
        made = [make(size, dtype=ct.real.dtype) for make, size in adjoint.made]
        conjugates = [np.conjugate(array) if array.dtype.kind == "c" else array for array in others]
        return _einsum([ct, *conjugates, *made], adjoint.labels, adjoint.output)

    def tangent(self, tangents: Any) -> Any:
        parts = []
        for number, place in enumerate(self.places):
            arrays, terms = list(self.arrays), list(self.labels.terms)
            arrays[number], terms[number] = tangents[place], [Ellipsis, *terms[number]]
            *labels, output = _numbered([*terms, [Ellipsis, *self.labels.output]])
            parts.append(_einsum(arrays, labels, output))
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
