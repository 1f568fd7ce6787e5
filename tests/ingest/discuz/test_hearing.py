"""The forum through the hub's own poller into the database: stored once, revised, gone."""

from typing import Any

from sqlalchemy import select

from ingest.admit import Admission
from ingest.poller import Poller
from store.db import Database
from store.tables import T


async def rows(db: Database) -> dict[str, Any]:
    async with db.read() as conn:
        found = (await conn.execute(select(T.items))).all()
    return {row.text: row for row in found}


async def test_forum_is_stored_once_revised_and_gone(
    forum: Any, db: Database, admission: Admission, clock: Any
) -> None:
    poller = Poller(db=db, admission=admission, clock=clock)
    lamp = forum.sim.thread(2, "路灯", "路灯不亮", "市民甲")
    lid = forum.sim.thread(2, "井盖", "井盖缺失", "市民乙")
    first = await poller.poll(forum.source)
    assert [heard.outcome for heard in first.heard] == ["admitted", "admitted"]
    clock.forward(minutes=10)
    forum.sim.reply(lamp, "我家门口也是", "市民丙")
    second = await poller.poll(forum.source)
    assert [heard.outcome for heard in second.heard] == ["duplicate", "admitted"]
    clock.forward(days=1)
    forum.sim.edit(forum.sim.first(lamp), "路灯修好了")
    forum.sim.delete(lid)
    swept = await poller.poll(forum.source)
    assert swept.swept
    assert not swept.error
    assert sorted(heard.outcome for heard in swept.heard) == ["duplicate", "revised"]
    stored = await rows(db)
    assert set(stored) == {"路灯修好了", "井盖缺失", "我家门口也是"}
    assert [text for text, row in stored.items() if row.gone_at] == ["井盖缺失"]


async def test_changed_layout_is_an_alert(
    forum: Any, db: Database, admission: Admission, clock: Any
) -> None:
    poller = Poller(db=db, admission=admission, clock=clock)
    forum.sim.thread(2, "路灯", "路灯不亮", "市民甲")
    forum.sim.mode.layout = True
    polling = await poller.poll(forum.source)
    assert "ingest: forum: " in polling.error
    async with db.read() as conn:
        assert (await conn.execute(select(T.sources.c.alert))).scalar() == "layout"
