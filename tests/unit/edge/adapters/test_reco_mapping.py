"""What the recommender's messages become at the edge."""

from __future__ import annotations

import pytest
from recomesh.reco.v1 import reco_service_pb2

from edge.adapters.reco_mapping import recommendation_of
from edge.domain.recommendation import RankedItem


@pytest.mark.parametrize("reasons", [(), ("popular",), ("others_viewed:p1", "popular")])
def test_an_item_has_every_field_in_its_place(reasons: tuple[str, ...]) -> None:
    response = reco_service_pb2.RecommendResponse()
    response.items.add(product_id="p7", position=3, score=0.5, source="session", reasons=reasons)
    [item] = recommendation_of(response).items
    assert item == RankedItem(product_id="p7", position=3, score=0.5, source="session", reasons=reasons)
    assert len(item) == len(RankedItem._fields)
