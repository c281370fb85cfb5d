"""Whether a shared copy of a product is known to be true still."""

from edge.domain.change_history import ChangeHistory


def history(*changes: tuple[str, int], begins: int = 10, most: int = 100) -> ChangeHistory:
    made = ChangeHistory(max_products=most)
    made.begin(begins)
    for product_id, revision in changes:
        made.add(product_id, revision)
    return made


def test_a_copy_from_before_a_change_is_not_true_and_one_from_after_it_is() -> None:
    known = history(("mug", 12), ("pot", 13))

    assert not known.unchanged_since("mug", 11)
    assert known.unchanged_since("mug", 12)
    assert known.unchanged_since("pan", 11)
    assert known.position == 13


def test_nothing_is_said_of_copies_from_before_the_history_begins() -> None:
    assert not history().unchanged_since("mug", 9)
    assert history().unchanged_since("mug", 10)


def test_when_the_oldest_change_leaves_the_history_begins_with_it() -> None:
    known = history(("mug", 12), ("pot", 13), ("pan", 14), most=2)

    assert not known.unchanged_since("mug", 11)
    assert not known.unchanged_since("lid", 11)
    assert known.unchanged_since("mug", 12)
    assert not known.unchanged_since("pan", 13)
