"""Callers that wait at the same moment share a run, and one's fault stays one's own."""

import asyncio

import pytest

from ingest.together import Together
from store.errors import RejectedError, TransientError


class Work:
    """Doubles numbers; ``runs`` holds what each run was given. 13 is refused, 7 finds the database away."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self.gate = asyncio.Event()

    async def __call__(self, given: list[int]) -> list[int]:
        self.runs.append(given)
        await self.gate.wait()
        if 13 in given:
            msg = "13"
            raise RejectedError(msg)
        if 7 in given:
            msg = "7"
            raise TransientError(msg)
        return [2 * one for one in given]


async def gathered(work: Work, calls: list[list[int]], *, most: int = 100) -> list[object]:
    """The first call is under way when the others come."""
    together = Together(work, most=most)
    first = asyncio.create_task(together.call([0]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(together.call(call)) for call in calls]
    await asyncio.sleep(0)
    work.gate.set()
    return await asyncio.gather(first, *rest, return_exceptions=True)


async def test_those_who_wait_share_one_run_and_get_their_own_part() -> None:
    work = Work()
    assert await gathered(work, [[1], [2, 3], [4]]) == [[0], [2], [4, 6], [8]]
    assert work.runs == [[0], [1, 2, 3, 4]]


async def test_no_run_gets_more_than_it_may() -> None:
    work = Work()
    assert await gathered(work, [[1, 2], [3, 4], [5]], most=3) == [[0], [2, 4], [6, 8], [10]]
    assert work.runs == [[0], [1, 2], [3, 4, 5]]


async def test_a_refused_caller_costs_the_others_nothing() -> None:
    told = await gathered(Work(), [[1], [13], [2]])
    assert [told[1], told[3]] == [[2], [4]]
    assert isinstance(told[2], RejectedError)


async def test_trouble_of_the_database_is_everybodys_and_not_repeated() -> None:
    work = Work()
    told = await gathered(work, [[1], [7], [2]])
    assert [type(one) for one in told[1:]] == [TransientError] * 3
    assert work.runs == [[0], [1, 7, 2]]


async def test_after_a_failure_the_next_call_runs() -> None:
    work = Work()
    work.gate.set()
    together = Together(work, most=10)
    with pytest.raises(RejectedError):
        await together.call([13])
    assert await together.call([1]) == [2]
