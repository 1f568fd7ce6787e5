"""A small forum that answers as Discuz! X3.5 does to a guest, with its quirks, for tests and demonstrations.

Pages beyond the last repeat the first (boards) or the last (threads), missing threads are 404, errors are 200,
RSS lags and is empty once after its time, robots.txt is Discuz!'s own. ``mode`` fields turn further quirks on.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from hub.sim import discuz_pages as show
from hub.sim.discuz_pages import Look, SimPost, SimThread
from hub.sim.picture import picture

TPP, PPP = 20, 10
MISSED = 404
TTL = timedelta(hours=1)
ROBOTS = """User-agent: *
Disallow: /api/
Disallow: /data/
Disallow: /source/
Disallow: /install/
Disallow: /template/
Disallow: /config/
Disallow: /uc_client/
Disallow: /uc_server/
Disallow: /static/
Disallow: /admin.php
Disallow: /search.php
Disallow: /member.php
Disallow: /forum.php?mod=redirect*
Disallow: /forum.php?mod=post*
Disallow: /home.php?mod=spacecp*
Disallow: /*?mod=misc*
Disallow: /*?mod=attachment*
Disallow: /*mobile=yes*
"""
CLOSED = "抱歉，本站点暂时关闭"
DENIED = "抱歉，您尚未登录，没有权限访问该版块"
MISSING = "抱歉，指定的主题不存在或已被删除或正在被审核"


@dataclass
class Mode:
    """Quirks that can be turned on while the forum runs. ``denied`` names boards guests may not read."""

    charset: str = "utf-8"
    jammer: bool = False
    rewritten: bool = False
    closed: bool = False
    rss_off: bool = False
    layout: bool = False
    denied: set[int] = field(default_factory=set)


@dataclass
class _Fault:
    part: str
    status: int
    left: int


class DiscuzSim:
    """The forum. ``requests`` holds every address asked for, newest last; numbers go on from ``start``."""

    def __init__(
        self, clock: Callable[[], datetime], *, boards: Sequence[int] = (2,), start: int = 0
    ) -> None:
        self.mode = Mode()
        self.requests: list[str] = []
        self._clock = clock
        self._boards = set(boards)
        self._threads: dict[int, SimThread] = {}
        self._held: dict[int, SimThread] = {}
        self._posts: dict[int, SimPost] = {}
        self._uids: dict[str, int] = {}
        self._faults: list[_Fault] = []
        self._last_tid = start
        self._first_pid = start + 100
        self._rss: dict[int, tuple[datetime, list[int]]] = {}

    def thread(
        self, fid: int, title: str, text: str, author: str, *, images: Sequence[str] = ()
    ) -> int:
        """Start a thread now; its tid."""
        self._last_tid += 1
        tid = self._last_tid
        self._threads[tid] = SimThread(tid, fid, title)
        self.reply(tid, text, author, images=images)
        return tid

    def reply(
        self, tid: int, text: str, author: str, *, images: Sequence[str] = (), quoted: str = ""
    ) -> int:
        """Answer a thread now; the pid."""
        pid = self._first_pid + len(self._posts)
        uid = self._uids.setdefault(author, 1000 + len(self._uids))
        post = SimPost(
            pid, tid, author, uid, text, self._clock(), images=tuple(images), quoted=quoted
        )
        self._posts[pid] = post
        self._threads[tid].posts.append(post)
        return pid

    def first(self, tid: int) -> int:
        """The pid of a thread's first post."""
        return self._threads[tid].posts[0].pid

    def edit(self, pid: int, text: str) -> None:
        """Other words in a post."""
        self._posts[pid].text = text
        self._posts[pid].edited = self._clock()

    def block(self, pid: int) -> None:
        """A moderator hides a post."""
        self._posts[pid].blocked = True

    def delete(self, tid: int) -> None:
        """Delete a thread."""
        del self._threads[tid]

    def remove(self, pid: int) -> None:
        """Delete one post."""
        post = self._posts[pid]
        self._threads[post.tid].posts.remove(post)

    def hold(self, tid: int) -> None:
        """Send a thread to its moderator: nobody sees it."""
        self._held[tid] = self._threads.pop(tid)

    def approve(self, tid: int) -> None:
        """Show a held thread, with the time it was written."""
        self._threads[tid] = self._held.pop(tid)

    def sticky(self, tid: int) -> None:
        """Pin a thread above all pages' first."""
        self._threads[tid].sticky = True

    def fail(self, part: str, *, status: int = 503, times: int = 1) -> None:
        """Answer the next ``times`` requests whose address holds ``part`` with an error that is no page of the
        forum's: the web server's own 404, or the database's."""
        self._faults.append(_Fault(part, status, times))

    def app(self) -> web.Application:
        """The server's application."""
        app = web.Application(middlewares=[self._faulty])
        app.add_routes(
            [
                web.get("/robots.txt", self._robots),
                web.get("/forum.php", self._forum),
                web.get(r"/thread-{tid:\d+}-{page:\d+}-1.html", self._forum),
                web.get(r"/forum-{fid:\d+}-{page:\d+}.html", self._forum),
                web.get("/api/mobile/index.php", self._mobile),
                web.get("/data/attachment/{name:.+}", self._image),
            ]
        )
        return app

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        for fault in self._faults:
            if fault.left and fault.part in request.path_qs:
                fault.left -= 1
                what = "404 Not Found" if fault.status == MISSED else "Discuz! Database Error"
                text = f"<html><body><h1>{what}</h1></body></html>"
                return web.Response(text=text, status=fault.status, content_type="text/html")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _robots(self, _: web.Request) -> web.Response:
        return web.Response(text=ROBOTS)

    async def _image(self, _: web.Request) -> web.Response:
        return web.Response(body=picture(), content_type="image/jpeg")

    async def _forum(self, request: web.Request) -> web.Response:
        look = self._look(request)
        if self.mode.closed:
            return self._page(show.message(look, CLOSED))
        asked = {**request.query, **request.match_info}
        module = asked.get("mod") or ("viewthread" if "tid" in asked else "forumdisplay")
        handlers = {"rss": self._show_rss, "viewthread": self._thread}
        return handlers.get(module, self._board)(look, asked)

    def _look(self, request: web.Request) -> Look:
        mode = self.mode
        return Look(
            root=f"{request.url.origin()}/", site="测试城市论坛", charset=mode.charset,
            zone=ZoneInfo("Asia/Shanghai"), now=self._clock(), jammer=mode.jammer,
            rewritten=mode.rewritten, changed=mode.layout,
        )  # fmt: skip

    def _page(self, text: str, *, status: int = 200) -> web.Response:
        charset = self.mode.charset
        body = text.encode("gb18030" if charset == "gbk" else charset)
        return web.Response(
            body=body, status=status, headers={"content-type": f"text/html; charset={charset}"}
        )

    def _board(self, look: Look, asked: dict[str, str]) -> web.Response:
        fid = int(asked.get("fid", 0))
        if fid in self.mode.denied:
            return self._page(show.message(look, DENIED))
        if fid not in self._boards:
            return self._page(show.message(look, "抱歉，您指定的版块不存在"))
        threads, current, last = self._listed(fid, asked)
        return self._page(show.board(look, fid, threads, current, last))

    def _listed(self, fid: int, asked: dict[str, str]) -> tuple[list[SimThread], int, int]:
        """A page beyond the last is the first."""
        mine = [t for t in self._threads.values() if t.fid == fid]
        order = 0 if asked.get("orderby") == "dateline" else -1
        normal = [t for t in mine if not t.sticky]
        normal.sort(key=lambda t: (t.posts[order].at, t.tid), reverse=True)
        last = max(1, -(-len(normal) // TPP))
        current = int(asked.get("page", 1))
        current = current if current <= last else 1
        pinned = [t for t in mine if t.sticky] if current == 1 else []
        return [*pinned, *normal[(current - 1) * TPP : current * TPP]], current, last

    def _thread(self, look: Look, asked: dict[str, str]) -> web.Response:
        found = self._threads.get(int(asked.get("tid", 0)))
        if not found:
            return self._page(show.message(look, MISSING), status=404)
        if found.fid in self.mode.denied:
            return self._page(show.message(look, DENIED))
        posts, current, last = _slice(found, asked)
        return self._page(show.thread(look, found, posts, current, last))

    def _show_rss(self, look: Look, asked: dict[str, str]) -> web.Response:
        fid = int(asked.get("fid", 0))
        if self.mode.rss_off:
            return web.Response(text="RSS Disabled", content_type="text/html")
        if fid not in self._boards or fid in self.mode.denied:
            return web.Response(text="Specified forum not found", content_type="text/html")
        tids = self._rss_cache(fid)
        threads = [self._threads[tid] for tid in tids if tid in self._threads]
        text = show.rss(look, fid, threads)
        body = text.encode("gb18030" if look.charset == "gbk" else look.charset)
        return web.Response(body=body, headers={"content-type": "application/xml"})

    def _rss_cache(self, fid: int) -> list[int]:
        """Filled when its time is over, and empty for the request that filled it."""
        made = self._rss.get(fid)
        if made and self._clock() < made[0] + TTL:
            return made[1]
        mine = [t for t in self._threads.values() if t.fid == fid and not t.sticky]
        mine.sort(key=lambda t: t.posts[0].at, reverse=True)
        self._rss[fid] = (self._clock(), [t.tid for t in mine[:TPP]])
        return []

    async def _mobile(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        if asked.get("module") == "viewthread":
            found = self._threads.get(int(asked.get("tid", 0)))
            return web.json_response(_mobile_thread(self._look(request), found, asked))
        threads, current, _ = self._listed(int(asked.get("fid", 0)), asked)
        mine = sum(t.fid == int(asked.get("fid", 0)) for t in self._threads.values())
        rows = [_mobile_row(thread) for thread in threads]
        variables = {"forum": {"threadcount": str(mine)}, "forum_threadlist": rows, "tpp": str(TPP)}
        return web.json_response(
            {"Version": "4", "Charset": "UTF-8", "Variables": {**variables, "page": str(current)}}
        )


def _slice(found: SimThread, asked: dict[str, str]) -> tuple[list[SimPost], int, int]:
    """A page beyond the last is the last."""
    last = max(1, -(-len(found.posts) // PPP))
    current = min(max(1, int(asked.get("page", 1))), last)
    return found.posts[(current - 1) * PPP : current * PPP], current, last


def _mobile_row(thread: SimThread) -> dict[str, str]:
    first, latest = thread.posts[0], thread.posts[-1]
    return {
        "tid": str(thread.tid), "author": first.author, "authorid": str(first.uid),
        "subject": html.escape(thread.title), "dateline": "25&nbsp;秒前",
        "dbdateline": str(int(first.at.timestamp())), "dblastpost": str(int(latest.at.timestamp())),
        "replies": str(len(thread.posts) - 1), "displayorder": str(int(thread.sticky)),
    }  # fmt: skip


def _mobile_thread(look: Look, found: SimThread | None, asked: dict[str, str]) -> dict[str, Any]:
    if not found:
        told = {"messageval": "thread_nonexistence", "messagestr": MISSING}
        return {"Version": "4", "Charset": "UTF-8", "Variables": [], "Message": told}
    posts, _, _ = _slice(found, asked)
    rows = [_mobile_post(look, found, post) for post in posts]
    about = {
        "tid": str(found.tid), "subject": html.escape(found.title), "replies": str(len(found.posts) - 1),
    }  # fmt: skip
    variables = {"thread": about, "postlist": rows, "ppp": str(PPP)}
    return {"Version": "4", "Charset": "UTF-8", "Variables": variables}


def _mobile_post(look: Look, found: SimThread, post: SimPost) -> dict[str, Any]:
    images = {
        str(n): {
            "url": f"{look.root}data/attachment/forum/", "attachment": f"202611/24/{name}", "isimage": "1",
        }
        for n, name in enumerate(post.images, 1)
    }  # fmt: skip
    words = html.escape(post.text, quote=False).replace("&", "&amp;").replace("\n", "<br />\n")
    return {
        "pid": str(post.pid), "tid": str(post.tid), "first": str(int(post is found.posts[0])),
        "author": post.author, "authorid": str(post.uid), "dateline": "25&nbsp;秒前",
        "dbdateline": str(int(post.at.timestamp())), "message": words,
        "position": str(found.posts.index(post) + 1), "attachments": images or [],
    }  # fmt: skip
