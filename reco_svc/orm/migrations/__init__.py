"""Schema changes, in order. `python tools/make_reco_migrations.py` writes the next one."""
