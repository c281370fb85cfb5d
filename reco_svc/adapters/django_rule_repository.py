"""RuleRepository on the ORM's tables: the newest `RuleSetRow` is the set that answers."""

from __future__ import annotations

from reco_svc.adapters.django_session import reading
from reco_svc.domain.model import RuleSet


class DjangoRuleRepository:
    """See `domain.ports.RuleRepository`. Needs `django_setup.configure` before `current` is called."""

    def version(self) -> str:
        """From the index; "0" before the first rule."""
        with reading() as cursor:
            cursor.execute("SELECT MAX(version) FROM reco_rule_set")
            return str(cursor.fetchone()[0] or 0)

    def current(self) -> RuleSet:
        """Version and rules come from one row, so they always belong together."""
        from reco_svc.orm.models import RuleSetRow
        from reco_svc.orm.rule_record import rule_of

        with reading():
            newest = RuleSetRow.objects.order_by("-version").first()
        if newest is None:
            return RuleSet()
        return RuleSet(str(newest.version), tuple(rule_of(r) for r in newest.rules if r["enabled"]))
