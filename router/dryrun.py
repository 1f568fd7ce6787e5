"""What a changed rule would have done with the matters of the last days (dry run). Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select

from router.deadlines import Deadlines
from router.departments import Directory
from router.rules import Matter, Route, Router
from store.db import Database
from store.model import Decision, Kind
from store.numbers import PER_DAY
from store.tables import T
from store.understood import labels_of

EXAMPLES = 20
"""Cases shown by number."""

PAGE = 1_000
"""Items read at a time."""

NO_CASE, NO_RULE = "(no case)", ""

Judge = Callable[[Sequence[str]], Awaitable[Sequence[Mapping[str, Any]]]]
"""Texts to the columns of their verdicts, in order."""


@dataclass(frozen=True, slots=True)
class Past:
    """One message as it was understood and as it would be now; None where it asks for no case.

    ``decided`` is the office that a person gave its case to, empty where nobody did.
    """

    case_no: str
    was: Matter | None
    now: Matter | None
    decided: str = ""


class Example(NamedTuple):
    """A case that moves, with who led by which rule before and after."""

    case_no: str
    office: str
    rule: str
    new_office: str
    new_rule: str


@dataclass
class Moves:
    """Counts of what changes. ``offices`` and ``rules`` count (before, after) where they differ.

    ``decided`` cases had their office chosen by a person; ``before`` and ``after`` are how many of
    them the old and the new rules place there too; ``gained`` and ``lost`` name the cases between.
    """

    items: int = 0
    moved: int = 0
    support: int = 0
    urgency: int = 0
    deadline: int = 0
    offices: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    decided: int = 0
    before: int = 0
    after: int = 0
    gained: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: pairs as from, to and count, the largest first."""
        kept = {name: getattr(self, name) for name in _PLAIN}
        for name in ("offices", "rules"):
            pairs = getattr(self, name).most_common()
            kept[name] = [{"from": a, "to": b, "count": n} for (a, b), n in pairs]
        kept["examples"] = [one._asdict() for one in self.examples]
        return kept


_PLAIN = (
    "items", "moved", "support", "urgency", "deadline", "decided", "before", "after", "gained", "lost",
)  # fmt: skip


def compare(
    old: Router,
    new: Router,
    matters: Iterable[Past],
    *,
    deadlines: Deadlines,
    into: Moves | None = None,
) -> Moves:
    """Route every matter by both; counts are added to ``into``, which is returned."""
    moves = Moves() if into is None else into
    for past in matters:
        if past.was is None and past.now is None:
            continue
        moves.items += 1
        was, now = _route(old, past.was), _route(new, past.now)
        _count_move(moves, past, was, now)
        _count_limits(moves, past, was, now, deadlines)
        if past.decided:
            _count_decision(moves, past, was.lead, now.lead)
    return moves


_NOWHERE = Route(NO_CASE, (), NO_RULE)


def _route(router: Router, matter: Matter | None) -> Route:
    """By the router's own directory, which may know other territories."""
    if matter is None:
        return _NOWHERE
    area = router.directory.areas.get(matter.area.id) if matter.area else None
    return router.route(replace(matter, area=area))


def _count_move(moves: Moves, past: Past, was: Route, now: Route) -> None:
    if was.rule != now.rule:
        moves.rules[was.rule, now.rule] += 1
    if was.lead == now.lead:
        moves.support += set(was.support) != set(now.support)
        return
    moves.moved += 1
    moves.offices[was.lead, now.lead] += 1
    if past.case_no and len(moves.examples) < EXAMPLES:
        moves.examples.append(Example(past.case_no, was.lead, was.rule, now.lead, now.rule))


def _count_limits(moves: Moves, past: Past, was: Route, now: Route, deadlines: Deadlines) -> None:
    if past.was is None or past.now is None:
        return
    moves.urgency += past.was.urgency != past.now.urgency
    moves.deadline += was.limit_of(past.was, deadlines) != now.limit_of(past.now, deadlines)


def _count_decision(moves: Moves, past: Past, was: str, now: str) -> None:
    right_before, right_after = was == past.decided, now == past.decided
    moves.decided += 1
    moves.before += right_before
    moves.after += right_after
    shown = moves.gained if right_after else moves.lost
    if right_before != right_after and len(shown) < EXAMPLES:
        shown.append(past.case_no)


async def past(
    db: Database,
    directory: Directory,
    *,
    since: datetime,
    zone: ZoneInfo,
    judge: Judge | None = None,
    page: int = PAGE,
) -> AsyncIterator[list[Past]]:
    """Items received from ``since`` on that have a verdict, oldest first, a page at a time.

    With ``judge`` each is understood anew; without it by its present verdict. Only reads, so the
    hub may go on running.
    """
    last = int(since.astimezone(zone).strftime("%Y%m%d")) * PER_DAY
    while True:
        rows = await _page(db, last, since, page)
        if not rows:
            return
        last = rows[-1].id
        verdicts: Sequence[Mapping[str, Any]] = [row._mapping for row in rows]
        again = verdicts if judge is None else await judge([_body(row) for row in rows])
        yield [
            Past(
                case_no=row.case_no or "",
                was=_matter(row, verdict, directory, zone),
                now=_matter(row, other, directory, zone),
                decided=row.decided or "",
            )
            for row, verdict, other in zip(rows, verdicts, again, strict=True)
        ]


async def _page(db: Database, last: int, since: datetime, size: int) -> Sequence[Any]:
    i, v, k = T.items.c, T.verdicts.c, T.case_items.c
    statement = (
        select(
            i.id, i.channel, i.title, i.text, i.received_at,
            v.kind, v.problems, v.campaigns, v.urgency, v.decision, v.dept_hint, v.area, v.point,
            T.cases.c.case_no, T.corrections.c.department.label("decided"),
        )
        .join(T.verdicts, v.item_id == i.id)
        .outerjoin(T.case_items, k.item_id == i.id)
        .outerjoin(T.cases, T.cases.c.id == k.case_id)
        .outerjoin(T.corrections, T.corrections.c.item_id == i.id)
        .where(i.id > last, i.received_at >= since)
        .order_by(i.id)
        .limit(size)
    )  # fmt: skip
    async with db.read() as conn:
        return (await conn.execute(statement)).all()


def _body(row: Any) -> str:
    return f"{row.title}\n{row.text}" if row.title else str(row.text)


def _matter(
    row: Any, verdict: Mapping[str, Any], directory: Directory, zone: ZoneInfo
) -> Matter | None:
    """What the rules see of an item; None where neither an office nor a person has to act."""
    sure = verdict["decision"] != Decision.DESK
    if sure and verdict["kind"] in {Kind.PRAISE, Kind.CHATTER}:
        return None
    return Matter(
        kind=verdict["kind"],
        problems=labels_of(verdict["problems"]),
        campaigns=labels_of(verdict["campaigns"]),
        urgency=verdict["urgency"],
        channel=row.channel,
        hint=verdict["dept_hint"],
        text=_body(row),
        area=directory.areas.get(row.area),
        point=row.point,
        at=row.received_at.astimezone(zone),
    )
