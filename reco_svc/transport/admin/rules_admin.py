"""Merchandising rules: every change makes a new version of the set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from reco_svc.orm.models import RuleRow
from reco_svc.orm.rule_history import rule_change
from reco_svc.transport.admin import rule_words
from reco_svc.transport.admin.paging import heading
from reco_svc.transport.admin.rule_form import RuleForm

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

    _Admin = admin.ModelAdmin[RuleRow]
else:
    _Admin = admin.ModelAdmin


class RuleAdmin(_Admin):
    """In the order in which they apply."""

    form = RuleForm
    list_display = ("name", "rule_id", "does", "scope", "state_shown", "starts_at", "ends_at", "priority")
    list_filter = ("enabled", "kind", "target_kind")
    search_fields = ("name", "target_value", "placement", "segment")
    ordering = ("priority", "id")
    sortable_by = ()
    list_per_page = 50
    actions = ("switch_on", "switch_off")
    change_list_template = "reco_admin/rules.html"
    save_as = True
    fieldsets = (
        (None, {"fields": ("name", "enabled")}),
        ("What", {"fields": ("kind", "target_kind", "target_value", "position", "factor")}),
        ("Where, for whom, when", {"fields": ("placement", "segment", "starts_at", "ends_at", "priority")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Headed by what is listed."""
        return super().changelist_view(request, {"title": heading(self.opts), **(extra_context or {})})

    @admin.display(description="does")
    def does(self, row: Any) -> str:
        """The rule in words."""
        return rule_words.sentence(row)

    @admin.display(description="where")
    def scope(self, row: Any) -> str:
        """Placement and audience."""
        return rule_words.scope(row)

    @admin.display(description="state")
    def state_shown(self, row: Any) -> SafeString:
        """A coloured word."""
        state = rule_words.state(row, datetime.now(UTC))
        return format_html("<span class='state {}'>{}</span>", state, state)

    def save_model(self, request: HttpRequest, obj: RuleRow, form: Any, change: bool) -> None:
        """Nothing changed: no new version."""
        if change and not form.changed_data:
            return
        what = f"changed “{obj.name}” ({', '.join(form.changed_data)})" if change else f"added “{obj.name}”"
        with rule_change(request.user.get_username(), what):
            super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: RuleRow) -> None:
        """One."""
        with rule_change(request.user.get_username(), f"deleted “{obj.name}”"):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[RuleRow]) -> None:
        """Many, as one version."""
        names = ", ".join(f"“{row.name}”" for row in queryset)
        with rule_change(request.user.get_username(), f"deleted {names}"):
            super().delete_queryset(request, queryset)

    @admin.action(description="Switch on")
    def switch_on(self, request: HttpRequest, queryset: QuerySet[RuleRow]) -> None:
        """The chosen rules, as one version."""
        self._switch(request, queryset, on=True)

    @admin.action(description="Switch off")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[RuleRow]) -> None:
        """The chosen rules, as one version."""
        self._switch(request, queryset, on=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[RuleRow], *, on: bool) -> None:
        word = "on" if on else "off"
        chosen = list(queryset.filter(enabled=not on))
        if chosen:
            names = ", ".join(f"“{row.name}”" for row in chosen)
            with rule_change(request.user.get_username(), f"switched {word} {names}"):
                RuleRow.objects.filter(pk__in=[row.pk for row in chosen]).update(enabled=on)
            for row in chosen:
                self.log_change(request, row, f"Switched {word}.")
        messages.success(request, f"{len(chosen)} switched {word}; every replica follows within 2 seconds.")
