"""What a person reads when a page can not be shown: words and a way back, where a program gets JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from desk.pages import Pages
from store.errors import AuthError, ConflictError, RejectedError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WORDS = {
    403: "您没有查看此页的权限。",
    404: "没有找到这个页面，可能已被删除或地址有误。",
    409: "内容刚被他人修改，请返回后重试。",
    422: "地址中的内容无效，请从菜单重新进入。",
}


class Failing:
    """The middleware under the guard."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For ``web.Application.middlewares``; only what a browser opens as a page is answered with one."""
        try:
            return await handler(request)
        except (RejectedError, AuthError, ConflictError, web.HTTPNotFound) as error:
            status = _status(error)
            if status not in WORDS or not is_page(request):
                raise
            return self._pages.render("failed.html", request, status=status, words=WORDS[status])


def is_page(request: web.Request) -> bool:
    """Whether a person opened this address in a browser."""
    wanted = "text/html" in request.headers.get("Accept", "")
    return request.method == "GET" and wanted and "/api/" not in request.path


def _status(error: Exception) -> int:
    """The status of the answer; 0 where others know better."""
    if isinstance(error, AuthError):
        return 403 if error.known else 0
    if isinstance(error, web.HTTPNotFound):
        return 404
    return 409 if isinstance(error, ConflictError) else 422
