"""A rule in words."""

from __future__ import annotations

from datetime import datetime

from reco_svc.domain.model import RuleKind
from reco_svc.orm.models import RuleRow

_TARGETS = {
    "product": "product {}",
    "category": "category “{}” and below",
    "brand": "brand “{}”",
    "tag": "tag “{}”",
    "filter": "products where {}",
}


def sentence(rule: RuleRow) -> str:
    """What it does: "shows product 85123A at position 1"."""
    target = _TARGETS[rule.target_kind].format(rule.target_value)
    match RuleKind(rule.kind):
        case RuleKind.PIN:
            return f"shows {target} at position {rule.position}"
        case RuleKind.BOOST:
            return f"multiplies scores by {rule.factor:g} for {target}"
        case RuleKind.BURY:
            return f"divides scores by {rule.factor:g} for {target}"
        case _:
            return f"never shows {target}"


def scope(rule: RuleRow) -> str:
    """Where and for whom."""
    where = f"placement “{rule.placement}”" if rule.placement else "everywhere"
    return f"{where}, segment “{rule.segment}”" if rule.segment else where


def state(rule: RuleRow, now: datetime) -> str:
    """ "off", "scheduled", "ended" or "active"."""
    if not rule.enabled:
        return "off"
    if rule.starts_at is not None and now < rule.starts_at:
        return "scheduled"
    return "ended" if rule.ends_at is not None and rule.ends_at <= now else "active"
