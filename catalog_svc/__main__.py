"""`python -m catalog_svc`: runs the catalog."""

from catalog_svc.app import serve
from catalog_svc.settings import CatalogSettings
from meshkit.process import run

if __name__ == "__main__":
    run("catalog", CatalogSettings, serve)
