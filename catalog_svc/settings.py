"""Settings of the catalog."""

from __future__ import annotations

from pydantic import Field

from meshkit.settings import MeshSettings


class CatalogSettings(MeshSettings):
    """What the catalog needs to know."""

    catalog_upload_max_mb: int = Field(
        1024, ge=1, le=65_536, description="Largest product file the admin plane takes, megabytes."
    )
    catalog_relay_interval_s: float = Field(
        0.2, gt=0, le=60, description="Longest wait before changed products are handed to the queue, seconds."
    )
    catalog_health_interval_s: float = Field(
        1.0, gt=0, le=60, description="How often the catalog checks that its store answers, seconds."
    )
    catalog_mongo_timeout_s: float = Field(
        5.0, gt=0, le=600, description="MongoDB: longest wait for one operation of the catalog's store, seconds."
    )
    catalog_mongo_pool_size: int = Field(
        20, ge=1, le=500, description="MongoDB: most open connections of a catalog process to one server."
    )
