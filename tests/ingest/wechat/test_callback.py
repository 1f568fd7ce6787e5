"""Only WeChat's own calls are taken: 2,000 altered ones are not."""

import random
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from hub.sim.wechat import Citizen, WeChatSim
from ingest.connectors.wechat import WeChat, WeChatConfig
from ingest.connectors.wechat.callback import MOST_SEEN, Seen, Signed, check, open_body
from store.errors import AuthError

AT = datetime(2026, 11, 24, 1, tzinfo=UTC)
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APP_ID = "wx0123456789abcdef"
XML = "<xml><Content>路灯不亮</Content></xml>".encode()


def now() -> datetime:
    return AT


def make(mode: str) -> tuple[WeChat, dict[str, str], bytes]:
    """An account, and the query and body of a call to it."""
    config = WeChatConfig.model_validate(
        {"app_id": APP_ID, "token": "tok", "app_secret": "s", "aes_key": KEY, "mode": mode}
    )
    account = WeChat("wx", config, None, clock=now)  # type: ignore[arg-type]
    key = "" if mode == "plain" else KEY
    citizen = Citizen(WeChatSim(now, APP_ID, "s"), "", token="tok", openid="o1", aes_key=key)
    query, body = citizen._signed(XML)
    return account, dict(parse_qsl(query)), body


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
    account, good, whole = make(mode)
    assert check(account, good, whole, AT).timestamp == good["timestamp"]
    names = (
        ["timestamp", "nonce", "signature"]
        if mode == "plain"
        else ["timestamp", "nonce", "msg_signature", ""]
    )
    pick, taken, tried = random.Random(3), 0, 0
    while tried < 2000:
        name, query, body = pick.choice(names), dict(good), whole
        if name:
            query[name] = altered(query[name], pick)
        else:
            start, end = body.index(b"CDATA[") + 6, body.index(b"]]>")
            inside = altered(body[start:end].decode(), pick)
            body = body[:start] + inside.encode() + body[end:]
        if query == good and body == whole:
            continue
        tried += 1
        try:
            check(account, query, body, AT)
            taken += 1
        except AuthError:
            pass
    assert taken == 0


def test_plain_part_of_a_compatible_call_is_ignored() -> None:
    account, query, body = make("compat")
    forged = body.replace(b"<Encrypt>", "<Content>伪造</Content><Encrypt>".encode())
    assert open_body(account, check(account, query, forged, AT), forged) == (XML, 0)


@pytest.mark.parametrize(("mode", "theirs"), [("aes", "plain"), ("plain", "aes")])
def test_another_mode_than_the_accounts_is_refused(mode: str, theirs: str) -> None:
    _, query, body = make(theirs)
    with pytest.raises(AuthError, match="mode"):
        check(make(mode)[0], query, body, AT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp", ""), ("timestamp", "١٧٦٤"), ("timestamp", "9" * 30), ("timestamp", "-1"), ("nonce", "other"),
        ("msg_signature", ""), ("msg_signature", "é"), ("encrypt_type", "raw"), ("encrypt_type", "AES"),
    ],
)  # fmt: skip
def test_altered_query_is_refused(name: str, value: str) -> None:
    account, query, body = make("aes")
    with pytest.raises(AuthError):
        check(account, query | {name: value}, body, AT)


@pytest.mark.parametrize("body", [b"", b"<xml></xml>", b"<!DOCTYPE xml><xml/>", b"\xff"])
def test_encrypted_call_without_its_body_is_refused(body: bytes) -> None:
    account, query, _ = make("aes")
    with pytest.raises(AuthError, match="body"):
        check(account, query, body, AT)


def test_memory_of_seen_queries_is_bounded_by_time_and_number() -> None:
    seen = Seen()
    for n in range(MOST_SEEN + 10):
        assert seen.is_fresh(Signed("1", str(n), "s", ""), "a", AT)
    assert len(seen._seen) == MOST_SEEN
    assert not seen.is_fresh(Signed("1", "100", "s", ""), "b", AT)
    assert seen.is_fresh(Signed("1", "new", "s", ""), "a", AT + timedelta(minutes=21))
    assert len(seen._seen) == 1
