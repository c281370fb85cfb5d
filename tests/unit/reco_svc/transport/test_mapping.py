"""Requests become questions and back; every limit of the contract is named."""

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from recomesh.reco.v1 import reco_pb2 as pb
from recomesh.reco.v1 import reco_service_pb2 as svc

from meshkit.errors import InvalidArgument
from reco_svc.domain import model as m
from reco_svc.domain.limits import is_id
from reco_svc.transport import mapping

IDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=30)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
STEPS = st.builds(
    m.SessionStep, IDS, st.sampled_from([t for t in m.EventType if t is not m.EventType.SEARCH]), st.none() | TIMES
)
TARGETS = st.builds(m.Target, st.sampled_from(m.TargetKind), IDS)
QUERIES = st.builds(
    m.RecommendQuery,
    strategy=st.sampled_from(m.Strategy),
    placement=st.text("abc", max_size=5),
    visitor_id=st.just("") | IDS,
    session=st.lists(STEPS, max_size=3).map(tuple),
    context=st.builds(
        m.Context, st.just("") | IDS, st.lists(IDS, max_size=3).map(tuple), st.text("xy > "), st.text("q ")
    ),
    filter=st.text("price<5"),
    exclude=st.lists(IDS, max_size=3).map(tuple),
    boosts=st.lists(st.builds(m.Boost, TARGETS, st.floats(0.01, 100)), max_size=3).map(tuple),
    limit=st.integers(1, 100),
    diversity=st.none() | st.floats(0, 1),
    novelty=st.none() | st.floats(0, 1),
    include=st.frozensets(st.sampled_from(sorted(mapping.INCLUDABLE))),
    explain=st.booleans(),
)


@given(QUERIES)
def test_a_question_survives_the_wire(query: m.RecommendQuery) -> None:
    assert mapping.query_from_proto(mapping.query_to_proto(query)) == query


def test_an_empty_request_asks_for_ten_automatic_recommendations() -> None:
    query = mapping.query_from_proto(svc.RecommendRequest())
    assert query == m.RecommendQuery(strategy=m.Strategy.AUTO, limit=10)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (svc.RecommendRequest(limit=101), "limit"),
        (svc.RecommendRequest(limit=-1), "limit"),
        (svc.RecommendRequest(limit=1_000_000_000), "limit"),
        (svc.RecommendRequest(diversity=1.5), "diversity"),
        (svc.RecommendRequest(diversity=float("nan")), "diversity"),
        (svc.RecommendRequest(novelty=-0.5), "novelty"),
        (svc.RecommendRequest(visitor_id="x" * 129), "visitor_id"),
        (svc.RecommendRequest(visitor_id="a\x00b"), "visitor_id"),
        (svc.RecommendRequest(filter="x" * 2_001), "filter"),
        (svc.RecommendRequest(include=["everything"]), "include[0]"),
        (svc.RecommendRequest(exclude=["a"] * 1_001), "exclude"),
        (svc.RecommendRequest(boosts=[pb.Boost(product_id="a")]), "boosts[0].factor"),
        (svc.RecommendRequest(boosts=[pb.Boost(factor=2)]), "boosts[0]"),
        (svc.RecommendRequest(session=[pb.SessionStep()]), "session[0].product_id"),
        (svc.RecommendRequest(session=[pb.SessionStep(product_id="a", type=9)]), "session[0].type"),
        (svc.RecommendRequest(session=[pb.SessionStep(product_id="a", at=Timestamp(seconds=10**15))]), "session[0].at"),
        (svc.RecommendRequest(strategy=77), "strategy"),
        (svc.RecommendRequest(context=pb.RecommendationContext(query="x" * 501)), "context.query"),
    ],
)
def test_a_field_over_its_limit_is_named(request_: svc.RecommendRequest, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        mapping.query_from_proto(request_)
    assert [v.field for v in caught.value.violations] == [field]


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(InvalidArgument) as caught:
        mapping.query_from_proto(svc.RecommendRequest(limit=500, filter="x" * 3_000))
    assert [v.field for v in caught.value.violations] == ["limit", "filter"]


@given(st.text(max_size=200))
def test_an_id_has_at_most_128_bytes_and_no_control_characters(text: str) -> None:
    controls = any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
    assert is_id(text) == (bool(text) and len(text.encode()) <= 128 and not controls)
