"""Django's PostgreSQL backend with a bounded pool for psycopg2 (Django's own needs psycopg 3); see `base`."""
