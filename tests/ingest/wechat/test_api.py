"""Server calls against a simulated WeChat: tokens, media, answers, and every error code."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.sim.wechat import WeChatSim
from ingest.connectors.wechat import WeChat
from ingest.protocol import Answers, HasMedia, Told
from store.errors import RejectedError, TransientError

OPENID = "oFictional_citizen-000000001"
PNG = b"\x89PNG\r\n\x1a\n rest"
MakeAccount = Callable[..., WeChat]
TEMPLATE = {
    "template_id": "T1",
    "template_fields": {"character_string1": "{receipt}", "thing2": "{text}"},
}


def told(clock: Any, *, text: str = "您反映的问题已办结。", hours: float = 1) -> Told:
    return Told(
        channel_id="7", author=OPENID, thread="", receipt="202611240000001-ABCDEFGHJKLM", stage="closed",
        text=text, heard_at=clock() - timedelta(hours=hours),
    )  # fmt: skip


def sent(sim: WeChatSim) -> list[str]:
    return [path for path, _ in sim.received]


def test_it_can_answer_and_fetch(make_account: MakeAccount) -> None:
    assert isinstance(make_account(), Answers)
    assert isinstance(make_account(), HasMedia)


async def test_token_is_asked_for_once_by_all(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    account, ref = make_account(), sim.put_media(PNG, "image/png")
    await asyncio.gather(*(account.media(f"wechat:{ref}") for _ in range(20)))
    assert (sim.tokens_asked, sim.tokens_given) == (1, 1)


async def test_token_is_renewed_before_its_end(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    account, ref = make_account(), sim.put_media(PNG, "image/png")
    for minutes in (0, 100, 18, 1, 60):
        clock.forward(minutes=minutes)
        assert await account.media(f"wechat:{ref}") == (PNG, "image/png")
    assert sim.tokens_given == 2


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_refused_token_is_renewed_once_and_the_call_repeated(
    make_account: MakeAccount, sim: WeChatSim, code: int
) -> None:
    account, ref = make_account(), sim.put_media(PNG, "image/png")
    await account.media(f"wechat:{ref}")
    sim.fail("/media/get", errcode=code)
    assert await account.media(f"wechat:{ref}") == (PNG, "image/png")
    assert sim.tokens_given == 2  # WeChat gave the same again, so it was forced


async def test_token_somebody_else_renewed_is_taken_without_force(
    make_account: MakeAccount, sim: WeChatSim
) -> None:
    account, ref = make_account(), sim.put_media(PNG, "image/png")
    await account.media(f"wechat:{ref}")
    sim.revoke_tokens()
    await asyncio.gather(*(account.media(f"wechat:{ref}") for _ in range(8)))
    assert (sim.tokens_asked, sim.tokens_given) == (2, 2)
    assert sim.forced == []


async def test_renewal_is_forced_no_more_often_than_allowed(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    account, ref = make_account(), sim.put_media(PNG, "image/png")
    for _ in range(20):
        clock.forward(seconds=30)
        sim.fail("/media/get", errcode=40001)
        await account.media(f"wechat:{ref}")
    for seconds in (1, 600):
        clock.forward(seconds=seconds)
        sim.fail("/media/get", errcode=40001)
        with pytest.raises(TransientError, match="may not be renewed yet"):
            await account.media(f"wechat:{ref}")
    assert len(sim.forced) == 20


async def test_call_refused_twice_is_put_off(make_account: MakeAccount, sim: WeChatSim) -> None:
    sim.fail("/custom/send", errcode=40001, times=2)
    with pytest.raises(TransientError, match="40001"):
        await make_account().api.send_text(OPENID, "好")


@pytest.mark.parametrize(
    ("given", "expected"),
    [("image/jpeg", "image/jpeg"), ("voice/speex", "audio/speex"), ("audio/amr", "audio/amr"), ("video/mp4", "video/mp4")],
)  # fmt: skip
async def test_media_come_with_their_type(
    make_account: MakeAccount, sim: WeChatSim, given: str, expected: str
) -> None:
    ref = sim.put_media(b"#!AMR\n content", given)
    assert await make_account().media(f"wechat:{ref}") == (b"#!AMR\n content", expected)


async def test_media_are_gone_after_three_days(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    ref = sim.put_media(PNG, "image/png")
    clock.forward(days=3, seconds=1)
    with pytest.raises(RejectedError) as caught:
        await make_account().media(f"wechat:{ref}")
    assert caught.value.reason == "gone"


@pytest.mark.parametrize("ref", ["https://x.invalid/a", "wechat:", "other:1"])
async def test_foreign_reference_is_refused(make_account: MakeAccount, ref: str) -> None:
    with pytest.raises(RejectedError):
        await make_account().media(ref)


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        (-1, TransientError, ""), (45009, TransientError, ""), (45011, TransientError, ""), (41001, TransientError, ""),
        (40003, RejectedError, "gone"), (43004, RejectedError, "gone"), (40007, RejectedError, "gone"),
        (45015, RejectedError, "window"), (45047, RejectedError, "quota"), (48001, RejectedError, "refused"),
        (48004, RejectedError, "refused"), (50002, RejectedError, "refused"), (99999, RejectedError, "refused"),
    ],
)  # fmt: skip
async def test_error_code_means_what_to_do(
    make_account: MakeAccount, sim: WeChatSim, clock: Any, code: int, error: type, reason: str
) -> None:
    sim.wrote(OPENID)
    sim.fail("/custom/send", errcode=code)
    with pytest.raises(error, match=str(code)) as caught:
        await make_account().answer(told(clock))
    assert getattr(caught.value, "reason", "") == reason
    assert OPENID not in str(caught.value)


@pytest.mark.parametrize("code", [40164, 61004])
async def test_unlisted_address_is_named_with_its_cure(
    make_account: MakeAccount, sim: WeChatSim, code: int
) -> None:
    sim.fail("/stable_token", errcode=code)
    with pytest.raises(TransientError, match=r"allow-list \(203\.0\.113\.7\)") as caught:
        await make_account(egress="203.0.113.7").media("wechat:x")
    assert caught.value.retry_after_s == 600


async def test_wrong_secret_is_said_without_it(make_account: MakeAccount) -> None:
    with pytest.raises(TransientError, match="check app_secret") as caught:
        await make_account(app_secret="wrong-and-secret").media("wechat:x")
    assert "wrong-and-secret" not in str(caught.value)


@pytest.mark.parametrize("path", ["/stable_token", "/media/get"])
async def test_proxy_error_is_put_off(make_account: MakeAccount, sim: WeChatSim, path: str) -> None:
    sim.fail(path, status=502)
    with pytest.raises(TransientError, match="HTTP 502"):
        await make_account().media("wechat:x")


async def test_answer_is_sent_unescaped(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    sim.wrote(OPENID)
    await make_account().answer(told(clock, text="已办结🙏"))
    path, body = sim.received[0]
    assert (path, body["touser"], body["text"]["content"]) == (
        "message/custom/send",
        OPENID,
        "已办结🙏",
    )
    assert "已办结🙏" in body["raw"]


async def test_long_answer_is_clipped(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    sim.wrote(OPENID)
    await make_account().answer(told(clock, text="字" * 3000))
    assert len(sim.received[0][1]["text"]["content"]) == 600


async def test_sixth_answer_goes_by_template(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    sim.wrote(OPENID)
    account = make_account(**TEMPLATE)
    for _ in range(6):
        await account.answer(told(clock, text="长" * 30))
    assert sent(sim)[-2:] == ["message/custom/send", "message/template/send"]
    data = sim.received[-1][1]["data"]
    assert data["character_string1"]["value"] == "202611240000001-ABCDEFGHJKLM"
    assert data["thing2"]["value"] == "长" * 19 + "…"


async def test_sixth_answer_without_template_is_refused(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    sim.wrote(OPENID)
    account = make_account()
    for _ in range(5):
        await account.answer(told(clock))
    with pytest.raises(RejectedError) as caught:
        await account.answer(told(clock))
    assert caught.value.reason == "quota"


async def test_after_48_hours_the_template_goes_at_once(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    await make_account(**TEMPLATE).answer(told(clock, hours=48))
    assert sent(sim) == ["message/template/send"]


async def test_after_48_hours_without_template_nothing_is_sent(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    with pytest.raises(RejectedError) as caught:
        await make_account().answer(told(clock, hours=48))
    assert caught.value.reason == "window"
    assert sim.received == []


async def test_same_answer_has_the_same_message_id(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    account = make_account(**TEMPLATE)
    for text in ("a", "a", "b"):
        await account.answer(told(clock, text=text, hours=49))
    ids = [body["client_msg_id"] for _, body in sim.received]
    assert ids[0] == ids[1] != ids[2]


async def test_refusal_other_than_window_does_not_fall_back(
    make_account: MakeAccount, sim: WeChatSim, clock: Any
) -> None:
    sim.fail("/custom/send", errcode=43004)
    with pytest.raises(RejectedError):
        await make_account(**TEMPLATE).answer(told(clock))
    assert sent(sim) == ["message/custom/send"]
