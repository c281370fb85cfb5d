"""Topics of the queue and who reads them. Bodies are UTF-8 JSON objects, described in docs/queue.md."""

INTERACTIONS = "interactions"  # reco -> worker: {"events": [...]}, written to the interaction log once per event_id
PRODUCT_CHANGED = "product_changed"  # catalog relay -> worker: {"product_ids": [...], "revision": n}: embed their text
VISITOR_ERASED = "visitor_erased"  # profile -> worker: {"visitor_id", "receipt_id", "at"}: finish an erasure
TRAIN = "train"  # reco -> worker: {"run_id", "force"}: build and activate a snapshot

ALL = (INTERACTIONS, PRODUCT_CHANGED, VISITOR_ERASED, TRAIN)
