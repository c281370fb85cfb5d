"""Settings of the edge."""

from __future__ import annotations

from pydantic import Field

from meshkit.settings import MeshSettings
from meshkit.web.client_address import NetworksText


class EdgeSettings(MeshSettings):
    """What the edge needs to know besides what every process does."""

    edge_max_body_bytes: int = Field(
        2 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="Largest request body, bytes."
    )
    edge_deadline_s: float = Field(1.0, gt=0, le=60, description="Longest time one request may take, seconds.")
    edge_write_timeout_s: float = Field(
        5.0, gt=0, le=60, description="Longest time events and changes of profiles may take, seconds."
    )
    edge_reco_timeout_s: float = Field(
        0.4, gt=0, le=60, description="Longest wait for the recommender before a fallback answers, seconds."
    )
    edge_catalog_timeout_s: float = Field(
        0.4, gt=0, le=60, description="Longest wait for the catalog before held cards answer, seconds."
    )
    edge_card_ttl_s: float = Field(
        300.0, ge=0, le=86_400, description="How long a product card serves unless the product changes, seconds."
    )
    edge_card_max: int = Field(50_000, ge=100, le=10_000_000, description="Most product cards held in memory.")
    edge_answer_ttl_s: float = Field(
        300.0, ge=0, le=3600, description="How long a shared recommendation serves unless something changes, seconds."
    )
    edge_answer_max: int = Field(10_000, ge=100, le=1_000_000, description="Most shared answers held in memory.")
    edge_stale_s: float = Field(
        3600.0,
        ge=0,
        le=86_400,
        description="How old a last good answer may be while a service is away, and how long past its time to live a "
        "card or answer serves while it is read anew, seconds.",
    )

    edge_limit_read: float = Field(
        6000.0, ge=0, description="Reads of products a minute of one address without a key; 0: no limit."
    )
    edge_limit_recommend: float = Field(
        6000.0, ge=0, description="Recommendations a minute of one address without a key; 0: no limit."
    )
    edge_limit_events: float = Field(
        12_000.0, ge=0, description="Events (not requests) a minute of one address without a key; 0: no limit."
    )
    edge_limit_write: float = Field(
        600.0, ge=0, description="Changes of profiles a minute of one address without a key; 0: no limit."
    )
    edge_limit_auth_failures: float = Field(
        30.0, ge=0, description="Bad keys and tokens a minute of one address; 0: no limit."
    )
    edge_limit_product_events: float = Field(
        60.0, ge=0, description="Events of one product an hour of one address without a key; 0: no limit."
    )
    edge_limit_visitor_product_events: float = Field(
        30.0, ge=0, description="Events of one product an hour of one visitor, sent with a key too; 0: no limit."
    )
    edge_limit_key_factor: float = Field(
        10.0, gt=0, description="How many times the limits of an address a key or token has."
    )
    edge_limit_replicas: int = Field(
        1, ge=1, le=1000, description="Edges that share the limits while Redis is away: each gives that part of them."
    )
    edge_limit_exempt: NetworksText = Field(
        "127.0.0.0/8,::1/128", description="Networks whose addresses have no limit; a key's limits hold there too."
    )
    edge_trusted_proxies: NetworksText = Field(
        "", description="Networks of proxies whose X-Forwarded-For names the client; empty: none is believed."
    )
