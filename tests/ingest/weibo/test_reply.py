"""Citizens are told something under their post or comment."""

from typing import Any

import pytest

from ingest.connectors.weibo.reply import cut
from ingest.protocol import Answers, Told
from store.errors import RejectedError, TransientError

TEXT = "您反映的问题（受理号 7-AB）已转市政局办理。"


def told(clock: Any, channel_id: object, *, thread: object = "", text: str = TEXT) -> Told:
    return Told(str(channel_id), "2000", str(thread), "7-AB", "dispatched", text, clock.now)


@pytest.fixture
def speaking(weibo: Any) -> Any:
    weibo.connect(reply=True, operator_ip="203.0.113.7")
    assert isinstance(weibo.source, Answers)
    return weibo


async def test_comment_under_a_post(speaking: Any, clock: Any) -> None:
    number = speaking.sim.post("井盖缺失")
    await speaking.source.answer(told(clock, number))
    assert speaking.sim.sent == [
        {"id": str(number), "comment": TEXT, "comment_ori": "0", "rip": "203.0.113.7"}
    ]
    assert speaking.source.health().budget_left == 99


async def test_reply_to_a_comment(speaking: Any, clock: Any) -> None:
    number = speaking.sim.post("通知", "ours")
    comment = speaking.sim.comment(number, "为什么停水")
    await speaking.source.answer(told(clock, f"c{comment}", thread=number))
    assert speaking.sim.requests[-1][0] == "comments/reply"
    assert (speaking.sim.sent[0]["id"], speaking.sim.sent[0]["cid"]) == (str(number), str(comment))


async def test_said_before_counts_as_sent(speaking: Any, clock: Any) -> None:
    number = speaking.sim.post("井盖缺失")
    for _ in range(2):
        await speaking.source.answer(told(clock, number))
    assert len(speaking.sim.sent) == 1
    assert speaking.asked() == 2


async def test_long_words_are_cut(speaking: Any, clock: Any) -> None:
    number = speaking.sim.post("井盖缺失")
    await speaking.source.answer(told(clock, number, text="答" * 300))
    assert speaking.sim.sent[0]["comment"] == "答" * 139 + "…"
    assert cut("答" * 140) == "答" * 140


async def test_deleted_post_can_not_be_answered(speaking: Any, clock: Any) -> None:
    number = speaking.sim.post("井盖缺失")
    speaking.sim.delete(number)
    with pytest.raises(RejectedError) as caught:
        await speaking.source.answer(told(clock, number))
    assert caught.value.reason == "gone"


@pytest.mark.parametrize(
    ("channel_id", "thread"), [("c5", ""), ("x5", ""), ("", ""), ("c", "5"), ("c5", "x")]
)
async def test_unknown_post_can_not_be_answered(
    speaking: Any, clock: Any, channel_id: str, thread: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        await speaking.source.answer(told(clock, channel_id, thread=thread))
    assert (caught.value.reason, speaking.asked()) == ("unanswerable", 0)


async def test_replies_are_off_by_default(weibo: Any, clock: Any) -> None:
    number = weibo.sim.post("井盖缺失")
    with pytest.raises(RejectedError, match="operator_ip"):
        await weibo.source.answer(told(clock, number))
    assert weibo.asked() == 0


async def test_reserve_is_for_replies_and_the_last_call_is_kept_to(
    speaking: Any, clock: Any
) -> None:
    number = speaking.sim.post("井盖缺失")
    speaking.sim.used = 96
    await speaking.poll()
    speaking.asked()
    for n in range(4):
        await speaking.source.answer(told(clock, number, text=f"{TEXT}{n}"))
    with pytest.raises(TransientError) as caught:
        await speaking.source.answer(told(clock, number, text="最后"))
    assert caught.value.retry_after_s == 15 * 3600
    assert speaking.asked() == 4
    clock.forward(hours=15)
    await speaking.source.answer(told(clock, number, text="最后"))


async def test_busy_weibo_is_asked_again(speaking: Any, clock: Any) -> None:
    number = speaking.sim.post("井盖缺失")
    speaking.sim.fail("comments/create", code=10009)
    with pytest.raises(TransientError, match="10009"):
        await speaking.source.answer(told(clock, number))
    await speaking.source.answer(told(clock, number))
    assert len(speaking.sim.sent) == 1


async def test_rate_of_replies_stops_until_the_hour(speaking: Any, clock: Any) -> None:
    number = speaking.sim.post("井盖缺失")
    speaking.sim.fail("comments/create", code=10024)
    with pytest.raises(TransientError) as caught:
        await speaking.source.answer(told(clock, number))
    assert caught.value.retry_after_s == 3660


async def test_dead_token_keeps_the_answer_for_later(speaking: Any, clock: Any) -> None:
    number = speaking.sim.post("井盖缺失")
    speaking.sim.mode.expired = True
    with pytest.raises(TransientError):
        await speaking.source.answer(told(clock, number))
