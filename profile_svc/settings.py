"""Settings of the profile service."""

from __future__ import annotations

from pydantic import Field

from meshkit.settings import MeshSettings


class ProfileSettings(MeshSettings):
    """What this process needs to know beside the mesh."""

    profile_tombstone_hours: float = Field(
        24.0, gt=0, le=24, description="How long an erased visitor's id stays in the change feed, for its followers."
    )
    profile_erase_timeout_s: float = Field(
        1.0, gt=0, le=60, description="Longest wait for the recommender in an erasure; then it is queued, seconds."
    )
    profile_admin_threads: int = Field(4, ge=1, le=64, description="Threads of the profile admin plane.")
