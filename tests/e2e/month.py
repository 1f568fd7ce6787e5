"""A month of 敦化 as its people live it: citizens write, the desk sorts, offices work, the desk checks and asks back.

Nothing is random: what somebody does follows from a hash of whom it concerns. The clock is the script's own and
goes from hour to hour. ``Town.log`` keeps what the history does not tell.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from hub.app import Hub
from router.deadlines import Limit, Unit
from router.supervisor import BATCH
from router.workflow import Verb
from store.errors import ConflictError, RejectedError
from store.model import Item
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 10, 28, 8, tzinfo=ZONE)
LAST = datetime(2026, 12, 3, 6, tzinfo=ZONE)
DAYS = 35
"""Days on which citizens write; the last of November is among them."""

ORDER = 10**16
"""Numbers from here on are orders', those below cases'."""

CHANNELS = ("app", "wechat", "hotline", "weibo", "forum", "open311", "letter", "hotline", "app")
MATTERS = (
    "{}旁边的垃圾堆了好几天没人清运，气味难闻",
    "{}门口满墙都是小广告，刚铲完又贴上了",
    "{}一到傍晚全是占道的烧烤摊，人都走不过去",
    "{}附近的饭店把泔水直接倒进下水井，路面全是油污",
    "{}沿街栏杆上晾满了被褥和衣服，太影响市容",
    "{}总有人遛狗不牵绳，狗屎也没人收拾",
    "{}的路灯坏了半个月，晚上一片漆黑",
    "{}楼道里堆满杂物，消防通道都堵死了",
    "请问{}的老旧小区改造什么时候开始，去哪里咨询",
    "{}的污水井盖翻了，孩子差点掉下去，急",
    "{}市场里摊贩把菜叶烂果扔得满地，没人管",
    "{}对面违停的车把整条人行道都占了",
)
DETAILS = ("", "，已经反映过", "，请尽快处理", "，老人出门都绕着走", "，天天如此", "，望回复")
OTHERS = [
    "urban_enforcement",
    "housing_construction",
    "market_regulation",
    "transport",
    "public_security",
]
SOLVED = ("solved", "solved", "solved", "partly", "unsolved")
SATISFIED = ("satisfied", "satisfied", "fair", "dissatisfied", "none")


def pick(whom: int, what: str, n: int = 100) -> int:
    """0 … n − 1, the same in every run."""
    return int.from_bytes(hashlib.sha256(f"{whom}:{what}".encode()).digest()[:6]) % n


class Town:
    """Everybody who acts. ``clock`` is the hub's."""

    def __init__(self, hub: Hub, clock: Any, *, items: int) -> None:
        self.hub, self.clock, self.items = hub, clock, items
        self.places = sorted(entry.name for entry in hub.city.gazetteer.entries)
        self.supervisor = hub.routing.supervisor()
        self.queue: list[tuple[datetime, int, str, int]] = []
        self.turn = count()
        self.heard = 0
        self.seen_event = 0
        self.sorted: list[int] = []
        self.closed: list[int] = []
        self.asked: set[int] = set()
        self.refused: dict[str, int] = defaultdict(int)
        self.done: dict[str, int] = defaultdict(int)
        self.cases: dict[int, Any] = {}
        self.orders: dict[int, Any] = {}
        self.dues: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        self.ratings: dict[int, dict[str, Any]] = {}

    async def live(self) -> None:
        """From the first message to the morning of the cut-off."""
        for day in range((LAST - FIRST).days + 1):
            morning = FIRST + timedelta(days=day)
            if day < DAYS:
                self.put(morning, "write", day)
            if day % 2 == 0:
                self.put(morning + timedelta(hours=1), "sweep", day)
        while self.queue and self.queue[0][0] <= LAST:
            self.clock.now = now = self.queue[0][0]
            turn: list[tuple[str, int]] = []
            while self.queue and self.queue[0][0] == now:
                turn.append(heapq.heappop(self.queue)[2:])
            await self.act(turn)
            await self.note()
        self.clock.now = LAST

    async def act(self, turn: list[tuple[str, int]]) -> None:
        """One hour: what concerns many cases first, then each case by itself, all at once."""
        alone: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for name, whom in turn:
            if name in {"write", "sweep"}:
                await self.try_(name, whom)
            else:
                case = whom if whom < ORDER else whom // 100
                alone[case].append((name, whom))

        async def one(acts: list[tuple[str, int]]) -> None:
            for name, whom in acts:
                await self.try_(name, whom)

        await asyncio.gather(*(one(acts) for acts in alone.values()))

    async def try_(self, name: str, whom: int) -> None:
        """What the rules refuse is not done; the town goes on."""
        act: Callable[[int], Awaitable[None]] = getattr(self, name)
        try:
            await act(whom)
            self.done[name] += 1
        except (RejectedError, ConflictError):
            self.refused[name] += 1

    def put(self, at: datetime, name: str, whom: int) -> None:
        heapq.heappush(self.queue, (at, next(self.turn), name, whom))

    def later(self, hours: float, name: str, whom: int, seconds: float = 0) -> None:
        whole = self.clock.now.replace(second=0) if not seconds else self.clock.now
        self.put(whole + timedelta(hours=hours, seconds=seconds), name, whom)

    async def rows(self, statement: Any) -> list[Any]:
        async with self.hub.db.read() as conn:
            return list((await conn.execute(statement)).mappings())

    async def note(self) -> None:
        """Read what happened this hour: keep rows and due times, and let it take its course."""
        e, o, c = T.events.c, T.work_orders.c, T.cases.c
        wanted = select(e.id, e.case_id, e.order_id, e.verb, e.after)
        new = await self.rows(wanted.where(e.id > self.seen_event).order_by(e.id))
        if not new:
            return
        self.seen_event = new[-1]["id"]
        cases = {row["case_id"] for row in new}
        for row in await self.rows(select(T.cases).where(c.id.in_(cases))):
            self.cases[row["id"]] = row
        for row in await self.rows(select(T.work_orders).where(o.case_id.in_(cases))):
            self.orders[row["id"]] = row
            if not self.dues[row["id"]] or self.dues[row["id"]][-1][1] != row["due_at"]:
                self.dues[row["id"]].append((self.clock.now, row["due_at"]))
        for row in new:
            self.follow(row["verb"], row["after"], row["case_id"], row["order_id"])

    def follow(self, verb: str, after: str, case: int, order: int | None) -> None:
        """What somebody will do because of a line of history."""
        if verb == "receive" and self.cases[case]["status"] == "received":
            self.later(1 + pick(case, "desk", 5), "sort", case)
        elif verb == "dispatch" and order is not None:
            self.sorted.append(case)
            late = 30 * (pick(order, "late") < 5)
            self.later(1 + pick(order, "sign", 6) + late, "sign", order)
        elif verb == "handle" and after == "handled":
            self.later(2 + pick(case, "check", 20), "check", case)
        elif verb in {"verify_fail", "reopen"} and order is not None:
            self.later(1 + pick(order, "again", 30), "handle", order)
        elif verb == "suspend":
            self.later(24 + pick(case, "stands", 700), "resume", case)
        elif verb == "resume":
            for one in self.of(case):
                self.later(1 + pick(one["id"], "resumed", 20), "handle", one["id"])

    def of(self, case: int) -> list[Any]:
        """Its orders as they were an hour ago."""
        ids = range(case * 100 + 1, case * 100 + 20)
        return [self.orders[one] for one in ids if one in self.orders]

    def is_urgent(self, order: int) -> bool:
        """Whether its clock runs day and night."""
        clock = msgspec.json.decode(self.orders[order]["clock"])
        return bool(clock["limit"]["unit"] == "urgent_hours")

    # citizens

    async def write(self, day: int) -> None:
        """The day's messages come in over every channel, and the rooms do what they do by themselves."""
        until = self.items * (day + 1) // DAYS
        said = []
        for n in range(self.heard, until):
            text = self.words(n)
            channel = CHANNELS[n % len(CHANNELS)]
            said.append(Item(channel=channel, channel_id=str(n), text=text, author=f"a{n % 900}"))
        self.heard = until
        await self.hub.admission.admit(said)
        await self.settled()

    def words(self, n: int) -> str:
        """What the n-th citizen writes: every other one has seen what a neighbor wrote about just before."""
        told = n - 1 - pick(n, "neighbor", 4) if n > 4 and pick(n, "seen") < 50 else n
        place = self.places[pick(told, "place", len(self.places))]
        matter = MATTERS[pick(told, "matter", len(MATTERS))].format(place)
        return matter + DETAILS[pick(n, "detail", len(DETAILS))]

    async def settled(self) -> None:
        """Wait until every follower has read everything."""
        for consumer in self.hub.consumers.values():
            while await consumer.follower.lag():  # noqa: ASYNC110 - nobody tells when it is nil
                await asyncio.sleep(0.02)

    async def ask(self, case: int) -> None:
        """回访 of three cases in five: most citizens answer; some for whom nothing was solved for get the case reopened."""
        ci, cases = T.case_items.c, self.hub.commands.cases
        for row in await self.rows(select(ci.item_id).where(ci.case_id == case)):
            item = row["item_id"]
            if pick(item, "answers") < 70:
                said = {"solved": SOLVED[pick(item, "solved", 5)]}
                said["satisfied"] = SATISFIED[pick(item, "satisfied", 5)]
                await cases.follow_up(item, actor="desk", via="phone", **said)
                self.ratings[item] = {"case": case, "at": self.clock.now, **said}
                if said["solved"] == "unsolved" and pick(case, "reopen") < 15:
                    self.later(1, "reopen", case)

    # the desk

    async def sort(self, case: int) -> None:
        """Decline, refer, join, link; dispatch the rest, now and then to somebody else or to several."""
        row, chance = self.cases[case], pick(case, "sort")
        cases, joining = self.hub.commands.cases, self.hub.commands.joining
        desk = {"version": row["version"], "actor": "desk"}
        if row["status"] not in {"received", "filed"}:
            return
        if row["status"] == "received" and chance < 7:
            verb = Verb.DECLINE if chance < 4 else Verb.REFER
            await cases.end(case, verb=verb, note="不属受理范围", **desk)
            return
        neighbor = self.neighbor(case) if row["status"] == "received" and chance < 60 else None
        if neighbor is not None:
            await joining.merge(case, into=neighbor, note="同一问题", **desk)
            return
        if chance >= 92 and self.closed and row["relapse_of"] is None:
            of = self.closed[-1 - pick(case, "earlier", len(self.closed))]
            desk["version"] = await joining.relapse(case, of=of, note="再次发生", **desk)
        again = row["returns"] and pick(case + row["returns"], "again") < 40
        await self.dispatch(case, self.office(row, again=bool(again)), desk)

    def neighbor(self, case: int) -> int | None:
        """The case dispatched last that offices work on."""
        going = ("dispatched", "handling")
        last = (one for one in reversed(self.sorted[-20:]) if one != case)
        return next((one for one in last if self.cases[one]["status"] in going), None)

    def office(self, row: Any, *, again: bool) -> str:
        """The office the rules suggest, or another; after a return the same one or another."""
        had = [one for one in self.of(row["id"]) if one["lead"]]
        if had and again:
            return str(had[-1]["department"])
        suggested = row["suggested"]
        if had or suggested == "out_of_scope" or pick(row["id"], "other") < 10:
            free = [one for one in OTHERS if one not in {h["department"] for h in had}]
            return free[pick(row["id"], "whom", len(free))]
        return str(suggested)

    async def dispatch(self, case: int, department: str, desk: dict[str, Any]) -> None:
        joint = pick(case, "joint") < 5
        support = (
            [one for one in OTHERS if one != department][: 1 + pick(case, "two", 2)]
            if joint
            else None
        )
        await self.hub.commands.cases.dispatch(
            case, department=department, support=support, joint=joint or None, **desk
        )
        if pick(case + desk["version"], "undo") < 4:
            self.later(0, "undo", case, seconds=5)

    async def undo(self, case: int) -> None:
        """A slip: taken back within seconds, dispatched anew in an hour."""
        row = self.cases[case]
        await self.hub.commands.undoing.undo(case, version=row["version"], actor="desk")
        self.later(1, "sort", case)

    async def answer(self, asked: int) -> None:
        """The desk grants or refuses what an office asked for; whom it concerns is the order."""
        q = T.requests.c
        for row in await self.rows(select(q.id).where(q.order_id == asked, q.state == "open")):
            granted = pick(asked, "granted") < 70
            await self.hub.commands.requests.answer(
                row["id"], actor="desk", granted=granted, note="同意" if granted else "不同意"
            )

    async def resume(self, case: int) -> None:
        version = self.cases[case]["version"]
        await self.hub.commands.cases.resume(case, version=version, actor="desk", note="条件具备")

    async def check(self, case: int) -> None:
        """核查: one in eight fails, some twice; most of the good ones are closed at once."""
        row = self.cases[case]
        if row["status"] != "handled":
            return
        if pick(case + row["reworks"], "check") < 12:
            await self.verify(row, passed=False, note="现场仍未清理")
        elif pick(case, "at once") < 80:
            await self.close(case)
        else:
            await self.verify(row, passed=True, note="")
            self.later(1, "close", case)

    async def verify(self, row: Any, *, passed: bool, note: str) -> None:
        desk = {"version": row["version"], "actor": "desk", "note": note}
        await self.hub.commands.cases.verify(row["id"], passed=passed, **desk)

    async def close(self, case: int) -> None:
        """结案; a few by mistake, taken back within seconds."""
        row = self.cases[case]
        desk = {"version": row["version"], "actor": "desk"}
        await self.hub.commands.cases.close(case, note="已办结", **desk)
        if pick(case + row["version"], "slip") < 3:
            self.later(0, "unclose", case, seconds=5)
        else:
            self.closed.append(case)
            if pick(case, "called") < 60:
                self.later(20 + pick(case, "asked", 60), "ask", case)

    async def unclose(self, case: int) -> None:
        version = self.cases[case]["version"]
        await self.hub.commands.undoing.undo(case, version=version, actor="desk")
        self.later(1, "close", case)

    async def reopen(self, case: int) -> None:
        version = self.cases[case]["version"]
        await self.hub.commands.cases.reopen(
            case, version=version, actor="desk", reason="unsolved", note="市民反映问题仍在"
        )

    async def sweep(self, _day: int) -> None:
        """Supervision looks at what is late."""
        while await self.supervisor.sweep(self.clock.now) == BATCH:
            pass

    # offices

    async def office_does(self, row: Any, verb: Verb, **more: Any) -> None:
        await self.hub.commands.office(
            row["id"],
            verb,
            actor=row["department"],
            scope=row["department"],
            note="情况说明",
            **more,
        )

    async def sign(self, order: int) -> None:
        """Sign; then return it, ask for time, ask to let it stand, or just do it. One in twenty is never done."""
        row, chance = self.orders[order], pick(order, "plan")
        await self.office_does(row, Verb.SIGN)
        if chance < 16:
            self.later(1, ("give_back", "ask_time")[chance % 2], order)
        elif chance < 20:
            self.later(1, "ask_stand", order)
        if pick(order, "never") >= 5:
            self.later(1 + pick(order, "work", 12) * (1 + 6 * (chance % 4 == 0)), "handle", order)

    async def give_back(self, order: int) -> None:
        row = self.orders[order]
        await self.office_does(row, Verb.RETURN_ORDER, reason="duty")
        if row["lead"]:
            self.later(2, "sort", row["case_id"])

    async def ask_time(self, order: int) -> None:
        row = self.orders[order]
        urgent = self.is_urgent(order)
        limit = Limit(amount=8, unit=Unit.URGENT_HOURS if urgent else Unit.WORK_HOURS)
        await self.office_does(row, Verb.ASK_EXTENSION, limit=limit)
        self.asked.add(order)
        self.later(3, "answer", order)

    async def ask_stand(self, order: int) -> None:
        await self.office_does(self.orders[order], Verb.ASK_SUSPENSION)
        self.asked.add(order)
        self.later(3, "answer", order)

    async def handle(self, order: int) -> None:
        """Done; while the office waits for an answer later, while the case stands when it goes on."""
        row, q = self.orders[order], T.requests.c
        if row["status"] != "signed" or self.cases[row["case_id"]]["status"] == "suspended":
            return
        if order in self.asked:
            waits = select(q.id).where(q.order_id == order, q.state == "open")
            if await self.rows(waits):
                self.later(3, "handle", order)
                return
        await self.office_does(row, Verb.HANDLE)
