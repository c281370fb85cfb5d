"""Models: what each is made of, how good it is, which one answers; activate and roll back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from meshkit.errors import RecomeshError
from reco_svc.orm.models import ModelRow
from reco_svc.service.models import PREVIOUS
from reco_svc.transport.admin.middleware import plane_of
from reco_svc.transport.admin.numbers import facts_table, quality_table, readable
from reco_svc.transport.admin.paging import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

LIST = "admin:reco_store_modelrow_changelist"


class ModelAdmin(ReadOnlyAdmin):
    """Newest first."""

    list_display = ("version", "is_active", "created_at", "quality_now", "products", "interactions", "embedder")
    ordering = ("-version",)
    sortable_by = ()
    change_list_template = "reco_admin/models.html"
    change_form_template = "reco_admin/model.html"
    fieldsets = (
        (None, {"fields": ("version", "is_active", "created_at", "embedder", "parent")}),
        ("Quality on held-out sessions", {"fields": ("quality_shown",)}),
        ("Facts", {"fields": ("facts_shown",)}),
    )
    readonly_fields = ("version", "is_active", "created_at", "embedder", "parent", "quality_shown", "facts_shown")

    @admin.display(description="state")
    def is_active(self, row: Any) -> SafeString | str:
        """A word beside the one that answers."""
        return format_html("<span class='state active'>{}</span>", "answers now") if row.active else "in reserve"

    @admin.display(description="quality (auto, NDCG@10)")
    def quality_now(self, row: Any) -> str:
        """The one number to compare models by."""
        return readable(row.quality.get("auto/ndcg@10"))

    @admin.display
    def products(self, row: Any) -> str:
        """Products it was trained on."""
        return readable(row.facts.get("products"))

    @admin.display
    def interactions(self, row: Any) -> str:
        """Interactions it was trained on."""
        return readable(row.facts.get("interactions"))

    @admin.display(description="by source")
    def quality_shown(self, row: Any) -> SafeString | str:
        """All metrics."""
        return quality_table(row.quality)

    @admin.display(description="by name")
    def facts_shown(self, row: Any) -> SafeString | str:
        """All facts."""
        return facts_table(row.facts)

    def get_urls(self) -> list[URLPattern]:
        """With the page that asks before a model is activated."""
        view = self.admin_site.admin_view(self.activate_view)
        return [path("<path:version>/activate/", view, name="reco_store_modelrow_activate"), *super().get_urls()]

    def activate_view(self, request: HttpRequest, version: str) -> HttpResponse:
        """GET asks, POST does."""
        active = ModelRow.objects.filter(active=True).first()
        if request.method == "POST":
            return self._activate(request, version)
        wanted = _wanted(version, active)
        context = {
            **self.admin_site.each_context(request),
            "title": "Roll back?" if version == PREVIOUS else "Activate this model?",
            "opts": self.model._meta,
            "wanted": wanted,
            "active": active,
            "wanted_quality": readable(wanted.quality.get("auto/ndcg@10")) if wanted else "",
            "active_quality": readable(active.quality.get("auto/ndcg@10")) if active else "",
        }
        return TemplateResponse(request, "reco_admin/activate.html", context)

    def _activate(self, request: HttpRequest, version: str) -> HttpResponse:
        try:
            model = plane_of(request).models.activate(version)
        except RecomeshError as error:
            messages.error(request, f"Nothing was changed: {error.message}.")
        else:
            row = ModelRow.objects.filter(version=model.version).first()
            if row is not None:
                self.log_change(request, row, "Activated.")
            messages.success(request, f"Model {model.version} answers now; every replica follows within 2 seconds.")
        return HttpResponseRedirect(reverse(LIST))


def _wanted(version: str, active: ModelRow | None) -> ModelRow | None:
    if version == PREVIOUS:
        version = active.parent if active else ""
    return ModelRow.objects.filter(version=version).first()
