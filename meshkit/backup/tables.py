"""Rows of SQL tables as records of a backup and back: exact, page by page, in the order of the primary key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, insert, select, tuple_

from meshkit.backup.port import Record

_CHUNK = 2_000


def begin_reading(db: Connection) -> None:
    """What is read from now on in this transaction is of one moment, without holding up writers."""
    if db.dialect.name == "postgresql":
        db.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        db.exec_driver_sql("BEGIN DEFERRED")  # the driver begins only before a write


def table_records(db: Connection, table: Table) -> Iterator[Record]:
    """Every row; moments as ISO 8601, bytes as hexadecimal digits."""
    keys: list[Column[Any]] = list(table.primary_key.columns)
    after: tuple[Any, ...] = ()
    while True:
        query = select(table).order_by(*keys).limit(_CHUNK)
        if after:
            query = query.where(tuple_(*keys) > after)
        page = db.execute(query).mappings().all()
        for row in page:
            yield {str(name): _plain(value) for name, value in row.items()}
        if len(page) < _CHUNK:
            return
        after = tuple(page[-1][key.name] for key in keys)


def replace_table(db: Connection, table: Table, records: Iterator[Record]) -> None:
    """The rows of `table_records` in place of all that are there."""
    db.execute(delete(table))
    while batch := [_row(table, record) for record in islice(records, _CHUNK)]:
        db.execute(insert(table), batch)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
        case _:
            return value


def _row(table: Table, record: Record) -> dict[str, Any]:
    row = {column.name: record[column.name] for column in table.columns}
    for column in table.columns:
        if row[column.name] is not None and column.type.python_type is datetime:
            row[column.name] = datetime.fromisoformat(row[column.name])
        elif row[column.name] is not None and column.type.python_type is bytes:
            row[column.name] = bytes.fromhex(row[column.name])
    return row
