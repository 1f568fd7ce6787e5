"""The channel's contract: golden, pure, unmoved by garbage; 2,000 malformed forms make no defect."""

import json
import random
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from citizens import KEY, SERVICES

from ingest.connectors.open311 import Open311, Open311Config
from ingest.protocol import Payload
from store.errors import RejectedError

GOLDEN = Path(__file__).parents[1] / "golden" / "open311"
FIELDS = ("channel_id", "title", "text", "author", "posted_at")
NONE: Any = None


@pytest.fixture(scope="module")
def channel() -> Open311:
    return Open311(
        "open311", Open311Config(), SERVICES, admission=NONE, keys={}, requests=NONE,
        statuses={}, closed=(), departments={}, zone=UTC, clock=NONE,
    )  # fmt: skip


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_payload_is_read_as_expected(channel: Open311, path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    parsed = channel.parse(Payload(path.read_bytes(), "application/x-www-form-urlencoded", "city"))
    found = [{f: item.model_dump(mode="json")[f] for f in FIELDS} for item in parsed.items]
    assert {"items": found, "failures": list(parsed.failures)} == expected


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff\xfe", b"<html><p>closed</p>", b"[1,2", b"{}" * 50, b"null"]
)
def test_garbage_is_rejected(channel: Open311, body: bytes) -> None:
    with pytest.raises(RejectedError):
        channel.parse(Payload(body, "", "city"))


NAMES = (
    "service_code", "lat", "long", "address_string", "address_id", "description", "email", "phone",
    "first_name", "last_name", "device_id", "account_id", "media_url", "media_url[]", "coord_type",
    "attribute[recurring]", "attribute[affects][]", "attribute[days]", "attribute[occurred]",
    "attribute[LAMPS]", "attribute[", "attribute[]", "attribute[[a]]", "jurisdiction_id", "x",
)  # fmt: skip
VALUES = (
    "", " ", "litter", "001", "38.9", "121.6", "-0", "1e999", "９", "nan", "often", "walkers", "0" * 400,
    "2026-11-24", "2026-11-24T24:61", "<b>", "&#0;", "&#xD800;", "\x00", "\u200b", "\U0001f600", "长" * 350,
    "gcj02", "https://x.invalid/a", "https://[", "javascript:1", "a\r\nb", "%", "city", "\u202e",
)  # fmt: skip


def malformed(pick: random.Random) -> bytes:
    """A form that is mostly a form, with bytes broken now and then."""
    good = ["service_code=litter", "lat=38.9&long=121.6"] if pick.random() < 0.6 else []
    more = [
        f"{quote_plus(pick.choice(NAMES))}={quote_plus(pick.choice(VALUES))}"
        for _ in range(pick.randint(0, 6))
    ]
    body = bytearray("&".join([f"api_key={KEY}", *good, *more]).encode())
    if pick.random() < 0.3:
        at = pick.randrange(len(body))
        body[at : at + pick.randint(0, 4)] = bytes(pick.randrange(256) for _ in range(3))
    return bytes(body)


def test_malformed_forms_are_rejected_or_read(channel: Open311) -> None:
    pick, read = random.Random(311), 0
    for _ in range(2000):
        try:
            parsed = channel.parse(Payload(malformed(pick), "", "city"))
        except RejectedError:
            continue
        read += 1
        assert all(item.text for item in parsed.items)
    assert 50 < read < 1950


async def test_malformed_forms_never_break_the_server(serve: Any) -> None:
    client = await serve(rate=1e6, burst=1e6)
    pick, seen = random.Random(2026), set()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for n in range(2000):
        fmt = ("xml", "json")[n % 2]
        answer = await client.post(
            f"/open311/v2/requests.{fmt}", data=malformed(pick), headers=kind
        )
        seen.add(answer.status)
        await answer.read()
    assert seen == {200, 400, 403, 404}
