"""What each of WeChat's error codes asks for, and how often a token may be renewed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ingest.protocol import Told
from store.errors import RejectedError, TransientError

TOKEN_PATH = "/cgi-bin/stable_token"


def told(clock: Any, *, text: str = "已办结") -> Told:
    return Told("7", "oCitizen1", "", "20261124-ABC", "closed", text, clock() - timedelta(hours=1))


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
    account: Any, clock: Any, code: int, error: type[Exception], reason: str
) -> None:
    account.sim.wrote("oCitizen1")
    account.sim.fail("custom/send", errcode=code)
    with pytest.raises(error, match=str(code)) as caught:
        await account.account.answer(told(clock))
    assert getattr(caught.value, "reason", "") == reason
    assert "oCitizen1" not in str(caught.value)


@pytest.mark.parametrize("code", [40164, 61004])
async def test_unlisted_address_is_named_with_its_cure(connect: Any, code: int) -> None:
    made = await connect(egress="203.0.113.7")
    made.sim.fail("stable_token", errcode=code)
    with pytest.raises(TransientError, match=r"allow-list \(203\.0\.113\.7\)") as caught:
        await made.account.media("wechat:x")
    assert caught.value.retry_after_s == 600


async def test_wrong_secret_is_not_in_the_error(connect: Any) -> None:
    made = await connect()
    made.sim.secret = "another"
    with pytest.raises(TransientError) as caught:
        await made.account.media("wechat:x")
    assert made.account.config.app_secret.get_secret_value() not in str(caught.value)


async def test_token_is_asked_for_by_one_at_a_time(account: Any) -> None:
    one = account.sim.upload()
    await asyncio.gather(*(account.account.media(f"wechat:{one}") for _ in range(12)))
    assert account.sim.asked.count(TOKEN_PATH) == 1


async def test_token_somebody_else_renewed_is_taken_once_by_all(account: Any) -> None:
    one = account.sim.upload()
    await account.account.media(f"wechat:{one}")
    account.sim._token = ""
    await asyncio.gather(*(account.account.media(f"wechat:{one}") for _ in range(8)))
    assert account.sim.asked.count(TOKEN_PATH) == 2
    assert account.sim._forced_at is None


async def test_token_is_renewed_before_its_end(account: Any, clock: Any) -> None:
    one = account.sim.upload()
    for minutes, asked in ((0, 1), (118, 1), (1, 2)):
        clock.forward(minutes=minutes)
        await account.account.media(f"wechat:{one}")
        assert account.sim.asked.count(TOKEN_PATH) == asked


async def test_renewal_is_forced_no_more_often_than_allowed(account: Any, clock: Any) -> None:
    one, sim = account.sim.upload(), account.sim
    for _ in range(20):
        clock.forward(seconds=30)
        sim.fail("media/get", errcode=40001)
        await account.account.media(f"wechat:{one}")
    forced = sim._forced_at
    for seconds in (1, 600):
        clock.forward(seconds=seconds)
        sim.fail("media/get", errcode=40001)
        with pytest.raises(TransientError, match="may not be renewed yet"):
            await account.account.media(f"wechat:{one}")
    assert sim._forced_at == forced


async def test_call_refused_twice_is_put_off(account: Any) -> None:
    account.sim.fail("custom/send", errcode=40001, times=2)
    with pytest.raises(TransientError, match="40001"):
        await account.account.api.send_text("oCitizen1", "好")


@pytest.mark.parametrize("ref", ["https://x.invalid/a", "wechat:", "other:1"])
async def test_foreign_reference_is_refused(account: Any, ref: str) -> None:
    with pytest.raises(RejectedError):
        await account.account.media(ref)


async def test_long_answer_is_clipped(account: Any, clock: Any) -> None:
    account.sim.wrote("oCitizen1")
    await account.account.answer(told(clock, text="字" * 3000))
    assert len(account.sim.sent[0]["text"]["content"]) == 600


async def test_words_are_sent_unescaped(
    account: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[bytes] = []
    send = account.account.api._http.send

    async def noted(*args: Any, **more: Any) -> Any:
        bodies.append(more["body"])
        return await send(*args, **more)

    monkeypatch.setattr(account.account.api._http, "send", noted)
    account.sim.wrote("oCitizen1")
    await account.account.answer(told(clock, text="已办结🙏"))
    assert "已办结🙏".encode() in bodies[-1]


async def test_refusal_other_than_window_is_not_sent_by_template(connect: Any, clock: Any) -> None:
    made = await connect(template_id="T1")
    made.sim.fail("custom/send", errcode=43004)
    with pytest.raises(RejectedError):
        await made.account.answer(told(clock))
    assert made.sim.sent == []
