"""Ids of recommendations: whoever knows one may read what its answer was made from, so nobody can guess one."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

ID_BYTES, ID_CHARACTERS, IDS_AT_ONCE = 15, 20, 200


def unguessable_ids() -> Iterator[str]:
    """Ids without end, each of 15 random bytes in URL-safe base64. The system is asked for many at once: a call of it
    takes longer than all else about an id."""
    while True:
        text = base64.urlsafe_b64encode(os.urandom(ID_BYTES * IDS_AT_ONCE)).decode()
        for begin in range(0, len(text), ID_CHARACTERS):
            yield text[begin : begin + ID_CHARACTERS]
