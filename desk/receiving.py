"""What a request may carry at most, and its form read so that nothing in it makes a handler fail."""

from __future__ import annotations

import json

from aiohttp import web

from store.errors import RejectedError

FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
LARGE = ("/desk/import", "/desk/admin/files/")
FILES = "/desk/import"
"""The only form with a file."""

MOST = 4_000_000
"""Bytes of a body; files (``LARGE``, photos) have bounds of their own."""

CURES = {
    403: "ask for it, or open the page again",
    404: "look at the address",
    405: "use the method of the page",
    413: f"send at most {MOST // 1_000_000} MB",
}
"""What to do about a refusal that says none itself."""


def is_script(request: web.BaseRequest) -> bool:
    """Whether a script asks, which wants no page."""
    return "/api/" in request.path or request.path.endswith(("/events", "/login/again"))


def bounded(request: web.Request) -> web.Request:
    """The request, of which no more is read than its address may take."""
    path = request.path
    if path.startswith(LARGE) or path.endswith("/photos"):
        return request
    return request.clone(client_max_size=MOST)


async def read_form(request: web.Request) -> None:
    """Read the form of a page, which the handler then has; RejectedError when it is not one of UTF-8."""
    if request.content_type not in FORMS or is_script(request):
        return
    try:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                _check_file(request, value)
            f"{name}{value!s}".encode()
    except (ValueError, LookupError, AssertionError, RuntimeError, TypeError) as error:
        msg = "desk: form: not readable as UTF-8; send it as the page does"
        raise RejectedError(msg, reason="form") from error


def _check_file(request: web.Request, file: web.FileField) -> None:
    """ValueError for a file where none is asked for, or with a name nobody can write."""
    if not request.path.startswith(FILES):
        raise ValueError
    file.filename.encode()


def told(error: web.HTTPException) -> web.HTTPException:
    """The refusal as a script reads it: JSON with ``error``."""
    said = (error.text or "").removeprefix(f"{error.status}: ")
    if not said.startswith("desk: "):
        said = f"desk: request: {said}"
    if "; " not in said:
        said += f"; {CURES.get(error.status, 'correct the request')}"
    error.text = json.dumps({"error": said})
    error.content_type = "application/json"
    return error
