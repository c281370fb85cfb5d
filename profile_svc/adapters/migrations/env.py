"""Alembic environment: runs on the connection that `sql_store.open_engine` hands over.

To write a migration by hand, copy the newest module of `versions/` and raise its number.
"""

from alembic import context

from profile_svc.adapters.sql_tables import metadata

# The database may be shared with other services, each of which keeps its own version table.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="profile_alembic_version",
)
with context.begin_transaction():
    context.run_migrations()
