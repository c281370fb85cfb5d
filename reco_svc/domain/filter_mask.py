"""Compiles a filter to a test over the columns of a product table.

It answers exactly what `meshkit.filtering.predicate` answers for the same products; numbers and times are compared as
whole columns, repeated values once per different value, other text row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from meshkit.filtering import And, Comparison, Expression, FieldKind, Not, Or, predicate, text_pattern, word_text
from reco_svc.domain.columns import CodedColumn, NumberColumn, Selection, TextColumn
from reco_svc.domain.ports import Mask

if TYPE_CHECKING:
    from reco_svc.domain.mask_cache import RowTest
    from reco_svc.domain.product_columns import ProductColumns

Comparable: TypeAlias = npt.NDArray[np.float64] | npt.NDArray[np.int64]

NO_TIME = np.iinfo(np.int64).min
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_COMPARE: dict[str, Callable[[Comparable, float], Mask]] = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def microseconds(moment: datetime | None) -> int:
    """Exact microseconds since 1970; NO_TIME for None."""
    return NO_TIME if moment is None else (moment - EPOCH) // _MICROSECOND


def compile_filter(expression: Expression, columns: ProductColumns) -> RowTest:
    """The test of a filter; it reads the columns when it is called, not now."""
    match expression:
        case Comparison():
            return _comparison(expression, columns)
        case Not(operand):
            inner = compile_filter(operand, columns)
            return lambda rows: ~inner(rows)
        case And() | Or() if coded := _only_coded(expression, columns):
            return _by_value(expression, *coded)
        case And(operands):
            parts = [compile_filter(operand, columns) for operand in operands]
            return lambda rows: reduce(np.logical_and, [part(rows) for part in parts])
        case Or(operands):
            parts = [compile_filter(operand, columns) for operand in operands]
            return lambda rows: reduce(np.logical_or, [part(rows) for part in parts])


def _comparison(node: Comparison, columns: ProductColumns) -> RowTest:
    if node.kind is FieldKind.MAP:
        return _attribute_test(node, columns)
    if node.kind is FieldKind.BOOL:
        return _stock_test(node, columns)
    column = columns.filter_column(node.field)
    match column:
        case TextColumn():
            return _text_test(node, column)
        case CodedColumn():
            return _by_value(node, node.field, column)
        case _:
            return _ordered_test(node, column)


def _only_coded(expression: Expression, columns: ProductColumns) -> tuple[str, CodedColumn[Any]] | None:
    """The field of a filter that asks for no other, if its values have codes, and its column. None for any other, and
    below Not, for which a missing value passes."""
    match expression:
        case Comparison(field, kind) if kind not in (FieldKind.MAP, FieldKind.BOOL):
            column = columns.filter_column(field)
            return (field, column) if isinstance(column, CodedColumn) else None
        case And(operands) | Or(operands):
            found = {_only_coded(operand, columns) for operand in operands}
            return found.pop() if len(found) == 1 else None
        case _:
            return None


def _by_value(expression: Expression, field: str, column: CodedColumn[Any]) -> RowTest:
    """Asks once per different value, however many values the filter names."""
    passes = predicate(expression)
    return lambda rows: column.test(lambda value: passes({field: value}), rows)


def _text_test(node: Comparison, column: TextColumn) -> RowTest:
    text = str(node.value)
    if node.op == ":":
        phrase = word_text(text)
        if not phrase:
            return column.test_present
        return lambda rows: column.test_words(lambda words: phrase in words, rows)
    matches = text_pattern(text).matches_folded
    if node.op == "=":
        return lambda rows: column.test_folded(matches, rows)
    return lambda rows: column.test_present(rows) & ~column.test_folded(matches, rows)


def _attribute_test(node: Comparison, columns: ProductColumns) -> RowTest:
    passes = predicate(node)
    attributes = columns.attributes

    def test(rows: Selection) -> Mask:
        chosen = attributes if isinstance(rows, slice) else [attributes[row] for row in rows.tolist()]
        answers = (bool(entries) and passes({node.field: entries}) for entries in chosen)
        return np.fromiter(answers, np.bool_, len(chosen))

    return test


def _ordered_test(node: Comparison, column: NumberColumn[np.float64] | NumberColumn[np.int64]) -> RowTest:
    compare = _COMPARE[node.op]
    wanted = microseconds(node.value) if isinstance(node.value, datetime) else float(node.value)

    def test(rows: Selection) -> Mask:
        values: Comparable = column.values[rows]
        known: Mask = values == values if node.kind is FieldKind.NUMBER else values != NO_TIME  # NaN is not itself
        return known & compare(values, wanted)

    return test


def _stock_test(node: Comparison, columns: ProductColumns) -> RowTest:
    wanted = bool(node.value) == (node.op == "=")

    def test(rows: Selection) -> Mask:
        answers: Mask = columns.in_stock.values[rows] == wanted
        return answers

    return test
