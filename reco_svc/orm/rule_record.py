"""A merchandising rule as a JSON object: the form of `RuleSetRow.rules`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reco_svc.domain.model import Rule, RuleKind, Target, TargetKind
from reco_svc.orm.models import RuleRow

FIELDS = (
    "name",
    "enabled",
    "kind",
    "target_kind",
    "target_value",
    "position",
    "factor",
    "placement",
    "segment",
    "starts_at",
    "ends_at",
    "priority",
)
_TIMES = frozenset({"starts_at", "ends_at"})


def record_of(row: RuleRow) -> dict[str, Any]:
    """The JSON object of a rule, with its number as "id"."""
    record: dict[str, Any] = {"id": row.pk}
    for name in FIELDS:
        value = getattr(row, name)
        record[name] = value.isoformat() if name in _TIMES and value is not None else value
    return record


def row_of(record: Mapping[str, Any]) -> RuleRow:
    """The row, not saved, under its old number."""
    row = RuleRow(pk=record["id"])
    for name in FIELDS:
        value = record[name]
        setattr(row, name, datetime.fromisoformat(value) if name in _TIMES and value is not None else value)
    return row


def rule_of(record: Mapping[str, Any]) -> Rule:
    """The rule as ranking sees it."""
    row = row_of(record)
    return Rule(
        rule_id=row.rule_id,
        kind=RuleKind(row.kind),
        target=Target(TargetKind(row.target_kind), row.target_value),
        position=row.position,
        factor=row.factor,
        placement=row.placement,
        segment=row.segment,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        priority=row.priority,
    )
