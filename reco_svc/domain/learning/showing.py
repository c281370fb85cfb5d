"""What the lists of a finished model show."""

from __future__ import annotations

from reco_svc.domain.blend import blend
from reco_svc.domain.learning.current import current_questions
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.learned import Learned
from reco_svc.domain.learning.proving import Proof
from reco_svc.domain.learning.reaching import NEAR, lists_with
from reco_svc.domain.learning.shop import Shop
from reco_svc.domain.learning.tuning import proposed
from reco_svc.domain.model import Strategy
from reco_svc.domain.ranking import CANDIDATES
from reco_svc.domain.reach import Reach
from reco_svc.domain.sources import SOURCES, STRATEGY_SOURCES


def learned_reach(shop: Shop, events: LearningEvents, learned: Learned, proof: Proof) -> Reach:
    """The places that were proved, and what lists would show now of all that the `events` taught.

    The counts by which places were proved are those of a model that does not know the newest events: hubs move.
    """
    if not proof.places:
        return Reach()
    view = shop.view(shop.popularity(events), learned, proof.fading, spread=proof.spread)
    asked = current_questions(events, long=proof.fading.long)
    kinds, lists = [proof.fading.kind(question) for question in asked], []
    for question in asked:
        names = proof.blend.weighty(Strategy.AUTO, question, STRATEGY_SOURCES[Strategy.AUTO])
        said = {name: proposed(SOURCES[name], view, question, CANDIDATES) for name in names}
        found = blend(said, Strategy.AUTO, question, proof.blend, view.popularity.momentum)
        lists.append(found.rows[:NEAR].copy())
    return Reach(lists_with(kinds, lists, shop.n), proof.places)
