"""Recorded messages of every kind are read as expected; what is malformed is refused by name."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import wechatpy
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.connectors.wechat import WeChat, WeChatConfig
from ingest.connectors.wechat.messages import Message, build_reply, clip, fields, read
from ingest.protocol import Payload
from store.errors import RejectedError
from store.model import CoordType, Place

GOLDEN = Path(__file__).parent.parent / "golden" / "wechat"
PATHS = sorted(GOLDEN.glob("*.xml"))
FIELDS = ("channel_id", "title", "text", "author", "posted_at")
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
GOOD = {"app_id": "wx0123456789abcdef", "token": "t", "app_secret": "s", "aes_key": KEY}
AT = datetime(2026, 11, 24, 1, tzinfo=UTC)


def account(**more: Any) -> WeChat:
    config = WeChatConfig.model_validate(GOOD | more)
    return WeChat("wx", config, None, clock=lambda: AT)  # type: ignore[arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.xml").read_bytes()


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_recorded_message_is_read_as_expected(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    parsed = account().parse(Payload(path.read_bytes()))
    got = [{f: item.model_dump(mode="json")[f] for f in FIELDS} for item in parsed.items]
    assert got == expected["items"]
    assert parsed == account().parse(Payload(path.read_bytes()))


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_an_independent_reader_sees_the_same(path: Path) -> None:
    ours, theirs = read("wx", path.read_bytes()), wechatpy.parse_message(path.read_bytes())
    assert (ours.author, ours.to, ours.at) == (theirs.source, theirs.target, theirs.create_time)
    if ours.kind != "event":
        assert ours.msg_id == str(theirs.id)


@pytest.mark.parametrize(
    ("name", "photos"),
    [("image", ("wechat:media_1",)), ("voice", ("wechat:media_2",)), ("video", ("wechat:media_id-4",))],
)  # fmt: skip
def test_media_are_references(name: str, photos: tuple[str, ...]) -> None:
    assert account().parse(Payload(golden(name))).items[0].photos == photos


def test_location_x_is_the_latitude_in_gcj02() -> None:
    item = account().parse(Payload(golden("location"))).items[0]
    assert item.place == Place(
        address="吉林省敦化市渤海街", lat=43.372, lon=128.232, coord_type=CoordType.GCJ02
    )


def test_link_has_its_address() -> None:
    assert account().parse(Payload(golden("link"))).items[0].url == "https://news.invalid/1"


def test_encrypted_body_that_was_kept_is_read_again() -> None:
    sealed = account().cipher.seal(golden("text"))
    body = f"<xml><ToUserName>x</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
    assert account().parse(Payload(body)) == account().parse(Payload(golden("text")))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\x00\xff\xfe", b"<html><p>closed</p>", b"<html></html>", b"[1,2", b"null", b"<xml></xml>", b"not xml",
        "<xml><MsgType>text</MsgType></xml>".encode("utf-16"),
        b"<?xml version='1.0' encoding='utf-7'?><xml></xml>",
    ],
)  # fmt: skip
def test_garbage_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedError, match="wx"):
        account().parse(Payload(body))


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE xml [<!ENTITY a "b">]>',
        '<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd">',
        '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        "<!DOCTYPE xml>",
    ],
)
def test_dtd_is_refused(head: str) -> None:
    with pytest.raises(RejectedError) as caught:
        account().parse(Payload(head.encode() + golden("text")))
    assert caught.value.reason == "dtd"


def test_64_kib_is_the_most() -> None:
    text = golden("text").decode()
    room = 65_536 - len(text.encode())
    full = text.replace("渤海街", "渤海街" + "x" * room).encode()
    assert len(full) == 65_536
    assert account().parse(Payload(full)).items
    with pytest.raises(RejectedError) as caught:
        account().parse(Payload(full + b" "))
    assert caught.value.reason == "oversize"


@pytest.mark.parametrize(
    ("name", "old", "new", "field"),
    [
        ("text", "<MsgId>7000000000000000001</MsgId>", "", "MsgId"),
        ("text", "7000000000000000001", "-1", "MsgId"),
        ("text", "1795482000", "soon", "CreateTime"),
        ("text", "1795482000", "17954820000000", "CreateTime"),
        ("text", "oFictionalCitizen1", "", "FromUserName"),
        ("text", "[text]", "[musical]", "MsgType"),
        ("image", "media_1", "", "MediaId"),
        ("location", "43.372", "138.9", "Location_X"),
        ("location", "128.232", "nan", "Location_Y"),
        ("event", "[subscribe]", "[]", "Event"),
    ],
)
def test_malformed_field_is_named(name: str, old: str, new: str, field: str) -> None:
    body = golden(name).decode()
    assert old in body
    with pytest.raises(RejectedError, match=field):
        account().parse(Payload(body.replace(old, new).encode()))


def test_error_holds_no_words_of_the_citizen() -> None:
    body = golden("text").decode().replace("1795482000", "渤海街")
    with pytest.raises(RejectedError) as caught:
        account().parse(Payload(body.encode()))
    assert "渤海街" not in str(caught.value)
    assert "oFictional" not in str(caught.value)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mutated_message_never_raises_anything_else(path: Path, seed: int) -> None:
    whole, pick = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(pick.randint(1, 12)):
        at = pick.randrange(len(whole))
        whole[at : at + pick.randint(0, 8)] = pick.randbytes(pick.randint(0, 8))
    try:
        parsed = account().parse(Payload(bytes(whole)))
    except RejectedError:
        return
    assert all(item.text for item in parsed.items)


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"]), max_size=900))
def test_reply_is_short_whole_and_read_by_others(text: str) -> None:
    reply = build_reply(Message("text", "them", "us", AT), f"a]]>{text}", AT)
    got = fields("wx", reply)
    assert (got["ToUserName"], got["FromUserName"], got["MsgType"]) == ("them", "us", "text")
    assert got["Content"] == clip(f"a]]>{text}")
    assert len(got["Content"]) <= 600
    assert len(got["Content"].encode()) <= 2048


def test_clip_cuts_between_characters() -> None:
    assert clip("字" * 682) == "字" * 599 + "…"
    assert clip("🙏" * 600) == "🙏" * 511 + "…"
    assert clip("字" * 600) == "字" * 600
    assert clip("x" * 601) == "x" * 599 + "…"


@pytest.mark.parametrize(
    "wrong",
    [
        {"app_id": "wx12"}, {"token": ""}, {"app_secret": ""}, {"aes_key": ""}, {"aes_key": "short"},
        {"previous_aes_key": "short"}, {"mode": "none"}, {"template_fields": {"thing1": "{phone}"}},
        {"template_fields": {"thing1": "{"}}, {"api": "ftp://x"}, {"strange": 1},
    ],
)  # fmt: skip
def test_wrong_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WeChatConfig.model_validate(GOOD | wrong)


def test_secrets_are_not_shown() -> None:
    config = WeChatConfig.model_validate(GOOD | {"token": "very-secret-token"})
    assert "very-secret-token" not in repr(config)
    assert KEY not in repr(config)


def test_plain_mode_needs_no_key() -> None:
    assert WeChatConfig.model_validate(GOOD | {"mode": "plain", "aes_key": ""}).mode == "plain"
