"""The sweep on a real database: climbs, numbers, answers, tasks, a restart, two hubs; offices hear of it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import delete, insert, select, update

from router.clocking import write_clock
from router.deadlines import Clock, Limit, Pause, Reason, Unit
from router.ladder import Ladder, Level
from router.notify.senders import Endpoint
from router.notify.worker import Deliverer, NoticeWorker
from router.replies import Replies
from router.supervision import Schedule
from router.supervisor import Supervisor, build_supervisor
from router.tasks import TaskKind, TaskRole, Tasks
from store.config import load
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.model import NoticeRef, Record
from store.outbox import Outbox
from store.ports import Answer
from store.pulse import Pulse
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
LADDER = load(Path(__file__).parents[2] / "configs" / "supervision.toml", Ladder)
CASE = 202611230000001
ORDER = CASE * 100 + 1
WEEK = Limit(amount=5, unit=Unit.WORK_DAYS)
CHAIN = {"team": ("bohai", "city_management_office"), "bohai": ("city_management_office",)}
NAMES = {
    "team": "某某社区", "bohai": "渤海街道", "sewage": "污水乱排", "complaint": "投诉", "urgent": "紧急",
    "city_management_office": "市城管办", "supervision_office": "市委市政府督查室",
}  # fmt: skip


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE).astimezone(UTC)


START = local("11-23 08:00")
FRESH = Clock(START, WEEK)


@dataclass
class City:
    """A database with orders, and the hub's supervision over it."""

    db: Database
    clock: Any
    outbox: Outbox
    schedule: Schedule
    superiors: Callable[[str], tuple[str, ...]] = lambda office: CHAIN.get(office, ())
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.supervisor = build_supervisor(
            db=self.db, outbox=self.outbox, schedule=self.schedule, names=NAMES, clock=self.clock,
            superiors=self.superiors,
        )  # fmt: skip

    async def order(self, n: int = 0, *, department: str = "team", clock: Clock | None = FRESH, **more: Any) -> int:  # fmt: skip
        case = CASE + n
        values = {
            "id": case, "case_no": f"DH{case}", "status": "handling", "version": 4, "channel": "app", "kind": "complaint",
            "problems": '["sewage"]', "urgency": "urgent", "decision": "auto", "confidence": 0.9, "rule": "r",
            "department": department, "suggested": department, "area": "bohai", "summary": "楼下有污水",
            "received_at": START, "decision_seq": 1, "notices": 1, **more,
        }  # fmt: skip
        order = {
            "id": case * 100 + 1, "case_id": case, "department": department, "lead": True, "status": "signed", "seq": 1,
            "due_at": local("11-27 18:00"), "dispatched_at": START, "watch_at": START,
            "clock": write_clock(clock) if clock else "",
        }  # fmt: skip

        async def work(tx: Tx) -> None:
            await tx.run(insert(T.cases).values(values))
            await tx.run(insert(T.work_orders).values(order))

        await self.db.write(work)
        return case * 100 + 1

    async def at(self, *moments: str) -> None:
        for moment in moments:
            self.clock.now = local(moment)
            await self.supervisor.sweep(self.clock.now)

    async def hourly(self, since: str, until: str) -> None:
        self.clock.now = local(since)
        while self.clock.now <= local(until):
            await self.supervisor.sweep(self.clock.now)
            self.clock.forward(hours=1)

    async def change(self, **values: Any) -> None:
        o = T.work_orders.c
        await self.db.write(lambda tx: tx.run(update(T.work_orders).where(o.id == ORDER).values(values)))  # fmt: skip

    async def rows(self, table: Any, *columns: str) -> list[tuple[Any, ...]]:
        async with self.db.read() as conn:
            found = await conn.execute(select(*(table.c[name] for name in columns)).order_by(table.c.id))  # fmt: skip
            return [tuple(row) for row in found]

    async def papers(self) -> list[tuple[Any, ...]]:
        return await self.rows(T.supervisions, "level", "number", "addressee", "state")

    async def issued(self, count: int) -> None:
        """Call the sweep until that many steps are on record."""
        while len(await self.papers()) < count:
            heard = self.db.pulse.listen("desk")
            self.db.pulse.wake(["supervision"])
            await Pulse.wait(heard, 0.05)

    async def watch_at(self) -> datetime | None:
        return (await self.rows(T.work_orders, "watch_at"))[0][0]

    async def notices(self) -> list[Record]:
        columns = ("record_id", "key", "payload")
        return [Record(*row) for row in await self.rows(T.log, *columns)]


@pytest.fixture
def hall(db: Database, clock: Any, outbox: Outbox, city: Any) -> City:
    return City(db, clock, outbox, Schedule(LADDER, city.deadlines, ZONE))


async def test_an_overdue_order_climbs_every_step_with_numbers(hall: City) -> None:
    await hall.order()
    await hall.hourly("11-23 08:00", "12-04 18:00")
    assert await hall.papers() == [
        ("yellow", "", "team", "told"),
        ("red", "", "team", "told"),
        ("urge", "敦城督催〔2026〕1号", "team", "climbed"),
        ("urge", "敦城督催〔2026〕2号", "bohai", "superseded"),
        ("order", "敦城督办〔2026〕1号", "team", "climbed"),
        ("order", "敦城督办〔2026〕2号", "bohai", "superseded"),
        ("circular", "敦城督通〔2026〕1号", "team", "issued"),
    ]
    events = await hall.rows(T.events, "verb", "before", "after", "version", "order_id", "reason", "note")  # fmt: skip
    assert ("supervise", "handling", "handling", 4, ORDER, "urge", "敦城督催〔2026〕1号") in events
    assert len(events) == 7
    marks = [mark for (mark,) in await hall.rows(T.supervisions, "mark")]
    assert marks[2:4] == [f"{ORDER}:0:urge", f"{ORDER}:0:urge:1"]
    (task,) = await Tasks(hall.db, hall.clock).open(TaskRole.SUPERVISOR)
    assert (task["kind"], task["note"]) == (TaskKind.DOCUMENT_ISSUED, "敦城督通〔2026〕1号")


async def test_what_nobody_answers_to_the_top_is_a_task_and_then_nothing_more(hall: City) -> None:
    await hall.order()
    await hall.hourly("11-23 08:00", "12-18 18:00")
    assert (await hall.papers())[-1][:3] == ("circular", "敦城督通〔2026〕3号", "city_management_office")  # fmt: skip
    tasks = await Tasks(hall.db, hall.clock).open(TaskRole.SUPERVISOR)
    assert [t["kind"] for t in tasks] == ["document_issued", "document_unanswered"]
    assert tasks[1]["note"] == "敦城督通〔2026〕3号"
    assert await hall.watch_at() is None


async def test_numbers_have_no_gap_and_begin_anew_with_the_year(hall: City) -> None:
    for n in range(3):
        await hall.order(n)
    await hall.at("11-30 18:00")
    assert len({number for _, number, _, _ in await hall.papers()} - {""}) == 3
    await hall.db.write(lambda tx: tx.run(delete(T.supervisions)))
    await hall.db.write(lambda tx: tx.run(update(T.work_orders).values(watch_at=None)))
    await hall.change(watch_at=local("11-30 18:00"))
    hall.clock.now = datetime(2027, 1, 4, 1, tzinfo=UTC)
    await hall.supervisor.sweep(hall.clock.now)
    assert [number for _, number, _, _ in await hall.papers() if number] == ["敦城督催〔2027〕1号"]
    counters = {}
    async with hall.db.read() as conn:
        for row in await conn.execute(select(T.counters)):
            counters[row.day] = row.n
    assert counters == {"supervision:2026:urge": 3, "supervision:2027:urge": 1}


async def test_a_failed_look_gives_its_number_back(hall: City, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    await hall.order()
    hall.clock.now = local("11-30 18:00")

    async def broken(*_: Any) -> None:
        raise ConflictError("test")

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "put", broken)
        with pytest.raises(ConflictError):
            await hall.supervisor.sweep(hall.clock.now)
    assert await hall.papers() == []
    hall.restart()
    await hall.at("11-30 18:00")
    assert [row[1] for row in await hall.papers()] == ["", "", "敦城督催〔2026〕1号"]


async def test_two_hubs_and_a_second_sweep_issue_nothing_twice(hall: City) -> None:
    for n in range(4):
        await hall.order(n)
    now = local("11-30 18:00")
    await asyncio.gather(*(hall.supervisor.sweep(now) for _ in range(3)))
    await hall.supervisor.sweep(now)
    numbers = sorted(number for _, number, _, _ in await hall.papers() if number)
    assert numbers == [f"敦城督催〔2026〕{n}号" for n in range(1, 5)]


async def test_after_an_outage_one_letter_goes_out_and_the_lamps_are_on_record(hall: City) -> None:
    await hall.order()
    await hall.at("12-14 09:00", "12-14 09:01", "12-14 17:00")
    assert [(level, state) for level, _, _, state in await hall.papers()] == [
        ("yellow", "skipped"), ("red", "skipped"), ("urge", "issued")
    ]  # fmt: skip
    assert len(await hall.rows(T.events, "verb")) == 1
    hall.restart()
    await hall.at("12-15 09:00")
    assert (await hall.papers())[2:] == [
        ("urge", "敦城督催〔2026〕1号", "team", "superseded"), ("order", "敦城督办〔2026〕1号", "team", "issued")
    ]  # fmt: skip


async def test_an_extension_begins_a_new_ladder(hall: City) -> None:
    await hall.order()
    await hall.at("11-25 12:00", "11-26 18:00", "11-30 18:00")
    longer = Clock(START, WEEK).extended(WEEK)
    await hall.change(clock=write_clock(longer), extensions=1, watch_at=local("12-01 09:00"))
    await hall.at("12-01 09:00")
    assert (await hall.papers())[-2:] == [
        ("urge", "敦城督催〔2026〕1号", "team", "superseded"), ("yellow", "", "team", "told")
    ]  # fmt: skip
    await hall.hourly("12-01 10:00", "12-07 18:00")
    assert [row[0] for row in await hall.papers()] == ["yellow", "red", "urge", "yellow", "red", "urge"]  # fmt: skip


async def test_nobody_is_chased_while_the_clock_stands(hall: City) -> None:
    pause = Pause(local("11-26 08:00"), None, Reason.SUSPENSION)
    await hall.order(clock=Clock(START, WEEK, (pause,)))
    await hall.at("11-26 08:00", "12-30 18:00")
    assert await hall.papers() == []
    assert await hall.watch_at() is None


async def test_an_order_that_ends_lets_its_documents_rest(hall: City) -> None:
    await hall.order()
    await hall.at("11-30 18:00")
    await hall.change(status="handled", watch_at=None, ended_at=local("12-01 08:00"))
    await hall.at("12-02 18:00")
    assert (await hall.papers())[2:] == [("urge", "敦城督催〔2026〕1号", "team", "ended")]


async def test_an_answer_stops_the_climb_and_late_ones_are_kept(hall: City) -> None:
    await hall.order()
    await hall.at("11-30 18:00")
    replies = Replies(hall.db, hall.clock)
    (asked,) = await replies.of_office("team")
    await replies.reply(asked["id"], actor="team/值班", scope="team", text=" 明日清掏\0 ")
    assert await replies.of_office("team") == []
    await hall.hourly("11-30 19:00", "12-02 17:00")
    found = await hall.rows(T.supervisions, "state", "reply", "replied_by", "replied_at")
    assert found[2:] == [("answered", "明日清掏", "team/值班", local("11-30 18:00"))]
    await hall.hourly("12-02 18:00", "12-03 18:00")
    late = (await hall.rows(T.supervisions, "id"))[3][0]
    assert [row[2:] for row in (await hall.papers())[3:]] == [("team", "climbed"), ("bohai", "issued")]  # fmt: skip
    await replies.reply(late, actor="team/值班", scope="team", text="已清掏")
    assert [row[3] for row in (await hall.papers())[3:]] == ["answered", "superseded"]


async def test_an_answer_takes_the_task_off_the_list(hall: City) -> None:
    hall.superiors = lambda _: ()
    hall.restart()
    await hall.order()
    await hall.at("11-30 18:00", "12-01 18:00")
    tasks = Tasks(hall.db, hall.clock)
    assert [t["kind"] for t in await tasks.open(TaskRole.SUPERVISOR)] == ["document_unanswered"]
    third = (await hall.rows(T.supervisions, "id"))[2][0]
    await Replies(hall.db, hall.clock).reply(third, actor="x", scope="team", text="已办")
    assert await tasks.open(TaskRole.SUPERVISOR) == []


@pytest.mark.parametrize(
    ("which", "scope", "text", "said"),
    [
        (2, "team", " \0", "nothing is written"),
        (2, "bohai", "好", "no such document"),
        (9, "team", "好", "no such document"),
        (0, "team", "好", "a lamp asks for no answer"),
    ],
)
async def test_replies_that_can_not_be(hall: City, which: int, scope: str, text: str, said: str) -> None:  # fmt: skip
    await hall.order()
    await hall.at("11-25 12:00", "11-26 18:00", "11-30 18:00")
    first = (await hall.rows(T.supervisions, "id"))[0][0]
    with pytest.raises(RejectedError, match=said):
        await Replies(hall.db, hall.clock).reply(first + which, actor="x", scope=scope, text=text)


async def test_a_second_reply_is_a_conflict(hall: City) -> None:
    await hall.order()
    await hall.at("11-30 18:00")
    replies = Replies(hall.db, hall.clock)
    (asked,) = await replies.of_office("team")
    await replies.reply(asked["id"], actor="x", scope="team", text="好")
    with pytest.raises(ConflictError, match="answered already"):
        await replies.reply(asked["id"], actor="y", scope="team", text="好")


async def test_where_nobody_is_above_a_task_says_so(hall: City) -> None:
    await hall.order(department="bureau")
    await hall.at("11-30 18:00")
    copied = await hall.rows(T.supervisions, "copied_to")
    assert copied[-1] == ('["supervision_office"]',)
    (task,) = await Tasks(hall.db, hall.clock).open(TaskRole.ADMIN)
    assert (task["kind"], task["note"], task["order_id"]) == ("no_superior", "bureau", ORDER)


async def test_an_office_that_left_the_configuration_stops_nobody(hall: City) -> None:
    hall.superiors = {"team": ("bohai",)}.__getitem__
    hall.restart()
    await hall.order(department="gone")
    await hall.order(1)
    await hall.at("11-30 18:00", "12-01 18:00")
    urged = [row[2:] for row in await hall.papers() if row[0] == "urge"]
    assert urged == [("gone", "climbed"), ("team", "climbed"), ("bohai", "issued")]
    assert [t["note"] for t in await Tasks(hall.db, hall.clock).open(TaskRole.ADMIN)] == ["gone"]


async def test_an_order_from_before_clocks_is_urged_by_its_due_time(hall: City) -> None:
    await hall.order(clock=None)
    await hall.at("11-27 18:00")
    assert await hall.papers() == []
    await hall.at("11-30 18:00")
    assert [row[0] for row in await hall.papers()] == ["urge"]


async def test_a_leaders_order_begins_one_level_up(hall: City) -> None:
    await hall.order(wanted_at=local("11-24 18:00"))
    await hall.hourly("11-23 08:00", "11-25 18:00")
    assert [row[:2] for row in await hall.papers()] == [
        ("yellow", ""), ("red", ""), ("order", "敦城督办〔2026〕1号")
    ]  # fmt: skip


async def test_the_desks_own_lateness_is_a_task_once(hall: City) -> None:
    await hall.order(status="handled", stage_due_at=local("11-24 08:00"))
    await hall.at("11-24 07:59")
    tasks = Tasks(hall.db, hall.clock)
    assert await tasks.open(TaskRole.SUPERVISOR) == []
    await hall.at("11-24 08:00", "11-24 08:01")
    (task,) = await tasks.open(TaskRole.SUPERVISOR)
    assert (task["kind"], task["case_id"], task["note"]) == ("desk_late", CASE, "handled")
    assert await hall.rows(T.cases, "stage_due_at") == [(None,)]


async def test_leaders_cases_due_soon_are_listed_once_a_day_and_late_comers_by_themselves(hall: City) -> None:  # fmt: skip
    await hall.order(wanted_at=local("11-24 18:00"))
    await hall.order(1, wanted_at=local("11-25 08:00"))
    await hall.order(2, wanted_at=local("11-23 18:00"), status="closed")
    tasks = Tasks(hall.db, hall.clock)
    await hall.at("11-23 07:59", "11-23 08:00")
    assert await tasks.open(TaskRole.SUPERVISOR) == []
    await hall.at("11-23 08:01", "11-23 08:02")
    (task,) = await tasks.open(TaskRole.SUPERVISOR)
    assert (task["kind"], task["note"]) == ("instruction_due", f"DH{CASE}，共1件")
    hall.restart()
    await hall.order(3, wanted_at=local("11-23 18:00"), received_at=local("11-23 10:00"))
    await hall.at("11-23 10:00", "11-23 10:01")
    assert [t["note"] for t in await tasks.open(TaskRole.SUPERVISOR)][1:] == [f"DH{CASE + 3}"]
    await hall.at("11-24 08:01")
    assert (await tasks.open(TaskRole.SUPERVISOR))[-1]["note"] == f"DH{CASE + 3}、DH{CASE}、DH{CASE + 1}，共3件"  # fmt: skip


class Network:
    """Takes everything, or nothing while it is down."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Mapping[str, str], dict[str, Any]]] = []

    async def send(self, method: str, url: str, **more: Any) -> Any:
        self.got.append((url, more["headers"], json.loads(more["body"])))
        return Answer(200, b'{"errcode": 0}', {})


SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
ENDPOINTS = {
    "team": Endpoint("team", "team", "webhook", url="http://team/", secret=SECRET),
    "bohai": Endpoint("bohai", "bohai", "webhook", url="http://bohai/", secret=SECRET),
    "bohai/wecom": Endpoint("bohai/wecom", "bohai", "wecom", name="duty", url="http://robot/"),
}


async def test_offices_hear_of_documents_by_their_own_endpoints(hall: City, desk: Any) -> None:
    await hall.order()
    await hall.at("11-30 18:00", "12-01 18:00")
    records = await hall.notices()
    refs = [msgspec.json.decode(record.payload, type=NoticeRef) for record in records]
    assert [(ref.department, ref.change, ref.seq) for ref in refs] == [
        ("team", "supervised", 2), ("bohai", "supervised", 3), ("bohai", "supervised", 4), ("team", "supervised", 5),
    ]  # fmt: skip
    worker = NoticeWorker(db=hall.db, endpoints=ENDPOINTS, clock=hall.clock)
    for _ in range(2):
        effects = await worker.prepare(records)
        await hall.db.write(lambda tx, rows=effects: worker.apply(tx, rows))  # type: ignore[misc]
    network = Network()
    deliverer: Deliverer = desk.deliverer(ENDPOINTS, network, link=lambda order, _: f"http://hub/{order}")  # fmt: skip
    while await deliverer.run_once():
        hall.clock.forward(seconds=5)
    told = {(url, body["seq"]): body for url, _, body in network.got if url != "http://robot/"}
    assert sorted(told) == [("http://bohai/", 3), ("http://bohai/", 4), ("http://team/", 2), ("http://team/", 5)]  # fmt: skip
    urged = told["http://team/", 2]
    assert (urged["type"], urged["data"]["order"], urged["data"]["text"]) == ("work_order.supervised", str(ORDER), "")  # fmt: skip
    paper = urged["data"]["supervision"]
    assert (paper["number"], paper["title"], paper["level"], paper["addressee"], paper["copy"]) == (
        "敦城督催〔2026〕1号", "催办通知书", "urge", "team", False
    )  # fmt: skip
    assert datetime.fromisoformat(paper["reply_by"]) == local("12-01 18:00")
    assert "案件DH202611230000001（污水乱排，渤海街道）" in paper["body"]
    assert told["http://bohai/", 3]["data"]["supervision"]["copy"] is True
    assert told["http://bohai/", 4]["data"]["supervision"]["number"] == "敦城督催〔2026〕2号"
    ids = {headers["webhook-id"] for url, headers, _ in network.got if url != "http://robot/"}
    assert len(ids) == 4
    robot = [body["markdown"]["content"] for url, _, body in network.got if url == "http://robot/"]
    assert "督促函 敦城督催〔2026〕2号 DH202611230000001" in robot[1]
    assert "催办通知书（抄送）" in robot[0]
    assert "http://hub/" not in "".join(robot), "who may not act on the order gets no link to it"


async def test_the_departments_own_robot_gets_the_link(hall: City, desk: Any) -> None:
    await hall.order(department="bohai")
    await hall.at("11-25 12:00")
    worker = NoticeWorker(db=hall.db, endpoints=ENDPOINTS, clock=hall.clock)
    effects = await worker.prepare(await hall.notices())
    await hall.db.write(lambda tx: worker.apply(tx, effects))
    network = Network()
    await desk.deliverer(ENDPOINTS, network, link=lambda order, _: f"http://hub/{order}").run_once()
    said = next(body["markdown"]["content"] for url, _, body in network.got if url == "http://robot/")  # fmt: skip
    assert f"http://hub/{ORDER}" in said
    assert "办理时限提醒（黄灯）" in said


async def test_the_loop_sweeps_and_hears_when_it_is_called(hall: City) -> None:
    await hall.order()
    hall.clock.now = local("11-25 12:00")
    running = asyncio.create_task(hall.supervisor.run())
    try:
        await asyncio.wait_for(hall.issued(1), 5)
        hall.clock.now = local("11-26 18:00")
        await asyncio.wait_for(hall.issued(2), 5)
    finally:
        running.cancel()
    assert [row[0] for row in await hall.papers()] == ["yellow", "red"]


async def test_a_supervisor_issues_by_hand_and_the_ladder_goes_on_from_there(hall: City) -> None:
    await hall.order()
    await hall.at("11-24 09:00")
    issue = hall.supervisor.issue_now
    assert await issue(ORDER, level=Level.ORDER, actor="ducha") == "敦城督办〔2026〕1号"
    with pytest.raises(ConflictError, match="already"):
        await issue(ORDER, level=Level.URGE, actor="ducha")
    with pytest.raises(RejectedError, match="no document yellow"):
        await issue(ORDER, level=Level.YELLOW, actor="ducha")
    with pytest.raises(RejectedError, match="no open work order"):
        await issue(ORDER + 1, level=Level.ORDER, actor="ducha")
    rows = await hall.rows(T.supervisions, "level", "actor", "state", "body")
    assert [row[:3] for row in rows] == [("order", "ducha", "issued")]
    assert "尚未办结" in rows[0][3]
    assert "超期" not in rows[0][3]
    await hall.hourly("11-24 10:00", "12-05 18:00")
    assert [row[0] for row in await hall.papers() if row[3] != "skipped"][-1] == "circular"
    assert "urge" not in [row[0] for row in await hall.papers() if row[3] != "skipped"]


async def test_nothing_is_issued_by_hand_for_what_stands_or_has_not_left(hall: City) -> None:
    await hall.order()
    await hall.order(1, status="suspended")
    hall.clock.now = local("11-24 09:00")
    await hall.change(leaves_at=local("11-24 09:01"))
    issue = hall.supervisor.issue_now
    with pytest.raises(RejectedError, match="no open work order"):
        await issue(ORDER, level=Level.ORDER, actor="ducha")
    with pytest.raises(ConflictError):
        await issue(ORDER + 100, level=Level.ORDER, actor="ducha")
    assert await hall.papers() == []
