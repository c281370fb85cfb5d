"""Passing on what visitors do: one verdict per event, in the order they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from edge.domain.events import EventVerdict, Interaction
from edge.domain.ports import RecoGateway

ReadEvent: TypeAlias = Interaction | EventVerdict


class RecordEvents:
    """Sends readable events on; those that could not be read already have their verdict."""

    def __init__(self, reco: RecoGateway) -> None:
        self._reco = reco

    async def __call__(self, events: Sequence[ReadEvent]) -> list[EventVerdict]:
        """One verdict per event, in order. Raises Unavailable if nothing was taken: send the same ids again."""
        readable = [event for event in events if isinstance(event, Interaction)]
        verdicts = iter(await self._reco.record(readable))
        return [next(verdicts) if isinstance(event, Interaction) else event for event in events]
