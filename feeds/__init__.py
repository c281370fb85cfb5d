"""Reads product and event files: JSON Lines, CSV, Google Merchant feeds, the UCI Online Retail layout.

Readers stream: they hold one line or one item at a time and turn whatever is wrong with it into a `RejectedLine`. Only
a file that is not of the format at all raises InvalidArgument. Imports no service: the CLI and the admin planes share
it.
"""

from feeds.event_rows import TYPES as EVENT_TYPES
from feeds.events import EVENT_FORMATS, read_events
from feeds.model import ImportReport, ParsedEvent, ParsedProduct, RejectedLine
from feeds.online_retail import OnlineRetail, read_online_retail
from feeds.products import PRODUCT_FORMATS, read_products

__all__ = [
    "EVENT_FORMATS",
    "EVENT_TYPES",
    "PRODUCT_FORMATS",
    "ImportReport",
    "OnlineRetail",
    "ParsedEvent",
    "ParsedProduct",
    "RejectedLine",
    "read_events",
    "read_online_retail",
    "read_products",
]
