"""Topic `interactions`: events into the interaction log, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meshkit.broker.port import Message
from queue_workers.transport.jobs.bodies import list_of, read_body
from reco_svc.domain.model import Interaction
from reco_svc.service.interaction_codec import from_dict

MOST_AT_ONCE = 5_000  # events in one transaction, so that no other writer of the database waits for long


def write_interactions_job(write: Callable[[Sequence[Interaction]], object]) -> Callable[[Sequence[Message]], None]:
    """A job that hands the events of a batch to `write` in the order they were published.

    All bodies are read before anything is written.
    """

    def job(messages: Sequence[Message]) -> None:
        events = [from_dict(event) for message in messages for event in list_of(read_body(message), "events", dict)]
        for start in range(0, len(events), MOST_AT_ONCE):
            write(events[start : start + MOST_AT_ONCE])

    return job
