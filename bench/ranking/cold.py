"""Are products found that nobody ever bought? `python -m bench.ranking.cold TASKDIR [--share 0.15] [--embedder lsa]`.

Makes a cold task of a task folder (`stand_ins.cold_of`: the log loses every event on a share of the products, and only
these may be answered), trains on it, and asks the blend, the sources of content alone, and TF-IDF alone: cosine of the
product's words to the mean of the history's, the textbook way. Prints Markdown with 95 % bootstrap intervals.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.ranking.stand_ins import cold_of
from reco_svc.domain.evaluation.baselines import ranked
from reco_svc.domain.evaluation.bootstrap import Resampled
from reco_svc.domain.learning.metrics import METRICS, per_question
from reco_svc.domain.learning.projection import tf_idf
from reco_svc.domain.pipeline import default_pipeline
from reco_svc.domain.ports import Rows
from reco_svc.domain.product_text import product_text
from reco_svc.evaluation import Embedding, trained_on
from reco_svc.service.evaluation_asking import LENGTH, Asker, alone
from reco_svc.service.evaluation_folder import read_task


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("taskdir", type=Path)
    parser.add_argument("--share", type=float, default=0.15, help="of the products to withhold")
    parser.add_argument("--embedder", choices=("auto", "minilm", "lsa"), default="auto")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recomesh-cold-") as home:
        task = read_task(cold_of(given.taskdir, share=given.share).write(Path(home) / "cold"))
        asker = Asker(task, trained_on(task, Path(home) / "snapshots", Embedding(given.embedder)))
        lists = {"TF-IDF alone": tf_idf_lists(asker)}
        for name in ("similar", "unseen"):
            lists[name] = asker.ask(alone(name), task.queries, lambda share: None).lists
        lists["auto"] = asker.ask(default_pipeline(), task.queries, lambda share: None).lists
    relevant = [asker.rows(sorted(query.relevant)) for query in task.queries]
    values = {name: per_question([rows.tolist() for rows in found], relevant) for name, found in lists.items()}
    print(f"{len(task.queries):,} questions, {len(task.candidates or ()):,} products that nobody had\n")
    print(f"| system | {' | '.join(METRICS)} |\n{'|---' * (1 + len(METRICS))}|")
    for name in values:
        figures = [Resampled({n: v[metric] for n, v in values.items()}).figure(name) for metric in METRICS]
        print(f"| {name} | {' | '.join(f'{f.value:.4f} ({f.low:.4f}–{f.high:.4f})' for f in figures)} |")


def tf_idf_lists(asker: Asker) -> Sequence[Rows]:
    """For each question the products whose words are nearest to the mean of the history's."""
    products = asker.view.products
    rows = range(len(products))
    _, _, words = tf_idf([product_text(products.product(row)) for row in rows])
    allowed = products.visible(0.0, frozenset())
    found = []
    for query in asker.task.queries:
        history = asker.rows(list(dict.fromkeys(query.history)))
        likeness = np.asarray((words @ words[history].T).mean(1), np.float32).ravel()
        found.append(ranked(likeness, asker.rows(query.exclude).tolist(), allowed, LENGTH))
    return found


if __name__ == "__main__":
    main()
