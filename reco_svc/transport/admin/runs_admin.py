"""Training runs: how they go, and "Train now"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from meshkit.errors import RecomeshError
from reco_svc.domain.model import TrainingState
from reco_svc.orm.models import TrainingRunRow
from reco_svc.transport.admin.middleware import plane_of
from reco_svc.transport.admin.numbers import facts_table
from reco_svc.transport.admin.paging import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

LIST = "admin:reco_store_trainingrunrow_changelist"


class TrainingRunAdmin(ReadOnlyAdmin):
    """Newest first; the list renews itself while a run is under way."""

    list_display = ("run_id", "state_shown", "progress_shown", "requested_at", "took", "model_version", "note")
    list_filter = ("state",)
    ordering = ("-requested_at", "-run_id")
    sortable_by = ()
    change_list_template = "reco_admin/runs.html"
    fields = (
        "run_id",
        "state_shown",
        "progress_shown",
        "requested_at",
        "finished_at",
        "heartbeat_at",
        "model_version",
        "message",
        "note",
        "force",
        "facts_shown",
    )
    readonly_fields = fields

    @admin.display(description="state")
    def state_shown(self, row: Any) -> SafeString:
        """A coloured word."""
        state = TrainingState(row.state).name.lower()
        return format_html("<span class='state {}'>{}</span>", state, state)

    @admin.display(description="progress")
    def progress_shown(self, row: Any) -> SafeString | str:
        """A bar while it runs, then the outcome in a few words."""
        if row.slot is None:
            return str(row.message)[:120] or "–"
        bar = "<progress max='1' value='{}'></progress> {} %, {}"
        return format_html(bar, f"{row.progress:.3f}", round(100 * row.progress), row.stage or "waits for a worker")

    @admin.display
    def took(self, row: Any) -> str:
        """From the request to the end."""
        if row.finished_at is None:
            return "–"
        seconds = int((row.finished_at - row.requested_at).total_seconds())
        return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"

    @admin.display(description="facts")
    def facts_shown(self, row: Any) -> SafeString | str:
        """Seconds by stage, peak memory."""
        return facts_table(row.facts)

    def get_urls(self) -> list[URLPattern]:
        """With "Train now"."""
        view = self.admin_site.admin_view(self.train_view)
        return [path("train/", view, name="reco_store_trainingrunrow_train"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Tells the page whether a run is open."""
        is_open = TrainingRunRow.objects.filter(slot=1).exists()
        return super().changelist_view(request, {"run_is_open": is_open, **(extra_context or {})})

    def train_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for a run."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        note = (request.POST.get("note") or f"asked for by {request.user.get_username()}")[:200]
        was_open = TrainingRunRow.objects.filter(slot=1).exists()
        try:
            run = plane_of(request).models.train(note, bool(request.POST.get("force")))
        except RecomeshError as error:
            messages.error(request, f"No run was begun: {error.message}.")
        else:
            said = "is under way already" if was_open else "waits for a worker"
            messages.success(request, f"Training run {run.run_id} {said}.")
        return HttpResponseRedirect(reverse(LIST))
