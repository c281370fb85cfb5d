"""What one request, product and event costs: measured by bench/, kept beside this module with the runs it is from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

MEASURED = Path(__file__).with_name("measured.json")


@dataclass(frozen=True, slots=True)
class Constants:
    """Milliseconds of one core of the machine that is named in `source`; bytes; see bench/constants.py for each."""

    source: str
    edge_hot_ms: float
    edge_cold_ms: float
    edge_event_ms: float
    reco_cold_ms: float
    reco_event_ms: float
    catalog_read_ms: float
    worker_event_ms: float
    reco_base_mb: float
    reco_shared_bytes_per_product: float
    reco_own_bytes_per_product: float
    catalog_bytes_per_product: float
    log_bytes_per_event: float
    events_per_s_of_one_writer: float
    reco_service_ms: tuple[float, ...]


def measured() -> Constants:
    """The committed table."""
    fields = orjson.loads(MEASURED.read_bytes())
    return Constants(**{**fields, "reco_service_ms": tuple(fields["reco_service_ms"])})
