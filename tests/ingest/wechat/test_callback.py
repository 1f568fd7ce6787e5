"""Only WeChat's own calls are taken: 2,000 altered ones are not."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.sim.wechat_citizen import Account, Citizen
from ingest.connectors.wechat import WeChat, WeChatConfig
from ingest.connectors.wechat.callback import MOST_SEEN, Seen, Signed, check, open_body
from store.errors import AuthError

AT = datetime(2026, 11, 24, 1, tzinfo=UTC)
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APP_ID = "wx0123456789abcdef"


def make(mode: Any) -> tuple[WeChat, Citizen]:
    config = WeChatConfig.model_validate(
        {"app_id": APP_ID, "token": "tok", "app_secret": "s", "aes_key": KEY, "mode": mode}
    )
    clock: Callable[[], datetime] = lambda: AT  # noqa: E731
    account = WeChat("wx", config, None, clock=clock)  # type: ignore[arg-type]
    return account, Citizen("openid", Account(APP_ID, "tok", KEY, mode), clock=clock)


def altered(text: str, pick: random.Random) -> str:
    at = pick.randrange(len(text) + 1)
    way = pick.randrange(3)
    if way == 0:
        return text[:at] + pick.choice("0aZ+/=") + text[at:]
    if way == 1 and text:
        return text[: at - 1] + text[at:] if at else text[1:]
    return "".join(pick.sample(text, len(text)))


@pytest.mark.parametrize("mode", ["plain", "aes"])
def test_none_of_2000_altered_calls_is_taken(mode: str) -> None:
    account, citizen = make(mode)
    call = citizen.call(citizen.message("text", Content="路灯不亮"))
    assert check(account, call.query, call.body, AT).timestamp == call.query["timestamp"]
    names = (
        ["timestamp", "nonce", "signature"]
        if mode == "plain"
        else ["timestamp", "nonce", "msg_signature", ""]
    )
    pick, taken, tried = random.Random(3), 0, 0
    while tried < 2000:
        name, query, body = pick.choice(names), dict(call.query), call.body
        if name:
            query[name] = altered(query[name], pick)
        else:
            start, end = body.index(b"CDATA[") + 6, body.index(b"]]>")
            inside = altered(body[start:end].decode(), pick)
            body = body[:start] + inside.encode() + body[end:]
        if sorted([*query.items()]) == sorted([*call.query.items()]) and body == call.body:
            continue
        tried += 1
        try:
            check(account, query, body, AT)
            taken += 1
        except AuthError:
            pass
    assert taken == 0


def test_encrypted_call_is_opened_and_the_plain_part_ignored() -> None:
    account, citizen = make("compat")
    call = citizen.call(citizen.message("text", Content="真"))
    body = call.body.replace("真".encode(), "假".encode())
    xml, key = open_body(account, check(account, call.query, body, AT), body)
    assert "真" in xml.decode()
    assert key == 0


def test_memory_of_seen_queries_is_bounded_by_time_and_number() -> None:
    seen = Seen()
    for n in range(MOST_SEEN + 10):
        assert seen.is_fresh(Signed("1", str(n), "s", ""), "a", AT)
    assert len(seen._seen) == MOST_SEEN
    assert not seen.is_fresh(Signed("1", "100", "s", ""), "b", AT)
    assert seen.is_fresh(Signed("1", "new", "s", ""), "a", AT + timedelta(minutes=21))
    assert len(seen._seen) == 1
