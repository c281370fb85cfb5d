"""Which fields of a product are worth telling, by what likeness of content alone answers to questions of the log.

What sells together is told by the category in one shop, by the description in another; a text that says more says it
more vaguely. So a few texts are tried for the words of a product (learning/content.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from reco_svc.domain.learning.content import content_graph
from reco_svc.domain.learning.events import LearningEvents
from reco_svc.domain.learning.metrics import metric_values
from reco_svc.domain.learning.tuning import proposed
from reco_svc.domain.learning.validation import held_back, known_answers
from reco_svc.domain.model import Product, RuleSet
from reco_svc.domain.popularity import Popularity
from reco_svc.domain.ports import Vectors
from reco_svc.domain.product_table import ProductTable
from reco_svc.domain.product_text import FIELDS, product_text
from reco_svc.domain.snapshot import Snapshot
from reco_svc.domain.sources.similar import SimilarSource
from reco_svc.domain.vector_space import VectorSpace
from reco_svc.domain.view import View

CHOICES: Sequence[tuple[str, ...]] = (
    FIELDS,
    ("title", "categories", "brand", "attributes"),
    ("title", "categories", "description"),
    ("title", "categories"),
)
MOST_PRODUCTS = 8_000  # of more the first choice is taken: a graph for each takes too long
LEAST_ASKED, MOST_ASKED = 60, 400
GAIN = 1.02  # what another choice must be better by than the first


def choose_fields(
    products: Sequence[Product], vectors: Vectors, events: LearningEvents, *, seed: int = 0
) -> Sequence[str]:
    """One of CHOICES, the first where there is too little to tell; `vectors` (n, dim) stay as they are."""
    if not 2 <= len(products) <= MOST_PRODUCTS or not len(events):
        return CHOICES[0]
    texts = {fields: tuple(product_text(product, fields) for product in products) for fields in CHOICES}
    tried = [fields for at, fields in enumerate(CHOICES) if texts[fields] not in [texts[f] for f in CHOICES[:at]]]
    late = held_back(events, seed=seed)
    answers = known_answers(events, late, seed=seed) if len(tried) > 1 else []
    if len(answers) < LEAST_ASKED:
        return CHOICES[0]
    had = events.take(~late).had(len(products))
    table = ProductTable()
    table.load(products, 0)
    space, source, asked = VectorSpace(vectors, None), SimilarSource(), answers[:: -(-len(answers) // MOST_ASKED)]
    quality = {}
    for fields in tried:
        snapshot = Snapshot.of_content(products, vectors, content_graph(texts[fields], vectors, had))
        view = View(table, space, Popularity(), snapshot, RuleSet())
        lists = [proposed(source, view, answer.question, 20).rows.tolist() for answer in asked]
        values = metric_values(lists, [answer.relevant for answer in asked])
        quality[fields] = values["recall@20"] + values["ndcg@10"]
    best = max(tried, key=lambda fields: quality[fields])
    return best if quality[best] > GAIN * quality[CHOICES[0]] else CHOICES[0]
