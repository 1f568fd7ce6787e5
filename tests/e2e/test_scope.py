"""A subdistrict sees its own cases and no other, on every route; words find a case while it changes, on both journals."""

import asyncio
from typing import Any

from aiohttp.test_utils import TestClient
from people import case_of, log_in, submit
from sqlalchemy import update

from hub.app import Hub
from store.tables import T

ROUTES = (
    "/desk/api/queue?view=all",
    "/desk/api/queue?view=waiting",
    "/desk/api/queue?view=all&area=shengli",
    "/desk/api/queue?view=all&ids={other}",
    "/desk/api/queue?view=all&q=胜利大街",
    "/desk/api/queue?view=all&q={other}",
    "/desk/api/cases?ids={own},{other}",
    "/desk/api/cases/{other}",
    "/desk/api/cases/{other}/around",
    "/desk/api/cases/{own}/around",
    "/desk/api/cases/{other}/similar",
    "/desk/api/cases/{own}/similar",
    "/desk/api/cases/{own}",
    "/desk/api/cases/{other}/photos",
    "/desk/api/cases/{other}/media",
    "/desk/api/tasks",
    "/desk/api/requests",
    "/desk/assessment/cases",
    "/inbox/api/orders",
)


async def told(client: TestClient[Any, Any], path: str) -> tuple[int, str]:
    answer = await client.get(path)
    return answer.status, await answer.text()


async def version_after(hub: Hub, version: int) -> int:
    """The version of the first message's case once its author's edit has reached it."""
    for _ in range(500):
        now = (await case_of(hub, "city:1")).version
        if now > version:
            return int(now)
        await asyncio.sleep(0.02)
    msg = f"still version {version}"
    raise TimeoutError(msg)


async def found(client: TestClient[Any, Any], words: str, wanted: list[str]) -> bool:
    """Whether a search tells exactly these numbers within some seconds."""
    for _ in range(200):
        answer = await client.get("/desk/api/queue", params={"view": "all", "q": words})
        rows = (await answer.json())["rows"]
        if [row["case_no"] for row in rows] == wanted:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_scope_and_search_through_the_whole_hub(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    await submit(client, id="1", text="胜利大街化粪池满了，粪水流到楼道里")
    await submit(client, id="2", text="渤海街路口摆摊占道，天天堵车")
    await submit(client, id="3", text="站前大街垃圾桶满了没人清运")
    other, own, third = [await case_of(hub, f"city:{n}") for n in (1, 2, 3)]
    for one, area in ((other, "shengli"), (own, "bohai"), (third, "shengli")):
        moved = update(T.cases).where(T.cases.c.id == one.id).values(area=area, relapse_of=other.id)
        await hub.db.write(lambda tx, moved=moved: tx.run(moved))
    keys = await log_in(client, "wang")
    assert await found(client, "粪水 楼道", [other.case_no])
    assert await found(client, own.case_no[-5:], [own.case_no])

    await submit(client, id="1", text="胜利大街路灯坏了三天")
    assert await found(client, "路灯坏了", [other.case_no])
    assert await found(client, "粪水", [])
    version = await version_after(hub, other.version)
    body = {"version": version, "other": third.id, "note": "同一件事"}
    path = f"/desk/api/cases/{other.id}"
    answer = await client.post(f"{path}/merge", json=body, headers=keys)
    assert answer.status == 200, await answer.text()
    assert await found(client, "路灯坏了", [third.case_no])
    body = {"version": (await answer.json())["version"], "note": "两件事"}
    assert (await client.post(f"{path}/unmerge", json=body, headers=keys)).status == 200
    assert await found(client, "路灯坏了", [other.case_no])

    await log_in(client, "jie")
    answers = {path: await told(client, path.format(own=own.id, other=other.id)) for path in ROUTES}
    assert {path: status for path, (status, _) in answers.items() if status >= 500} == {}
    said = (other.case_no, "路灯坏了", "胜利大街路灯")
    assert [path for path, (_, text) in answers.items() if any(one in text for one in said)] == []
    assert own.case_no in answers["/desk/api/queue?view=all"][1]
    assert own.case_no in answers["/desk/api/cases?ids={own},{other}"][1]
