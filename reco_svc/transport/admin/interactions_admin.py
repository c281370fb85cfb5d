"""Interactions and hourly counts, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import DateField
from django.http import HttpRequest

from reco_svc.orm.models import EPOCH, HourlyCountRow, InteractionRow
from reco_svc.transport.admin.paging import LargeTableAdmin


class DayRangeFilter(admin.FieldListFilter):
    """From a day to a day (UTC), both included, over an integer column; `unit` is what it counts."""

    template = "reco_admin/day_range_filter.html"
    unit = timedelta(microseconds=1)

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: dict[str, Any],
        model: Any,
        model_admin: Any,
        field_path: str,
    ) -> None:
        self.names = ("from", "until")
        super().__init__(field, request, params, model, model_admin, field_path)
        self.title = "day (UTC)"
        self.given = {name: _last(self.used_parameters.get(name)) for name in self.names}
        self.others = [(key, value) for key, value in request.GET.items() if key not in (*self.names, "p")]

    def expected_parameters(self) -> list[str | None]:
        """Names in the query string."""
        return list(self.names)

    def has_output(self) -> bool:
        """Always shown."""
        return True

    def choices(self, changelist: ChangeList) -> Any:
        """One: the form with what is chosen."""
        clear = changelist.get_query_string(remove=[str(n) for n in self.names])
        yield {"from": self.given["from"], "until": self.given["until"], "others": self.others, "clear": clear}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """A day that can not be read is passed over."""
        start, end = _day(self.given["from"]), _day(self.given["until"])
        if start is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": (start - EPOCH) // self.unit})
        if end is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lt": (end + timedelta(days=1) - EPOCH) // self.unit})
        return queryset


class HourRangeFilter(DayRangeFilter):
    """The same over hours."""

    unit = timedelta(hours=1)


class InteractionAdmin(LargeTableAdmin):
    """Newest first; searched by exact event, visitor or product id, which the indexes answer."""

    list_display = ("when", "type", "product_id", "visitor_id", "quantity", "price", "placement", "position", "query")
    list_filter = ("type", ("at_us", DayRangeFilter))
    search_fields = ("event_id", "visitor_id", "product_id")
    search_help_text = "A whole event, visitor or product id. The list shows the newest 10,000 matches."
    ordering = ("-at_us", "-event_id")
    sortable_by = ()
    exclude = ("at_us",)
    readonly_fields = ("when",)

    @admin.display(description="when (UTC)")
    def when(self, row: Any) -> datetime:
        """The time behind the column."""
        assert isinstance(row, InteractionRow)
        return row.at

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact: a search by parts would read the whole table."""
        return _having(queryset, search_term, ("event_id", "visitor_id", "product_id")), False


class HourlyCountAdmin(LargeTableAdmin):
    """Newest hours first."""

    list_display = ("starts", "product_id", "type", "events")
    list_filter = ("type", ("hour", HourRangeFilter))
    search_fields = ("product_id",)
    search_help_text = "A whole product id. The list shows the newest 10,000 matches."
    ordering = ("-hour", "-id")
    sortable_by = ()

    @admin.display(description="hour (UTC)")
    def starts(self, row: Any) -> datetime:
        """Begin of the hour."""
        assert isinstance(row, HourlyCountRow)
        return row.starts_at

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact."""
        return _having(queryset, search_term, ("product_id",)), False


def _having(rows: QuerySet[Any], term: str, columns: Sequence[str]) -> QuerySet[Any]:
    wanted = term.strip()
    if not wanted:
        return rows
    condition = Q()
    for column in columns:
        condition |= Q(**{column: wanted})
    return rows.filter(condition)


def _day(text: str) -> datetime | None:
    try:
        day = DateField(required=False).clean(text)
    except ValidationError:
        return None
    return datetime.combine(day, time(), UTC) if isinstance(day, date) else None


def _last(given: Any) -> str:
    return str(given[-1] if isinstance(given, list) else given or "")
