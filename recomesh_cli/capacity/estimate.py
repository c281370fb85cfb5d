"""From a load to machines, part by part; and the part that gives in first when the load grows.

What Recomesh itself costs was measured; where a server of somebody else sets the bound (Redis, RabbitMQ, disks) the
figure is a rule of thumb, and `why` says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from recomesh_cli.capacity.constants import Constants
from recomesh_cli.capacity.queueing import safe_utilisation

P99_MS = 50.0
MOST_BUSY = 0.6  # a process may be; half of it is left when one machine of a zone goes
LEAST = 2  # of everything that must outlive a machine
MEMORY_SHARE = 0.8
REDIS_OPERATIONS_PER_S = 80_000.0  # of one process; published by its authors, not measured here
RABBIT_MESSAGES_PER_S = 20_000.0  # of one quorum queue with confirms; published, not measured here
DISK_GB = 2_000.0  # of one database server, a rule of thumb
SESSION_BYTES = 1_500.0
VISITORS_PER_RPS = 60.0  # one who asks every minute is a sixtieth of a request a second
INDEX_FACTOR = 1.6  # a table with its indexes over its rows
SNAPSHOTS_AT_ONCE = 2  # in memory while one replaces the other


@dataclass(frozen=True, slots=True)
class Demand:
    """At the peak. `hot` is the share of requests that an edge answers from memory."""

    rps: float
    hot: float
    products: int
    events_per_s: float
    events_kept: float
    cores: int = 4
    memory_gb: float = 16.0


@dataclass(frozen=True, slots=True)
class Part:
    """`machines` of the asked size; `bound` is what they are counted by; `load` 0 … the share of it that is used by the
    fewest machines that outlive one of them; `engine` is what carries growth."""

    name: str
    machines: int
    bound: str
    load: float
    engine: str
    why: str


def estimate(demand: Demand, known: Constants) -> list[Part]:
    """Every part, in the order in which a request meets them."""
    return [
        _edge(demand, known),
        _reco(demand, known),
        _catalog(demand, known),
        _workers(demand, known),
        _postgresql(demand, known),
        _mongodb(demand, known),
        _redis(demand),
        _rabbitmq(demand),
    ]


def first_to_break(parts: list[Part]) -> Part:
    """The part that is fullest on as few machines as it can have: it needs the next machine first."""
    return max(parts, key=lambda part: part.load)


def utilisation(known: Constants, cores: int) -> float:
    """How busy recommender processes, one a core, may be: by simulation, never above MOST_BUSY."""
    return min(MOST_BUSY, safe_utilisation(known.reco_service_ms, cores, P99_MS))


def _edge(demand: Demand, known: Constants) -> Part:
    ms = demand.rps * (demand.hot * known.edge_hot_ms + (1 - demand.hot) * known.edge_cold_ms)
    ms += demand.events_per_s * known.edge_event_ms
    return _by_cpu("edge", ms, demand, MOST_BUSY, "Kubernetes HPA on CPU", "JSON, keys, limits, cards")


def _reco(demand: Demand, known: Constants) -> Part:
    ms = demand.rps * (1 - demand.hot) * known.reco_cold_ms + demand.events_per_s * known.reco_event_ms
    busy = utilisation(known, demand.cores)
    shared = SNAPSHOTS_AT_ONCE * demand.products * known.reco_shared_bytes_per_product
    own = known.reco_base_mb * 2**20 + SNAPSHOTS_AT_ONCE * demand.products * known.reco_own_bytes_per_product
    memory = demand.memory_gb * 2**30 * MEMORY_SHARE
    by_memory = (shared + own) / memory
    fitting = min(demand.cores, int((memory - shared) // own)) if memory > shared + own else 0
    if fitting >= 1:
        capacity = fitting * 1000 * busy
        machines = max(LEAST, math.ceil(ms / capacity))
        bound = f"CPU, {fitting} processes a machine, {busy:.0%} busy"
        why = f"{shared / 2**30:.1f} GB mapped once a machine, {own / 2**30:.1f} GB for each process"
        return Part("reco", machines, bound, max(ms / (LEAST * capacity), by_memory), "Kubernetes HPA on CPU", why)
    shards = math.ceil(by_memory)
    machines = max(LEAST, math.ceil(ms * shards / (demand.cores * 1000 * busy)), LEAST * shards)
    why = f"{(shared + own) / 2**30:,.0f} GB in memory: {shards} shards, each twice"
    engine = "a vector engine behind the port VectorIndex (Qdrant, Milvus), columns with it"
    return Part("reco", machines, "memory of vectors and columns", by_memory, engine, why)


def _catalog(demand: Demand, known: Constants) -> Part:
    ms = demand.rps * (1 - demand.hot) * known.catalog_read_ms * 0.1
    why = "cards that no edge holds, taken for a tenth of the cold requests; the change feeds"
    return _by_cpu("catalog", ms, demand, MOST_BUSY, "Kubernetes HPA on CPU", why)


def _workers(demand: Demand, known: Constants) -> Part:
    ms = demand.events_per_s * known.worker_event_ms
    engine = "more workers on one queue; past its memory `recomesh train --engine spark`"
    return _by_cpu("workers", ms, demand, MOST_BUSY, engine, "writing the log; one machine more trains")


def _postgresql(demand: Demand, known: Constants) -> Part:
    gigabytes = demand.events_kept * known.log_bytes_per_event * INDEX_FACTOR / 1e9
    by_writes, by_disk = demand.events_per_s / known.events_per_s_of_one_writer, gigabytes / DISK_GB
    shards = max(1, math.ceil(max(by_writes, by_disk)))
    bound = "writes of one primary" if by_writes >= by_disk else "disk"
    engine = "partitions by month (built in); then shards by visitor (Citus), history in object storage"
    why = f"{gigabytes:,.0f} GB of events with indexes, {by_writes:.0%} of the writes measured of one writer"
    return Part("PostgreSQL", LEAST * shards, bound, max(by_writes, by_disk), engine, why)


def _mongodb(demand: Demand, known: Constants) -> Part:
    gigabytes = demand.products * known.catalog_bytes_per_product * INDEX_FACTOR / 1e9
    load = gigabytes / DISK_GB
    why = f"{gigabytes:,.1f} GB of products with indexes; a replica set has 3"
    return Part("MongoDB", 3 * max(1, math.ceil(load)), "disk", load, "shards by product_id", why)


def _redis(demand: Demand) -> Part:
    visitors = demand.rps * VISITORS_PER_RPS
    operations = demand.rps * (1 - demand.hot) + 2 * demand.events_per_s + demand.rps * 0.1
    by_memory = visitors * SESSION_BYTES / (demand.memory_gb * 2**30 * MEMORY_SHARE)
    load = max(operations / REDIS_OPERATIONS_PER_S, by_memory)
    why = f"{operations:,.0f}/s (rule of thumb: {REDIS_OPERATIONS_PER_S:,.0f} of one), {visitors:,.0f} sessions"
    return Part("Redis", LEAST * max(1, math.ceil(load)), "operations/s", load, "Redis Cluster, keys by visitor", why)


def _rabbitmq(demand: Demand) -> Part:
    load = demand.events_per_s / RABBIT_MESSAGES_PER_S
    why = f"at most one message an event (rule of thumb: {RABBIT_MESSAGES_PER_S:,.0f}/s of a quorum queue)"
    engine = "more quorum queues by hash of the visitor; past about 100,000/s Kafka behind the port Broker"
    return Part("RabbitMQ", 3 * max(1, math.ceil(load)), "confirmed messages/s", load, engine, why)


def _by_cpu(name: str, ms_per_s: float, demand: Demand, busy: float, engine: str, why: str) -> Part:
    capacity = demand.cores * 1000 * busy
    machines = max(LEAST, math.ceil(ms_per_s / capacity))
    return Part(name, machines, f"CPU, {busy:.0%} busy", ms_per_s / (LEAST * capacity), engine, why)
