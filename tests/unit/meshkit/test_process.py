"""What every process of the mesh does beside its own work."""

import asyncio
import gc
import weakref

from meshkit.process import _collect_garbage


class Cycle:
    def __init__(self) -> None:
        self.itself = self


async def test_what_refers_to_itself_is_freed_by_the_clock() -> None:
    gc.disable()  # nothing else collects
    collecting = asyncio.create_task(_collect_garbage())
    try:
        gone = asyncio.Event()
        weakref.finalize(Cycle(), gone.set)
        assert await asyncio.wait_for(gone.wait(), 30)
    finally:
        collecting.cancel()
        gc.enable()
