"""From message bodies to use cases."""

from datetime import UTC, datetime

import orjson
import pytest

from meshkit.broker.port import Message
from meshkit.errors import FailedPrecondition
from queue_workers.transport.jobs import write_interactions
from queue_workers.transport.jobs.embed_products import embed_products_job
from queue_workers.transport.jobs.erase_visitors import erase_visitors_job
from queue_workers.transport.jobs.train_model import train_model_job
from queue_workers.transport.jobs.write_interactions import write_interactions_job
from reco_svc.domain.model import EventType, Interaction
from reco_svc.service.interaction_codec import to_dict


def _message(body: object) -> Message:
    return Message("x", orjson.dumps(body))


def _event(event_id: str) -> Interaction:
    return Interaction(event_id, EventType.PURCHASE, "v1", "p1", datetime(2026, 1, 31, tzinfo=UTC), price=2.5)


def test_events_of_a_batch_are_written_together_in_order() -> None:
    calls: list[list[Interaction]] = []
    events = [_event(f"e{n}") for n in range(5)]
    job = write_interactions_job(lambda written: calls.append(list(written)))
    job([_message({"events": [to_dict(e) for e in part]}) for part in (events[:2], [], events[2:])])
    assert calls == [events]


def test_very_many_events_are_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_interactions, "MOST_AT_ONCE", 2)
    sizes: list[int] = []
    write_interactions_job(lambda written: sizes.append(len(written)))(
        [_message({"events": [to_dict(_event(f"e{n}")) for n in range(5)]})]
    )
    assert sizes == [2, 2, 1]


def test_nothing_is_written_when_one_body_can_not_be_read() -> None:
    calls: list[object] = []
    with pytest.raises(FailedPrecondition):
        write_interactions_job(calls.append)([_message({"events": [to_dict(_event("e1"))]}), _message({})])
    assert calls == []


def test_each_changed_product_is_embedded_once() -> None:
    asked: list[list[str]] = []

    def embed(ids: object) -> int:
        asked.append(list(ids))  # type: ignore[call-overload]
        return 0

    embed_products_job(embed)([_message({"product_ids": ["b", "a"]}), _message({"product_ids": ["a", "ü"]})])
    assert asked == [["b", "a", "ü"]]


def test_each_visitor_is_erased() -> None:
    erased: list[str] = []

    def erase(visitor_id: str) -> dict[str, int]:
        erased.append(visitor_id)
        return {}

    erase_visitors_job(erase)([_message({"visitor_id": "v1", "at": "2026"}), _message({"visitor_id": "v2"})])
    assert erased == ["v1", "v2"]


def test_a_run_is_trained() -> None:
    runs: list[str] = []
    train_model_job(runs.append)([_message({"run_id": "r1", "force": True})])
    assert runs == ["r1"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "a list of"),
        (b'{"events": 1, "product_ids": [1]}', "a list of"),
        (b'{"events": ["x"], "product_ids": null}', "a list of"),
    ],
)
def test_a_body_that_can_not_be_read_says_why(body: bytes, said: str) -> None:
    for job in (write_interactions_job(lambda _: None), embed_products_job(len)):
        with pytest.raises(FailedPrecondition, match=said) as raised:
            job([Message("x", body)])
        assert raised.value.reason == "BAD_MESSAGE"


@pytest.mark.parametrize("body", [b"{}", b'{"visitor_id": "", "run_id": 7}', b'{"visitor_id": null, "run_id": []}'])
def test_a_name_that_is_missing_says_so(body: bytes) -> None:
    for job in (erase_visitors_job(lambda _: {}), train_model_job(lambda _: None)):
        with pytest.raises(FailedPrecondition, match="a text that is not empty"):
            job([Message("x", body)])
