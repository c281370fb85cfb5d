"""Segments in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, delete, insert, select, update

from profile_svc.adapters.sql_store import transaction
from profile_svc.adapters.sql_tables import feed, segments
from profile_svc.domain.model import Segment


class SqlSegmentRepository:
    """SegmentRepository over SQLAlchemy."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> Sequence[Segment]:
        """See port."""
        with transaction(self._engine) as db:
            rows = db.execute(select(segments.c.name, segments.c.title, segments.c.filter)).all()
        return sorted((Segment(*row) for row in rows), key=lambda segment: segment.name)

    def save(self, segment: Segment) -> None:
        """See port."""
        with transaction(self._engine) as db:
            _lock(db)
            named = segments.c.name == segment.name
            was = db.execute(select(segments.c.filter).where(named)).scalar_one_or_none()
            values = {"title": segment.title, "filter": segment.filter}
            if was is None:
                db.execute(insert(segments).values(name=segment.name, **values))
            else:
                db.execute(update(segments).where(named).values(**values))
            if was != segment.filter:
                _mark(db)

    def delete(self, name: str) -> bool:
        """See port."""
        with transaction(self._engine) as db:
            _lock(db)
            existed = db.execute(delete(segments).where(segments.c.name == name)).rowcount > 0
            if existed:
                _mark(db)
        return existed

    def touch_due(self) -> bool:
        """See port."""
        with transaction(self._engine) as db:
            return bool(db.execute(select(feed.c.touch_due)).scalar_one())


def _lock(db: Connection) -> None:
    db.execute(update(feed).values(position=feed.c.position))


def _mark(db: Connection) -> None:
    db.execute(update(feed).values(touch_due=True))
