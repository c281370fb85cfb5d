"""How filters compare text; stores that keep folded columns must fold them with these functions."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

PATH_SEPARATOR = " > "
_WORD = re.compile(r"\w+")


def fold(text: str) -> str:
    """The form in which two texts are the same to a filter: NFKC, case folded."""
    return unicodedata.normalize("NFKC", text).casefold()


def word_text(text: str) -> str:
    """The folded words of a text, one space before, between and after: "T-Light, red" -> " t light red ".

    A phrase is in a text when `word_text(phrase) in word_text(text)`. Text without a word gives "".
    """
    words = _WORD.findall(fold(text))
    return f" {' '.join(words)} " if words else ""


def normal_path(path: str) -> str:
    """A category path with exactly " > " between its parts: "Home>Kitchen " -> "Home > Kitchen"; case is kept."""
    return PATH_SEPARATOR.join(part for part in (part.strip() for part in path.split(">")) if part)


def folded_path(path: str) -> str:
    """`normal_path`, folded: two paths are the same category when these are equal."""
    return normal_path(fold(path))


@lru_cache(maxsize=16_384)  # a filter asks every path of a catalog, for each category that it names
def path_keys(path: str) -> frozenset[str]:
    """Everything that `categories:"…"` finds a path by: each folded prefix and each folded part of it.

    "Home > Kitchen > Knives" -> {home, home > kitchen, home > kitchen > knives, kitchen, knives}.
    """
    parts = folded_path(path).split(PATH_SEPARATOR)
    prefixes = (PATH_SEPARATOR.join(parts[:end]) for end in range(1, len(parts) + 1))
    return frozenset((*prefixes, *parts)) - {""}


@dataclass(frozen=True, slots=True)
class TextPattern:
    """The value of `=` on text: folded, with its wildcards taken off."""

    text: str
    open_start: bool
    open_end: bool

    def matches(self, value: str) -> bool:
        """Whether a text of the store, folded here, is what the pattern says. Empty text matches nothing."""
        return self.matches_folded(fold(value))

    def matches_folded(self, folded: str) -> bool:
        """The same for a text that is already folded, as in a column of folded texts."""
        if not folded:
            return False
        if self.open_start and self.open_end:
            return self.text in folded
        if self.open_start:
            return folded.endswith(self.text)
        if self.open_end:
            return folded.startswith(self.text)
        return folded == self.text


def text_pattern(value: str) -> TextPattern:
    """Reads the value of `=` or `!=` on text: `*` at the start, the end or both stands for any characters."""
    open_end = value.endswith("*")
    core = value[:-1] if open_end else value
    open_start = core.startswith("*")
    return TextPattern(fold(core[1:] if open_start else core), open_start, open_end)
