"""Why a product is in a list, in words a shop can switch on: "similar_to:85123A", "popular_in:Kitchen"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reco_svc.domain.candidates import Source

PINNED = "pinned_by"
BOOSTED = "boosted_by"
_LEADERBOARD_ENDING = "_in"
_WITHOUT_EVIDENCE = {"similar_to": "matches_query"}


def reason(word: str, evidence: int, category: str, ids: Sequence[str]) -> str:
    """The reason of one source: its word with the product that speaks for it, or with the category of the page.

    `ids` are those of products, by row. The word of a leaderboard ("popular_in") loses its ending where no category
    limits it.
    """
    if evidence >= 0:
        return f"{word}:{ids[evidence]}"
    if word.endswith(_LEADERBOARD_ENDING):
        return f"{word}:{category}" if category else word.removesuffix(_LEADERBOARD_ENDING)
    return _WITHOUT_EVIDENCE.get(word, word)


def reasons(
    names: Iterable[str],
    evidence: Iterable[int],
    sources: Mapping[str, Source],
    category: str,
    ids: Sequence[str],
) -> tuple[str, ...]:
    """The reasons of the named sources with the evidence of each, in their order, each once."""
    words = (reason(sources[name].reason, seed, category, ids) for name, seed in zip(names, evidence, strict=True))
    return tuple(dict.fromkeys(words))
