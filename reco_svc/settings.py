"""Settings of the recommender."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from meshkit.settings import MeshSettings
from reco_svc.domain.model import EventType


class RecoSettings(MeshSettings):
    """What the recommender needs to know."""

    reco_feed_interval_s: float = Field(
        0.3, gt=0, le=60, description="How often the recommender asks for catalog, counter and rule changes, seconds."
    )
    reco_session_timeout_s: float = Field(1800.0, gt=0, description="Silence that ends a session, seconds.")
    reco_session_visitors: int = Field(200_000, ge=1, description="Sessions kept in memory; the oldest go first.")
    reco_late_after_s: float = Field(
        86_400.0, gt=0, description="Age from which an event no longer moves sessions and trends, seconds."
    )
    reco_log_size: int = Field(10_000, ge=0, description="Answers kept for replay and explanation.")


def event_weights(settings: MeshSettings) -> Mapping[EventType, float]:
    """What each type of event counts, in popularity and in training; a weight of 0 leaves the events out."""
    return {
        EventType.VIEW_ITEM: settings.weight_view,
        EventType.SELECT_ITEM: settings.weight_view,
        EventType.ADD_TO_CART: settings.weight_cart,
        EventType.ADD_TO_WISHLIST: settings.weight_wishlist,
        EventType.PURCHASE: settings.weight_purchase,
        EventType.REMOVE_FROM_CART: settings.weight_removal,
        EventType.REFUND: settings.weight_refund,
    }
