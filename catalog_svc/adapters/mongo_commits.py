r"""The order of all changes in MongoDB, without transactions and without trusting any update to be exclusive (ADR 8).

A change of products is one document in `commits`, numbered without gaps: whoever inserts number n + 1 first has changed
the catalog, whoever comes second gets a duplicate key and starts again from what the first one made of it. Only then
are the product documents replaced, each guarded by the revision it had before, and at last `state` is moved to n + 1.

    insert commit n + 1  ->  replace products  ->  state = n + 1
    \_ the atomic step       \_ may be done again by anyone, with the same outcome

Readers of the change feed look no further than the revision of `state`, so they never see a later change before an
earlier one. A writer that dies after its insert leaves a commit that the next writer or reader finishes.
"""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from catalog_svc.adapters.mongo_documents import live_document, tombstone
from catalog_svc.adapters.mongo_store import MongoDocument, MongoStore, only_duplicates
from meshkit.errors import Unavailable

HELP_AFTER_S = 1.0  # a commit unfinished for longer is finished by whoever noticed it
KEPT_S = 86_400  # numbers of commits are kept that long: no writer sleeps longer between reading and inserting
POLL_S = 0.01
REPLACED_PER_COMMAND = 20  # FerretDB holds one of 50 connections for each statement of an update command
_TRIM_EVERY = 1_000
_STATE = "catalog"


@dataclass(frozen=True, slots=True)
class State:
    """Commits up to `commit` are done; the greatest revision among them is `revision`."""

    commit: int
    revision: int


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What becomes of one product: new content, or None for a deletion. `before` is its stored revision, 0 for none."""

    product_id: str
    before: int
    created_at: int
    content: dict[str, Any] | None


class MongoCommits:
    """Writes changes in order. Thread-safe; writers of one process queue here instead of racing in the database."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._products = store.collection("products")
        self._commits = store.collection("commits")
        self._state = store.collection("catalog_state")
        self._timeout_s = store.timeout_s
        self._writers = threading.Lock()
        self._noticed = (0, 0.0)  # number of an unfinished commit, and when it was first seen

    def prepare(self) -> None:
        """Makes the state document, finishes what a dead writer left, forgets old numbers."""
        with self._store.asking():
            try:
                self._state.insert_one({"_id": _STATE, "commit": 0, "revision": 0})
            except DuplicateKeyError:
                self._trim(self.state().commit)
        self.finish_abandoned()

    def state(self) -> State:
        """What is done. Unavailable before `prepare`."""
        with self._store.asking():
            found = self._state.find_one({"_id": _STATE})
        if found is None:
            raise Unavailable("store", "the catalog's store is not prepared")
        return State(found["commit"], found["revision"])

    def write(self, plan: Callable[[], Sequence[PlannedChange]], now: int) -> tuple[Sequence[PlannedChange], int]:
        """Changes what `plan` reads and wants, in one step; what was changed, and the greatest revision after it.

        `plan` is asked again when someone else has changed the catalog meanwhile. No changes write nothing.
        """
        deadline = time.monotonic() + self._timeout_s
        with self._writers, self._store.asking():
            while True:
                state = self.state()
                changes = plan()
                if not changes:
                    return changes, state.revision
                commit = _commit(state, changes, now)
                try:
                    self._commits.insert_one(commit)
                except DuplicateKeyError:
                    self._wait_for(commit["_id"], deadline)
                    continue
                self._finish(commit)
                return changes, commit["revision"]

    def advance(self, revision: int) -> None:
        """A commit without changes, if `revision` is greater than the present one."""
        deadline = time.monotonic() + self._timeout_s
        with self._writers, self._store.asking():
            while (state := self.state()).revision < revision:
                number = state.commit + 1
                commit: MongoDocument = {"_id": number, "revision": revision, "written_at": int(time.time())}
                try:
                    self._commits.insert_one(commit)
                except DuplicateKeyError:
                    self._wait_for(number, deadline)
                    continue
                self._finish(commit)

    def finish_abandoned(self) -> None:
        """Finishes the next commit if it was unfinished at an earlier call more than `HELP_AFTER_S` ago, or wait."""
        number = self.state().commit + 1
        with self._store.asking():
            commit = self._commits.find_one({"_id": number})
            if commit is not None and self._is_abandoned(number):
                self._finish(commit)

    def _is_abandoned(self, number: int) -> bool:
        noticed, since = self._noticed
        if noticed != number:
            self._noticed = (number, time.monotonic())
            return False
        return time.monotonic() - since > HELP_AFTER_S

    def _wait_for(self, number: int, deadline: float) -> None:
        while self.state().commit < number:
            if self._is_abandoned(number):
                self.finish_abandoned()
            if time.monotonic() > deadline:
                raise Unavailable("store", f"the catalog's store is busy: change {number} is not finished")
            time.sleep(POLL_S * random.uniform(0.5, 1.5))

    def _finish(self, commit: MongoDocument) -> None:
        number = commit["_id"]
        if packed := commit.get("changes"):
            self._apply(_documents(orjson.loads(zlib.decompress(packed)), commit["revision"], commit["now"]))
        done = {"$set": {"commit": number, "revision": commit["revision"]}}
        self._state.update_one({"_id": _STATE, "commit": number - 1}, done)
        self._commits.update_one({"_id": number}, {"$unset": {"changes": ""}})
        if number % _TRIM_EVERY == 0:
            self._trim(number)

    def _apply(self, documents: Sequence[tuple[int, MongoDocument]]) -> None:
        new = [document for before, document in documents if not before]
        if new:
            try:
                self._products.insert_many(new, ordered=False)
            except BulkWriteError as error:
                if not only_duplicates(error):
                    raise
        known = [ReplaceOne({"_id": d["_id"], "revision": before}, d) for before, d in documents if before]
        for start in range(0, len(known), REPLACED_PER_COMMAND):
            self._products.bulk_write(known[start : start + REPLACED_PER_COMMAND], ordered=False)

    def _trim(self, done: int) -> None:
        self._commits.delete_many({"_id": {"$lt": done}, "written_at": {"$lt": int(time.time()) - KEPT_S}})


def _commit(state: State, changes: Sequence[PlannedChange], now: int) -> MongoDocument:
    packed = orjson.dumps([[c.product_id, c.before, c.created_at, c.content] for c in changes])
    return {
        "_id": state.commit + 1,
        "revision": state.revision + len(changes),
        "now": now,
        "written_at": int(time.time()),
        "changes": zlib.compress(packed, 1),
    }


def _documents(changes: Sequence[Sequence[Any]], last: int, now: int) -> list[tuple[int, MongoDocument]]:
    documents = []
    for revision, (product_id, before, created_at, content) in enumerate(changes, last - len(changes) + 1):
        if content is None:
            documents.append((before, tombstone(product_id, revision=revision, now=now)))
        else:
            document = live_document(product_id, content, created_at=created_at, revision=revision, now=now)
            documents.append((before, document))
    return documents
