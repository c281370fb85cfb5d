"""Handing changes to the queue, so that workers can embed what is new."""

from __future__ import annotations

import json
from collections.abc import Sequence

from catalog_svc.domain.ports import ProductRepository, RelayCursor
from meshkit.broker.port import Broker, Message
from meshkit.topics import PRODUCT_CHANGED

IDS_PER_MESSAGE = 200
IDS_PER_STEP = 5_000


def relay_changes(repository: ProductRepository, cursor: RelayCursor, broker: Broker) -> int:
    """Publishes what changed since the cursor, then moves it; returns how many changes, 0 when all is done.

    At least once: a crash between the two steps publishes the same changes again. Deleted products are announced too.
    """
    seen = cursor.read()
    changed = repository.changed_ids(seen, IDS_PER_STEP)
    if not changed:
        return 0
    groups = (changed[start : start + IDS_PER_MESSAGE] for start in range(0, len(changed), IDS_PER_MESSAGE))
    broker.publish([_message(group) for group in groups])
    cursor.advance(seen, changed[-1][0])
    return len(changed)


def _message(group: Sequence[tuple[int, str]]) -> Message:
    body = {"product_ids": [product_id for _, product_id in group], "revision": group[-1][0]}
    return Message(PRODUCT_CHANGED, json.dumps(body, ensure_ascii=False).encode(), key=group[0][1])
