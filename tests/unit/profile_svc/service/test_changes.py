import pytest

from meshkit.errors import InvalidArgument
from profile_svc.domain.model import Preferences
from tests.support.profiles import profile_world


def test_the_feed_is_read_in_pages_to_its_end():
    world = profile_world()
    for number in range(5):
        world.do.update(Preferences(f"v{number}", brands=("Acme",)), [])
    seen, cursor, more = [], 0, True
    while more:
        page = world.do.changes(cursor, 2)
        seen += [c.visitor_id for c in page.changes]
        cursor, more = page.next_revision, page.has_more
    assert seen == ["v0", "v1", "v2", "v3", "v4"]
    assert world.do.changes(cursor, 2).next_revision == cursor


def test_a_huge_page_is_cut_to_what_is_allowed():
    assert profile_world().do.changes(0, 10**9).changes == []


@pytest.mark.parametrize(("after", "size"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(after, size):
    with pytest.raises(InvalidArgument):
        profile_world().do.changes(after, size)
