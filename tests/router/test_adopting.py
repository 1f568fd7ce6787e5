"""Offices and endpoints that come and go while orders and messages wait for them."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update

from router.notify.senders import Endpoint
from router.notify.stranded import stranded
from router.notify.worker import NoticeWorker
from router.owners import watch_owners
from router.tasks import TaskKind, TaskRole, Tasks
from store.db import Tx
from store.model import NoticeRef
from store.outbox import record
from store.ports import Answer
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
HERE = Endpoint("a", "a", "webhook", url="https://a.example/in", secret=SECRET)
MOVED = Endpoint("a", "a", "webhook", url="https://b.example/in", secret=SECRET)


class Http:
    """Answers every call with one status and keeps the addresses."""

    def __init__(self, status: int = 204) -> None:
        self.status, self.urls = status, list[str]()

    async def send(self, method: str, url: str, **_: Any) -> Answer:
        assert method == "POST"
        self.urls.append(url)
        return Answer(self.status, b"", {})


async def test_messages_to_an_endpoint_that_goes_wait_until_it_is_back(desk: Any) -> None:
    order, http = await desk.case(), Http()
    await desk.tell({"a": HERE}, order)
    deliverer = desk.deliverer({"a": HERE}, http)
    deliverer.adopt({})
    assert await deliverer.run_once() == 0
    assert await desk.states() == ["pending"]
    assert await stranded(desk.db, {}) == {"a": 1}
    assert await stranded(desk.db, {"a": HERE}) == {}
    deliverer.adopt({"a": HERE})
    assert await deliverer.run_once() == 1
    assert http.urls == [HERE.url]
    assert await desk.states() == ["delivered"]
    assert await stranded(desk.db, {}) == {}


async def test_an_endpoint_that_moved_is_tried_at_once_at_its_new_address(
    desk: Any, clock: Any
) -> None:
    http = Http(503)
    deliverer = desk.deliverer({"a": HERE}, http)
    for n in range(5):
        await desk.tell({"a": HERE}, await desk.case(n))
    await deliverer.run_once()
    clock.forward(seconds=10)
    assert await deliverer.run_once() == 0
    deliverer.adopt({"a": MOVED})
    http.status = 204
    assert await deliverer.run_once() == 4  # the fifth failure's own wait is a probe's
    assert set(http.urls[5:]) == {MOVED.url}


async def test_a_notice_goes_to_the_endpoints_of_its_hour(desk: Any, clock: Any) -> None:
    order = await desk.case()
    worker = NoticeWorker(db=desk.db, endpoints={}, clock=clock)
    told = [record(f"{order}:1", str(order // 100), NoticeRef(order, "a", "assigned", 1))]
    assert await worker.prepare(told) == []
    worker.adopt({"a": HERE})
    assert [row["department"] for row in await worker.prepare(told)] == ["a"]


async def test_an_order_without_an_owner_is_a_task_until_it_has_one(desk: Any, clock: Any) -> None:
    tasks = Tasks(desk.db, clock)
    mine, other = await desk.case(0, department="a"), await desk.case(1, department="b")
    assert await watch_owners(desk.db, {"a", "b"}, clock(), ZONE) == 0
    assert await watch_owners(desk.db, {"b"}, clock(), ZONE) == 1
    assert await watch_owners(desk.db, {"b"}, clock(), ZONE) == 0
    (task,) = await tasks.open(TaskRole.DISPATCHER)
    assert (task["kind"], task["order_id"], task["note"]) == (TaskKind.OFFICE_GONE, mine, "a")

    await tasks.done(task["id"], actor="wang", role=TaskRole.DISPATCHER)
    assert await watch_owners(desk.db, {"b"}, clock(), ZONE) == 0
    clock.forward(days=1)
    assert await watch_owners(desk.db, {"b"}, clock(), ZONE) == 1

    async def end(tx: Tx) -> None:
        o = T.work_orders.c
        await tx.run(update(T.work_orders).where(o.id == mine).values(status="withdrawn"))

    await desk.db.write(end)
    assert await watch_owners(desk.db, {"b"}, clock(), ZONE) == 0
    assert await tasks.open(TaskRole.DISPATCHER) == []
    assert other


async def test_an_office_that_is_back_settles_its_tasks(desk: Any, clock: Any) -> None:
    await desk.case(0)
    assert await watch_owners(desk.db, {"b"}, clock(), ZONE) == 1
    assert await watch_owners(desk.db, {"a"}, clock(), ZONE) == 0
    assert await Tasks(desk.db, clock).open(TaskRole.DISPATCHER) == []
