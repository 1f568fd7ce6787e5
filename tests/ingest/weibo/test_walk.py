"""Weibo end to end: what is heard, what it costs, and that a stop anywhere loses nothing."""

from typing import Any

import pytest

from ingest.connectors.weibo import walk
from ingest.connectors.weibo.cursor import MAX_COMPLETED, Cursor, Span
from store.errors import RejectedError

LONG = "急：小区停水三天，" + "物业一直没有答复，" * 30


def burst(weibo: Any, count: int, word: str = "路灯不亮") -> set[str]:
    return {str(weibo.sim.post(f"@某市发布 {word}第{n}处", f"市民{n % 7}")) for n in range(count)}


async def test_posts_and_comments_are_heard(weibo: Any, clock: Any) -> None:
    ours = weibo.sim.post("今日停水通知，请市民提前储水。", "ours")
    number = weibo.sim.post("@某市发布 井盖缺失", geo=(31.23, 121.47), pictures=("1.jpg", "2.jpg"))
    first = weibo.sim.comment(ours, "为什么停水？")
    second = weibo.sim.comment(number, "@某市发布 我也看到了", mention=True, answers=first)
    weibo.sim.comment(ours, "已反馈", "ours")
    assert await weibo.poll() == 3
    post = weibo.items[str(number)]
    assert (post.text, post.author, post.posted_at) == ("@某市发布 井盖缺失", "2000", clock.now)
    assert (post.place.lat, post.place.lon) == (31.23, 121.47)
    assert post.photos == (f"{weibo.url}pic/large/1.jpg", f"{weibo.url}pic/large/2.jpg")
    assert post.url == f"https://weibo.com/2000/{number}"
    comment = weibo.items[f"c{first}"]
    assert (comment.thread, comment.title) == (str(ours), "今日停水通知，请市民提前储水。")
    assert weibo.items[f"c{second}"].text == "@某市发布 我也看到了\n//@市民乙: 为什么停水？"


async def test_quiet_account_costs_one_call_a_list(weibo: Any) -> None:
    burst(weibo, 3)
    weibo.sim.comment(weibo.sim.post("通知", "ours"), "收到")
    await weibo.poll()
    weibo.asked()
    assert await weibo.poll() == 0
    assert weibo.asked() == 3
    burst(weibo, 2)
    assert await weibo.poll() == 2
    assert weibo.asked("statuses/mentions") == 1


async def test_first_poll_takes_the_newest_200(weibo: Any) -> None:
    burst(weibo, 450)
    assert await weibo.poll() == 200
    assert await weibo.poll() == 0


async def test_burst_after_an_empty_start_is_heard_whole(weibo: Any) -> None:
    await weibo.poll()
    burst(weibo, 450)
    await weibo.poll()
    assert len(weibo.items) == 450


@pytest.mark.parametrize("most", [1, 50, 200])
async def test_burst_over_several_pages(weibo: Any, most: int) -> None:
    weibo.sim.mode.most = most
    burst(weibo, 3)
    await weibo.poll()
    numbers = burst(weibo, min(5 * most, 610), "积水")
    await weibo.poll()
    assert numbers <= set(weibo.items)


@pytest.mark.parametrize("stop", range(1, 12))
async def test_stop_after_any_page_loses_nothing(weibo: Any, stop: int) -> None:
    """Broken off behind page ``stop``, new ones come, and everything is heard once it goes on."""
    weibo.sim.mode.most = 20
    burst(weibo, 10)
    await weibo.poll()
    numbers = burst(weibo, 95, "积水")
    ours = weibo.sim.post("通知", "ours")
    comments = {f"c{weibo.sim.comment(ours, f'问题{n}')}" for n in range(45)}
    await weibo.poll(stop=stop)
    saved = weibo.source.save()
    weibo.connect().restore(saved)
    later = burst(weibo, 30, "塌陷")
    await weibo.poll()
    assert numbers | comments | later <= set(weibo.items)
    weibo.asked()
    assert await weibo.poll() == 0


async def test_stopped_behind_every_page_it_comes_to_an_end(weibo: Any) -> None:
    weibo.connect(endpoints=["mentions"])
    weibo.sim.mode.most = 20
    burst(weibo, 1)
    await weibo.poll()
    numbers = burst(weibo, 100, "积水")
    for _ in range(7):
        await weibo.poll(stop=2)
    assert numbers <= set(weibo.items)


async def test_known_post_deleted_costs_a_call_and_loses_nothing(weibo: Any) -> None:
    weibo.connect(endpoints=["mentions"])
    last = max(burst(weibo, 3))
    await weibo.poll()
    weibo.sim.delete(int(last))
    burst(weibo, 2, "积水")
    weibo.asked()
    assert await weibo.poll() == 2
    assert weibo.asked() == 2


async def test_more_pages_than_a_poll_takes_are_read_by_the_next(
    weibo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "PAGES", 2)
    weibo.sim.mode.most = 10
    burst(weibo, 1)
    await weibo.poll()
    numbers = burst(weibo, 45, "积水")
    counts = [await weibo.poll() for _ in range(4)]
    assert counts[0] == 20
    assert sum(counts) == 45
    assert numbers <= set(weibo.items)


async def test_server_that_ignores_max_id_does_not_hold_us(
    weibo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Span, "below", property(lambda _: 0))
    weibo.sim.mode.most = 10
    burst(weibo, 1)
    await weibo.poll()
    burst(weibo, 45)
    weibo.asked()
    await weibo.poll()
    assert weibo.asked("mentions") <= 2 * walk.PAGES


async def test_sweep_hears_edits_and_late_posts(weibo: Any) -> None:
    late = weibo.sim.post("审核后才显示", hidden=True)
    number = weibo.sim.post("路灯不亮")
    await weibo.poll()
    weibo.sim.posts[late].hidden = False
    weibo.sim.edit(number, "路灯已经修好")
    assert await weibo.poll() == 0
    before = Cursor.decode(weibo.cursor).spans
    await weibo.poll(sweep=True)
    assert weibo.heard() == {"审核后才显示", "路灯已经修好"}
    assert Cursor.decode(weibo.cursor).spans == before


async def test_sweep_behind_a_burst_hears_all_of_it(weibo: Any) -> None:
    weibo.sim.mode.most = 20
    burst(weibo, 5)
    await weibo.poll()
    numbers = burst(weibo, 70, "积水")
    await weibo.poll(sweep=True)
    assert numbers <= set(weibo.items)


async def test_long_text_is_completed_once(weibo: Any) -> None:
    number = str(weibo.sim.post(LONG))
    await weibo.poll()
    weibo.asked()
    await weibo.poll(sweep=True)
    await weibo.poll()
    assert weibo.texts[number] == [LONG]
    assert weibo.asked("show") == 0


async def test_edited_long_text_is_a_revision_at_the_sweep(weibo: Any) -> None:
    number = weibo.sim.post(LONG)
    await weibo.poll()
    weibo.sim.edit(number, "改" + LONG)
    await weibo.poll(sweep=True)
    assert weibo.texts[str(number)] == [LONG, "改" + LONG]


@pytest.mark.parametrize("code", [10001, 10014])
async def test_long_text_is_heard_short_and_completed_at_a_sweep(
    weibo: Any, clock: Any, code: int
) -> None:
    number = str(weibo.sim.post(LONG))
    weibo.sim.fail("statuses/show", code=code)
    await weibo.poll()
    assert weibo.texts[number][0].endswith("全文")
    clock.forward(days=1)
    await weibo.poll(sweep=True)
    assert weibo.texts[number][1:] == [LONG]


async def test_long_text_of_a_deleted_post_stays_short(weibo: Any) -> None:
    number = str(weibo.sim.post(LONG))
    weibo.sim.fail("statuses/show", code=20101)
    await weibo.poll()
    await weibo.poll(sweep=True)
    assert len(weibo.texts[number]) == 1
    assert weibo.asked("show") == 1


async def test_long_texts_leave_calls_for_polls(weibo: Any) -> None:
    for n in range(150):
        weibo.sim.post(f"{n}{LONG}")
    await weibo.poll()
    assert len(weibo.items) == 150
    assert 20 <= weibo.asked("show") <= 60


async def test_topics_are_searched_by_page(weibo: Any) -> None:
    weibo.connect(endpoints=["topics"], topics=["某市 积水", "停水"])
    weibo.sim.post("停水了", searched=True)
    await weibo.poll()
    numbers = {str(weibo.sim.post(f"停水{n}", searched=True)) for n in range(120)}
    await weibo.poll()
    assert numbers <= set(weibo.items)
    weibo.asked()
    assert await weibo.poll() == 0
    assert weibo.asked("search") == 2


@pytest.mark.parametrize("variant", ["biz", "other"])
async def test_commercial_paths(weibo: Any, variant: str) -> None:
    weibo.connect(variant=variant)
    burst(weibo, 2)
    assert await weibo.poll() == 2
    assert ("uid" in weibo.sim.requests[-1][1]) == (variant == "other")


async def test_empty_list_as_a_bare_array(weibo: Any) -> None:
    weibo.sim.mode.bare = True
    assert await weibo.poll() == 0
    burst(weibo, 2)
    assert await weibo.poll() == 2


async def test_changed_format_is_an_error_never_silence(weibo: Any) -> None:
    weibo.sim.fail("mentions", status=200)
    with pytest.raises(RejectedError) as caught:
        await weibo.poll()
    assert caught.value.reason == "layout"


async def test_token_is_in_no_payload_address(weibo: Any) -> None:
    burst(weibo, 1)
    async for page in weibo.source.pages("", sweep=False):
        assert page.payload is None or "token" not in page.payload.url
        assert "token" not in page.cursor


def test_cursor_is_bounded() -> None:
    cursor = Cursor(completed={str(n): "x" for n in range(MAX_COMPLETED + 50)})
    again = Cursor.decode(cursor.encode())
    assert (len(again.completed), next(iter(again.completed))) == (MAX_COMPLETED, "50")


@pytest.mark.parametrize("stored", ["", "[", "{}", '{"spans": 3}', "null"])
def test_strange_cursor_starts_anew(stored: str) -> None:
    assert Cursor.decode(stored) == Cursor()


def test_ids_are_compared_as_numbers() -> None:
    span = Span(since="999")
    assert span.read([1002, 1001, 999])
    assert span.since == "1002"
    big = Span(since=str(2**63 - 3))
    assert not big.read([2**63 - 1])
    assert (big.below, big.known) == (2**63 - 2, 2**63 - 3)
