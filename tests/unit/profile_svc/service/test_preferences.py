import pytest

from meshkit.errors import Aborted, InvalidArgument
from profile_svc.domain.model import Preferences, Price
from tests.support.profiles import NOON, profile_world


def test_an_unknown_visitor_has_empty_preferences():
    assert profile_world().do.read("nobody") == Preferences("nobody")


def test_an_empty_mask_sets_everything():
    do = profile_world().do
    do.update(Preferences("v1", brands=("Acme",), opted_out=True), [])
    made = do.update(Preferences("v1", categories=("Kitchen",)), [])
    assert (made.brands, made.categories, made.opted_out) == ((), ("Kitchen",), False)
    assert made.updated_at == NOON
    assert do.read("v1") == made


def test_a_mask_leaves_the_rest_alone():
    do = profile_world().do
    do.update(Preferences("v1", brands=("Acme",), price_max=Price(9, "EUR")), [])
    made = do.update(Preferences("v1", categories=("Kitchen",)), ["categories", "categories"])
    assert (made.brands, made.categories, made.price_max) == (("Acme",), ("Kitchen",), Price(9, "EUR"))


def test_a_masked_price_must_fit_the_one_that_stays():
    do = profile_world().do
    do.update(Preferences("v1", price_max=Price(9, "EUR")), [])
    with pytest.raises(InvalidArgument):
        do.update(Preferences("v1", price_min=Price(1, "USD")), ["price_min"])
    assert do.read("v1").price_min is None


@pytest.mark.parametrize("path", ["visitor_id", "revision", "segments", "colour", "price_min.units", ""])
def test_a_mask_names_only_what_can_be_changed(path):
    with pytest.raises(InvalidArgument) as caught:
        profile_world().do.update(Preferences("v1"), ["brands", path])
    assert caught.value.violations[0].field == "update_mask"


def test_a_lost_update_is_noticed():
    do = profile_world().do
    first = do.update(Preferences("v1", brands=("Acme",)), [])
    do.update(Preferences("v1", brands=("Bolt",), revision=first.revision), ["brands"])
    with pytest.raises(Aborted):
        do.update(Preferences("v1", brands=("Cord",), revision=first.revision), ["brands"])
    assert do.read("v1").brands == ("Bolt",)


def test_a_revision_for_an_unknown_visitor_is_a_lost_update_too():
    with pytest.raises(Aborted):
        profile_world().do.update(Preferences("v1", revision=7), [])


def test_saying_the_same_again_keeps_the_revision():
    do = profile_world().do
    first = do.update(Preferences("v1", brands=("Acme",)), [])
    assert do.update(Preferences("v1", brands=(" Acme",)), ["brands"]) == first


def test_browsing_pages_by_id():
    do = profile_world().do
    for number in range(5):
        do.update(Preferences(f"v{number}", brands=("Acme",)), [])
    first = do.browse("V", "", 3)
    assert [p.visitor_id for p in first.visitors] == ["v0", "v1", "v2"]
    second = do.browse("V", first.next_after_id, 3)
    assert [p.visitor_id for p in second.visitors] == ["v3", "v4"]
    assert second.next_after_id == ""
    assert do.browse.count() == 5
    assert do.browse("v\x00").visitors == ()
