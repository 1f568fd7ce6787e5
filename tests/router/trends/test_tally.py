"""Roll-ups are those of a recount, whatever happened in whatever order, on both databases."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from town import NOW, ZONE, Town, cases_of, items_of, rows_of

from router.trends.tally import Tally
from store.db import Database
from store.tables import T

MEASURES = ("cases", "closed", "due", "on_time", "signed", "solved", "marked", "satisfied")


def tally_of(db: Database, more: Any = None) -> Tally:
    extra = {} if more is None else {"more": more}
    return Tally(db, ZONE, clock=lambda: NOW, **extra)


class Topic:
    """One topic: whatever is in one area."""

    def __init__(self, area: str) -> None:
        self.area = area

    async def refresh(self, conn: Any) -> None:
        """Nothing to know."""

    def __call__(self, _text: str, _address: str, area: str, _labels: Any) -> tuple[str, ...]:
        return ("topic:1",) if area == self.area else ()


async def check(db: Database) -> None:
    """The sums are those of the rows."""
    assert await rows_of(db, T.item_days) == await items_of(db)
    kept = await rows_of(db, T.case_days)
    for measure in MEASURES:
        mine = {
            (d, day): n
            for (m, d, a, day), n in kept.items()
            if m == measure and d != "*" and a == "*" and day > 0
        }
        assert mine == await cases_of(db, measure), measure
        city = sum(
            n for (m, d, a, day), n in kept.items() if (m, d, a) == (measure, "*", "*") and day < 0
        )
        assert city == sum(mine.values())


@pytest.mark.parametrize("seed", range(4))
async def test_sums_are_those_of_a_recount_after_any_acts(db: Database, seed: int) -> None:
    town, tally = Town(db, seed), tally_of(db)
    for n in range(120):
        await town.act()
        if town.rng.random() < 0.2:
            await tally.step(batch=town.rng.choice((1, 3, 50)))
        if n % 40 == 39:
            await tally.settle()
            await check(db)
    async with db.read() as conn:
        assert (await conn.execute(select(T.tally_due))).all() == []


async def test_a_second_tally_of_the_same_marks_changes_nothing(db: Database) -> None:
    town, tally = Town(db, 9), tally_of(db)
    for _ in range(40):
        await town.act()
    await tally.settle()
    before = await rows_of(db, T.item_days), await rows_of(db, T.case_days)
    async with db.read() as conn:
        ids = list((await conn.execute(select(T.items.c.id))).scalars())
    for _ in range(2):
        await db.write(lambda tx: tx.insert(T.tally_due, [{"item_id": one} for one in ids]))
    await tally_of(db).settle()
    assert (await rows_of(db, T.item_days), await rows_of(db, T.case_days)) == before
    assert sum(before[0].values()) > 100


async def test_what_changes_while_a_step_works_is_counted_by_the_next(db: Database) -> None:
    town, tally = Town(db, 3), tally_of(db)
    for _ in range(10):
        await town.arrive()
    between = tally._facts

    async def interrupted(*given: Any) -> Any:
        facts = await between(*given)
        tally._facts = between  # type: ignore[method-assign]
        for _ in range(5):
            await town.relabel()
            await town.join()
        return facts

    tally._facts = interrupted  # type: ignore[method-assign]
    await tally.settle()
    await check(db)


async def test_topics_are_series_like_any_other_and_go_when_they_go(db: Database) -> None:
    town = Town(db, 1)
    for _ in range(12):
        await town.arrive()
    tally = tally_of(db, Topic("bohai"))
    await tally.settle()
    sums = await rows_of(db, T.item_days)
    bohai = sum(n for (label, a, c, _), n in sums.items() if (label, a, c) == ("*", "bohai", "*"))
    mine = Counter({key: n for key, n in sums.items() if key[0] == "topic:1"})
    assert sum(n for (_, a, c, _), n in mine.items() if (a, c) == ("*", "*")) == bohai > 0
    tally.more = Topic("nowhere")
    async with db.read() as conn:
        ids = list((await conn.execute(select(T.items.c.id))).scalars())
    await db.write(lambda tx: tx.insert(T.tally_due, [{"item_id": one} for one in ids]))
    await tally.settle()
    assert not any(label == "topic:1" for label, *_ in await rows_of(db, T.item_days))
    await check(db)


async def test_old_messages_count_on_their_own_day_and_are_noted(db: Database) -> None:
    town, tally = Town(db, 5), tally_of(db)
    for _ in range(60):
        await town.arrive()
    await tally.settle()
    asked = select(T.count_notes).where(T.count_notes.c.kind == "late").order_by(T.count_notes.c.id)
    async with db.read() as conn:
        notes = (await conn.execute(asked)).all()
    assert sum(int(note.text) for note in notes) > 5
    async with db.read() as conn:
        items = (await conn.execute(select(T.items))).all()
    old = [one for one in items if one.posted_at and one.received_at - one.posted_at > timedelta(9)]
    assert sum(int(note.text) for note in notes) == len(old)

    await db.write(lambda tx: tx.insert(T.tally_due, [{"item_id": one.id} for one in items]))
    await tally.settle()
    async with db.read() as conn:
        again = (await conn.execute(asked)).all()
    assert again == notes  # what is counted again has not come again
    await db.write(lambda tx: tx.run(delete(T.tally_due)))
    await check(db)


async def test_another_taxonomy_is_noted_once(db: Database) -> None:
    tally = tally_of(db)
    for version in (1, 1, 2, 2):
        await tally.remember(version)
    async with db.read() as conn:
        assert list((await conn.execute(select(T.count_notes.c.text))).scalars()) == ["1", "2"]
