"""Bytes to lines: gunzips, skips a byte order mark, caps the length, finds what is not UTF-8."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from feeds.model import RejectedLine
from meshkit.errors import InvalidArgument

MAX_LINE_BYTES = 1 << 20
_SHOWN_CHARACTERS = 2_000
_GZIP_MAGIC = b"\x1f\x8b"
_BUFFER_BYTES = 1 << 18
READ_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)
DAMAGED = "the compressed file is cut off or damaged here; nothing after it was read"


def refuse_file(description: str) -> InvalidArgument:
    """The error for a file that is not of the format at all."""
    return InvalidArgument.of("file", description, reason="FILE_FORMAT")


class _Raw(io.RawIOBase):
    """Lets BufferedReader read from anything with `read(n)`, such as an upload."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def open_feed(stream: BinaryIO) -> io.BufferedReader:
    """The stream, gunzipped if it is gzip (by its magic bytes), after a UTF-8 byte order mark.

    Raises InvalidArgument for what is plainly no text: zip archives, UTF-16, other binary data, a broken gzip header.
    """
    buffered: io.BufferedReader = io.BufferedReader(cast(io.RawIOBase, _Raw(stream)), _BUFFER_BYTES)
    if buffered.peek(2)[:2] == _GZIP_MAGIC:
        buffered = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=buffered)), _BUFFER_BYTES)
    head = _peek(buffered)
    if head[:4] == b"PK\x03\x04":
        raise refuse_file("is a zip archive; unpack it, or compress with gzip instead")
    # A stray NUL is the matter of its line; many of them are UTF-16 or no text at all.
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or head[:1_000].count(0) * 20 > len(head[:1_000]):
        raise refuse_file("is not UTF-8 text; save it as UTF-8")
    if head[:3] == b"\xef\xbb\xbf":
        buffered.read(3)
    return buffered


def first_bytes(feed: io.BufferedReader) -> bytes:
    """The next bytes without white space before them, not taken from the feed; refuses a JSON array.

    Both kinds of files come as JSON Lines, never as one array, which could not be streamed.
    """
    start = _peek(feed).lstrip()
    if start.startswith(b"["):
        raise refuse_file("is a JSON array; write one JSON object per line (jq -c '.[]' does it)")
    return start


def _peek(feed: io.BufferedReader) -> bytes:
    try:
        return feed.peek(64)
    except READ_ERRORS:
        raise refuse_file("is gzip that is cut off or can not be decompressed") from None


class LineReader:
    """Iterates the lines of an opened feed, without blank ones in `strict` mode.

    `line` is the number of the last line read, from 1. In strict mode a line that is not UTF-8 or holds NUL goes to
    `rejected`; otherwise it is answered with surrogates in place of the wrong bytes and `damaged` is set, so that a
    record over several lines stays in one piece. Lines over 1 MiB always go to `rejected`.
    """

    def __init__(self, feed: io.BufferedReader, *, strict: bool) -> None:
        self._feed = feed
        self._strict = strict
        self.line = 0
        self.damaged = False
        self.rejected: list[RejectedLine] = []

    def __iter__(self) -> Iterator[str]:
        try:
            while raw := self._feed.readline(MAX_LINE_BYTES + 1):
                self.line += 1
                text = self._decode(raw)
                if text is not None:
                    yield text
        except READ_ERRORS:
            self.rejected.append(RejectedLine(self.line + 1, "", DAMAGED))

    def take_rejected(self) -> list[RejectedLine]:
        """What was rejected since the last call."""
        taken, self.rejected = self.rejected, []
        return taken

    def _decode(self, raw: bytes) -> str | None:
        if len(raw) > MAX_LINE_BYTES:
            self._reject(raw[:_SHOWN_CHARACTERS], "the line is longer than 1 MiB")
            while not raw.endswith(b"\n") and (raw := self._feed.readline(MAX_LINE_BYTES)):
                pass
            return None
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = None
        if text is not None and "\x00" not in text:
            return text if not self._strict or not text.isspace() else None
        if self._strict:
            self._reject(raw.rstrip(b"\r\n"), "is not valid UTF-8 text")
            return None
        self.damaged = True
        return raw.decode(errors="surrogateescape")

    def _reject(self, raw: bytes, reason: str) -> None:
        self.rejected.append(RejectedLine(self.line, raw.decode(errors="replace"), reason))
