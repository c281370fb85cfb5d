"""Readers of single values, told which field they read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from meshkit.errors import InvalidArgument

Source = TypeVar("Source")
Result = TypeVar("Result")


def checked(field: str, value: Source, read: Callable[[Source], Result]) -> Result:
    """`read(value)`; its ValueError becomes an InvalidArgument that names the field."""
    try:
        return read(value)
    except ValueError as error:
        raise InvalidArgument.of(field, str(error)) from None
