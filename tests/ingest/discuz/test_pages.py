"""Recorded shapes of pages: what each is read as, and that nothing else is ever raised."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.connectors.discuz import Discuz, DiscuzConfig, mobile, pages, times
from ingest.connectors.discuz.decode import decode
from ingest.connectors.discuz.shapes import Row
from ingest.protocol import Payload
from store.errors import RejectedError

HERE = Path(__file__).parent / "pages"
GOLDEN = Path(__file__).parent.parent / "golden" / "discuz"
RECORDED = sorted(p for p in GOLDEN.iterdir() if not p.name.endswith(".expected.json"))
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
AT = f"#at={int(NOW.timestamp())}"
THREAD = f"http://bbs.example.org/forum.php?mod=viewthread&tid=1{AT}"
FIELDS = ("channel_id", "title", "text", "author", "posted_at")


def forum(**more: Any) -> Discuz:
    config = DiscuzConfig(url="http://bbs.example.org", boards=(2,), **more)
    return Discuz("forum", config, None, clock=lambda: NOW)  # type: ignore[arg-type]


def gbk(page: bytes) -> bytes:
    """The same page as a site in GBK sends it, with a character only GB18030 has."""
    text = page.decode().replace("charset=utf-8", "charset=gbk").replace("请尽快处理", "㐂镕")
    return text.encode("gb18030")


def page(name: str) -> str:
    return decode((HERE / name).read_bytes())


def minute(*parts: int) -> int:
    return times.minute(datetime(*parts, tzinfo=SHANGHAI))  # type: ignore[misc,arg-type]


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.name)
def test_recorded_page_is_read_as_expected(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    parsed = forum().parse(Payload(path.read_bytes(), "", "city"))
    shown = [{f: i.model_dump(mode="json")[f] for f in FIELDS} for i in parsed.items]
    assert shown == expected["items"]
    assert [f.source_key for f in parsed.failures] == expected["failures"]
    assert all(f.content and f.error.startswith("ingest: forum: ") for f in parsed.failures)


@pytest.mark.parametrize("name", ["thread-1.html", "thread-2.html", "thread-jammer.html"])
def test_thread_in_gbk_is_the_same(name: str) -> None:
    body = (GOLDEN / name).read_bytes()
    plain = forum().parse(Payload(body, "", THREAD))
    other = forum().parse(Payload(gbk(body), "text/html", THREAD))
    assert [i.text.replace("㐂镕", "请尽快处理") for i in other.items] == [
        i.text for i in plain.items
    ]
    assert other.gone == plain.gone


def test_pictures_are_whole_addresses_and_placeholders_are_none() -> None:
    parsed = forum().parse(Payload((GOLDEN / "thread-1.html").read_bytes(), "", THREAD))
    assert parsed.items[0].photos == (
        "http://bbs.example.org/data/attachment/forum/202611/24/081900a1b2.jpg",
        "http://pic.example.net/a.png",
    )
    assert parsed.items[-1].photos == ("http://img.example.org/forum/a.jpg",)


def test_moderated_post_is_gone_and_an_anonymous_one_has_no_author() -> None:
    parsed = forum().parse(Payload((GOLDEN / "thread-1.html").read_bytes(), "", THREAD))
    assert parsed.gone == ["t1:p14"]
    assert {i.channel_id: i.author for i in parsed.items}["t1:p13"] == ""


def test_replies_of_later_pages_know_the_first_post() -> None:
    body = (GOLDEN / "thread-2.html").read_bytes()
    parsed = forum().parse(Payload(body, "", f"{THREAD}&first=11"))
    assert [i.thread for i in parsed.items] == ["t1:p11", "t1:p11"]


def test_replies_are_left_out_when_not_wanted() -> None:
    parsed = forum(replies=False).parse(
        Payload((GOLDEN / "thread-1.html").read_bytes(), "", THREAD)
    )
    assert [i.channel_id for i in parsed.items] == ["t1:p11"]


def test_deleted_thread_names_its_first_post() -> None:
    body = (GOLDEN / "thread-gone.html").read_bytes()
    assert forum().parse(Payload(body, "", f"{THREAD}&status=404&first=11")).gone == ["t1:p11"]
    assert forum().parse(Payload(body, "", f"{THREAD}&status=404")).gone == []


@pytest.mark.parametrize("name", ["denied", "other", "paid"])
def test_message_in_place_of_a_thread_is_its_failure(name: str) -> None:
    parsed = forum().parse(Payload((HERE / f"{name}.html").read_bytes(), "", THREAD))
    assert [f.source_key for f in parsed.failures] == ["t1"]
    assert not parsed.gone


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("closed.html", "closed"), ("denied.html", "denied"), ("no-board.html", "no_board"),
        ("list.html", "layout"), ("rss.xml", "layout"), ("other.html", "message"),
    ],
)  # fmt: skip
def test_page_that_is_no_thread_is_rejected(name: str, reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        forum().parse(Payload((HERE / name).read_bytes(), "", ""))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00\xff\xfe", b"<html><p>closed</p>", b"[1,2", b"{}" * 50, b"null", b"{}", b"[]"],
)
@pytest.mark.parametrize("url", ["", "city", THREAD, "http://[", "#at=99999999999&first=x"])
def test_garbage_is_rejected(body: bytes, url: str) -> None:
    with pytest.raises(RejectedError) as caught:
        forum().parse(Payload(body, "", url))
    assert caught.value.reason == "layout"


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.name)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mutated_pages_never_raise_anything_else(path: Path, seed: int) -> None:
    pick = random.Random(seed)
    whole = bytearray(path.read_bytes())
    for _ in range(pick.randint(1, 20)):
        at = pick.randrange(len(whole))
        whole[at : at + pick.randint(0, 30)] = pick.randbytes(pick.randint(0, 8))
    try:
        parsed = forum().parse(Payload(bytes(whole), "", THREAD))
    except RejectedError:
        return
    assert all(item.text for item in parsed.items)


@pytest.mark.parametrize("unit", ["<div>", "<p><b>", "<table><td>", '<div class="quote">'])
def test_deep_pages_are_refused(unit: str) -> None:
    whole = f'<div id="post_1"><td id="postmessage_1">{unit * 40_000}'
    with pytest.raises(RejectedError):
        forum().parse(Payload(whole.encode(), "", THREAD))


def test_deep_post_of_the_mobile_plug_in_is_a_failure() -> None:
    whole = json.loads((GOLDEN / "mobile.json").read_text(encoding="utf-8"))
    whole["Variables"]["postlist"][1]["message"] = "<div>" * 40_000
    parsed = forum().parse(Payload(json.dumps(whole).encode(), "", ""))
    assert (len(parsed.items), [f.source_key for f in parsed.failures]) == (1, ["t9:p92"])


@pytest.mark.parametrize("transcode", [bytes, gbk])
def test_list_is_read(transcode: Callable[[bytes], bytes]) -> None:
    text = decode(transcode((HERE / "list.html").read_bytes()))
    listing = pages.listing(text, "forum", zone=SHANGHAI, now=NOW)
    assert listing.pages == 14
    assert listing.rows == (
        Row(3, sticky=True, stamp=minute(2025, 1, 2, 10), created=minute(2025, 1, 2), replies=0),
        Row(1, sticky=False, stamp=minute(2026, 11, 24, 8, 30), created=minute(2026, 11, 24), replies=12),
        Row(8, sticky=False, stamp=minute(2026, 10, 15, 8, 20), created=minute(2026, 10, 15), replies=0),
        Row(9, sticky=False, stamp=None, created=None, replies=2),
    )  # fmt: skip


def test_empty_list_is_no_error() -> None:
    assert pages.listing(page("empty.html"), "forum", zone=SHANGHAI, now=NOW).rows == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("closed.html", "closed"), ("denied.html", "denied"), ("no-board.html", "no_board"), ("rss.xml", "layout")],
)  # fmt: skip
def test_list_that_is_none_says_why(name: str, reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        pages.listing(page(name), "forum", zone=SHANGHAI, now=NOW)
    assert caught.value.reason == reason


def test_rss_names_threads_in_every_form_of_link() -> None:
    assert pages.rss(page("rss.xml"), "forum") == (12, 11, 10, 9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("RSS Disabled", "rss_off"), ("Specified forum not found", "no_board"), ("<p>hello", "layout"), ("", "layout")],
)  # fmt: skip
def test_rss_that_is_none_says_why(text: str, reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        pages.rss(text, "forum")
    assert caught.value.reason == reason


def test_closed_site_instead_of_rss() -> None:
    with pytest.raises(RejectedError) as caught:
        pages.rss(page("closed.html"), "forum")
    assert caught.value.reason == "closed"


@pytest.mark.parametrize(
    ("address", "tid"),
    [
        ("forum.php?mod=viewthread&tid=12&extra=page%3D1", 12),
        ("http://x/forum.php?mod=viewthread&amp;amp;tid=12", 12),
        ("http://x/thread-12-1-1.html", 12),
        ("http://x/archiver/?tid-12.html", 12),
        ("forum.php?mod=forumdisplay&fid=12", 0),
        ("forum.php?mod=redirect&ptid=12", 0),
    ],
)
def test_thread_of_an_address(address: str, tid: int) -> None:
    assert pages.tid_of(address) == tid


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("thread_nonexistence", "gone"), ("viewperm_login_nopermission//1", "denied"),
        ("forum_nonexistence", "no_board"), ("something", "message"),
    ],
)  # fmt: skip
def test_errors_of_the_mobile_plug_in(told: str, reason: str) -> None:
    text = json.dumps({"Variables": [], "Message": {"messageval": told, "messagestr": "…"}})
    with pytest.raises(RejectedError) as caught:
        mobile.thread(text, "forum")
    assert caught.value.reason == reason


def test_mobile_rows_as_list_or_object_and_empty_ones() -> None:
    row = {
        "tid": "7",
        "dblastpost": "1795479600",
        "dbdateline": "1795479557",
        "replies": "3",
        "displayorder": "1",
    }
    wanted = Row(7, sticky=True, stamp=29924660, created=29924659, replies=3)
    for rows in ([row], {"0": row}):
        text = json.dumps({"Variables": {"forum": [], "forum_threadlist": rows}})
        assert mobile.listing(text, "forum").rows == (wanted,)
    assert mobile.listing('{"Variables": {"forum_threadlist": []}}', "forum").rows == ()


def test_mobile_pages_that_are_not_counted_are_read_until_they_repeat() -> None:
    uncounted = json.dumps({"Variables": {"forum": [], "forum_threadlist": []}})
    assert mobile.listing(uncounted, "forum").pages == mobile.MAX_PAGES
    counted = {"forum": {"threads": "41"}, "forum_threadlist": [], "tpp": "20"}
    assert mobile.listing(json.dumps({"Variables": counted}), "forum").pages == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [("boards", ()), ("url", "bbs.example.org"), ("url", "http://bbs.example.org/forum.php"), ("encoding", "zlib"), ("timezone", "Mars/Base"), ("max_pages", 0), ("x", 1)],
)  # fmt: skip
def test_wrong_settings_are_named(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        DiscuzConfig.model_validate({"url": "http://bbs.example.org", "boards": (2,), key: value})
