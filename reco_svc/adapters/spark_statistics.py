"""What `reco_svc.domain.learning` says of graphs, histories and sessions, said to Spark.

Definitions and constants are those of graphs.py, collaborative.py and sessions.py there; see them for what a number
means. Visitors, sessions and orders are 64-bit hashes of their names. Sums are made in double precision, and come back
to the driver per product: at most so many neighbours of each as a snapshot keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from reco_svc.domain.learning import collaborative, graphs, sessions
from reco_svc.domain.learning.events import SESSION_GAP_S, LearningEvents
from reco_svc.domain.learning.learned import Learned, Lesson, sessions_of
from reco_svc.domain.learning.nearest import scaled
from reco_svc.domain.ports import Rows, Vectors
from reco_svc.domain.snapshot import Collaborative, Graph, SessionIndex

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class LoggedEvents:
    """Events as rows (visitor, session, order, row, at_s, seq, weight); `order` is null outside orders."""

    events: DataFrame

    @classmethod
    def read(cls, spark: SparkSession, folder: Path) -> LoggedEvents:
        """From Parquet as `spark_engine` writes it. Sessions are cut as in learning/events.py."""
        raw = spark.read.parquet(folder.resolve().as_uri())
        named = F.when(F.col("session") != "", F.xxhash64("visitor", "session"))
        coded = raw.select(
            F.xxhash64("visitor").alias("visitor"),
            named.alias("named"),
            F.when(F.col("order") != "", F.xxhash64("order")).alias("order"),
            *("row", "at_s", "seq", "weight"),
        )
        by_visitor = Window.partitionBy("visitor").orderBy("at_s", "seq")
        before, named = F.lag("named").over(by_visitor), F.col("named")
        silent = named.isNull() & (F.col("at_s") - F.lag("at_s").over(by_visitor) > SESSION_GAP_S)
        begins = (F.row_number().over(by_visitor) == 1) | ~named.eqNullSafe(before) | silent
        cut = coded.withColumn("begins", begins.cast("int"))
        cut = cut.withColumn("cut", F.sum("begins").over(by_visitor))
        session = F.coalesce(named, F.xxhash64("visitor", "cut"))
        events = cut.select("visitor", session.alias("session"), "order", "row", "at_s", "seq", "weight")
        return cls(events.persist(StorageLevel.MEMORY_AND_DISK))

    def visitors(self) -> int:
        """How many."""
        return int(self.events.select("visitor").distinct().count())

    def learn(self, n: int, lesson: Lesson, now_s: float) -> Learned:
        """Everything over n rows, see learning/learned.py."""
        half_life = lesson.half_life_days
        return Learned(
            self.viewed(n, now_s, half_life, lesson.walk),
            self.bought(n, now_s, half_life),
            self.sessions(n, now_s, lesson),
            collaborative.without_hubs(self.collaborative(n, now_s, half_life, lesson.regularisation), lesson.damping),
        )

    @property
    def wanted(self) -> DataFrame:
        """Only events of positive weight."""
        return self.events.where(F.col("weight") > 0)

    def viewed(self, n: int, now_s: float, half_life_days: float, walk: graphs.Walk) -> Graph:
        """See `graphs.viewed_graph`."""
        by_visitor = Window.partitionBy("visitor").orderBy("at_s", "seq").rowsBetween(1, walk.window)
        steps = self.wanted.withColumn("age", _aged(now_s, half_life_days))
        ahead = F.collect_list(F.struct("session", "row", "age")).over(by_visitor)
        told = steps.select("session", "row", ahead.alias("ahead"))
        step = told.select("session", "row", F.posexplode("ahead").alias("place", "later"))
        near = F.when(F.col("later.session") == F.col("session"), 1.0).otherwise(graphs.ACROSS)
        weight = F.col("later.age") * near / F.pow(F.col("place") + 1.0, F.lit(walk.power))
        onward = step.where(F.col("later.row") != F.col("row")).select(
            F.col("row").alias("a"), F.col("later.row").alias("b"), weight.alias("weight")
        )
        onward = _summed(onward)
        if walk.backward:
            back = onward.select(F.col("b").alias("a"), F.col("a").alias("b"), F.col("weight") * walk.backward)
            onward = _summed(onward.unionAll(back))
        onward = onward.persist(StorageLevel.MEMORY_AND_DISK)
        gives = onward.groupBy("a").agg(F.greatest(F.sum("weight"), F.lit(1.0)).alias("gives"))
        gets = onward.groupBy("b").agg(F.greatest(F.sum("weight"), F.lit(1.0)).alias("gets"))
        score = F.col("weight") * F.pow("gives", F.lit(-0.5)) * F.pow("gets", F.lit(-0.3))
        scored = onward.join(gives, "a").join(gets, "b").withColumn("score", score)
        found = scaled(_graph(scored, n, graphs.NEIGHBOURS))
        onward.unpersist()
        return found

    def bought(self, n: int, now_s: float, half_life_days: float) -> Graph:
        """See `graphs.bought_graph`."""
        lines = self.wanted.where(F.col("order").isNotNull()).withColumn("basket", F.col("order"))
        if lines.isEmpty():
            lines = self.wanted.withColumn("basket", F.col("session"))
        latest = lines.groupBy("basket").agg(F.max("at_s").alias("at_s"))
        distinct = lines.select("basket", "row").distinct()
        held = _first(distinct, "basket", F.col("row"), graphs.LONGEST_ORDER)
        size = F.count("*").over(Window.partitionBy("basket"))
        held = held.withColumn("size", size).join(latest, "basket")
        held = held.select("basket", "row", (_aged(now_s, half_life_days) / F.col("size")).alias("weight"))
        held = held.persist(StorageLevel.MEMORY_AND_DISK)
        frequency = held.groupBy("row").agg((F.sum("weight") + graphs.SHRINKAGE).alias("frequency"))
        pairs = _pairs(held, "basket", F.col("weight"))
        who = _pairs(lines.select("visitor", "row").distinct(), "visitor", F.lit(1))
        least = graphs.MIN_VISITORS if held.select("basket").distinct().count() >= 50 else 2
        pairs = pairs.join(who.where(F.col("weight") >= least).drop("weight"), ["a", "b"])
        fa, fb = (frequency.select(F.col("row").alias(x), F.col("frequency").alias(f"f{x}")) for x in "ab")
        score = F.col("weight") * F.pow("fa", F.lit(-0.5)) * F.pow("fb", F.lit(-0.6))
        scored = _both_ways(pairs).join(fa, "a").join(fb, "b").withColumn("score", score)
        found = scaled(_graph(scored, n, graphs.NEIGHBOURS))
        held.unpersist()
        return found

    def sessions(self, n: int, now_s: float, lesson: Lesson) -> SessionIndex:
        """See `sessions.session_index`, which makes it of what comes back: the newest sessions, each product once."""
        newest_first = (F.col("at_s").desc(), F.col("seq").desc())
        once = _first(self.wanted.select("session", "row", "at_s", "seq"), ["session", "row"], newest_first, 1)
        kept = _first(once, "session", newest_first, sessions.LONGEST)
        whole = kept.groupBy("session").agg(F.max("at_s").alias("last"), F.count("*").alias("size"))
        chosen = whole.where("size >= 2").orderBy(F.desc("last")).limit(sessions.MOST_SESSIONS).select("session")
        table = kept.join(chosen, "session").toArrow()
        order = np.argsort(table["seq"].to_numpy(), kind="stable")
        session = np.unique(table["session"].to_numpy()[order], return_inverse=True)[1].astype(np.int64)
        row, at_s = (table[name].to_numpy()[order].astype(np.int64) for name in ("row", "at_s"))
        blank = np.zeros(len(row), np.int64)
        events = LearningEvents(blank, session, blank - 1, row, at_s, np.ones(len(row), np.float32))
        return sessions_of(events, n, now_s, lesson)

    def collaborative(self, n: int, now_s: float, half_life_days: float, regularisation: float) -> Collaborative:
        """See `collaborative.collaborative`."""
        of_visitors = self._strengths("visitor", now_s, half_life_days)
        of_sessions = self._strengths("session", now_s, half_life_days)
        counted = [of.groupBy("row").count().where("count >= 2").select("row") for of in (of_visitors, of_sessions)]
        rows = np.sort(counted[0].union(counted[1]).distinct().toArrow()["row"].to_numpy()).astype(np.int64)
        if len(rows) < 2:
            return Collaborative.empty(n)
        column = np.full(n, -1, np.int32)
        column[rows] = np.arange(len(rows))
        if len(rows) > collaborative.EASE_MOST_ITEMS:
            none = np.zeros((0, 0), np.float32)
            return Collaborative(none, column, rows.astype(np.int32), _item_knn(_stacked(of_visitors, of_sessions), n))
        shared = counted[0].union(counted[1]).distinct()
        both = _stacked(of_visitors.join(shared, "row", "left_semi"), of_sessions.join(shared, "row", "left_semi"))
        weights = collaborative.ease(_gram(both, column, len(rows)), regularisation)
        return Collaborative(weights, column, rows.astype(np.int32), Graph.empty(n))

    def _strengths(self, unit: str, now_s: float, half_life_days: float) -> DataFrame:
        """(unit, row, value), see `collaborative.strengths`."""
        aged = self.events.withColumn("aged", F.col("weight") * _aged(now_s, half_life_days))
        total = aged.groupBy(F.col(unit).alias("unit"), "row").agg(
            F.sum("weight").alias("total"), F.sum("aged").alias("aged")
        )
        share = F.least(F.greatest(F.col("aged") / F.col("total"), F.lit(0.0)), F.lit(1.0))
        strong = total.where(F.col("total") > 0).withColumn("strength", F.log1p("total"))
        mean = strong.agg(F.mean("strength")).first()
        typical = float(mean[0]) if mean is not None and mean[0] is not None else 1.0
        value = F.col("strength") / typical * F.sqrt(share)
        return strong.select("unit", "row", value.alias("value")).where("value > 0")


def _aged(now_s: float, half_life_days: float) -> Column:
    age_s = F.greatest(F.lit(0.0), F.lit(now_s) - F.col("at_s"))
    return F.pow(F.lit(0.5), age_s / (_DAY_S * half_life_days))


def _summed(pairs: DataFrame) -> DataFrame:
    return pairs.groupBy("a", "b").agg(F.sum("weight").alias("weight"))


def _pairs(rows: DataFrame, key: str, weight: Column) -> DataFrame:
    """Pairs a < b of rows of one key, with the sum of `weight` of the first of each."""
    left = rows.select(key, F.col("row").alias("a"), weight.alias("weight"))
    right = rows.select(key, F.col("row").alias("b"))
    return _summed(left.join(right, key).where(F.col("a") < F.col("b")))


def _both_ways(pairs: DataFrame) -> DataFrame:
    return pairs.unionAll(pairs.select(F.col("b").alias("a"), F.col("a").alias("b"), "weight"))


def _first(rows: DataFrame, key: str | Sequence[str], order: Any, most: int) -> DataFrame:
    """The first `most` of each key."""
    keys = [key] if isinstance(key, str) else list(key)
    place = F.row_number().over(Window.partitionBy(*keys).orderBy(*(order if isinstance(order, tuple) else (order,))))
    return rows.withColumn("place", place).where(F.col("place") <= most).drop("place")


def _stacked(visitors: DataFrame, sessions_: DataFrame) -> DataFrame:
    """Both kinds of units in one table, sessions lighter the longer they are; see `collaborative.collaborative`."""
    length = F.count("*").over(Window.partitionBy("unit"))
    lighter = F.col("value") * collaborative.SESSION_SHARE**0.5 * F.pow(length, F.lit(-0.25))
    apart = F.struct(F.lit(1).alias("kind"), "unit").alias("unit")
    told = visitors.select(F.struct(F.lit(0).alias("kind"), "unit").alias("unit"), "row", "value")
    return told.unionAll(sessions_.withColumn("value", lighter).select(apart, "row", "value"))


def _products(both: DataFrame) -> DataFrame:
    """Pairs a < b with the sum of the products of their values over units."""
    left = both.select("unit", F.col("row").alias("a"), F.col("value").alias("own"))
    right = both.select("unit", F.col("row").alias("b"), F.col("value").alias("its"))
    met = left.join(right, "unit").where(F.col("a") < F.col("b"))
    return _summed(met.select("a", "b", (F.col("own") * F.col("its")).alias("weight")))


def _squares(both: DataFrame) -> DataFrame:
    return both.groupBy("row").agg(F.sum(F.col("value") ** 2).alias("square"))


def _gram(both: DataFrame, column: Any, size: int) -> Vectors:
    """See `collaborative.common`; (size, size), dense on the driver."""
    gram = np.zeros((size, size), np.float32)
    table = _products(both).toArrow()
    a, b = (column[table[name].to_numpy()] for name in "ab")
    gram[a, b] = gram[b, a] = table["weight"].to_numpy()
    own = _squares(both).toArrow()
    place = column[own["row"].to_numpy()]
    gram[place, place] = own["square"].to_numpy()
    return gram


def _item_knn(both: DataFrame, n: int) -> Graph:
    """See `collaborative.item_knn`."""
    kept = _first(both, "unit", (F.col("value").desc(), F.col("row")), collaborative.LONGEST)
    kept = kept.persist(StorageLevel.MEMORY_AND_DISK)
    norms = _squares(kept).select("row", F.sqrt(F.greatest("square", F.lit(1e-9))).alias("norm"))
    na, nb = (norms.select(F.col("row").alias(x), F.col("norm").alias(f"n{x}")) for x in "ab")
    common = F.col("weight")
    score = common / F.col("na") / F.col("nb") * common / (common + collaborative.SHRINKAGE)
    scored = _both_ways(_products(kept)).join(na, "a").join(nb, "b").withColumn("score", score)
    found = _graph(scored, n, collaborative.NEIGHBOURS)
    kept.unpersist()
    return found


def _graph(scored: DataFrame, n: int, most: int) -> Graph:
    """The `most` greatest positive scores of each a, as `nearest.best_neighbours` has them."""
    best = _first(scored.where("score > 0"), "a", (F.col("score").desc(), F.col("b")), most)
    table = best.select("a", "b", "score").toArrow()
    owner, row = (table[name].to_numpy().astype(np.int64) for name in "ab")
    score = table["score"].to_numpy()
    order = np.lexsort((row, -score, owner))
    ptr: Rows = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n))]).astype(np.int64)
    return Graph(ptr, row[order].astype(np.int32), score[order].astype(np.float32))
