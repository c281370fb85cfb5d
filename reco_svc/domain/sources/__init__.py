"""The sources, which strategies use them, and what fills a list when they can not."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reco_svc.domain.candidates import Source
from reco_svc.domain.model import Strategy
from reco_svc.domain.sources.collaborative import CollaborativeSource
from reco_svc.domain.sources.leaderboards import NewSource, PopularSource, TrendingSource
from reco_svc.domain.sources.neighbours import BoughtTogetherSource, ViewedTogetherSource
from reco_svc.domain.sources.personal import PersonalSource
from reco_svc.domain.sources.session import SessionSource
from reco_svc.domain.sources.similar import SimilarSource, UnseenSource

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        source.name: source
        for source in (
            SimilarSource(),
            SessionSource(),
            ViewedTogetherSource(),
            BoughtTogetherSource(),
            CollaborativeSource(),
            UnseenSource(),
            PersonalSource(),
            PopularSource(),
            TrendingSource(),
            NewSource(),
        )
    }
)

STRATEGY_SOURCES: Mapping[Strategy, tuple[str, ...]] = MappingProxyType(
    {
        Strategy.AUTO: (
            "session",
            "collaborative",
            "bought_together",
            "viewed_together",
            "similar",
            "unseen",
            "personal",
            "popular",
        ),
        Strategy.SIMILAR: ("similar",),
        Strategy.BOUGHT_TOGETHER: ("bought_together",),
        Strategy.VIEWED_TOGETHER: ("viewed_together",),
        Strategy.SESSION: ("session",),
        Strategy.PERSONAL: ("personal", "collaborative"),
        Strategy.POPULAR: ("popular",),
        Strategy.TRENDING: ("trending",),
        Strategy.NEW: ("new",),
    }
)

# What is asked next, in order, while the list is short. Every chain ends in what always has an answer.
FALLBACKS: Mapping[Strategy, tuple[str, ...]] = MappingProxyType(
    {
        Strategy.AUTO: ("similar", "popular", "new"),
        Strategy.SIMILAR: ("viewed_together", "popular", "new"),
        Strategy.BOUGHT_TOGETHER: ("session", "viewed_together", "similar", "popular", "new"),
        Strategy.VIEWED_TOGETHER: ("session", "bought_together", "similar", "popular", "new"),
        Strategy.SESSION: ("viewed_together", "bought_together", "similar", "popular", "new"),
        Strategy.PERSONAL: ("similar", "popular", "new"),
        Strategy.POPULAR: ("new",),
        Strategy.TRENDING: ("popular", "new"),
        Strategy.NEW: ("popular",),
    }
)
