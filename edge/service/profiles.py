"""Preferences of anonymous visitors: read, change, erase."""

from __future__ import annotations

from edge.domain.ports import ProfileGateway
from edge.domain.profile import ErasureReceipt, Preferences, PreferencesChange
from edge.service.replay import ReplayMemory


class Profiles:
    """Nothing of a visitor is cached, so that an erasure or an opt-out holds from the next request on."""

    def __init__(self, profiles: ProfileGateway, replays: ReplayMemory) -> None:
        self._profiles = profiles
        self._replays = replays

    async def read(self, visitor_id: str) -> Preferences:
        """Empty for an unknown visitor."""
        return await self._profiles.preferences(visitor_id)

    async def change(self, change: PreferencesChange) -> Preferences:
        """The preferences after the change."""
        if not change.changed:  # for the profile service, naming no field means naming all of them
            return await self._profiles.preferences(change.values.visitor_id)
        return await self._profiles.update(change)

    async def erase(self, visitor_id: str) -> ErasureReceipt:
        """Erases the visitor everywhere, remembered answers to earlier writes included."""
        receipt = await self._profiles.erase(visitor_id)
        self._replays.forget(visitor_id)
        return receipt
