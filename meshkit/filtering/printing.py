"""The canonical text of a tree."""

from __future__ import annotations

from datetime import datetime

from meshkit.filtering.ast import And, Comparison, Expression, Not, Or


def to_text(expression: Expression | None) -> str:
    """The text of a parsed filter in one fixed form, so that `parse(to_text(tree)) == tree`; "" for None.

    Text and times are quoted, NOT and AND are spelled out, and only the parentheses that are needed stand.
    """
    match expression:
        case None:
            return ""
        case Comparison(field, _, op, value, key):
            return f"{field}{'.' if key else ''}{key}{op if op == ':' else f' {op} '}{_value(value)}"
        case Not(operand):
            inner = to_text(operand)
            return f"NOT {inner}" if isinstance(operand, Comparison) else f"NOT ({inner})"
        case And(operands):
            return " AND ".join(to_text(operand) for operand in operands)
        case Or(operands):
            return " OR ".join(f"({to_text(part)})" if isinstance(part, And) else to_text(part) for part in operands)


def _value(value: str | float | bool | datetime) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | int):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
