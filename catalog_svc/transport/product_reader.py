"""Single reads that wait at the same time share one read of the store.

A read of one product costs the store little and the hop into a thread much more; under load this halves both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from catalog_svc.domain.model import Product
from catalog_svc.domain.ports import ProductRepository
from meshkit.process import blocking

MAX_BATCH = 200
MAX_READS = 2


class ProductReader:
    """Reads single products in batches; at most two reads run at once, what arrives meanwhile waits for the next.

    A caller alone waits for nothing but its own read.
    """

    def __init__(self, repository: ProductRepository) -> None:
        self._repository = repository
        self._waiting: dict[str, asyncio.Future[Product | None]] = {}
        self._reads: set[asyncio.Task[None]] = set()

    async def get(self, product_id: str) -> Product | None:
        """The product, read after this call began. Raises what the store raises."""
        future = self._waiting.get(product_id)
        if future is None:
            future = self._waiting[product_id] = asyncio.get_running_loop().create_future()
            self._start()
        # One caller that gives up must not take the answer from the others.
        return await asyncio.shield(future)

    def _start(self) -> None:
        if self._waiting and len(self._reads) < MAX_READS:
            batch = dict(list(self._waiting.items())[:MAX_BATCH])
            for product_id in batch:
                del self._waiting[product_id]
            read = asyncio.create_task(self._read(batch))
            self._reads.add(read)
            read.add_done_callback(self._done)

    def _done(self, read: asyncio.Task[None]) -> None:
        self._reads.discard(read)
        self._start()

    async def _read(self, batch: Mapping[str, asyncio.Future[Product | None]]) -> None:
        ids: Sequence[str] = list(batch)
        try:
            found = await blocking(self._repository.get, ids)
        except Exception as error:  # noqa: BLE001  (handed to every caller)
            for future in batch.values():
                future.set_exception(error)
                future.exception()  # nobody may be left to hear it
            return
        for product_id, future in batch.items():
            future.set_result(found.get(product_id))
