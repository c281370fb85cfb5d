"""The use cases that the public API offers, as wired by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from edge.service.answer_memory import AnswerMemory
from edge.service.answers_again import AnswersAgain
from edge.service.freshness import Freshness
from edge.service.products import Products
from edge.service.profiles import Profiles
from edge.service.recommend import Recommend
from edge.service.recommend_page import RecommendPage
from edge.service.record_events import RecordEvents
from edge.service.replay import ReplayMemory
from edge.service.search import Search
from edge.transport.hot_answers import HotAnswers
from edge.transport.limits import Limits
from meshkit.health import Health


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may call."""

    recommend: Recommend
    page: RecommendPage
    again: AnswersAgain
    products: Products
    search: Search
    record_events: RecordEvents
    profiles: Profiles
    freshness: Freshness
    answers: AnswerMemory
    replays: ReplayMemory
    hot: HotAnswers
    limits: Limits
    health: Health
    write_timeout_s: float
