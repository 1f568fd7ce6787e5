"""``python tests/bench/forum.py``: seconds to read 1,000 posts from 100 pages of a simulated forum."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hub.sim import discuz_pages as show
from ingest.connectors.discuz import Discuz, DiscuzConfig
from ingest.protocol import Payload

PAGES, POSTS = 100, 10
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
TEXT = "人民路与清河街口的路灯已经三天不亮，晚上走路很危险，请有关部门尽快处理。\n" * 6


def payloads() -> list[Payload]:
    """Pages with everything that has to be taken out."""
    look = show.Look(
        root="http://bbs.example.org/", site="测试城市论坛", charset="utf-8",
        zone=ZoneInfo("Asia/Shanghai"), now=NOW, jammer=True,
    )  # fmt: skip
    made = []
    for tid in range(1, PAGES + 1):
        posts = [
            show.SimPost(
                tid * POSTS + n, tid, "市民", 7, TEXT, NOW, images=(f"{n}.jpg",), quoted=TEXT
            )
            for n in range(POSTS)
        ]
        thread = show.SimThread(tid, 2, "路灯不亮", posts)
        text = show.thread(look, thread, posts, 1, 2)
        url = f"http://bbs.example.org/forum.php?mod=viewthread&tid={tid}#at=1795482000"
        made.append(Payload(text.encode(), "text/html; charset=utf-8", url))
    return made


def main() -> None:
    config = DiscuzConfig(url="http://bbs.example.org", boards=(2,))
    source = Discuz("forum", config, None, clock=lambda: NOW)  # type: ignore[arg-type]
    pages = payloads()
    began = time.perf_counter()
    posts = sum(len(source.parse(page).items) for page in pages)
    print(f"{posts} posts of {len(pages)} pages read in {time.perf_counter() - began:.3f} s")


if __name__ == "__main__":
    main()
