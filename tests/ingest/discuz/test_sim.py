"""The simulated forum shows its quirks to anybody, not only to the connector."""

import io
from typing import Any

from PIL import Image

from hub.http import GuardedHttp


async def get(forum: Any, path: str) -> tuple[int, bytes]:
    http = GuardedHttp(["127.0.0.0/8"])
    answer = await http.send("GET", forum.url + path)
    await http.close()
    return answer.status, answer.body


async def test_rewritten_address_is_the_same_page(forum: Any) -> None:
    tid = forum.sim.thread(2, "路灯", "路灯不亮", "市民甲")
    forum.sim.mode.rewritten = True
    plain = await get(forum, f"forum.php?mod=viewthread&tid={tid}")
    assert plain == await get(forum, f"thread-{tid}-1-1.html")
    _, board = await get(forum, "forum-2-1.html")
    assert f'href="thread-{tid}-1-1.html"'.encode() in board


async def test_pictures_are_served(forum: Any) -> None:
    _, content = await get(forum, "data/attachment/forum/202611/24/1.jpg")
    assert Image.open(io.BytesIO(content)).format == "JPEG"


async def test_missing_thread_is_404(forum: Any) -> None:
    status, body = await get(forum, "forum.php?mod=viewthread&tid=99")
    assert (status, "指定的主题不存在" in body.decode()) == (404, True)


async def test_closed_site_answers_rss_with_a_page(forum: Any) -> None:
    forum.sim.mode.closed = True
    status, body = await get(forum, "forum.php?mod=rss&fid=2")
    assert (status, "本站点暂时关闭" in body.decode()) == (200, True)


async def test_page_beyond_the_last_is_the_first_of_lists_and_the_last_of_threads(
    forum: Any, write: Any
) -> None:
    tid = write(25)[0]
    for n in range(12):
        forum.sim.reply(tid, f"回复{n}", "市民乙")
    board, thread = "forum.php?mod=forumdisplay&fid=2", f"forum.php?mod=viewthread&tid={tid}"
    assert await get(forum, f"{board}&page=99") == await get(forum, f"{board}&page=1")
    assert await get(forum, f"{board}&page=99") != await get(forum, f"{board}&page=2")
    assert await get(forum, f"{thread}&page=99") == await get(forum, f"{thread}&page=2")
