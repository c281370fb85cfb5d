"""Drawings that stand for photos."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from edge.transport.shop.images import drawing, initials


def test_the_same_product_always_looks_the_same() -> None:
    assert drawing("p1", "Chef Knife", "Home") == drawing("p1", "Chef Knife", "Home")
    assert drawing("p1", "Chef Knife", "Home") != drawing("p2", "Chef Knife", "Home")


def test_initials_name_the_thing() -> None:
    assert initials("Damascus steel Chef Knife, 20 cm") == "CK"
    assert initials("lamp") == "L"
    assert initials("Æbleskive pande") == "ÆP"
    assert initials("123 456") == "?"
    assert initials("") == "?"


@given(st.text(max_size=20), st.text(max_size=60), st.text(max_size=60))
def test_a_drawing_is_xml_whatever_the_title(product_id: str, title: str, category: str) -> None:
    root = ElementTree.fromstring(drawing(product_id, title, category))
    assert root.tag.endswith("svg")
    assert not [element for element in root.iter() if element.tag.endswith("script")]
