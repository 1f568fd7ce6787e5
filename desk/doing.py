"""What staff do with one case: one table from words in addresses to commands, used for one case and for many.

Every word a person writes is redacted before it goes anywhere (``ingest.redact``): some reach citizens, all are kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from desk.accounts import User
from desk.bodies import Aside, Body, aware, labels_of, number_of, part_of
from desk.claims import Claims
from ingest.redact import redact
from router.commands import Commands
from router.workflow import Verb
from store.config import Taxonomy
from store.db import Database, Tx
from store.errors import RejectedError
from store.tables import T

Done = Mapping[str, Any]


def may_note(user: User) -> bool:
    """Whether this person writes notes for colleagues."""
    return user.may_dispatch() or user.may_supervise()


class Command(NamedTuple):
    """The body it takes, what it does, and whose it is."""

    body: type[Any]
    work: Callable[[int, User, Any], Awaitable[Done]]
    allowed: Callable[[User], bool]


class Doing:
    """The commands by word. Each answers what its page is told: mostly the case's new ``version``."""

    def __init__(
        self,
        db: Database,
        commands: Commands,
        taxonomy: Taxonomy,
        claims: Claims,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._commands = commands
        self._taxonomy = taxonomy
        self._claims = claims
        self._clock = clock
        deciding: dict[str, Callable[[int, User, Body], Awaitable[Done]]] = {
            "dispatch": self._dispatch,
            "undo": self._undo,
            "split": self._split,
            **{word: self._told(word) for word in PLAIN},
        }
        table = {word: Command(Body, work, User.may_dispatch) for word, work in deciding.items()}
        table |= {
            "note": Command(Aside, self._note, may_note),
            "claim": Command(Aside, self._claim, User.may_dispatch),
            "release": Command(Aside, self._release, User.may_dispatch),
            "break": Command(Aside, self._break, User.may_supervise),
        }
        self.table: Mapping[str, Command] = MappingProxyType(table)

    def _told(self, word: str) -> Callable[[int, User, Body], Awaitable[Done]]:
        """A command that needs nothing of the desk's but the words in its body, and answers a version."""
        make = PLAIN[word]

        async def work(case_id: int, user: User, body: Body) -> Done:
            seen = {"version": body.version, "actor": user.name}
            return {"version": await make(self, case_id, body, seen)}

        return work

    async def _dispatch(self, case_id: int, user: User, body: Body) -> Done:
        """To the office named; else to the one suggested, or planned for the labels given."""
        labels = None if body.labels is None else labels_of(body.labels, self._taxonomy)
        department = body.department
        if not department:
            department = (await self._commands.proposing.planned(case_id, labels)).department
            if department == self._commands.cases.planner.rules.directory.out_of_scope:
                msg = "desk: department: the rules see no office of this system; refer the case"
                raise RejectedError(msg, reason="outside")
        version = await self._commands.cases.dispatch(
            case_id,
            version=body.version,
            actor=user.name,
            department=department,
            labels=labels,
            support=body.support,
            joint=body.joint,
        )
        return {"version": version, "department": department}

    async def _undo(self, case_id: int, user: User, body: Body) -> Done:
        undo = self._commands.undoing.undo
        return {"version": await undo(case_id, version=body.version, actor=user.name)}

    async def _split(self, case_id: int, user: User, body: Body) -> Done:
        parts = [part_of(one, redact(one.words), self._taxonomy) for one in body.parts]
        version, numbers = await self._commands.splitting.split(
            case_id, version=body.version, actor=user.name, parts=parts
        )
        return {"version": version, "parts": [str(number) for number in numbers]}

    async def end(self, case_id: int, body: Body, seen: dict[str, Any], verb: Verb) -> int:
        """Decline or refer."""
        note = redact(body.note)
        return await self._commands.cases.end(case_id, verb=verb, note=note, **seen)

    async def case(
        self, name: str, case_id: int, body: Body, seen: dict[str, Any], **more: Any
    ) -> int:
        """A command of the case with the person's words."""
        work = getattr(self._commands.cases, name)
        version: int = await work(case_id, note=redact(body.note), **seen, **more)
        return version

    async def join(
        self, name: str, case_id: int, body: Body, seen: dict[str, Any], **more: Any
    ) -> int:
        """A command that says which cases are one matter."""
        work = getattr(self._commands.joining, name)
        version: int = await work(case_id, note=redact(body.note), **seen, **more)
        return version

    async def labels(self, case_id: int, body: Body, seen: dict[str, Any]) -> int:
        """Other labels; the case stays at the desk."""
        if body.labels is None:
            msg = "desk: labels: missing; choose at least the kind"
            raise RejectedError(msg, reason="label")
        labels = labels_of(body.labels, self._taxonomy)
        note = redact(body.note)
        return await self._commands.labeling.label(case_id, labels=labels, note=note, **seen)

    async def snooze(self, case_id: int, body: Body, seen: dict[str, Any]) -> int:
        """Put off."""
        until = aware(body.until, "until", "until")
        snooze = self._commands.snoozing.snooze
        return await snooze(case_id, until=until, note=redact(body.note), **seen)

    async def wake(self, case_id: int, body: Body, seen: dict[str, Any]) -> int:
        """Take up again."""
        return await self._commands.snoozing.wake(case_id, note=redact(body.note), **seen)

    async def ask(self, case_id: int, body: Body, seen: dict[str, Any]) -> int:
        """Ask the citizen."""
        return await self._commands.snoozing.ask(case_id, text=redact(body.text), **seen)

    async def _note(self, case_id: int, user: User, body: Aside) -> Done:
        """Words for colleagues, kept beside the case, never sent; twice the same is one whose answer was lost."""
        text = redact(body.text).strip()
        if not text:
            msg = "desk: text: a note needs words; write them"
            raise RejectedError(msg, reason="note")
        row = {"case_id": case_id, "actor": user.name, "text": text, "at": self._clock()}

        async def work(tx: Tx) -> int:
            c = T.cases.c
            found = (await tx.run(select(c.version).where(c.id == case_id))).first()
            if found is None:
                msg = "desk: no such case; look at its number again"
                raise RejectedError(msg, reason="case")
            n = T.case_notes.c
            newest = select(n.actor, n.text).where(n.case_id == case_id).order_by(n.id.desc())
            last = (await tx.run(newest.limit(1))).first()
            if last is None or tuple(last) != (user.name, text):
                await tx.run(insert(T.case_notes).values(**row))
                tx.touched.add("desk")
            return int(found.version)

        return {"version": await self._db.write(work)}

    async def _claim(self, case_id: int, user: User, _: Aside) -> Done:
        await self._claims.claim(case_id, user)
        return {}

    async def _release(self, case_id: int, user: User, _: Aside) -> Done:
        await self._claims.release(case_id, user)
        return {}

    async def _break(self, case_id: int, user: User, body: Aside) -> Done:
        await self._claims.break_(case_id, user, redact(body.note))
        return {}


Plain = Callable[[Doing, int, Body, dict[str, Any]], Awaitable[int]]

PLAIN: Mapping[str, Plain] = MappingProxyType(
    {
        "recall": lambda do, n, body, seen: do.case("recall", n, body, seen),
        "decline": lambda do, n, body, seen: do.end(n, body, seen, Verb.DECLINE),
        "refer": lambda do, n, body, seen: do.end(n, body, seen, Verb.REFER),
        "pass": lambda do, n, body, seen: do.case("verify", n, body, seen, passed=True),
        "rework": lambda do, n, body, seen: do.case("verify", n, body, seen, passed=False),
        "close": lambda do, n, body, seen: do.case("close", n, body, seen),
        "reopen": lambda do, n, body, seen: do.case("reopen", n, body, seen, reason=body.reason),
        "suspend": lambda do, n, body, seen: do.case("suspend", n, body, seen),
        "resume": lambda do, n, body, seen: do.case("resume", n, body, seen),
        "instruct": lambda do, n, body, seen: do.case(
            "instruct", n, body, seen, wanted_at=aware(body.wanted_at, "wanted_at", "deadline")
        ),
        "merge": lambda do, n, body, seen: do.join(
            "merge", n, body, seen, into=number_of(body.other)
        ),
        "unmerge": lambda do, n, body, seen: do.join("unmerge", n, body, seen),
        "relapse": lambda do, n, body, seen: do.join(
            "relapse", n, body, seen, of=number_of(body.other)
        ),
        "labels": Doing.labels,
        "snooze": Doing.snooze,
        "wake": Doing.wake,
        "ask": Doing.ask,
    }
)
"""Words whose commands answer the case's new version and nothing else."""
