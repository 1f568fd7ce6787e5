"""Bytes to words, words to times."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingest.connectors.discuz import times
from ingest.connectors.discuz.decode import decode

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, 30, tzinfo=UTC)
WORDS = "朱镕基路的路灯坏了，请修"
GBK = WORDS.encode("gb18030")
META = b'<html><head><meta http-equiv="Content-Type" content="text/html; charset=%s" />'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GBK, "text/html; charset=gbk"),
        (GBK, "text/html; charset=GB2312"),
        (GBK, 'text/html; charset="gb18030"'),
        (META % b"gbk" + GBK, ""),
        (META % b"gb2312" + GBK, "text/html"),
        (META % b"gbk" + GBK, "text/html; charset=x-unknown"),
        (META % b"gbk" + GBK, "text/html; charset=utf-8"),
        (b'<?xml version="1.0" encoding="gbk"?>' + GBK, "application/xml"),
        (b'<meta charset="gbk">' + GBK, ""),
        (WORDS.encode(), ""),
        (WORDS.encode(), "text/html; charset=zlib"),
        (WORDS.encode(), "text/html; charset=utf-8"),
        (META % b"utf-8" + WORDS.encode(), "text/html"),
        (b"\xef\xbb\xbf" + WORDS.encode(), "text/html; charset=gbk"),
        (WORDS.encode("utf-16"), ""),
        ((WORDS * 20).encode("gbk"), ""),
        (WORDS.encode("big5", "ignore"), "text/html; charset=big5"),
    ],
)
def test_page_is_decoded(body: bytes, content_type: str) -> None:
    text = decode(body, content_type)
    assert "路的路" in text
    assert not text.startswith("\ufeff")


def test_setting_is_believed_first() -> None:
    assert decode(GBK, "text/html; charset=big5", encoding="gbk") == WORDS


def test_character_cut_in_half_spoils_no_page() -> None:
    whole = (WORDS * 20).encode() + "灯".encode()[:2] + b"<p>"
    assert decode(whole, "text/html; charset=utf-8").startswith(WORDS)


@pytest.mark.parametrize("body", [b"", b"\xff", bytes(range(256)), b"\x81\x30", b"\xff\xfe\x00"])
def test_any_bytes_are_decoded(body: bytes) -> None:
    assert isinstance(decode(body), str)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("words", "at", "exact"),
    [
        ("2026-11-24 08:19:17", local(2026, 11, 24, 8, 19, 17), True),
        ("发表于 2026-10-15 08:20:25", local(2026, 10, 15, 8, 20, 25), True),
        ("2026-1-5 8:05", local(2026, 1, 5, 8, 5), True),
        ("2026-11-24", local(2026, 11, 24), True),
        ("2026/11/24 下午 2:05", local(2026, 11, 24, 14, 5), True),
        ("2026-11-24 12:05 AM", local(2026, 11, 24, 0, 5), True),
        ("26\xa0秒前", local(2026, 11, 24, 9, 0, 4), False),
        ("5&nbsp;分钟前", local(2026, 11, 24, 8, 55, 30), False),
        ("半小时前", local(2026, 11, 24, 8, 30, 30), False),
        ("3 小时前", local(2026, 11, 24, 6, 0, 30), False),
        ("3 天前", local(2026, 11, 21, 9, 0, 30), False),
        ("刚刚", local(2026, 11, 24, 9, 0, 30), False),
        ("昨天\xa021:07", local(2026, 11, 23, 21, 7), True),
        ("前天 07:00", local(2026, 11, 22, 7, 0), True),
    ],
)
def test_time_is_read(words: str, at: datetime, *, exact: bool) -> None:
    assert times.read(words, zone=SHANGHAI, now=NOW) == (at, exact)


@pytest.mark.parametrize(
    "words", ["", "昨天", "2026-13-45 00:00", "0000-1-1", "昨天 25:00", "99-1-1"]
)
def test_no_time_is_none(words: str) -> None:
    assert times.read(words, zone=SHANGHAI, now=NOW) is None


def test_words_need_the_time_of_the_fetch() -> None:
    assert times.read("3 小时前", zone=SHANGHAI, now=None) is None
