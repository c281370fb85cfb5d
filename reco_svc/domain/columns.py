"""Growable columns of a table: numbers in NumPy arrays, texts in lists, repeated values once with a code per row.

A column has a length and is addressed by row number. `Selection` picks rows: a slice for all of them, or row numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from meshkit.filtering import fold, word_text
from reco_svc.domain.ports import Mask, Rows

Selection: TypeAlias = slice | Rows
EVERY_ROW = slice(None)
NO_CODE = -1

Number = TypeVar("Number", bound=np.generic)
Value = TypeVar("Value", bound=Hashable)


class NumberColumn(Generic[Number]):
    """A NumPy array that grows by doubling; new rows hold `missing`."""

    def __init__(self, dtype: type[Number], missing: float) -> None:
        self._missing = missing
        self._data: npt.NDArray[Number] = np.full(16, missing, dtype=dtype)
        self.values: npt.NDArray[Number] = self._data[:0]

    def grow(self, length: int) -> None:
        """Makes room for `length` rows; never shrinks."""
        if length > len(self._data):
            data = np.full(max(length, 2 * len(self._data)), self._missing, dtype=self._data.dtype)
            data[: len(self.values)] = self.values
            self._data = data
        if length > len(self.values):
            self.values = self._data[:length]


class CodedColumn(Generic[Value]):
    """Each different value once, an int32 code per row; NO_CODE where a row has none.

    Values are kept for the life of the column, so it is for values that repeat.
    """

    def __init__(self) -> None:
        self._codes = NumberColumn(np.int32, NO_CODE)
        self._code_of: dict[Value, int] = {}
        self.names: list[Value] = []

    @property
    def codes(self) -> npt.NDArray[np.int32]:
        """Shape (rows,)."""
        return self._codes.values

    def grow(self, length: int) -> None:
        """Makes room for `length` rows."""
        self._codes.grow(length)

    def put(self, rows: Rows, values: Iterable[Value]) -> None:
        """Sets rows; a false value ("" or ()) is no value."""
        self._codes.values[rows] = [self._code(value) if value else NO_CODE for value in values]

    def name(self, row: int) -> Value | None:
        """The value of a row."""
        code = int(self._codes.values[row])
        return None if code == NO_CODE else self.names[code]

    def test(self, passes: Callable[[Value], bool], selection: Selection) -> Mask:
        """Which of the selected rows have a value that passes; asks once per different value."""
        codes = self._codes.values[selection]
        passing = np.zeros(len(self.names) + 1, np.bool_)  # the last one answers for NO_CODE
        asked = range(len(self.names)) if isinstance(selection, slice) else np.unique(codes).tolist()
        for code in asked:
            passing[code] = code != NO_CODE and passes(self.names[code])
        return passing[codes]

    def _code(self, value: Value) -> int:
        code = self._code_of.get(value)
        if code is None:
            code = self._code_of[value] = len(self.names)
            self.names.append(value)
        return code


class TextColumn:
    """A text per row, with the folded forms that filters compare kept from their first use on."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._forms: dict[Callable[[str], str], list[str]] = {}

    def grow(self, length: int) -> None:
        """Makes room for `length` rows of empty text."""
        more = length - len(self.values)
        for texts in (self.values, *self._forms.values()):
            texts.extend([""] * more)

    def put(self, rows: Sequence[int], values: Sequence[str]) -> None:
        """Sets rows."""
        for row, value in zip(rows, values, strict=True):
            self.values[row] = value
        for form, texts in self._forms.items():
            for row, value in zip(rows, values, strict=True):
                texts[row] = form(value)

    def test_present(self, selection: Selection) -> Mask:
        """Which of the selected rows have any text."""
        texts = self.values if isinstance(selection, slice) else [self.values[row] for row in selection.tolist()]
        return np.fromiter(map(bool, texts), np.bool_, len(texts))

    def test_folded(self, passes: Callable[[str], bool], selection: Selection) -> Mask:
        """Which of the selected rows have a text whose `fold` passes."""
        return self._test(fold, passes, selection)

    def test_words(self, passes: Callable[[str], bool], selection: Selection) -> Mask:
        """Which of the selected rows have a text whose `word_text` passes."""
        return self._test(word_text, passes, selection)

    def _test(self, form: Callable[[str], str], passes: Callable[[str], bool], selection: Selection) -> Mask:
        texts = self._forms.get(form)
        if texts is None:
            texts = self._forms[form] = [form(value) for value in self.values]
        if not isinstance(selection, slice):
            texts = [texts[row] for row in selection.tolist()]
        return np.fromiter(map(passes, texts), np.bool_, len(texts))
