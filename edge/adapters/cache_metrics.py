"""What caches count. Plain numbers, because a Prometheus counter costs a lock at every read; read when scraped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(slots=True)
class CacheStats:
    """Of one level of one cache. `age_s` is the age of what the last hit gave, in seconds."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    age_s: float = 0.0

    @property
    def hit_ratio(self) -> float | None:
        """None before the first read."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else None


_STATS: dict[tuple[str, str], CacheStats] = {}


def stats_of(cache: str, level: str) -> CacheStats:
    """The numbers of a level ("memory", "redis") of a cache; one for each in a process."""
    return _STATS.setdefault((cache, level), CacheStats())


def report() -> dict[str, object]:
    """For people."""
    return {
        f"{cache} in {level}": {
            "hit_ratio": None if stats.hit_ratio is None else round(stats.hit_ratio, 4),
            "hits": stats.hits,
            "misses": stats.misses,
            "evictions": stats.evictions,
            "age_s": round(stats.age_s, 1),
        }
        for (cache, level), stats in sorted(_STATS.items())
    }


class _Caches(Collector):
    def collect(self) -> Iterable[Metric]:
        labels = ["cache", "level"]
        reads = CounterMetricFamily("recomesh_cache_reads", "Reads of a cache by outcome", labels=[*labels, "outcome"])
        evictions = CounterMetricFamily("recomesh_cache_evictions", "Values that left for want of room", labels=labels)
        age = GaugeMetricFamily("recomesh_cache_age_seconds", "Age of what the last hit gave", labels=labels)
        for key, stats in list(_STATS.items()):
            reads.add_metric([*key, "hit"], stats.hits)
            reads.add_metric([*key, "miss"], stats.misses)
            evictions.add_metric(key, stats.evictions)
            age.add_metric(key, stats.age_s)
        return (reads, evictions, age)


REGISTRY.register(_Caches())
