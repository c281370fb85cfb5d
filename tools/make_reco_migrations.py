"""Writes the next migration of the recommender's tables after a change of `reco_svc/orm/models.py`.

`python tools/make_reco_migrations.py [--name short_name] [--check]`; with `--check` it only fails when one is missing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", help="what the migration does, in snake_case")
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 if a migration is missing")
    given = parser.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "gen")]

    from django.core.management import call_command

    from reco_svc.adapters.django_setup import LABEL, configure

    with tempfile.TemporaryDirectory() as home:
        configure(f"sqlite:///{home}/none.db", Path(home))
        call_command("makemigrations", LABEL, name=given.name, check_changes=given.check, dry_run=given.check)


if __name__ == "__main__":
    main()
