"""The contract of every connector: named, golden, pure, and unmoved by garbage."""

import importlib
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import make, payloads, read

from ingest.connectors import BUILTIN
from ingest.connectors.app import App
from ingest.connectors.feed import Feed
from ingest.protocol import Payload
from store.errors import RejectedError

FIELDS = ("channel_id", "title", "text", "author", "posted_at")


@pytest.mark.parametrize("kind", BUILTIN)
def test_name_is_the_module(kind: type) -> None:
    assert kind.kind == kind.__module__.rsplit(".", 1)[1]  # type: ignore[attr-defined]
    assert importlib.import_module(kind.__module__).__doc__


@pytest.mark.parametrize("kind", BUILTIN)
def test_there_is_a_recorded_payload(kind: type) -> None:
    assert payloads(kind.kind)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "path"), [(k, p) for k in BUILTIN for p in payloads(k.kind)])
def test_payload_is_read_as_expected(kind: type, path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    parsed = make(kind).parse(read(path))
    assert [{f: i.model_dump(mode="json")[f] for f in FIELDS} for i in parsed.items] == expected[
        "items"
    ]
    assert len(parsed.failures) == len(expected["failures"])
    for failure, start in zip(parsed.failures, expected["failures"], strict=True):
        assert failure.source_key.startswith(start)
        assert failure.content


@pytest.mark.parametrize(("kind", "path"), [(k, p) for k in BUILTIN for p in payloads(k.kind)])
def test_reading_twice_gives_the_same(kind: type, path: Path) -> None:
    assert make(kind).parse(read(path)) == make(kind).parse(read(path))


@pytest.mark.parametrize("kind", BUILTIN)
@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff\xfe", b"<html><p>closed</p>", b"[1,2", b"{}" * 50, b"null"]
)
def test_garbage_is_rejected(kind: type, body: bytes) -> None:
    with pytest.raises(RejectedError):
        make(kind).parse(Payload(body, "", "city"))


@pytest.mark.parametrize("kind", BUILTIN)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_mutated_payloads_never_raise_anything_else(kind: type, data: st.DataObject) -> None:
    whole = bytearray(payloads(kind.kind)[0].read_bytes())  # type: ignore[attr-defined]
    pick = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(pick.randint(1, 12)):
        at = pick.randrange(len(whole))
        whole[at : at + pick.randint(0, 8)] = bytes(
            pick.randrange(256) for _ in range(pick.randint(0, 8))
        )
    try:
        parsed = make(kind).parse(Payload(bytes(whole), "", "city"))
    except RejectedError:
        return
    assert all(item.text for item in parsed.items)


def test_feed_in_gbk_is_read() -> None:
    text = "<?xml version='1.0' encoding='gbk'?><rss version='2.0'><channel><item><guid>1</guid><description>污水外溢</description></item></channel></rss>"
    parsed = make(Feed).parse(Payload(text.encode("gbk"), "application/xml"))
    assert parsed.items[0].text == "污水外溢"


def test_deep_json_is_refused() -> None:
    with pytest.raises(RejectedError):
        App().parse(Payload(b'{"items":[' + b"[" * 100_000 + b"]}", "", "city"))
