"""Loops are kept alive, and end when told to, whatever their end breaks."""

import asyncio

from hub.runner import Runner


async def test_failed_loop_is_started_again() -> None:
    runner, again = Runner(), asyncio.Event()
    starts: list[int] = []

    async def loop() -> None:
        starts.append(1)
        if len(starts) == 1:
            msg = "once"
            raise ValueError(msg)
        again.set()
        await asyncio.Event().wait()

    runner.start("x", loop)
    async with asyncio.timeout(5):
        await again.wait()
    assert runner.alive() == {"x": True}
    await runner.stop()


async def test_loop_whose_cancelling_raises_something_else_ends_too() -> None:
    runner, began = Runner(), asyncio.Event()

    async def loop() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            msg = "the connection was closed under it"
            raise OSError(msg)

    runner.start("x", loop)
    await began.wait()
    async with asyncio.timeout(5):
        await runner.stop()
