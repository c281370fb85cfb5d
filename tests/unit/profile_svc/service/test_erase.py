from datetime import timedelta

import pytest

from meshkit.errors import DeadlineExceeded, InvalidArgument, RecomeshError, Unavailable
from profile_svc.domain.model import ErasedPart, ErasureState, Preferences
from tests.support.profiles import NOON, profile_world


def test_a_receipt_lists_what_was_erased_where():
    world = profile_world()
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    receipt = world.do.erase("v1")
    assert receipt.requested_at == NOON
    assert receipt.parts == (
        ErasedPart("profile", "preferences", 1, ErasureState.ERASED),
        ErasedPart("reco", "interactions", 5, ErasureState.ERASED),
        ErasedPart("reco", "session", 2, ErasureState.ERASED),
    )
    assert world.do.read("v1") == Preferences("v1")
    assert world.eraser.erased == ["v1"]
    assert world.queue.orders == []
    assert world.do.receipts("v1") == [receipt]


@pytest.mark.parametrize("error", [Unavailable("reco"), DeadlineExceeded("late"), RecomeshError("reco failed")])
def test_what_an_absent_owner_holds_is_pending_and_queued(error):
    world = profile_world()
    world.eraser.error = error
    receipt = world.do.erase("v1")
    assert [(p.what, p.state) for p in receipt.parts if p.store == "reco"] == [
        ("interactions", ErasureState.PENDING),
        ("session", ErasureState.PENDING),
    ]
    assert world.queue.orders == [("v1", receipt.receipt_id, NOON)]


def test_an_order_that_the_queue_did_not_take_is_relayed_later():
    world = profile_world()
    world.eraser.error = Unavailable("reco")
    world.queue.error = Unavailable("queue")
    receipt = world.do.erase("v1")
    assert receipt.parts[1].state == ErasureState.PENDING

    world.now += timedelta(seconds=6)
    with pytest.raises(Unavailable):
        world.do.relay()
    world.queue.error = None
    assert world.do.relay() == 1
    assert world.do.relay() == 0
    assert world.queue.orders == [("v1", receipt.receipt_id, NOON)]


def test_a_call_that_died_half_way_leaves_an_order_that_is_relayed():
    world = profile_world()
    world.eraser.error = KeyboardInterrupt()  # no error that a use case may catch
    with pytest.raises(KeyboardInterrupt):
        world.do.erase("v1")

    assert world.do.relay() == 0  # it might still be at it
    world.now += timedelta(seconds=6)
    assert world.do.relay() == 1
    assert [visitor_id for visitor_id, *_ in world.queue.orders] == ["v1"]


def test_an_erasure_that_is_done_leaves_nothing_to_relay():
    world = profile_world()
    world.do.erase("v1")
    world.eraser.error = Unavailable("reco")
    world.do.erase("v2")
    world.eraser.error = InvalidArgument.of("visitor_id", "odd")
    with pytest.raises(InvalidArgument):
        world.do.erase("v3")

    world.now += timedelta(hours=1)
    assert world.do.relay() == 0
    assert [visitor_id for visitor_id, *_ in world.queue.orders] == ["v2"]


def test_erasing_again_is_harmless():
    world = profile_world()
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    first, second = world.do.erase("v1"), world.do.erase("v1")
    assert [p.count for p in (first.parts[0], second.parts[0])] == [1, 0]
    assert first.receipt_id != second.receipt_id


def test_an_odd_id_erases_nothing():
    with pytest.raises(InvalidArgument):
        profile_world().do.erase("")


def test_a_visitor_may_come_back_after_an_erasure():
    world = profile_world()
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    world.do.erase("v1")
    made = world.do.update(Preferences("v1", brands=("Bolt",)), ["brands"])
    assert made.brands == ("Bolt",)
