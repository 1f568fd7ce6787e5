"""What Weibo's JSON becomes: recorded payloads, odd fields, garbage."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.connectors.weibo import Weibo, WeiboConfig
from ingest.connectors.weibo.posts import id_of, time_of
from ingest.protocol import Parsed, Payload
from store.errors import RejectedError
from store.model import CoordType

GOLDEN = Path(__file__).parent.parent / "golden" / "weibo"
NAMES = ("mentions", "comments")
FIELDS = ("channel_id", "title", "text", "author", "posted_at")
NOWHERE: Any = None


def make(**more: Any) -> Weibo:
    config = WeiboConfig.model_validate({"uid": "1000", "access_token": "token", **more})
    return Weibo("weibo", config, NOWHERE, clock=lambda: datetime(2026, 11, 24, tzinfo=UTC))


def recorded(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def parse(post: dict[str, Any], *, key: str = "statuses", **more: Any) -> Parsed:
    whole = {"id": 7, "idstr": "7", "text": "路灯不亮", "user": {"id": 2001}, **post}
    return make(**more).parse(Payload(json.dumps({key: [whole]}).encode()))


@pytest.mark.parametrize("name", NAMES)
def test_recorded_payload_is_read_as_expected(name: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.expected.json").read_text(encoding="utf-8"))
    parsed = make().parse(Payload(recorded(name)))
    items = [item.model_dump(mode="json") for item in parsed.items]
    assert [{field: item[field] for field in FIELDS} for item in items] == expected["items"]
    assert len(parsed.failures) == len(expected["failures"])
    for failure, start in zip(parsed.failures, expected["failures"], strict=True):
        assert failure.source_key.startswith(start)


def test_deleted_post_is_gone() -> None:
    assert list(make().parse(Payload(recorded("mentions"))).gone) == ["5100000000000010"]


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00\xff\xfe", b"<html>", b"[1,2", b"{}" * 50, b"null", b"[]", b'{"statuses":3}',
     b'{"statuses":' + b"[" * 100_000, b'{"statuses":[' + b"9" * 5_000 + b"]}"],
)  # fmt: skip
def test_garbage_is_rejected(body: bytes) -> None:
    with pytest.raises(RejectedError):
        make().parse(Payload(body))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mutated_payload_never_raises_anything_else(name: str, seed: int) -> None:
    whole, pick = bytearray(recorded(name)), random.Random(seed)
    for _ in range(pick.randint(1, 12)):
        at = pick.randrange(len(whole))
        whole[at : at + pick.randint(0, 8)] = pick.randbytes(pick.randint(0, 8))
    try:
        parsed = make().parse(Payload(bytes(whole)))
    except RejectedError:
        return
    assert all(item.text for item in parsed.items)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = ("id", "idstr", "mid", "text", "user", "created_at", "geo", "pic_urls", "original_pic",
        "retweeted_status", "reply_comment", "status", "deleted")  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(key=st.sampled_from(["statuses", "comments"]), post=st.dictionaries(st.sampled_from(KEYS), ANY))  # fmt: skip
def test_fields_of_any_type_never_raise(key: str, post: dict[str, Any]) -> None:
    parsed = parse(post, key=key)
    assert len(parsed.items) + len(parsed.failures) + len(parsed.gone) <= 1


@pytest.mark.parametrize(
    ("post", "number"),
    [
        ({"idstr": "12", "id": 13}, 12),
        ({"id": 13, "mid": "14"}, 13),
        ({"id": "13"}, 13),
        ({"id": 1.3e18, "mid": "14"}, 14),
        ({"id": 2**63 - 1}, 2**63 - 1),
        ({"id": 2**63}, 0),
        ({"id": True}, 0),
        ({"id": -5}, 0),
        ({"idstr": "１２"}, 0),
        ({"idstr": ""}, 0),
    ],
)
def test_id(post: dict[str, Any], number: int) -> None:
    assert id_of(post) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue May 31 17:46:55 +0800 2011", "2011-05-31T17:46:55+08:00"),
        ("Tue May  3 17:46:55 -0330 2011", "2011-05-03T17:46:55-03:30"),
        ("Tue Feb 31 17:46:55 +0800 2011", None),
        ("Tue 五月 31 17:46:55 +0800 2011", None),
        ("Tue May 31 17:46:55 +9900 2011", None),
        ("3分钟前", None),
        (1306835215, None),
    ],
)
def test_time(text: object, expected: str | None) -> None:
    found = time_of(text)
    assert (found.isoformat() if found else None) == expected


def test_pictures_are_large_few_and_once() -> None:
    small = [{"thumbnail_pic": f"http://wx1.sinaimg.cn/thumbnail/{n}.jpg"} for n in range(12)]
    first = "http://wx1.sinaimg.cn/bmiddle/0.jpg"
    item = parse({"pic_urls": small, "original_pic": first}).items[0]
    assert item.photos == tuple(f"https://wx1.sinaimg.cn/large/{n}.jpg" for n in range(9))
    assert parse({"pic_urls": small}, photos=False).items[0].photos == ()


def test_pictures_of_the_original_come_after() -> None:
    original = {"text": "井盖", "user": {"id": 5, "screen_name": "甲"}, "original_pic": "https://wx1.sinaimg.cn/orj360/b.jpg"}  # fmt: skip
    post = {"original_pic": "https://wx1.sinaimg.cn/large/a.jpg", "retweeted_status": original}
    item = parse(post).items[0]
    assert [url.rpartition("/")[2] for url in item.photos] == ["a.jpg", "b.jpg"]
    assert item.photos[1] == "https://wx1.sinaimg.cn/large/b.jpg"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "http://[", "http:///x", 3, None, "https://a/\n", "x" * 2000]
)
def test_strange_picture_is_left_out(url: object) -> None:
    assert parse({"original_pic": url}).items[0].photos == ()


def test_place_is_latitude_longitude_in_the_configured_datum() -> None:
    geo = {"type": "Point", "coordinates": [31.23, 121.47]}
    place = parse({"geo": geo}).items[0].place
    assert (place.lat, place.lon, place.coord_type) == (31.23, 121.47, CoordType.WGS84)
    assert parse({"geo": geo}, geo="gcj02").items[0].place.coord_type is CoordType.GCJ02


@pytest.mark.parametrize("pair", [[121.47, 31.23], [0, 0], ["31", "121"], [31], None, [True, 1]])
def test_strange_place_is_left_out(pair: object) -> None:
    assert parse({"geo": {"coordinates": pair}}).items[0].place.lat is None


def test_words_stay_as_they_are() -> None:
    text = "@某市发布 #停水# 见 http://t.cn/A1 //@甲: 是"
    assert parse({"text": text}).items[0].text == text
