"""Paging through tables of millions of rows without counting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.models.options import Options
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst

MOST_COUNTED = 10_000

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Model]
    _Paginator = Paginator[Model]
else:
    _Admin, _Paginator = admin.ModelAdmin, Paginator


def capped_count(rows: QuerySet[Any]) -> tuple[int, bool]:
    """How many rows there are, counted up to 10,000, and whether there are more."""
    found = rows.order_by()[: MOST_COUNTED + 1].count()
    return min(found, MOST_COUNTED), found > MOST_COUNTED


def heading(opts: Options[Any]) -> str:
    """The name of what a table holds, for the head of its list."""
    return capfirst(str(opts.verbose_name_plural))


class CappedPaginator(_Paginator):
    """Pages over the first 10,000 rows; a search or a filter brings the others within reach."""

    @cached_property
    def count(self) -> int:
        """At most 10,000."""
        assert isinstance(self.object_list, QuerySet)
        return capped_count(self.object_list)[0]


class ReadOnlyAdmin(_Admin):
    """A table to look at."""

    actions = None
    list_per_page = 50
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Headed by what is listed."""
        return super().changelist_view(request, {"title": heading(self.opts), **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class LargeTableAdmin(ReadOnlyAdmin):
    """A table to look at, with millions of rows."""

    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER
