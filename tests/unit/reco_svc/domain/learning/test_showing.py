"""What lists show is counted of the model that will answer."""

import numpy as np

from reco_svc.domain.learning.learned import Lesson, learn
from reco_svc.domain.learning.proving import Proof
from reco_svc.domain.learning.shop import Shop
from reco_svc.domain.learning.showing import learned_reach
from reco_svc.domain.model import Product
from reco_svc.domain.reach import Place
from reco_svc.domain.snapshot import Graph
from tests.unit.reco_svc.domain.learning.test_validation import events

N = 6
SHOP = Shop.of([Product(f"p{n}", f"Thing {n}") for n in range(N)], np.eye(N, dtype=np.float32), None, Graph.empty(N))
LOG = events([(v, [0, 1 + v % 4], v) for v in range(60)])  # all have the first, and nobody the last
LEARNED = learn(LOG, N, Lesson())


def test_the_newest_sessions_tell_what_is_shown():
    places = {"auto": Place(1, 20)}
    reach = learned_reach(SHOP, LOG, LEARNED, Proof(places=places))
    assert reach.places == places
    assert reach.shown.shape == (4, N)
    assert reach.shown[0, 0] == 0  # whoever asks has it
    assert (reach.shown[0, 1:5] == 45).all()  # all but those who have it


def test_where_no_places_were_proved_nothing_is_asked():
    assert not learned_reach(SHOP, LOG, LEARNED, Proof()).shown.size
