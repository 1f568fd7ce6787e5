"""Officials are told of a burst once, not at night, and of several in one message."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from router.notify.messages import Attachment, Message
from router.notify.senders import Endpoint
from router.trends.alerting import Alerting, Bursts, alert, put
from router.trends.officials import Alerts, Official
from store.db import Database
from store.errors import RejectedError, TransientError
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
MAYOR = Official(id="mayor", name="分管副市长", wecom="leaders")
OFFICE = Official(id="office", name="值班室", email=("a@b.example",), areas=("bohai",), least=5)
ALERTS = Alerts(official=(MAYOR, OFFICE))


class Voice:
    """A sender that remembers, and fails as it is told."""

    limit = None
    digest = 1

    def __init__(self, kind: str) -> None:
        self.kind, self.takes_files = kind, kind == "email"
        self.heard: list[tuple[str, Message]] = []
        self.fails: Exception | None = None

    async def send(self, dispatches: Any, endpoint: Endpoint, http: Any) -> None:
        raise AssertionError

    async def tell(self, message: Message, endpoint: Endpoint, http: Any) -> None:
        if self.fails:
            raise self.fails
        self.heard.append((endpoint.key, message))


class Station:
    def __init__(self, db: Database, clock: Any) -> None:
        self.db, self.clock = db, clock
        self.wecom, self.email = Voice("wecom"), Voice("email")
        self.bursts = Bursts(
            db,
            ALERTS,
            {"bohai": "渤海街道", "sewage": "污水乱排"},
            zone=ZONE,
            clock=clock,
            base_url="https://hub.example/",
        )

    def alerting(self) -> Alerting:
        endpoints = {
            one.id: Endpoint(one.id, one.id, "email" if one.email else "wecom")
            for one in ALERTS.official
        }
        senders = {"wecom": self.wecom, "email": self.email}

        async def files(mark: str) -> Sequence[Attachment]:
            return [Attachment(f"{mark}.pdf", "application/pdf", b"%PDF")]

        return Alerting(
            self.db, None, endpoints=endpoints, senders=senders, clock=self.clock, files=files, base_url="https://hub.example"
        )  # type: ignore[arg-type] # fmt: skip

    async def burst(self, **more: Any) -> None:
        values = {
            "label": "sewage", "area": "bohai", "start_day": 20261123, "last_day": 20261124, "observed": 12.0, "expected": 3.5,
            "excess": 8.5, "voices": 9, "citizens": 8, "why": "{}", "found_at": self.clock(),
        } | more  # fmt: skip
        await self.db.write(lambda tx: tx.run(T.bursts.insert().values(values)))

    async def alerts(self) -> list[Any]:
        async with self.db.read() as conn:
            return list((await conn.execute(select(T.alerts).order_by(T.alerts.c.id))).all())

    async def round(self) -> None:
        await self.bursts.tell()
        await self.alerting().run_once()


@pytest.fixture
def station(db: Database, clock: Any) -> Station:
    """It is nine in the morning."""
    return Station(db, clock)


async def test_a_burst_is_told_to_each_official_once(station: Station) -> None:
    """Also after a restart, by another hub at the same time, after edits, and found with another first day."""
    await station.burst()
    await asyncio.gather(station.round(), station.round())
    grow = update(T.bursts).values(observed=40, excess=36, last_day=20261125, told_at=None)
    await station.db.write(lambda tx: tx.run(grow))
    await station.round()
    await station.db.write(lambda tx: tx.run(update(T.bursts).values(start_day=20261122)))
    await station.round()
    await station.db.write(lambda tx: tx.run(T.bursts.delete()))
    await station.burst(start_day=20261124)
    await station.round()
    told = [
        (key, message.title, list(message.lines))
        for key, message in station.wecom.heard + station.email.heard
    ]
    said = ["渤海街道污水乱排诉求11月23日起突增：12件，预期3.5件"]
    assert told == [(one, "突增提醒：渤海街道污水乱排诉求", said) for one in ("mayor", "office")]
    assert station.wecom.heard[0][1].link.startswith(
        "https://hub.example/desk/trends/number?indicator=items&from=2026-11-23"
    )
    assert {row.state for row in await station.alerts()} == {"sent"}
    await station.burst(start_day=20261116)
    await station.burst(start_day=20261202, last_day=20261203)
    assert await station.bursts.tell() == 2


async def test_officials_hear_what_they_want_to(station: Station) -> None:
    await station.burst(excess=4.9)
    await station.burst(area="*", excess=30)
    await station.burst(label="pets", area="shengli", excess=30)
    await station.burst(label="litter", last_day=20261120, start_day=20261119, excess=30)
    assert await station.bursts.tell() == 3
    assert {row.official for row in await station.alerts()} == {"mayor"}
    await station.db.write(
        lambda tx: tx.run(update(T.bursts).where(T.bursts.c.area == "bohai").values(excess=5.0))
    )
    assert await station.bursts.tell() == 1
    assert [row.official for row in await station.alerts()][3:] == ["office"]


async def test_what_came_at_night_is_one_message_in_the_morning(station: Station) -> None:
    station.clock.now = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)  # 22:30
    for label in ("sewage", "litter", "pets"):
        await station.burst(label=label)
    await station.round()
    station.clock.forward(hours=8)  # 6:30
    await station.round()
    assert station.wecom.heard == station.email.heard == []
    station.clock.forward(hours=1)  # 7:30
    await station.round()
    ((_, message),) = station.wecom.heard
    assert (message.title, len(message.lines)) == ("提醒摘要：3 条", 3)
    assert len(station.email.heard) == 1


async def test_what_fails_is_tried_again_and_given_up(station: Station) -> None:
    await station.burst()
    station.wecom.fails, station.email.fails = (
        TransientError("busy"),
        RejectedError("no", reason="refused"),
    )
    for _ in range(28):
        await station.round()
        station.clock.forward(hours=3)
    rows = {row.official: row for row in await station.alerts()}
    assert (rows["mayor"].state, rows["office"].state, rows["office"].attempts) == (
        "dead",
        "failed",
        3,
    )
    async with station.db.read() as conn:
        tasks = (
            await conn.execute(select(T.tasks.c.note, T.tasks.c.role).order_by(T.tasks.c.note))
        ).all()
    assert [tuple(row) for row in tasks] == [("mayor", "admin"), ("office", "admin")]


async def test_a_hub_that_stopped_while_it_sent(station: Station) -> None:
    """A letter goes again under its id; a robot is not made to speak twice."""
    await station.burst()
    await station.bursts.tell()
    stopped = update(T.alerts).values(state="sending", attempts=1, due_at=station.clock())
    await station.db.write(lambda tx: tx.run(stopped))
    await station.alerting().run_once()
    states = {row.official: row.state for row in await station.alerts()}
    assert states == {"mayor": "failed", "office": "sent"}
    assert [message.uid for _, message in station.email.heard] == [
        f"alert-{(await station.alerts())[1].id}"
    ]


async def test_bulletins_go_alone_with_their_files_where_they_can(station: Station) -> None:
    row = {
        "kind": "monthly",
        "period": "2026-10",
        "state": "signed",
        "as_of": station.clock(),
        "made_by": "x",
        "made_at": station.clock(),
    }
    await station.db.write(lambda tx: tx.run(T.bulletins.insert().values(id=7, **row)))
    more = {
        "now": station.clock(),
        "zone": ZONE,
        "title": "月报 1号",
        "body": "甲\n乙",
        "link": "https://hub.example/desk/reports/7",
    }
    rows = [alert(one, f"bulletin:7:{one.id}", **more) for one in ALERTS.official]
    await station.db.write(lambda tx: put(tx, rows))
    await station.db.write(lambda tx: put(tx, rows))
    await station.burst()
    await station.round()
    for voice, files in ((station.wecom, 0), (station.email, 1)):
        assert sorted((m.title[:2], len(m.files), len(m.lines)) for _, m in voice.heard) == [
            ("月报", files, 2),
            ("突增", 0, 1),
        ]
    async with station.db.read() as conn:
        assert (await conn.execute(select(T.bulletins.c.sent_at))).scalar() == station.clock()


clocks = st.times().map(lambda t: t.replace(microsecond=0))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), clocks, clocks, clocks)
def test_nothing_is_due_in_quiet_hours_nor_later_than_needed(
    at: datetime, start: time, end: time, digest: time
) -> None:
    values = {
        "id": "a",
        "name": "a",
        "wecom": "x",
        "quiet_from": start,
        "quiet_until": end,
        "digest": digest,
    }
    try:
        official = Official.model_validate(values)
    except ValueError:
        assert start != end
        return
    now = at.replace(tzinfo=UTC)
    due = official.due(now, ZONE)
    assert now <= due <= now + timedelta(days=1)
    assert not official.is_quiet(due.astimezone(ZONE).time())
    if not official.is_quiet(now.astimezone(ZONE).time()):
        assert due == now
    else:
        assert due.astimezone(ZONE).time() == digest


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "exactly one"),
        ({"wecom": "x", "email": ["a@b.example"]}, "exactly one"),
        ({"wecom": "x", "digest": time(3)}, "quiet hours"),
    ],
)
def test_an_official_that_can_not_be(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Official.model_validate({"id": "a", "name": "a"} | more)
