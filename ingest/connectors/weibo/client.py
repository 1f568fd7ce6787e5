"""Calls to api.weibo.com: counted before they are made, and read for errors, which come with any HTTP status.

Source: open.weibo.com/wiki/2/ and open.weibo.com/wiki/Rate-limiting. The token travels in the query or the form and
appears in no address that is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from ingest.connectors.weibo.budget import Budget
from ingest.connectors.weibo.codes import CURES, UNTIL, Act, ApiError, act_of, code_of
from ingest.connectors.weibo.config import WeiboConfig
from ingest.protocol import Payload
from store.errors import RejectedError, TransientError
from store.ports import Answer, Http

MAX_BODY = 8_000_000
MOVED = (301, 302, 303, 307, 308)
FORM = "application/x-www-form-urlencoded"
LIMITS = "account/rate_limit_status"
LONGEST_RESET_S = 86_400.0


@dataclass
class Trouble:
    """What stops every call, as last seen: the token is dead, the app is blocked."""

    act: Act | None = None
    code: int = 0


class Client:
    """One account's way to the interface. Raises TransientError (with ``retry_after_s`` while calls are not allowed)
    and ApiError."""

    def __init__(
        self,
        channel: str,
        config: WeiboConfig,
        http: Http,
        budget: Budget,
        clock: Callable[[], datetime],
    ) -> None:
        self.trouble = Trouble()
        self.calls = 0
        self._channel = channel
        self._config = config
        self._http = http
        self._budget = budget
        self._clock = clock
        self._root = config.url.rstrip("/") + "/"

    async def get(self, path: str, params: Mapping[str, str | int]) -> Payload:
        """One counted call; the address of the payload tells the path only."""
        self._count()
        url = self._url(path)
        answer = await self._ask(url, params)
        self._check(path, answer)
        return Payload(answer.body, answer.headers.get("content-type", ""), url)

    async def post(self, path: str, form: Mapping[str, str | int]) -> None:
        """One counted call that says something."""
        self._count()
        body = urlencode({**form, "access_token": self._token}).encode()
        answer = await self._http.send(
            "POST", self._url(path), headers={"content-type": FORM}, body=body, max_bytes=MAX_BODY
        )
        self._check(path, answer)

    async def correct(self) -> None:
        """Ask Weibo how many calls are left, which it does not count, and believe it when it knows of more calls
        than we do. Raises as ``get`` does."""
        answer = await self._ask(f"{self._root}{LIMITS}.json", {})
        said = self._check(LIMITS, answer)
        if not isinstance(said, dict):
            return
        now = self._clock()
        limit, left = said.get("user_limit"), said.get("remaining_user_hits")
        daily = str(said.get("limit_time_unit", "")).upper().startswith("DAY")
        if daily and isinstance(limit, int) and isinstance(left, int):
            self._budget.count_at_least(now, limit - left)
        if 0 in {left, said.get("remaining_ip_hits")}:
            seconds = said.get("reset_time_in_seconds")
            if isinstance(seconds, int | float):
                self._budget.block(now + timedelta(seconds=min(max(0, seconds), LONGEST_RESET_S)))

    def _count(self) -> None:
        self.calls += 1
        self._budget.count(self._clock())

    @property
    def _token(self) -> str:
        return self._config.access_token.get_secret_value()

    def _url(self, path: str) -> str:
        variant = f"/{self._config.variant}" if self._config.variant else ""
        return f"{self._root}{path}{variant}.json"

    async def _ask(self, url: str, params: Mapping[str, str | int]) -> Answer:
        owner = {"uid": self._config.uid} if self._config.variant == "other" else {}
        query = urlencode({"access_token": self._token, **owner, **params})
        return await self._http.send("GET", f"{url}?{query}", max_bytes=MAX_BODY)

    def _check(self, path: str, answer: Answer) -> Any:
        """The document of an answer that is no error."""
        if answer.status in MOVED:
            msg = (
                f"ingest: {self._channel}: {path} answered {answer.status}, a redirect; correct url"
            )
            raise RejectedError(msg, reason="redirect")
        try:
            document = loads(answer.body)
        except ValueError as error:
            msg = f"ingest: {self._channel}: {path} answered {answer.status} and no JSON; it is asked again"
            raise TransientError(msg) from error
        code = code_of(document)
        if code:
            self._raise(path, code, act_of(code, answer.status))
        if answer.status >= 400:  # noqa: PLR2004
            msg = f"ingest: {self._channel}: {path} answered {answer.status}; it is asked again"
            raise TransientError(msg)
        self.trouble = Trouble()
        return document

    def _raise(self, path: str, code: int, act: Act) -> None:
        if act in {Act.RENEW, Act.BLOCKED}:
            self.trouble = Trouble(act, code)
        if act is not Act.AGAIN and act not in UNTIL:
            raise ApiError(self._channel, path, code, act)
        now = self._clock()
        if act in UNTIL:
            self._budget.block(UNTIL[act](now))
        raise TransientError(
            f"ingest: {self._channel}: {path} answered error {code}; {CURES[act]}",
            retry_after_s=self._budget.blocked_s(now) or None,
        )


def loads(body: bytes) -> Any:
    """The JSON of a body, half characters and all. Raises ValueError, for endless nesting too."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except RecursionError as error:
        msg = "nested too deeply"
        raise ValueError(msg) from error
