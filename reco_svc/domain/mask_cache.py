"""Masks over a table that follow its changes: only the rows that were touched since are tested again."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from reco_svc.domain.columns import EVERY_ROW, Selection
from reco_svc.domain.ports import Mask, Rows

RowTest: TypeAlias = Callable[[Selection], Mask]

_JOURNAL_STEPS = 256


class RowJournal:
    """Which rows each of the last steps touched. `epoch` counts the steps."""

    def __init__(self) -> None:
        self.epoch = 0
        self._steps: deque[Rows] = deque(maxlen=_JOURNAL_STEPS)

    def add(self, rows: Rows) -> None:
        """Records one step."""
        self.epoch += 1
        self._steps.append(rows)

    def since(self, epoch: int) -> Rows | None:
        """Rows touched after `epoch`, each once; None if that is no longer known."""
        steps = self.epoch - epoch
        if steps > len(self._steps):
            return None
        return np.unique(np.concatenate([self._steps[-step] for step in range(1, steps + 1)]))


@dataclass(frozen=True, slots=True)
class _Entry:
    mask: Mask
    epoch: int


class MaskCache:
    """The masks used last, up to `budget_bytes` of them, each as the table is now. Masks are read-only."""

    def __init__(self, journal: RowJournal, *, budget_bytes: int = 64 << 20) -> None:
        self._journal = journal
        self._budget_bytes = budget_bytes
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(self, key: Hashable, length: int, test: Callable[[], RowTest]) -> Mask:
        """The mask of `key`, shape (length,); `test()` compiles the test of its rows when one has to be asked."""
        entry = self._entries.get(key)
        if entry is None or entry.epoch != self._journal.epoch:
            entry = _Entry(self._refreshed(entry, length, test()), self._journal.epoch)
            self._entries[key] = entry
            while len(self._entries) > max(8, self._budget_bytes // max(1, length)):
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return entry.mask

    def __len__(self) -> int:
        return len(self._entries)

    def _refreshed(self, entry: _Entry | None, length: int, test: RowTest) -> Mask:
        touched = self._journal.since(entry.epoch) if entry else None
        if entry is None or touched is None or 4 * len(touched) > length:
            mask = test(EVERY_ROW)
        else:
            mask = np.empty(length, np.bool_)
            mask[: len(entry.mask)] = entry.mask
            mask[touched] = test(touched)
        mask.flags.writeable = False
        return mask
