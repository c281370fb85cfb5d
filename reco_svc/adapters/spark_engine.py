"""LearningEngine on Apache Spark (the extra `spark`): for logs whose statistics do not fit one machine's memory.

The log is written once as Parquet, a file for each stretch of it, to a folder that the executors can read; Spark counts
there. Back come only what is bounded by the catalog (neighbours of each product) and the newest sessions.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from meshkit.errors import FailedPrecondition
from reco_svc.adapters.spark_session import SparkSettings, spark_session
from reco_svc.domain.learning.engine import LogFacts, ReadLog
from reco_svc.domain.learning.events import LearningEvents, learning_events
from reco_svc.domain.learning.learned import Learned, Lesson
from reco_svc.domain.model import EventType
from reco_svc.domain.ports import InteractionColumns

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_JAVA = 17
MOST_NEWEST = 3_000_000  # events kept in memory, to choose parameters and to measure quality on
LOCALLY = SparkSettings()
FIX = "`make spark` installs pyspark; Java 17 or newer is the Debian package default-jre-headless"


class SparkEngine:
    """See LearningEngine."""

    name = "spark"

    def __init__(self, settings: SparkSettings = LOCALLY) -> None:
        self._settings = settings

    @contextmanager
    def read(
        self,
        chunks: Iterable[InteractionColumns],
        row_of: Callable[[str], int],
        weights: Mapping[EventType, float],
        n: int,
    ) -> Iterator[ReadLog]:
        """See LearningEngine; the Parquet files and the Spark session go with the context."""
        if problem := missing():
            raise FailedPrecondition(
                f"training on Spark is not possible here: {problem}; {FIX}", reason="ENGINE_MISSING"
            )
        with _folder(self._settings.folder) as folder, spark_session(self._settings, folder) as spark:
            export = _Export(folder / "log", row_of, weights, n)
            for chunk in chunks:
                export.write(chunk)
            yield _OnSpark(spark, export, row_of, weights)


class _Export:
    """Events on known products with a weight, as Parquet, in order of the log (`seq`); the newest are kept."""

    def __init__(self, folder: Path, row_of: Callable[[str], int], weights: Mapping[EventType, float], n: int) -> None:
        folder.mkdir()
        self.folder, self.events, self.oldest_s, self.newest_s = folder, 0, 0, 0
        self.had = np.zeros(n, np.bool_)
        self.newest: deque[InteractionColumns] = deque()
        self._row_of = row_of
        self._by_type = np.zeros(128, np.float32)
        self._by_type[[int(t) for t in weights]] = list(weights.values())
        self._kept = self._files = 0

    def write(self, chunk: InteractionColumns) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._keep(chunk)
        distinct = {product_id: self._row_of(product_id) for product_id in set(chunk.product_id)}
        row = np.fromiter((distinct[p] for p in chunk.product_id), np.int32, len(chunk.product_id))
        weight = self._by_type[chunk.type]
        keep = np.flatnonzero((row >= 0) & (weight != 0))
        if not len(keep):
            return
        self.had[row[keep][weight[keep] > 0]] = True
        times = chunk.at_s[keep]
        self.oldest_s = self.oldest_s if self.events else int(times.min())
        self.newest_s = max(self.newest_s, int(times.max()))
        text = {name: pa.array(getattr(chunk, f"{name}_id"), pa.string()).take(keep) for name in _TEXTS}
        seq = np.arange(self.events, self.events + len(keep))
        numbers = {"row": row[keep], "at_s": times, "weight": weight[keep].astype(np.float64), "seq": seq}
        parquet.write_table(pa.table({**text, **numbers}), self.folder / f"part-{self._files:06d}.parquet")
        self._files += 1
        self.events += len(keep)

    def _keep(self, chunk: InteractionColumns) -> None:
        self.newest.append(chunk)
        self._kept += len(chunk.at_s)
        while self._kept - len(self.newest[0].at_s) >= MOST_NEWEST:
            self._kept -= len(self.newest.popleft().at_s)


_TEXTS = ("visitor", "session", "order")


class _OnSpark:
    """See ReadLog."""

    def __init__(
        self, spark: SparkSession, export: _Export, row_of: Callable[[str], int], weights: Mapping[EventType, float]
    ) -> None:
        from reco_svc.adapters.spark_statistics import LoggedEvents

        self.newest: LearningEvents = learning_events(export.newest, row_of, weights)
        self._logged = LoggedEvents.read(spark, export.folder) if export.events else None
        visitors = self._logged.visitors() if self._logged else 0
        self.facts = LogFacts(export.events, visitors, export.oldest_s, export.newest_s, export.had)

    def learn(self, n: int, lesson: Lesson) -> Learned:
        """See ReadLog."""
        if self._logged is None:
            return Learned.nothing(n)
        return self._logged.learn(n, lesson, float(self.facts.newest_s))


@contextmanager
def _folder(base: Path | None) -> Iterator[Path]:
    """A new one in `base`, deleted at the end."""
    try:
        if base is not None:
            base.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="recomesh-log-", dir=base))
    except OSError as error:
        fix = "RECOMESH_WORKER_SPARK_FOLDER must be one that this process may write"
        raise FailedPrecondition(f"no folder for the log: {error}; {fix}", reason="ENGINE_FAILED") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def missing() -> str:
    """What Spark lacks on this machine; "" when nothing. Starts `java -version` at most."""
    packages = [name for name in ("pyspark", "pyarrow") if importlib.util.find_spec(name) is None]
    if packages:
        return f"{' and '.join(packages)} {'are' if len(packages) > 1 else 'is'} not installed"
    version = java_version()
    if version < LEAST_JAVA:
        return f"Java {version} is too old, {LEAST_JAVA} is needed" if version else "no Java was found"
    return ""


def java_version() -> int:
    """Major version of the Java that Spark will use (JAVA_HOME, then PATH); 0 for none."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not program:
        return 0
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0
