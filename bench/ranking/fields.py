"""Which fields of a product help `similar`: `python -m bench.ranking.fields [TASKDIR …] [--embedder lsa]`.

Each field alone, then one added to the next, as the text from which words and vectors are made; then the closeness of
prices, and sentences that much of the catalog shares. Asks the source alone, through the pipeline, on the demo shop
(synthetic; its newest fifth of sessions) and on every task folder given; prints Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from demo.shelf import build_shelf
from demo.shop import demo_interactions
from reco_svc.adapters.embedder_choice import EmbedderChoice, open_embedder
from reco_svc.adapters.grpc_mapping import product as product_of
from reco_svc.adapters.memory_training import MemoryEmbeddings
from reco_svc.domain.evaluation.splitting import Split
from reco_svc.domain.learning.content import content_graph, without_boilerplate
from reco_svc.domain.learning.metrics import metric_values
from reco_svc.domain.model import EventType, Product
from reco_svc.domain.ports import InteractionColumns
from reco_svc.domain.product_text import FIELDS, product_text
from reco_svc.domain.snapshot import Snapshot
from reco_svc.domain.sources import SOURCES
from reco_svc.domain.sources.similar import SimilarSource
from reco_svc.service.embed_texts import embed_texts
from reco_svc.service.evaluation_asking import Asker, alone
from reco_svc.service.evaluation_folder import read_task
from reco_svc.service.evaluation_split import own_task
from reco_svc.service.evaluation_task import EvaluationTask, TaskCatalog, TaskLog

METRICS = ("recall@20", "ndcg@10")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Variant:
    """A row of the table: the fields, whether prices count, and what is done to the texts before they are embedded."""

    name: str
    fields: Sequence[str]
    price: bool = False
    clean: Callable[[Sequence[str]], Sequence[str]] = list


def main() -> None:
    """Prints a table for each shop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("taskdir", type=Path, nargs="*")
    parser.add_argument("--embedder", choices=("minilm", "lsa"), action="append", help="both unless given")
    parser.add_argument("--asked", type=int, default=1_000, help="questions at most")
    given = parser.parse_args()
    embedders = {name: open_embedder(name) for name in given.embedder or ("minilm", "lsa")}
    for task in (demo_task(), *map(read_task, given.taskdir)):
        print(f"\n{task.name}: {len(task.products):,} products, {min(given.asked, len(task.queries)):,} questions\n")
        print(f"| text | {' | '.join(f'{e} {m}' for e in embedders for m in METRICS)} |")
        print("|---" * (1 + len(METRICS) * len(embedders)) + "|", flush=True)
        for variant in variants(task.products):
            cells = [f"{v:.4f}" for e in embedders.values() for v in measured(task, variant, e, given.asked)]
            print(f"| {variant.name} | {' | '.join(cells)} |", flush=True)


def variants(products: Sequence[Product]) -> Iterator[Variant]:
    """Each field that any product has alone, then added up in the order of FIELDS."""
    had = [name for name in FIELDS if any(product_text(product, (name,)) for product in products)]
    for name in had[1:]:
        yield Variant(f"{name} alone", (name,))
    for count in range(1, len(had) + 1):
        yield Variant("title" if count == 1 else f"+ {had[count - 1]}", had[:count])
    for left_out in had[1:]:
        yield Variant(f"all but {left_out}", [name for name in had if name != left_out])
    yield Variant("all, and close prices", had, price=True)
    if "description" in had:
        yield Variant("the same, without boilerplate in vectors", had, price=True, clean=without_boilerplate)


def measured(task: EvaluationTask, variant: Variant, embedder: EmbedderChoice, asked: int) -> list[float]:
    """METRICS of `similar` alone."""
    source = SimilarSource() if variant.price else SimilarSource(price_weight=0.0)
    pipeline = alone(source.name, {**SOURCES, source.name: source})
    queries = task.queries[:: max(1, len(task.queries) // asked)][:asked]
    asker = Asker(task, content_only(task, variant, embedder))
    lists = asker.ask(pipeline, queries, lambda share: None).lists
    relevant = [asker.rows(sorted(query.relevant)) for query in queries]
    values = metric_values([rows.tolist() for rows in lists], relevant)
    return [values[metric] for metric in METRICS]


def content_only(task: EvaluationTask, variant: Variant, embedder: EmbedderChoice) -> Snapshot:
    """A snapshot that knows what products are and nothing of what anybody did."""
    n = len(task.products)
    texts = [product_text(product, variant.fields) for product in task.products]
    cleaned = variant.clean(texts)
    vectors = embed_texts(cleaned, embedder.for_catalog(cleaned), MemoryEmbeddings())
    return Snapshot.of_content(task.products, vectors, content_graph(texts, vectors, np.ones(n, np.bool_)))


def demo_task() -> EvaluationTask:
    """The demo shop's sessions, the newest fifth of them asked for their second half."""
    products = [product_of(item.product) for item in build_shelf(NOW)]
    events = list(demo_interactions(NOW))
    columns = InteractionColumns(
        [event.visitor_id for event in events],
        [event.session_id for event in events],
        [event.order_id for event in events],
        [event.product_id for event in events],
        np.array([int(EventType(event.type)) for event in events], np.int8),
        np.array([event.at.seconds for event in events], np.int64),
        np.array([event.quantity for event in events], np.int32),
        np.full(len(events), np.nan, np.float32),
    )
    return own_task(TaskCatalog(products), TaskLog(columns), Split.SESSION, share=0.2)


if __name__ == "__main__":
    main()
