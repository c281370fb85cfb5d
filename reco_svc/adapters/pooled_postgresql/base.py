"""The backend that `DATABASES["default"]["ENGINE"]` names. OPTIONS hold `limits`, a PostgresLimits."""

from __future__ import annotations

import threading
from typing import Any

from django.db.backends.postgresql import base
from psycopg2 import extensions

from meshkit.postgres import connect_options
from reco_svc.adapters.pooled_postgresql.pool import Pool

_pools: dict[tuple[Any, ...], Pool] = {}
_pools_lock = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """Closing gives the connection back; with CONN_MAX_AGE 0 a thread holds one only while it works."""

    def get_connection_params(self) -> dict[str, Any]:
        """With deadlines."""
        params: dict[str, Any] = super().get_connection_params()
        return params | connect_options(params.pop("limits"), params.pop("options", ""))

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """From the pool."""
        return self._pool().take(lambda: super(DatabaseWrapper, self).get_new_connection(conn_params))

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        """Not for the end of a transaction whose connection broke: Django would connect only to say so, and wait for
        a server that is away."""
        if self.connection is not None or not autocommit:
            super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)

    def _close(self) -> None:
        raw = self.connection
        if raw is None:
            return
        if self.in_atomic_block and isinstance(raw, extensions.connection):
            raw.close()  # Django keeps its hold on it until the block ends: nobody else may have it
        self._pool().give(raw)

    def _pool(self) -> Pool:
        settings = self.settings_dict
        limits = settings["OPTIONS"]["limits"]
        key = (settings["HOST"], settings["PORT"], settings["NAME"], settings["USER"], limits)
        with _pools_lock:
            return _pools.setdefault(key, Pool(limits.pool_size, limits.pool_wait_s))
