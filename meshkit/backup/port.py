"""What a store has to offer to be moved to any other of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeAlias

Record: TypeAlias = Mapping[str, Any]  # what JSON can hold


class Records(Protocol):
    """The records of a backup."""

    def __call__(self, section: str) -> Iterator[Record]:
        """Those of a section in their order; none for a section that is not there."""
        ...


class BackedUp(Protocol):
    """One store. Every method may raise `meshkit.errors.Unavailable`."""

    def read(self) -> Iterator[tuple[str, Iterator[Record]]]:
        """Each section with its records, as the store stood at one moment where its technology can tell; each is to
        be read to its end before the next."""
        ...

    def holds(self) -> int:
        """How many records a restore would replace; 0: none."""
        ...

    def replace(self, records: Records) -> None:
        """Forgets everything and takes the records instead, in one transaction where there is one."""
        ...
