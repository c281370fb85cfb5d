"""Versions of the rules: what changed, by whom, and back to any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join

from reco_svc.orm.models import RuleSetRow
from reco_svc.orm.rule_history import differences, roll_back
from reco_svc.orm.rule_record import row_of
from reco_svc.transport.admin.paging import ReadOnlyAdmin
from reco_svc.transport.admin.rule_words import sentence

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

LIST = "admin:reco_store_rulesetrow_changelist"


class RuleSetAdmin(ReadOnlyAdmin):
    """Newest first."""

    list_display = ("version", "created_at", "author", "summary", "size")
    ordering = ("-version",)
    sortable_by = ()
    change_form_template = "reco_admin/rule_set.html"
    fields = ("version", "created_at", "author", "summary", "changes", "rules_shown")
    readonly_fields = fields

    @admin.display(description="rules (on / off)")
    def size(self, row: Any) -> str:
        """How many were in force."""
        on = sum(bool(r["enabled"]) for r in row.rules)
        return f"{on} / {len(row.rules) - on}"

    @admin.display(description="changes since the version before")
    def changes(self, row: Any) -> SafeString | str:
        """A line for each rule that changed."""
        before = RuleSetRow.objects.filter(version__lt=row.version).first()
        return format_html_join("", "<div>{}</div>", ((line,) for line in differences(before, row))) or "–"

    @admin.display(description="rules")
    def rules_shown(self, row: Any) -> SafeString | str:
        """Every rule as a sentence."""
        rules = [row_of(record) for record in row.rules]
        lines = ((r.rule_id, r.name, sentence(r), "" if r.enabled else " (off)") for r in rules)
        return format_html_join("", "<div><b>{}</b> {}: {}{}</div>", lines) or "–"

    def get_urls(self) -> list[URLPattern]:
        """With the page that asks before rules are brought back."""
        view = self.admin_site.admin_view(self.roll_back_view)
        return [path("<int:version>/roll-back/", view, name="reco_store_rulesetrow_roll_back"), *super().get_urls()]

    def roll_back_view(self, request: HttpRequest, version: int) -> HttpResponse:
        """GET asks, POST does."""
        wanted = get_object_or_404(RuleSetRow, version=version)
        if request.method == "POST":
            made = roll_back(version, request.user.get_username())
            self.log_change(request, wanted, f"Brought back as version {made}.")
            messages.success(request, f"The rules of version {version} hold again, as version {made}.")
            return HttpResponseRedirect(reverse(LIST))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Bring back the rules of version {version}?",
            "opts": self.model._meta,
            "wanted": wanted,
            "changes": differences(RuleSetRow.objects.first(), wanted),
        }
        return TemplateResponse(request, "reco_admin/roll_back.html", context)
