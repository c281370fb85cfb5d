"""Errors of the catalog, leaves of the tree in `meshkit.errors`.

InvalidArgument
└── PageTokenInvalid     the page token is broken or belongs to another filter
FailedPrecondition
└── CursorAhead          the change feed ends before the cursor: the store was replaced
"""

from __future__ import annotations

from meshkit.errors import FailedPrecondition, FieldViolation, InvalidArgument


class PageTokenInvalid(InvalidArgument):
    """Ask for the first page again, without a token."""

    reason = "PAGE_TOKEN"

    def __init__(self) -> None:
        description = "is not a token of this list with this filter; leave it out to start at the first page"
        super().__init__([FieldViolation("page_token", description)])


class CursorAhead(FailedPrecondition):
    """The reader's copy is of another store; it must start again at revision 0."""

    reason = "CURSOR_AHEAD"

    def __init__(self, after_revision: int, revision: int) -> None:
        super().__init__(
            f"after_revision {after_revision} is beyond the last revision {revision}: the catalog was replaced, "
            "start again at 0"
        )
        self.after_revision = after_revision
        self.revision = revision
