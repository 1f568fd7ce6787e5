"""``[connectors.weibo.NAME]``: the account that is heard, its key, and how many calls a day it may make."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr, model_validator

from store.config import Strict
from store.model import CoordType


class Endpoint(StrEnum):
    """What can be asked for, in the order it is asked."""

    MENTIONS = "mentions"
    COMMENTS_TO_ME = "comments_to_me"
    COMMENTS_MENTIONS = "comments_mentions"
    TOPICS = "topics"


PATHS = {
    Endpoint.MENTIONS: "statuses/mentions",
    Endpoint.COMMENTS_TO_ME: "comments/to_me",
    Endpoint.COMMENTS_MENTIONS: "comments/mentions",
    Endpoint.TOPICS: "search/topics",
}

LISTS = {
    Endpoint.MENTIONS: "statuses",
    Endpoint.COMMENTS_TO_ME: "comments",
    Endpoint.COMMENTS_MENTIONS: "comments",
    Endpoint.TOPICS: "statuses",
}
"""Endpoint → the key its answer keeps the list under."""

DEFAULT_ENDPOINTS = (Endpoint.MENTIONS, Endpoint.COMMENTS_TO_ME, Endpoint.COMMENTS_MENTIONS)


class WeiboConfig(Strict):
    """The name of the section becomes the channel. ``variant`` is what the commercial interface puts behind
    each path: ``biz`` for the own account, ``other`` for any. ``reserve`` calls of ``calls_per_day`` are kept
    for replies; ``operator_ip`` is the address Weibo wants to see with each of them. ``access_token`` comes from
    the environment."""

    uid: str = Field(pattern=r"^[1-9][0-9]{0,18}$")
    url: str = Field(default="https://api.weibo.com/2", pattern=r"^https?://[^?#\s]+$")
    variant: Literal["", "biz", "other"] = ""
    access_token: SecretStr = SecretStr("")
    token_expires_at: AwareDatetime | None = None
    endpoints: tuple[Endpoint, ...] = Field(default=DEFAULT_ENDPOINTS, min_length=1)
    topics: tuple[str, ...] = ()
    calls_per_day: int = Field(default=100, ge=1)
    reserve: int = Field(default=4, ge=0)
    min_interval_s: float = Field(default=300, ge=1)
    reply: bool = False
    operator_ip: IPv4Address | None = None
    photos: bool = True
    geo: Literal[CoordType.WGS84, CoordType.GCJ02] = CoordType.WGS84

    @model_validator(mode="after")
    def _whole(self) -> WeiboConfig:
        if self.reply and self.operator_ip is None:
            msg = "reply needs operator_ip, the public address replies are sent from; add it"
            raise ValueError(msg)
        if self.calls_per_day <= self.reserve:
            msg = "reserve leaves no call for listening; make it smaller than calls_per_day"
            raise ValueError(msg)
        if (Endpoint.TOPICS in self.endpoints) != bool(self.topics):
            msg = "topics needs both the endpoint topics and at least one word; add or remove one"
            raise ValueError(msg)
        return self
