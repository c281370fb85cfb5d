"""MongoDB opened, used and given up. Everything MongoDB's wire protocol can say about trouble becomes `Unavailable`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pymongo
from pymongo import errors
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from meshkit.errors import SettingsInvalid, Unavailable

DEFAULT_DATABASE = "recomesh"
SELECTION_S = 0.2  # three attempts of a caller with 2 s fit in: it learns "unavailable", not "deadline exceeded"
_ALLOWED = "mongodb://USER:PASSWORD@HOST,HOST/DATABASE?replicaSet=NAME"
# Asked again later, the server may do it: https://www.mongodb.com/docs/manual/reference/error-codes/. 1 is also what
# FerretDB says when its PostgreSQL is away; 13 and 18 are credentials that were taken away.
_AWAY_CODES = frozenset(
    (1, 6, 7, 13, 18, 50, 64, 89, 91, 133, 134, 189, 202, 262, 317, 9001, 10107, 11600, 11602, 13435, 13436, 14031)
)
_DUPLICATE = 11_000

MongoDocument: TypeAlias = dict[str, Any]
MongoCollection: TypeAlias = Collection[MongoDocument]


@dataclass(frozen=True, slots=True)
class MongoLimits:
    """How long an operation may take, choosing a server and retries included, and how many connections there are."""

    timeout_s: float = 5.0
    pool_size: int = 20


class MongoStore:
    """One database of one deployment. Thread-safe."""

    def __init__(self, client: pymongo.MongoClient[MongoDocument], *, timeout_s: float) -> None:
        self.client = client
        self.timeout_s = timeout_s
        self._database = client.get_default_database(DEFAULT_DATABASE)

    def collection(self, name: str) -> MongoCollection:
        """A collection; writes are acknowledged by a majority of the replica set."""
        return self._database.get_collection(name, write_concern=WriteConcern(w="majority"))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Around every operation: trouble becomes Unavailable, at once while no server is known that takes writes."""
        with store_errors():
            if not self.client.topology_description.has_writable_server():
                with pymongo.timeout(SELECTION_S):
                    self._database.command("ping")  # has every server looked at now
            yield

    def is_ferretdb(self) -> bool:
        """FerretDB 1 keeps whole documents in rows of PostgreSQL: it has indexes on scalars only."""
        with self.asking():
            return "ferretdb" in str(self.client.admin.command("buildInfo")).lower()

    def close(self) -> None:
        """Closes every connection."""
        self.client.close()


def open_mongo(url: str, *, variable: str, limits: MongoLimits) -> MongoStore:
    """Opens the store of a URL without waiting for it. SettingsInvalid, naming the variable, if it is no such URL."""
    try:
        client: pymongo.MongoClient[MongoDocument] = pymongo.MongoClient(
            url,
            appname="recomesh",
            timeoutMS=int(limits.timeout_s * 1_000),
            retryReads=False,  # the second try would wait for a server as long as the operation may take
            connectTimeoutMS=2_000,
            maxPoolSize=limits.pool_size,
            w="majority",
        )
        return MongoStore(client, timeout_s=limits.timeout_s)
    except (errors.PyMongoError, ValueError) as error:
        raise SettingsInvalid(f"{variable}: {_short(error)}; allowed is {_ALLOWED}") from None


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns "the store does not answer" into Unavailable("store"); duplicate keys and bugs stay what they are."""
    try:
        yield
    except errors.BulkWriteError as error:
        codes = {entry.get("code") for entry in error.details.get("writeErrors", ())}
        if codes & _AWAY_CODES or error.details.get("writeConcernErrors"):
            raise _away(error) from error
        raise
    except errors.PyMongoError as error:
        code = error.code if isinstance(error, errors.OperationFailure) else None
        if error.timeout or isinstance(error, errors.ConnectionFailure) or code in _AWAY_CODES:
            raise _away(error) from error
        raise


def only_duplicates(error: errors.BulkWriteError) -> bool:
    """True if nothing else went wrong than that some documents were there already."""
    failed = error.details.get("writeErrors", ())
    return bool(failed) and all(entry.get("code") == _DUPLICATE for entry in failed)


def _away(error: errors.PyMongoError) -> Unavailable:
    return Unavailable("store", f"the catalog's store does not answer: {_short(error)}")


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
