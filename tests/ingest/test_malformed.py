"""Thousands of broken payloads over every parser: a clear refusal or a reading, never anything else, never a hang.

20,000 of them. Mutations come from the recorded payloads and are the same in every
run; a parser that does not come back within two seconds (a workbook's process within twenty) is stopped by
an alarm, which fails the test.
"""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from recorded import TYPES, make, payloads

from ingest.connectors import BUILTIN
from ingest.protocol import Payload
from store.errors import RejectedError

TOTAL = 20_000
SLOW = {".xls", ".xlsx"}
"""Workbooks are read in a process of their own: a twentieth of the tries is enough of the time."""

HANG_S = 2.0
NASTY = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"]]>", b"<![CDATA[", b"&#0;", b"&a;",
    b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"'\"", b"{{}}", b"9" * 400, b"-1", b"1e999", b"NaN", b"null", b"[]", b"{}",
    b"<" * 2000, b"(" * 2000, b"\xe3\x80\x80" * 500, b"%s%n", b"\r\n\r\n", "\u202e".encode(), "字".encode("gbk"),
)  # fmt: skip
CASES = [(kind, path) for kind in BUILTIN for path in payloads(kind.kind)]


def mutate(whole: bytes, pick: random.Random) -> bytes:
    """One broken version: bytes changed, cut, doubled, moved, or something nasty put in."""
    body = bytearray(whole)
    for _ in range(pick.choice((1, 1, 2, 5, 20))):
        at = pick.randrange(len(body) + 1)
        end = min(len(body), at + pick.choice((1, 2, 8, 64, 512)))
        action = pick.randrange(6)
        if action == 0:
            body[at:end] = bytes(pick.randrange(256) for _ in range(end - at))
        elif action == 1:
            del body[at:end]
        elif action == 2:
            body[at:at] = body[at:end] * pick.choice((2, 30))
        elif action == 3:
            body[at:at] = pick.choice(NASTY)
        elif action == 4:
            del body[at:]
        else:
            other = pick.randrange(len(body) + 1)
            body[at:end], body[other : other + end - at] = (
                body[other : other + end - at], body[at:end],
            )  # fmt: skip
    return bytes(body)


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Stop what takes longer."""

    def ring(*_: object) -> None:
        msg = f"a parser did not come back within {seconds} s"
        raise TimeoutError(msg)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("kind", "path"), CASES, ids=[f"{kind.kind}-{path.name}" for kind, path in CASES]
)
def test_broken_payloads_are_read_or_refused(kind: Any, path: Path) -> None:
    pick = random.Random(f"{kind.kind} {path.name}")
    whole = path.read_bytes()
    connector = make(kind)
    tries = TOTAL // len(CASES) // (20 if path.suffix in SLOW else 1)
    for _ in range(tries):
        body = mutate(whole, pick)
        content_type = pick.choice((TYPES[path.suffix], "", "text/plain; charset=bogus"))
        refused = ""
        try:
            with alarm(HANG_S * (10 if path.suffix in SLOW else 1)):
                parsed = connector.parse(Payload(body, content_type, "city"))
        except RejectedError as error:
            refused = str(error)
        if refused:
            assert refused.startswith("ingest: ")
            continue
        assert all(item.text for item in parsed.items)
        assert all(failure.source_key and failure.error for failure in parsed.failures)
