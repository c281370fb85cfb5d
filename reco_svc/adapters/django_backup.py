"""BackedUp over the ORM's tables: every row as a JSON object, exact, revisions included."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from meshkit.backup.port import Record, Records
from meshkit.postgres import unhurried
from reco_svc.adapters.django_session import reading, translated, writing
from reco_svc.adapters.interaction_rows import COLUMNS, insert_new, lock_log
from reco_svc.orm.apps import LABEL

_CHUNK = 2_000
_LOG = "interactions"
# Section, model, and the columns that order its rows.
_TABLES = (
    (_LOG, "InteractionRow", ("at_us", "event_id")),
    ("hourly_counts", "HourlyCountRow", ("revision",)),
    ("erased_visitors", "ErasedVisitorRow", ("visitor_hash",)),
    ("clocks", "ClockRow", ("name",)),
    ("rules", "RuleRow", ("id",)),
    ("rule_sets", "RuleSetRow", ("version",)),
    ("models", "ModelRow", ("version",)),
    ("training_runs", "TrainingRunRow", ("run_id",)),
    ("embeddings", "EmbeddingRow", ("embedder", "text_hash")),
)


class DjangoBackup:
    """See `meshkit.backup.port.BackedUp`. Needs `django_setup.configure` and `migrate` first."""

    def read(self) -> Iterator[tuple[str, Iterator[Record]]]:
        """All of one moment, without holding up writers."""
        with _one_moment():
            for section, name, order in _TABLES:
                yield section, _rows(_model(name), order)

    def holds(self) -> int:
        """Events, rules, models, runs and vectors; counters and clocks only follow them."""
        with reading():
            return sum(
                _model(name)._default_manager.count()
                for section, name, _ in _TABLES
                if section not in ("hourly_counts", "clocks")
            )

    def replace(self, records: Records) -> None:
        """In one transaction."""
        with translated(), connection.cursor(), _patient(), writing() as cursor:
            lock_log(cursor, alone=True)
            for _, name, _ in _TABLES:
                cursor.execute(f"DELETE FROM {_model(name)._meta.db_table}")
            if connection.vendor == "postgresql":
                cursor.execute("DELETE FROM reco_event_key")
            for section, name, _ in _TABLES:
                _fill(cursor, section, _model(name), records(section))
            for statement in connection.ops.sequence_reset_sql(no_style(), [_model("RuleRow")]):
                cursor.execute(statement)


def _model(name: str) -> type[models.Model]:
    return apps.get_model(LABEL, name)


def _fields(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    automatic = model.__name__ == "HourlyCountRow"
    return [field for field in model._meta.concrete_fields if not (automatic and field.primary_key)]


def _rows(model: type[models.Model], order: Sequence[str]) -> Iterator[Record]:
    names = [field.attname for field in _fields(model)]
    places = [names.index(column) for column in order]
    marks = ", ".join(["%s"] * len(order))
    after: list[Any] = []
    while True:
        rows = model._default_manager.order_by(*order).values_list(*names)
        if after:
            rows = rows.extra(where=[f"({', '.join(order)}) > ({marks})"], params=after)
        page = list(rows[:_CHUNK])
        for row in page:
            yield {name: _plain(value) for name, value in zip(names, row, strict=True)}
        if len(page) < _CHUNK:
            return
        after = [page[-1][place] for place in places]


def _fill(cursor: CursorWrapper, section: str, model: type[models.Model], records: Iterator[Record]) -> None:
    fields = _fields(model)
    while batch := list(islice(records, _CHUNK)):
        values = [{f.attname: _of_plain(f, record[f.attname]) for f in fields} for record in batch]
        if section == _LOG:
            insert_new(cursor, [tuple(row[name] for name in COLUMNS.split(", ")) for row in values])
        else:
            model._default_manager.bulk_create(model(**row) for row in values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value


def _of_plain(field: models.Field[Any, Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(field, models.DateTimeField):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if isinstance(field, models.BinaryField) else value


@contextmanager
def _one_moment() -> Iterator[None]:
    postgres = connection.vendor == "postgresql"
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY" if postgres else "BEGIN DEFERRED"
    with translated(), connection.cursor() as cursor, _patient():
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute("COMMIT")


@contextmanager
def _patient() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with unhurried(connection.connection):
        yield
