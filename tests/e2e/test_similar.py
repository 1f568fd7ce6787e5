"""Two voices on one matter find each other beside the case, through the whole hub, on both journals."""

import asyncio
from typing import Any

from aiohttp.test_utils import TestClient
from people import case_of, log_in, submit

from hub.app import Hub


async def test_same_matter_is_shown_with_reasons_and_another_place_is_not(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    place = {"address": "渤海街"}
    await submit(client, id="1", text="渤海街人行道上摆满烧烤桌子，行人只能走马路", place=place)
    await submit(client, id="2", text="渤海街的烧烤摊把人行道全占了，天天晚上这样", place=place)
    await submit(
        client, id="3", text="胜利大街化粪池满了，粪水流到楼道里", place={"address": "胜利大街"}
    )
    first, second = await case_of(hub, "city:1"), await case_of(hub, "city:2")
    await case_of(hub, "city:3")
    await log_in(client, "wang")
    similar: list[dict[str, Any]] = []
    for _ in range(100):
        answer = await client.get(f"/desk/api/cases/{first.id}/similar")
        similar = (await answer.json())["similar"]
        if similar:
            break
        await asyncio.sleep(0.1)
    assert [one["case_no"] for one in similar] == [second.case_no]
    assert similar[0]["score"] > 0.3
    assert any(not reason["against"] for reason in similar[0]["reasons"])
    assert (await (await client.get("/desk/api/cases/1/similar")).json())["similar"] == []
    await log_in(client, "fa")
    assert (await client.get(f"/desk/api/cases/{first.id}/similar")).status == 403
