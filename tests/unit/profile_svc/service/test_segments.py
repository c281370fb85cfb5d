import pytest

from meshkit.errors import FailedPrecondition, InvalidArgument, NotFound
from profile_svc.domain.model import Preferences, Price, Segment
from profile_svc.service import segments as module
from tests.support.profiles import profile_world

FANS = Segment("fans", "Fans of Acme", 'brands:"Acme" AND price_max < 50')


def counts(world) -> dict[str, int]:
    return {c.segment.name: c.visitor_count for c in world.do.segments.count()}


def test_a_segment_holds_the_visitors_its_filter_is_true_for():
    world = profile_world()
    world.do.segments.define(FANS)
    inside = world.do.update(Preferences("v1", brands=("ACME",), price_max=Price(49, "EUR")), [])
    outside = world.do.update(Preferences("v2", brands=("Acme",), price_max=Price(50, "EUR")), [])
    assert world.do.segments.names_of(inside) == ("fans",)
    assert world.do.segments.names_of(outside) == ()
    assert [c.segment for c in world.do.segments.of_visitor(inside)] == [FANS]


def test_one_who_opted_out_or_stated_nothing_is_in_no_segment():
    world = profile_world()
    world.do.segments.define(Segment("modest", "", "NOT price_max > 10"))
    gone = world.do.update(Preferences("v1", brands=("Acme",), opted_out=True), [])
    assert world.do.segments.names_of(gone) == ()
    assert world.do.segments.names_of(world.do.read("nobody")) == ()
    assert counts(world) == {"modest": 0}


def test_counts_follow_every_change():
    world = profile_world()
    world.do.segments.define(FANS)
    assert counts(world) == {"fans": 0}
    for name in ("v1", "v2", "v3"):
        world.do.update(Preferences(name, brands=("Acme",), price_max=Price(9, "EUR")), [])
    assert counts(world) == {"fans": 3}
    world.do.update(Preferences("v1", brands=("Bolt",)), ["brands"])
    world.do.erase("v2")
    assert counts(world) == {"fans": 1}
    world.do.segments.define(Segment("fans", "", 'brands:"Bolt"'))
    assert counts(world) == {"fans": 1}
    world.do.segments.delete("fans")
    assert counts(world) == {}


def test_a_changed_segment_sends_every_visitor_along_the_feed_again():
    world = profile_world()
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    end = world.do.changes(0, 0).next_revision
    world.do.segments.define(FANS)
    page = world.do.changes(end, 0)
    assert [c.visitor_id for c in page.changes] == ["v1"]
    world.do.segments.define(Segment("fans", "New title", FANS.filter))
    assert world.do.changes(page.next_revision, 0).changes == []


def test_moving_along_the_feed_is_no_lost_update():
    world = profile_world()
    made = world.do.update(Preferences("v1", brands=("Acme",)), [])
    world.do.segments.define(FANS)
    world.do.update(Preferences("v1", brands=("Bolt",), revision=made.revision), ["brands"])


def test_a_touch_cut_off_by_a_crash_is_finished_at_the_next_start():
    world = profile_world()
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    world.segments.save(FANS)
    end = world.do.changes(0, 0).next_revision
    world.do.segments.finish_touch()
    assert [c.visitor_id for c in world.do.changes(end, 0).changes] == ["v1"]
    assert not world.segments.touch_due()


def test_a_wrong_filter_is_refused_with_its_column():
    world = profile_world()
    with pytest.raises(InvalidArgument) as caught:
        world.do.segments.define(Segment("fans", "", "brands:Acme AND colour = 1"))
    assert caught.value.reason == "FILTER_SYNTAX"
    assert "17" in caught.value.message
    assert world.do.segments.count() == []


def test_a_stored_filter_that_no_longer_parses_is_left_out():
    world = profile_world()
    world.segments.save(Segment("old", "", "colour = 1"))
    world.segments.save(FANS)
    assert list(counts(world)) == ["fans"]


def test_unknown_segments_are_not_found():
    world = profile_world()
    with pytest.raises(NotFound):
        world.do.segments.get("fans")
    with pytest.raises(NotFound):
        world.do.segments.delete("fans")


def test_there_is_a_most_number_of_segments(monkeypatch):
    monkeypatch.setattr(module, "MAX_SEGMENTS", 1)
    world = profile_world()
    world.do.segments.define(FANS)
    world.do.segments.define(FANS)
    with pytest.raises(FailedPrecondition):
        world.do.segments.define(Segment("more", "", "brands:x"))


def test_a_filter_can_be_tried_before_it_is_saved():
    world = profile_world()
    world.do.update(Preferences("v1", brands=("Acme",)), [])
    assert world.do.segments.try_filter("brands:acme") == 1
    with pytest.raises(InvalidArgument):
        world.do.segments.try_filter("brands:")
