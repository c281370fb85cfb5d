"""Every change of the rules makes a new version of the whole set, so that any earlier set can be brought back.

with rule_change(author="admin", summary="switched off rule-7"):
    rule.save()
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.db import connection, transaction

from meshkit.errors import NotFound
from reco_svc.orm.models import RuleRow, RuleSetRow
from reco_svc.orm.rule_record import record_of, row_of

_LOCK_AND_COUNT = (
    "INSERT INTO reco_clock (name, value) VALUES ('rules', 1)"
    " ON CONFLICT (name) DO UPDATE SET value = reco_clock.value + 1 RETURNING value"
)


@contextmanager
def rule_change(author: str, summary: str) -> Iterator[int]:
    """A transaction around a change of rules; gives the number of the version that it makes.

    Changes wait for each other (the row lock of the clock "rules"), so each version holds all changes before it.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_AND_COUNT)
            version = int(cursor.fetchone()[0])
        yield version
        RuleSetRow.objects.create(
            version=version,
            created_at=datetime.now(UTC),
            author=author[:150],
            summary=summary[:500],
            rules=[record_of(row) for row in RuleRow.objects.order_by("id")],
        )


def roll_back(version: int, author: str) -> int:
    """Brings back the rules of a version, as a new version whose number it answers. NotFound (RULE_SET_NOT_FOUND)."""
    wanted = RuleSetRow.objects.filter(version=version).first()
    if wanted is None:
        raise NotFound("rule set", str(version))
    with rule_change(author, f"rolled back to version {version}") as made:
        RuleRow.objects.all().delete()
        RuleRow.objects.bulk_create(row_of(record) for record in wanted.rules)
    return made


def differences(before: RuleSetRow | None, after: RuleSetRow) -> list[str]:
    """What changed between two versions, a line for each rule: "added …", "removed …", "changed … (factor, name)"."""
    old = {r["id"]: r for r in (before.rules if before else [])}
    new = {r["id"]: r for r in after.rules}
    lines = [f"added rule-{key} “{new[key]['name']}”" for key in new if key not in old]
    lines += [f"removed rule-{key} “{old[key]['name']}”" for key in old if key not in new]
    for key in new:
        if key in old and old[key] != new[key]:
            fields = ", ".join(name for name in new[key] if new[key][name] != old[key].get(name))
            lines.append(f"changed rule-{key} “{new[key]['name']}” ({fields})")
    return lines
