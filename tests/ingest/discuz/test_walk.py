"""The forum end to end: what is heard, what is asked, and that a stop anywhere loses nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from ingest.connectors.discuz.cursor import MAX_KNOWN, Cursor, Known
from store.errors import RejectedError, TransientError

Write = Callable[..., list[int]]


async def test_threads_and_replies_are_heard(forum: Any, clock: Any) -> None:
    tid = forum.sim.thread(2, "急：井盖缺失", "人民路口\n井盖没了", "市民甲", images=["1.jpg"])
    forum.sim.reply(tid, "我也看到了", "市民乙", quoted="井盖没了")
    await forum.poll()
    first, reply = forum.items.values()
    assert (first.title, first.text, first.author) == ("急：井盖缺失", "人民路口\n井盖没了", "1000")
    assert first.channel_id == f"t{tid}:p{forum.sim.first(tid)}"
    assert first.photos == (f"{forum.url}data/attachment/forum/202611/24/1.jpg",)
    assert first.posted_at == clock.now
    assert (reply.text, reply.title, reply.thread) == ("我也看到了", "", first.channel_id)
    assert first.url == f"{forum.url}forum.php?mod=viewthread&tid={tid}"


async def test_quiet_forum_costs_one_list(forum: Any, write: Write) -> None:
    write(3)
    await forum.poll()
    forum.asked("")
    assert await forum.poll() == 0
    assert forum.asked("") == 1


async def test_late_reply_in_an_old_thread_is_heard(forum: Any, clock: Any, write: Write) -> None:
    old = write(30)[0]
    await forum.poll()
    clock.forward(days=20)
    forum.sim.reply(old, "还是没修", "市民乙")
    assert await forum.poll() == 1
    assert "还是没修" in forum.heard()


async def test_two_replies_in_one_minute_are_heard(forum: Any, write: Write) -> None:
    tid = write(1)[0]
    forum.sim.reply(tid, "第一条", "市民乙")
    await forum.poll()
    forum.sim.reply(tid, "第二条", "市民丙")
    await forum.poll()
    assert {"第一条", "第二条"} <= forum.heard()


async def test_reply_in_place_of_a_deleted_one_is_heard(
    forum: Any, clock: Any, write: Write
) -> None:
    tid = write(1)[0]
    pid = forum.sim.reply(tid, "第一条", "市民乙")
    await forum.poll()
    forum.sim.remove(pid)
    clock.forward(minutes=5)
    forum.sim.reply(tid, "第二条", "市民丙")
    await forum.poll()
    assert "第二条" in forum.heard()


async def test_endless_thread_is_read_over_several_polls(
    forum: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.connectors.discuz.walk.THREAD_PAGES", 2)
    tid = write(1)[0]
    for n in range(55):
        forum.sim.reply(tid, f"回复{n}", "市民乙")
    write(3)
    assert [await forum.poll() for _ in range(4)] == [3 + 3, 3, 2, 0]
    assert len(forum.items) == 1 + 55 + 3


async def test_short_lists_catch_up(forum: Any, write: Write) -> None:
    """The list may be too short for a burst, the number of threads is not."""
    forum.connect(max_pages=1, max_threads=1000)
    await forum.poll()
    write(70)
    assert [await forum.poll() for _ in range(5)] == [20, 20, 20, 10, 0]


async def test_long_thread_is_read_on_from_its_last_page(forum: Any, write: Write) -> None:
    tid = write(1)[0]
    for n in range(24):
        forum.sim.reply(tid, f"回复{n}", "市民乙")
    assert await forum.poll() == 3
    for n in range(24, 31):
        forum.sim.reply(tid, f"回复{n}", "市民乙")
    assert await forum.poll() == 3  # the first page for edits, the third, and the new fourth
    assert {f"回复{n}" for n in range(31)} <= forum.heard()
    first = f"t{tid}:p{forum.sim.first(tid)}"
    assert {item.thread for item in forum.items.values()} == {"", first}


async def test_burst_beyond_one_list_page(forum: Any, write: Write) -> None:
    await forum.poll()
    write(130)
    counts = [await forum.poll() for _ in range(5)]
    assert counts == [40, 40, 40, 10, 0]
    assert len(forum.items) == 130


@pytest.mark.parametrize("stop", range(1, 9))
async def test_stop_after_any_page_loses_nothing(forum: Any, write: Write, stop: int) -> None:
    tids = write(4)
    for n in range(12):
        forum.sim.reply(tids[1], f"回复{n}", "市民乙")
    await forum.poll(stop=stop)
    heard = len(forum.items)
    await forum.poll()
    assert len(forum.items) == 4 + 12
    assert heard < 16 or stop > 4


async def test_stop_after_every_page_comes_to_an_end(forum: Any, write: Write) -> None:
    """Stopped behind each page in turn, with one page's cursor stored before: it goes on, never round."""
    tids = write(4)
    for n in range(32):
        forum.sim.reply(tids[1], f"回复{n}", "市民乙")
    for _ in range(7):
        await forum.poll(stop=3)
    assert len(forum.items) == 4 + 32


@pytest.mark.parametrize("stop", range(1, 8))
async def test_stop_in_a_second_poll_loses_nothing(forum: Any, write: Write, stop: int) -> None:
    tids = write(3)
    await forum.poll()
    write(2, word="积水")
    for n in range(25):
        forum.sim.reply(tids[0], f"回复{n}", "市民乙")
    await forum.poll(stop=stop)
    await forum.poll()
    assert len(forum.items) == 5 + 25


async def test_sweep_hears_edits_and_deletions(forum: Any, write: Write) -> None:
    kept, deleted = write(2)
    await forum.poll()
    forum.sim.edit(forum.sim.first(kept), "已经修好了")
    first = f"t{deleted}:p{forum.sim.first(deleted)}"
    forum.sim.delete(deleted)
    assert await forum.poll() == 0
    await forum.poll(sweep=True)
    assert "已经修好了" in forum.heard()
    assert forum.gone == {first}
    forum.gone.clear()
    await forum.poll(sweep=True)
    assert forum.gone == set()


async def test_sweep_hears_what_a_moderator_approved_late(
    forum: Any, clock: Any, write: Write
) -> None:
    late = write(1, word="晚批准的帖子")[0]
    forum.sim.hold(late)
    clock.forward(hours=3)
    write(2)
    await forum.poll()
    forum.sim.approve(late)
    await forum.poll()
    assert "晚批准的帖子第0处" not in forum.heard()
    await forum.poll(sweep=True)
    assert "晚批准的帖子第0处" in forum.heard()


async def test_sweep_does_not_hide_an_older_backlog(forum: Any, clock: Any, write: Write) -> None:
    await forum.poll()
    clock.forward(days=1)
    write(2, word="积压")
    clock.forward(days=12)
    write(1)
    await forum.poll(sweep=True)
    assert len(forum.items) == 1
    await forum.poll()
    assert len(forum.items) == 3


async def test_blocked_post_is_gone(forum: Any, write: Write) -> None:
    tid = write(1)[0]
    pid = forum.sim.reply(tid, "广告", "市民丙")
    await forum.poll()
    forum.sim.block(pid)
    await forum.poll(sweep=True)
    assert forum.gone == {f"t{tid}:p{pid}"}


async def test_first_poll_takes_only_the_last_days(forum: Any, clock: Any, write: Write) -> None:
    write(2, word="旧帖")
    clock.forward(days=9)
    write(1, word="新帖")
    await forum.poll()
    assert forum.heard() == {"新帖第0处"}


async def test_sticky_thread_is_read_once_and_hides_nothing(forum: Any, write: Write) -> None:
    tids = write(25)
    forum.sim.sticky(tids[0])
    await forum.poll()
    forum.asked("")
    assert len(forum.items) == 25
    assert await forum.poll() == 0
    assert forum.asked("") == 1


async def test_list_beyond_its_last_page_ends(
    forum: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a pager we know, the site's pages repeat and that ends them."""
    monkeypatch.setattr("ingest.connectors.discuz.pages._pages", lambda _: 99)
    tid = write(25)[0]
    for n in range(12):
        forum.sim.reply(tid, f"回复{n}", "市民乙")
    await forum.poll()
    assert len(forum.items) == 25 + 12
    lists = sum("forumdisplay" in path for path in forum.sim.requests)
    assert (lists, forum.asked("viewthread")) == (3, 2 * 24 + 3)
    assert await forum.poll() == 0


async def test_boards_are_read_apart(forum: Any, write: Write) -> None:
    """A board that guests may not read is an error, and stops no other."""
    forum.connect(boards=(3, 2, 9))
    forum.sim.mode.denied.add(3)
    write(2)
    with pytest.raises(RejectedError, match="ingest: forum: guests may not read this") as caught:
        await forum.poll()
    assert caught.value.reason == "denied"
    assert str(caught.value).endswith("(board 3)")
    assert len(forum.items) == 2


async def test_unknown_board_is_named_as_that(forum: Any) -> None:
    forum.connect(boards=(9,))
    with pytest.raises(RejectedError) as caught:
        await forum.poll()
    assert caught.value.reason == "no_board"


async def test_closed_site_is_asked_again(forum: Any, write: Write) -> None:
    write(1)
    forum.sim.mode.closed = True
    with pytest.raises(TransientError, match="closed"):
        await forum.poll()
    forum.sim.mode.closed = False
    assert await forum.poll() == 1


@pytest.mark.parametrize("part", ["forumdisplay", "viewthread"])
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_failing_site_is_asked_again(
    forum: Any, write: Write, part: str, status: int
) -> None:
    write(2)
    forum.sim.fail(part, status=status)
    with pytest.raises(TransientError, match=str(status)):
        await forum.poll()
    await forum.poll()
    assert len(forum.items) == 2


async def test_database_error_with_status_200_is_asked_again(forum: Any, write: Write) -> None:
    write(1)
    forum.sim.fail("viewthread", status=200)
    with pytest.raises(TransientError, match="database"):
        await forum.poll()


async def test_redirect_is_an_error_of_the_address(forum: Any) -> None:
    forum.sim.fail("forumdisplay", status=301)
    with pytest.raises(RejectedError, match="set url"):
        await forum.poll()


async def test_changed_layout_is_an_error_never_silence(forum: Any, write: Write) -> None:
    write(1)
    forum.sim.mode.layout = True
    with pytest.raises(RejectedError) as caught:
        await forum.poll()
    assert caught.value.reason == "layout"


async def test_empty_board_is_silence(forum: Any) -> None:
    assert await forum.poll() == 0


async def test_strange_404_is_kept_and_stops_nothing(forum: Any, write: Write) -> None:
    tids = write(3)
    forum.sim.fail(f"tid={tids[1]}&", status=404)
    await forum.poll()
    assert forum.gone == set()
    assert len(forum.items) == 2


async def test_thread_only_members_see_is_a_failure(forum: Any, write: Write) -> None:
    write(2)
    tid = write(1, fid=3)[0]
    forum.connect(boards=(2, 3))
    await forum.poll()
    forum.sim.mode.denied.add(3)
    with pytest.raises(RejectedError):
        await forum.poll(sweep=True)
    assert forum.failures == [f"t{tid}"]
    assert forum.gone == set()


async def test_gbk_forum_with_noise_and_rewritten_links(forum: Any, write: Write) -> None:
    forum.sim.mode.charset = "gbk"
    forum.sim.mode.jammer = True
    forum.sim.mode.rewritten = True
    tid = write(1)[0]
    forum.sim.edit(forum.sim.first(tid), "朱镕基路㐂喜\n第二行")
    await forum.poll()
    assert forum.heard() == {"朱镕基路㐂喜\n第二行"}


async def test_without_replies_rss_spares_the_list(forum: Any, clock: Any, write: Write) -> None:
    """Its first answer after an hour is empty, which is not "nothing new"; later ones are an hour old."""
    forum.connect(replies=False)
    tid = write(3)[0]
    forum.sim.reply(tid, "回复", "市民乙")
    await forum.poll()
    assert forum.heard() == {f"路灯不亮第{n}处" for n in range(3)}
    forum.asked("")
    await forum.poll()  # RSS is empty: the list is read
    assert (forum.asked("mod=rss"), len(forum.items)) == (1, 3)
    await forum.poll()  # RSS shows what is known
    assert forum.asked("forumdisplay") == 0
    write(1, word="积水")
    await forum.poll()  # RSS is old
    assert len(forum.items) == 3
    clock.forward(minutes=61)
    await forum.poll()
    assert len(forum.items) == 4


@pytest.mark.parametrize("off", [True, False])
async def test_without_rss_the_list_is_read(forum: Any, write: Write, *, off: bool) -> None:
    forum.connect(replies=False)
    write(1)
    await forum.poll()
    write(1, word="积水")
    forum.sim.mode.rss_off = off
    await forum.poll()
    assert len(forum.items) == 2


async def test_json_tells_the_same(forum: Any, write: Write) -> None:
    tid = forum.sim.thread(2, "A<B", "A<B & C\n第二行 &lt;", "市民甲", images=["1.jpg"])
    for n in range(12):
        forum.sim.reply(tid, f"回复{n}", "市民乙")
    write(22)
    await forum.poll()
    by_html = dict(forum.items)
    forum.items.clear()
    forum.cursor = ""
    forum.connect(json_api=True)
    await forum.poll()
    assert forum.items == by_html
    assert await forum.poll() == 0
    forum.sim.delete(tid)
    await forum.poll(sweep=True)
    assert forum.gone == {f"t{tid}:p100"}


def test_cursor_is_bounded_and_forgets_the_silent() -> None:
    cursor = Cursor(known={tid: Known(tid, tid, 3, 1) for tid in range(1, MAX_KNOWN + 50)})
    again = Cursor.decode(cursor.encode())
    assert len(again.known) == MAX_KNOWN
    assert min(again.known) == 50
    assert len(cursor.encode()) < 150_000


@pytest.mark.parametrize("stored", ["", "[", "{}", '{"known": 3}', "null"])
def test_strange_cursor_starts_anew(stored: str) -> None:
    assert Cursor.decode(stored) == Cursor()
