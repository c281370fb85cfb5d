"""When garbage is collected."""

import asyncio
import gc
import weakref

from meshkit.garbage import MIDDLE, MOST_LEFT, ROUND, EveryTurn, WhereItIs, collect_by_the_clock


class Cycle:
    def __init__(self) -> None:
        self.itself = self


class Heap:
    """Says that each walk found as much as it is told; writes down what was asked of it."""

    def __init__(self) -> None:
        self.garbage = 0
        self.asked: list[str] = []

    def collect(self, generation: int = 2) -> int:
        self.asked.append(f"walk {generation}")
        return self.garbage

    def freeze(self) -> None:
        self.asked.append("freeze")

    def unfreeze(self) -> None:
        self.asked.append("unfreeze")

    def walks(self) -> int:
        return sum(what.startswith("walk") for what in self.asked)


async def test_what_refers_to_itself_is_freed_by_the_clock() -> None:
    gc.disable()  # nothing else collects
    collecting = asyncio.create_task(collect_by_the_clock(EveryTurn()))
    try:
        gone = asyncio.Event()
        weakref.finalize(Cycle(), gone.set)
        assert await asyncio.wait_for(gone.wait(), 30)
    finally:
        collecting.cancel()
        gc.enable()


def test_now_and_then_a_turn_walks_what_outlived_others() -> None:
    heap = Heap()
    every = EveryTurn(heap)
    for _ in range(2 * MIDDLE):
        every.turn()
    assert heap.asked == 2 * [*(MIDDLE - 1) * ["walk 0"], "walk 1"]


def test_without_garbage_one_turn_of_a_round_walks() -> None:
    heap = Heap()
    where = WhereItIs(heap)
    for _ in range(ROUND):
        where.turn()
    assert heap.walks() == ROUND
    for _ in range(3 * ROUND):
        where.turn()
    assert heap.walks() == ROUND + 3
    assert heap.asked[ROUND : ROUND + 4] == ["freeze", "unfreeze", "freeze", "unfreeze"]


def test_garbage_makes_every_turn_walk_again() -> None:
    heap = Heap()
    where = WhereItIs(heap)
    for _ in range(2 * ROUND - 1):
        where.turn()
    heap.garbage = 5
    heap.asked.clear()
    for _ in range(ROUND):
        assert where.turn() == 5
    assert heap.walks() == ROUND


def test_much_garbage_passed_on_unseen_is_looked_for_among_all() -> None:
    heap = Heap()
    where = WhereItIs(heap)
    for _ in range(2 * ROUND - 1):
        where.turn()
    heap.garbage = MOST_LEFT // (ROUND - 1) + 1
    where.turn()
    assert heap.asked[-1] == "walk 2"
    heap.garbage = 1
    where.turn()
    assert heap.asked[-1] != "walk 2"


def test_what_is_passed_on_unseen_can_still_be_collected() -> None:
    where = WhereItIs()
    gc.disable()
    try:
        for _ in range(ROUND):
            gc.collect()
            where.turn()
        freed: list[bool] = []
        weakref.finalize(Cycle(), freed.append, True)
        for _ in range(ROUND - 2):
            where.turn()
        assert gc.collect() or freed
        assert freed
    finally:
        gc.enable()
