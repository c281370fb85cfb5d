"""Topic `product_changed`: the text of changed products into vectors, each text once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meshkit.broker.port import Message
from queue_workers.transport.jobs.bodies import list_of, read_body


def embed_products_job(embed: Callable[[Sequence[str]], int]) -> Callable[[Sequence[Message]], None]:
    """A job that hands the distinct product ids of a batch to `embed`, in order of first appearance."""

    def job(messages: Sequence[Message]) -> None:
        ids = (p for message in messages for p in list_of(read_body(message), "product_ids", str))
        embed(list(dict.fromkeys(ids)))

    return job
