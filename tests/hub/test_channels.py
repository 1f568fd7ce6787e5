"""From settings to connectors: names, ways out, who speaks."""

from typing import Any

import pytest

from hub.channels import Channels
from hub.settings import Settings
from store.errors import ConfigError

NOWHERE: Any = None
ACCOUNT = {"uid": "1000", "access_token": "token"}


def channels(**connectors: Any) -> Channels:
    return Channels(Settings.model_validate({"connectors": connectors}), NOWHERE, NOWHERE)


@pytest.mark.parametrize("reply", [True, False])
def test_silent_account_is_asked_to_say_nothing(*, reply: bool) -> None:
    account = ACCOUNT | {"reply": reply, "operator_ip": "203.0.113.7"}
    assert list(channels(weibo={"weibo": account}).speakers) == ["weibo"] * reply


def test_two_sources_of_one_name_are_refused() -> None:
    feed = {"url": "https://news.invalid/rss"}
    with pytest.raises(ConfigError, match="two sources are called news"):
        channels(feeds={"news": feed}, weibo={"news": ACCOUNT})


def test_every_channel_is_named_with_how_it_is_heard() -> None:
    made = channels(feeds={"news": {"url": "https://news.invalid/rss"}}, weibo={"weibo": ACCOUNT})
    assert made.names == [
        ("news", "polled"), ("weibo", "polled"), ("app", "pushed"),
        ("hotline", "imported"), ("urban_management", "imported"),
    ]  # fmt: skip
