"""What leaves for offices when people change their minds: each once, in order, nothing that never was."""

from typing import Any

import pytest

from router.ladder import Level
from router.notify.backlog import Backlog
from router.notify.endpoints import build_senders
from router.notify.senders import Endpoint
from router.notify.words import Speech
from router.notify.worker import Deliverer
from router.supervision import Schedule
from router.supervisor import build_supervisor
from store.dead import DeadLetters
from store.model import Record
from store.outbox import Outbox
from store.ports import Answer
from store.tables import T
from store.vault import Vault

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


async def undo(town: Any, case: int) -> None:
    version = (await town.row(case)).version
    await town.commands.undoing.undo(case, version=version, actor="wang")


@pytest.mark.parametrize("followed", ["at once", ""])
async def test_taken_back_and_given_to_the_same_office_again(town: Any, followed: str) -> None:
    case = await town.case()
    for _ in range(3):
        await town.dispatch(case, "transport", support=("real_estate",))
        if followed:
            await town.deliver()
        town.clock.forward(seconds=7.999)
        await undo(town, case)
    await town.dispatch(case, "transport", support=("real_estate",))
    assert await town.deliver() == []
    town.clock.forward(seconds=9)
    left = await town.deliver()
    assert [(d.department, d.change) for d in left] == [("transport", "assigned"), ("real_estate", "assigned")]  # fmt: skip
    rows = await town.rows(T.deliveries)
    assert len({d.webhook_id for d in rows}) == len(rows)
    assert [d.seq for d in rows] == sorted({d.seq for d in rows})
    assert {d.state for d in rows[:-2]} <= {"cancelled"}
    assert left[-1].seq <= (await town.row(case)).notices


class Ear:
    """Every endpoint at once: keeps what it is sent."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.status = 200

    async def send(self, method: str, url: str, *, headers: Any = None, body: bytes = b"", **_: Any) -> Answer:  # fmt: skip
        self.heard.append((url, headers["webhook-id"]))
        return Answer(self.status, b"")


async def test_a_document_waits_behind_what_the_office_must_know_first(
    town: Any, vault: Vault, outbox: Outbox, city: Any
) -> None:
    case = await town.case()
    order = await town.sent(case, "transport")
    supervisor = build_supervisor(
        db=town.db, outbox=outbox, schedule=Schedule(city.ladder, city.deadlines, town.planner.timekeeper.zone),
        names=city.directory.names, superiors=lambda _: (), clock=town.clock,
    )  # fmt: skip
    await supervisor.issue_now(order.id, level=Level.URGE, actor="ducha")
    await town.deliver()
    ear = Ear()
    speech = Speech({}, town.planner.timekeeper.zone)
    deliverer = Deliverer(
        db=town.db, http=ear, dead=DeadLetters(town.db, vault, outbox), endpoints={"transport": Endpoint("transport", "transport", "webhook", url="https://a.example", secret=SECRET)},
        senders=build_senders(speech=speech, clock=town.clock, mail=None), clock=town.clock, observe=lambda *_: None,
    )  # fmt: skip
    first, second = [d for d in await town.rows(T.deliveries) if d.department == "transport"]
    ear.status = 500
    await deliverer.run_once()
    ear.status = 200
    town.clock.forward(seconds=60)
    while await deliverer.run_once():
        pass
    assert [one for _, one in ear.heard] == [first.webhook_id, first.webhook_id, second.webhook_id]


async def test_an_order_undone_before_its_notice_was_followed_is_never_due(town: Any) -> None:
    case = await town.case()
    version = await town.dispatch(case, "transport")
    await town.commands.undoing.undo(case, version=version, actor="wang")
    town.clock.forward(seconds=60)
    log = await town.rows(T.log, T.log.c.topic == "notices")
    records = [Record(one.record_id, one.key, one.payload) for one in log]
    dead = DeadLetters(town.db, Vault(b"m" * 32), Outbox(embedded=True))
    backlog = Backlog(town.db, dead, lambda *_: "")
    for record in records:  # the second comes late: between the two nothing may leave
        effects = await town.notices.prepare([record])
        await town.db.write(lambda tx, rows=effects: town.notices.apply(tx, rows))
        assert await backlog.due("transport", town.clock(), 50) == []
    assert [one.state for one in await town.rows(T.deliveries)] == ["cancelled"]
