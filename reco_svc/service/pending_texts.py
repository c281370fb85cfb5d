"""Products whose text has no vector yet, by the hash of the text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from reco_svc.domain.product_text import text_hash

STAND_INS_AT_ONCE = 256  # about 10 ms of work; the rest follow at the next call


class PendingTexts:
    """A row waits for the vector of one text; several rows may wait for the same."""

    def __init__(self) -> None:
        self._rows_of: dict[str, set[int]] = {}
        self._hash_of: dict[int, str] = {}
        self._fresh: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._hash_of)

    def add(self, row: int, text: str) -> None:
        """The row waits for the vector of `text`, and no longer for another."""
        self.drop(row)
        content_hash = text_hash(text)
        self._hash_of[row] = content_hash
        self._rows_of.setdefault(content_hash, set()).add(row)
        self._fresh[row] = text

    def drop(self, row: int) -> None:
        """The row waits for nothing."""
        self._fresh.pop(row, None)
        content_hash = self._hash_of.pop(row, None)
        if content_hash is not None:
            rows = self._rows_of[content_hash]
            rows.discard(row)
            if not rows:
                del self._rows_of[content_hash]

    def settle(self, content_hash: str) -> list[int]:
        """The rows that waited for a text; they wait no more."""
        rows = sorted(self._rows_of.get(content_hash, ()))
        for row in rows:
            self.drop(row)
        return rows

    def hashes(self, limit: int) -> list[str]:
        """Up to `limit` hashes that are waited for, those asked for longest ago first."""
        chosen = list(islice(self._rows_of, limit))
        for content_hash in chosen:
            self._rows_of[content_hash] = self._rows_of.pop(content_hash)
        return chosen

    def without_stand_in(self) -> Iterator[tuple[int, str]]:
        """A bounded number of rows that were not given here before, with their texts."""
        for row in list(islice(self._fresh, STAND_INS_AT_ONCE)):
            yield row, self._fresh.pop(row)
