"""A number follows what citizens say and people correct, through the whole hub, on both journals."""

import asyncio
from typing import Any

from aiohttp.test_utils import TestClient
from people import case_of, log_in, submit

from hub.app import Hub

ITEMS = {"indicator": "items"}


async def comes_to(client: TestClient[Any, Any], wanted: int, **asked: str) -> dict[str, Any]:
    """The number, once it is what it should be; whatever it is after ten seconds."""
    told: dict[str, Any] = {}
    for _ in range(200):
        answer = await client.get("/desk/api/number", params=ITEMS | asked)
        told = await answer.json()
        if told["numerator"] == wanted:
            break
        await asyncio.sleep(0.05)
    assert told["numerator"] == wanted, told
    return told


async def test_numbers_follow_messages_labels_and_joining(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    keys = await log_in(client, "wang")
    await comes_to(client, 0)
    await submit(client, id="1", text="胜利大街化粪池满了，污水流到路上")
    await submit(client, id="2", text="站前大街垃圾桶满了没人清运")
    first, second = [await case_of(hub, f"city:{n}") for n in (1, 2)]
    told = await comes_to(client, 2)
    assert set(told["cases"]) == {str(first.id), str(second.id)}

    labels = {"kind": "complaint", "problems": ["pets"], "campaigns": [], "urgency": "normal"}
    body = {"version": first.version, "labels": labels}
    answer = await client.post(f"/desk/api/cases/{first.id}/labels", json=body, headers=keys)
    assert answer.status == 200, await answer.text()
    told = await comes_to(client, 1, label="pets")
    assert told["cases"] == [str(first.id)]

    body = {
        "version": (await case_of(hub, "city:2")).version,
        "other": first.id,
        "note": "同一件事",
    }
    answer = await client.post(f"/desk/api/cases/{second.id}/merge", json=body, headers=keys)
    assert answer.status == 200, await answer.text()
    told = await comes_to(client, 2, label="pets")
    assert told["cases"] == [str(first.id)]
    await comes_to(client, 1, indicator="cases")
