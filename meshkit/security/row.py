"""What a row of the access table may say."""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from meshkit.security.roles import Scope


class Open(Enum):
    """The type of OPEN."""

    OPEN = "open"


OPEN: Final = Open.OPEN
Row: TypeAlias = Scope | Open
