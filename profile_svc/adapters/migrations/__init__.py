"""Alembic migrations of the profile store, run at each start."""
