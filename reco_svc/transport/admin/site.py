"""The admin site: which pages there are, and the front page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from reco_svc.orm.models import (
    HourlyCountRow,
    InteractionRow,
    ModelRow,
    RuleRow,
    RuleSetRow,
    TrainingRunRow,
)
from reco_svc.transport.admin.history_admin import RuleSetAdmin
from reco_svc.transport.admin.interactions_admin import HourlyCountAdmin, InteractionAdmin
from reco_svc.transport.admin.keys import keys_view
from reco_svc.transport.admin.middleware import plane_of
from reco_svc.transport.admin.models_admin import ModelAdmin
from reco_svc.transport.admin.paging import capped_count
from reco_svc.transport.admin.preview import preview_view
from reco_svc.transport.admin.rules_admin import RuleAdmin
from reco_svc.transport.admin.runs_admin import TrainingRunAdmin


class RecoAdminSite(admin.AdminSite):
    """Django's admin with a preview page and a front page of its own."""

    site_header = "Recomesh · recommendations"
    site_title = "Recomesh"
    index_title = "Overview"
    index_template = "reco_admin/index.html"
    site_url = None
    empty_value_display = "–"
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """The password of the account belongs to the settings, so it is not changed here."""
        home = RedirectView.as_view(pattern_name="admin:index")
        own: list[URLResolver | URLPattern] = [
            path("preview/", self.admin_view(preview_view(self)), name="preview"),
            path("keys/", self.admin_view(keys_view(self)), name="keys"),
            path("password_change/", home, name="password_change"),
            path("password_change/done/", home, name="password_change_done"),
        ]
        return own + super().get_urls()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What a person wants to know first."""
        events, more = capped_count(InteractionRow.objects.all())
        newest = InteractionRow.objects.order_by("-at_us").first()
        context = {
            "active_model": ModelRow.objects.filter(active=True).first(),
            "last_run": TrainingRunRow.objects.first(),
            "rules_on": RuleRow.objects.filter(enabled=True).count(),
            "rules_off": RuleRow.objects.filter(enabled=False).count(),
            "rule_set": RuleSetRow.objects.first(),
            "events": f"{events:,}",
            "more_events": more,
            "newest_event": newest.at if newest else None,
            "readiness": plane_of(request).readiness(),
        }
        return super().index(request, {**context, **(extra_context or {})})


def open_site() -> RecoAdminSite:
    """The site with every table that people may see."""
    site = RecoAdminSite(name="admin")
    site.register(ModelRow, ModelAdmin)
    site.register(TrainingRunRow, TrainingRunAdmin)
    site.register(RuleRow, RuleAdmin)
    site.register(RuleSetRow, RuleSetAdmin)
    site.register(InteractionRow, InteractionAdmin)
    site.register(HourlyCountRow, HourlyCountAdmin)
    return site
