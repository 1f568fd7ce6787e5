"""A small Weibo that answers as api.weibo.com does, with its quirks, for tests and demonstrations.

A hundred calls a day, lists newest first behind ``since_id`` and up to ``max_id``, at most 200 posts a call, long
texts cut, errors with any status and their code as number or string. ``mode`` fields turn further quirks on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from hub.sim.picture import picture
from hub.sim.weibo_posts import SimComment, SimPost, show_comment, show_post

ZONE = ZoneInfo("Asia/Shanghai")
FORM = "application/x-www-form-urlencoded"
FIRST_ID = 5_100_000_000_000_000
STEP = 7
"""Numbers have gaps between them."""

MOST, MAX_COMMENT = 200, 140
STATUS = {10014: 403, 10023: 403, 10022: 403, 10024: 403}
WORDS = {10006: "expired_token", 10014: "Insufficient app permissions!", 10016: "Miss required parameter",
         10017: "Parameter value is not valid", 10023: "User requests out of rate limit!",
         20019: "Repeat content!", 20101: "Target weibo does not exist!"}  # fmt: skip

Handler = Callable[[web.Request, dict[str, str]], web.Response]


@dataclass
class Mode:
    """Quirks that can be turned on while it runs. ``denied`` holds paths the app may not use; ``blacklisted`` shows
    nothing in any list; ``bare`` answers an empty list as ``[]``; ``most`` caps the posts of one call."""

    string_codes: bool = False
    blacklisted: bool = False
    bare: bool = False
    expired: bool = False
    denied: set[str] = field(default_factory=set)
    most: int = MOST


@dataclass
class _Fault:
    path: str
    code: int
    status: int
    left: int
    html: bool
    delay: float


class WeiboSim:
    """One account (``uid``) and what others write. ``requests`` holds (path, parameters without the token) of every
    call, ``sent`` what our account said, ``used`` the calls of the day."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        uid: int = 1000,
        token: str = "token",  # noqa: S107
        calls_per_day: int = 100,
        start: int = FIRST_ID,
    ) -> None:
        self.mode = Mode()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sent: list[dict[str, str]] = []
        self.posts: dict[int, SimPost] = {}
        self.comments: dict[int, SimComment] = {}
        self.used = 0
        self._clock = clock
        self._uid = uid
        self._token = token
        self._calls = calls_per_day
        self._day = clock().astimezone(ZONE).date().isoformat()
        self._last = start
        self._uids: dict[str, int] = {}
        self._faults: list[_Fault] = []

    def post(self, text: str, author: str = "市民甲", **more: Any) -> int:
        """Somebody posts; its id. ``more`` are fields of ``SimPost``; ``ours`` for our own account."""
        number, uid = self._next(more.pop("number", 0)), self._who(author)
        post = SimPost(number, uid, author, text, self._clock(), **more)
        self.posts[post.number] = post
        return post.number

    def comment(self, post: int, text: str, author: str = "市民乙", **more: Any) -> int:
        """Somebody comments on a post; the comment's id. ``more`` are fields of ``SimComment``."""
        number, uid = self._next(0), self._who(author)
        comment = SimComment(number, uid, author, text, self._clock(), post, **more)
        self.comments[comment.number] = comment
        return comment.number

    def edit(self, number: int, text: str) -> None:
        """Other words in a post or comment."""
        (self.posts.get(number) or self.comments[number]).text = text

    def delete(self, number: int) -> None:
        """A post or comment vanishes."""
        self.posts.pop(number, None)
        self.comments.pop(number, None)

    def fail(self, path: str, *, code: int = 0, status: int = 0, times: int = 1, html: bool = False,
             delay: float = 0.0) -> None:  # fmt: skip
        """Answer the next ``times`` calls whose path holds ``path`` with an error, a page, or late by ``delay`` s."""
        self._faults.append(_Fault(path, code, status, times, html, delay))

    def app(self) -> web.Application:
        """The server's application."""
        app = web.Application()
        app.add_routes(
            [
                web.get(r"/2/{path:.+}.json", self._call),
                web.post(r"/2/{path:.+}.json", self._call),
                web.get("/pic/{size}/{name}", self._picture),
            ]
        )
        return app

    def _next(self, number: int) -> int:
        self._last = max(self._last, number) if number else self._last + STEP
        return number or self._last

    def _who(self, name: str) -> int:
        if name == "ours":
            return self._uid
        return self._uids.setdefault(name, 2000 + len(self._uids))

    async def _call(self, request: web.Request) -> web.Response:
        path = request.match_info["path"].removesuffix("/biz").removesuffix("/other")
        asked = {**request.query, **dict(await request.post())}
        given = {str(key): str(value) for key, value in asked.items()}
        token = given.pop("access_token", "")
        self.requests.append((path, given))
        refused = await self._refusal(request, path, token)
        if refused is not None:
            return refused
        handlers: dict[str, Handler] = {
            "statuses/mentions": self._mentions,
            "search/topics": self._search,
            "comments/to_me": self._to_me,
            "comments/mentions": self._comment_mentions,
            "statuses/show": self._show,
            "comments/create": self._say,
            "comments/reply": self._say,
            "account/rate_limit_status": self._limits,
        }
        if path not in handlers:
            return self._error(path, 10020)
        return handlers[path](request, given)

    async def _refusal(self, request: web.Request, path: str, token: str) -> web.Response | None:
        fault = next((one for one in self._faults if one.left and one.path in path), None)
        counted = path != "account/rate_limit_status"
        code = 0
        if token != self._token or self.mode.expired:
            code = 10006
        elif counted and not self._may_call():
            code = 10023
        elif path in self.mode.denied:
            code = 10014
        elif fault:
            return await self._broken(path, fault)
        elif request.method == "POST" and request.content_type != FORM:
            code = 10016
        return self._error(path, code) if code else None

    async def _broken(self, path: str, fault: _Fault) -> web.Response | None:
        """None when the answer was only late."""
        fault.left -= 1
        await asyncio.sleep(fault.delay)
        if fault.code:
            return self._error(path, fault.code, fault.status)
        if not fault.html and not fault.status:
            return None
        page = "<html><body>502 Bad Gateway</body></html>" if fault.html else "{}"
        return web.Response(text=page, status=fault.status or 200, content_type="text/html")

    def _may_call(self) -> bool:
        self._turn()
        if self.used >= self._calls:
            return False
        self.used += 1
        return True

    def _turn(self) -> None:
        day = self._clock().astimezone(ZONE).date().isoformat()
        if day != self._day:
            self._day, self.used = day, 0

    def _error(self, path: str, code: int, status: int = 0) -> web.Response:
        said: dict[str, Any] = {"request": f"/2/{path}.json", "error": WORDS.get(code, "error")}
        if code < 0:
            said = {"ok": code, "url": "https://passport.example.invalid/"}
        else:
            said["error_code"] = str(code) if self.mode.string_codes else code
        return web.json_response(said, status=status or STATUS.get(code, 400))

    def _mentions(self, request: web.Request, asked: dict[str, str]) -> web.Response:
        listed = [post for post in self.posts.values() if not post.hidden and not post.searched]
        return self._list(request, asked, "statuses", listed)

    def _search(self, request: web.Request, asked: dict[str, str]) -> web.Response:
        listed = [post for post in self.posts.values() if asked.get("q", "") in post.text]
        return self._list(request, asked, "statuses", listed)

    def _to_me(self, request: web.Request, asked: dict[str, str]) -> web.Response:
        listed = [one for one in self.comments.values() if not one.mention]
        return self._list(request, asked, "comments", listed)

    def _comment_mentions(self, request: web.Request, asked: dict[str, str]) -> web.Response:
        listed = [one for one in self.comments.values() if one.mention]
        return self._list(request, asked, "comments", listed)

    def _list(self, request: web.Request, asked: dict[str, str], key: str,
              listed: Sequence[SimPost | SimComment]) -> web.Response:  # fmt: skip
        since, most = int(asked.get("since_id", 0)), int(asked.get("max_id", 0))
        count = min(int(asked.get("count", 20)), self.mode.most)
        start = (int(asked.get("page", 1)) - 1) * count
        fitting = [one for one in listed if since < one.number and (not most or one.number <= most)]
        fitting.sort(key=lambda one: one.number, reverse=True)
        shown = [] if self.mode.blacklisted else fitting[start : start + count]
        if not shown and self.mode.bare:
            return web.json_response([])
        root = str(request.url.origin())
        rows = [show_post(one, root) if isinstance(one, SimPost)
                else show_comment(one, self.posts.get(one.post), self.comments.get(one.answers), root)
                for one in shown]  # fmt: skip
        counts = {"previous_cursor": 0, "next_cursor": 0, "total_number": len(fitting)}
        return web.json_response({key: rows, **counts})

    def _show(self, request: web.Request, asked: dict[str, str]) -> web.Response:
        post = self.posts.get(int(asked.get("id", 0)))
        if post is None:
            return self._error("statuses/show", 20101)
        return web.json_response(show_post(post, str(request.url.origin()), whole=True))

    def _say(self, request: web.Request, asked: dict[str, str]) -> web.Response:
        path = request.path.removeprefix("/2/").removesuffix(".json")
        comment = asked.get("comment", "")
        needed = ("comment", "rip", "cid") if "reply" in path else ("comment", "rip")
        if request.method != "POST" or not all(asked.get(name) for name in needed):
            return self._error(path, 10016)
        if len(comment) > MAX_COMMENT:
            return self._error(path, 10017)
        if int(asked.get("id", 0)) not in self.posts:
            return self._error(path, 20101)
        if asked in self.sent:
            return self._error(path, 20019)
        self.sent.append(asked)
        return web.json_response({"id": self._next(0), "text": comment})

    def _limits(self, request: web.Request, asked: dict[str, str]) -> web.Response:  # noqa: ARG002
        self._turn()
        now = self._clock().astimezone(ZONE)
        reset = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        said = {
            "ip_limit": 10000, "limit_time_unit": "DAYS", "remaining_ip_hits": 10000,
            "remaining_user_hits": self._calls - self.used, "user_limit": self._calls,
            "reset_time": reset.strftime("%Y-%m-%d %H:%M:%S"),
            "reset_time_in_seconds": int((reset - now).total_seconds()),
        }  # fmt: skip
        return web.json_response(said)

    async def _picture(self, _: web.Request) -> web.Response:
        return web.Response(body=picture(), content_type="image/jpeg")
