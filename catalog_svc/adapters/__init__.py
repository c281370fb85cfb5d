"""How the catalog keeps things: SQL (SQLite, PostgreSQL), the relay to the queue."""
