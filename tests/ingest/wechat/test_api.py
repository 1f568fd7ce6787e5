"""Calls to WeChat's server: tokens, media, messages within the window, templates outside it."""

from datetime import timedelta
from typing import Any

import pytest

from ingest.protocol import Told
from store.errors import RejectedError, TransientError


def told(clock: Any, *, hours: float = 0.0, text: str = "已转市执法局办理") -> Told:
    heard_at = clock() - timedelta(hours=hours)
    facts = {"office": "市执法局", "due": "11月26日"}
    return Told("1", "oCitizen1", "", "20261124-ABC", "dispatched", text, heard_at, facts)


TEMPLATE = {
    "template_id": "T1",
    "template_fields": {"character_string1": "{receipt}", "thing2": "{text}", "thing3": "{office}"},
}


async def test_picture_voice_and_video_are_fetched_with_one_token(account: Any) -> None:
    sim = account.sim
    ids = [sim.upload(), sim.upload(b"#!AMR", "voice/amr"), sim.upload(b"mp4", "video/mp4")]
    found = [await account.account.media(f"wechat:{one}") for one in ids]
    assert [kind for _, kind in found] == ["image/jpeg", "audio/amr", "video/mp4"]
    assert found[2][0] == b"mp4"
    assert sim.asked.count("/cgi-bin/stable_token") == 1


async def test_expired_media_are_gone_for_good(account: Any, clock: Any) -> None:
    one = account.sim.upload()
    clock.forward(days=3)
    with pytest.raises(RejectedError):
        await account.account.media(f"wechat:{one}")


async def test_refused_token_is_renewed_once_and_the_call_repeated(account: Any) -> None:
    one = account.sim.upload()
    await account.account.media(f"wechat:{one}")
    account.sim.fail("media/get", errcode=42001)
    assert (await account.account.media(f"wechat:{one}"))[1] == "image/jpeg"
    assert account.sim.asked.count("/cgi-bin/stable_token") >= 2


@pytest.mark.parametrize("fault", [{"errcode": -1}, {"status": 502}])
async def test_passing_trouble_is_to_be_tried_again(account: Any, fault: dict[str, int]) -> None:
    one = account.sim.upload()
    account.sim.fail("media/get", **fault)
    with pytest.raises(TransientError):
        await account.account.media(f"wechat:{one}")


async def test_answer_within_the_window_is_a_message_in_chinese(account: Any, clock: Any) -> None:
    account.sim.wrote("oCitizen1")
    await account.account.answer(told(clock))
    (sent,) = account.sim.sent
    assert sent["text"]["content"] == "已转市执法局办理"


async def test_answer_outside_the_window_is_the_template(connect: Any, clock: Any) -> None:
    account = await connect(**TEMPLATE)
    await account.account.answer(told(clock, hours=49))
    (sent,) = account.sim.sent
    assert sent["data"]["character_string1"] == {"value": "20261124-ABC"}
    assert sent["data"]["thing3"] == {"value": "市执法局"}
    await account.account.answer(told(clock, hours=49))
    assert len(account.sim.sent) == 1


async def test_used_up_quota_falls_back_to_the_template(connect: Any, clock: Any) -> None:
    account = await connect(**TEMPLATE)
    account.sim.wrote("oCitizen1")
    for n in range(6):
        await account.account.answer(told(clock, text=f"第{n}次"))
    assert ["template_id" in one for one in account.sim.sent] == [False] * 5 + [True]


async def test_without_a_template_it_is_refused_with_the_reason(account: Any, clock: Any) -> None:
    with pytest.raises(RejectedError):
        await account.account.answer(told(clock, hours=49))
    assert account.sim.sent == []
