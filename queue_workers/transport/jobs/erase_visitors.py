"""Topic `visitor_erased`: finishes erasures whose owner was away when the visitor asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from meshkit.broker.port import Message
from queue_workers.transport.jobs.bodies import read_body, text_of


def erase_visitors_job(erase: Callable[[str], Mapping[str, int]]) -> Callable[[Sequence[Message]], None]:
    """A job that erases each visitor of a batch; erasing twice is harmless."""

    def job(messages: Sequence[Message]) -> None:
        for message in messages:
            erase(text_of(read_body(message), "visitor_id"))

    return job
