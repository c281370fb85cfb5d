"""What another machine's clock shows, as well as answers of any delay can tell (the idea of NTP's clock filter)."""

from __future__ import annotations

KEEP_S = 10.0


class RemoteClock:
    """The offset between a remote clock and the local one, from the quickest answer of the last KEEP_S seconds."""

    def __init__(self) -> None:
        self._offset_s = 0.0
        self._doubt_s = float("inf")
        self._seen = 0.0

    def observe(self, asked: float, answered: float, remote: float) -> None:
        """The remote clock showed `remote` some time between `asked` and `answered` on the local clock, in seconds.

        An answer that says less than what is known is left out, unless the remote clock must have been moved.
        """
        doubt_s = (answered - asked) / 2
        offset_s = remote - (asked + answered) / 2
        moved = abs(offset_s - self._offset_s) > doubt_s + self._doubt_s
        if doubt_s <= self._doubt_s or moved or answered - self._seen > KEEP_S:
            self._offset_s, self._doubt_s, self._seen = offset_s, doubt_s, answered

    def local(self, remote: float) -> float:
        """When the local clock shows what the remote one does at `remote`."""
        return remote - self._offset_s
