"""The examples of the API reference name products of the demo shop."""

from datetime import UTC, datetime

from demo.shop import demo_products
from edge.transport.examples import OTHER_PRODUCT_ID, PRODUCT_ID


def test_the_products_of_the_examples_are_in_the_demo_shop() -> None:
    ids = {product.product_id for product in demo_products(datetime.now(UTC))}
    assert {PRODUCT_ID, OTHER_PRODUCT_ID} <= ids
