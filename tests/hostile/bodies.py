"""Hostile values, and what a good request would carry: each test puts one of the first in the place of one of the second."""

import json
import re
from pathlib import Path
from typing import Any

import desk

WIDE = 10**40
LABELS = {"kind": "complaint", "problems": [], "campaigns": [], "urgency": "normal"}
FAR = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999-12-31", "0001-01-01")
"""Times that no other zone can tell."""

GOOD: dict[str, Any] = {
    "version": 1, "note": "四个以上的字", "text": "四个以上的字", "department": "transport", "labels": LABELS, "support": [], "joint": False,
    "reason": "duty", "wanted_at": "2026-11-30T10:00:00+08:00", "until": "2026-11-30T10:00:00+08:00", "other": "1",
    "parts": [{"kind": "complaint", "words": "一"}, {"kind": "complaint", "words": "二"}], "granted": True, "solved": "solved",
    "satisfied": "satisfied", "via": "phone", "level": "order", "command": "note", "items": [{"id": "1", "version": 1}], "body": {},
    "case_id": None, "idle": False, "purpose": "note", "title": "标题", "shared": False, "name": "视图", "query": "view=all",
    "position": 0, "password": "correct horse", "code": "", "proposed": "transport", "amount": 1,
}  # fmt: skip
"""Every field of every JSON body of the desk."""

NESTED: Any = "x"
for _ in range(60):
    NESTED = [NESTED]

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, WIDE, -WIDE, 2**63, 2**63 - 1, 1.5, 1e308, "", "\0", "x\0y", "\u202e\u200b\ufeff", "长" * 5000, "0" * 5000,
    "-1", "１２", [], {}, [[]], ["x\0"], [None], {"kind": "\0"}, {"": ""}, NESTED, *FAR, "<svg onload=x()>", "'; DROP TABLE users; --", "%00",
)  # fmt: skip

RAW = (
    b"", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"null", b"1", b'"x"', b"[]", b"NaN", b'{"version":1e400}', b'{"version":NaN}',
    b'{"note":"\\ud800"}', b'{"note":"\\udfff\\ud800"}', b'{"note":"' + b"x" * 10_000_000 + b'"}', b'{"\\u0000":1}', b'{"' + b"k" * 20_000 + b'":1}',
    "\ufeff{}".encode(), b'{"version":1,"version":2}', b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
)  # fmt: skip

FORM = {
    "name": "nobody", "password": "correct horse", "code": "", "step": "", "old": "correct horse", "new": "correct horse 2", "again": "correct horse 2",
    "offer": "", "keys": "on", "id": "1", "role": "official", "scope": "", "display": "某岗位", "external": "", "text": "人行道被占", "mark": "",
    "act": "", "days": "7", "note": "四个以上的字", "state": "dead", "reason": "", "programme": "某栏目", "aired": "2026-11-23T10:00", "title": "标题",
    "address": "渤海街", "url": "https://example.invalid/", "post": "分管副市长", "wanted": "2026-11-30T10:00", "channel": "hotline", "key": "",
    "number": "1", "solved": "solved", "satisfied": "satisfied", "file": "", "from": "2026-01-01", "to": "2026-01-02", "actor": "", "target": "",
    "ids": "1", "month": "2026-11", "by": "", "phrases": "扶手 松动", "into": "2", "kind": "monthly", "period": "2026-10", "version": "1",
    "copied_to": "各单位", "seen": "0", "value": "1", "cases": "1", "owner": "", "year": "2026",
}  # fmt: skip
"""Every field of every form of the desk's templates."""

TEXTS = (
    "\0", "x\0", "\ud800", "\u202e\u200b", "长" * 20_000, "9" * 5000, "-1", "１２", "²", *FAR, "2026-13-45", "Infinity", "[", "{{7*7}}", "%s%n",
    "../../etc/passwd", "' OR 1=1 --", "=cmd|' /C calc'!A0", "\r\nSet-Cookie: a=b", "a,b,,", "|", "2026-01-01|1", "\ufeff", "😀" * 99,
)  # fmt: skip

BODIES = (
    (b"a=%ff%fe&token=x", "application/x-www-form-urlencoded"),
    (b"a=\xff\xfe", "application/x-www-form-urlencoded"),
    (b"note=\\ud800&text=\\ud800&number=\\ud800&name=\\ud800", "application/x-www-form-urlencoded; charset=unicode_escape"),
    (b"a=1", "application/x-www-form-urlencoded; charset=nothing"),
    (b"a=1", "application/x-www-form-urlencoded; charset=rot13"),
    (b"&".join(b"f%d=1" % n for n in range(20_000)), "application/x-www-form-urlencoded"),
    (b"note=" + b"x" * 10_000_000, "application/x-www-form-urlencoded"),
    (b"", "multipart/form-data"),
    (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\nContent-Type: text/plain; charset=nothing\r\n\r\nv\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n\xff\xfe\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\xff\0\"\r\n\r\nv\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n--y--\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b"x", "application/x-www-form-urlencoded; charset=\xff".replace("\xff", "utf-16")),
    (b"x", ""), (b"x", "text/plain"), (b"x", "///"), (b"{}", "application/json; charset=nothing"),
)  # fmt: skip

QUERY = (
    "view", "q", "sort", "after", "limit", "ids", "problem", "campaign", "area", "channel", "urgency", "department", "claimed", "month", "by",
    "unit", "indicator", "part", "state", "reason", "name", "actor", "act", "target", "from", "to", "before", "no",
)  # fmt: skip
"""Every name an address of the desk may ask by."""

HEADS: tuple[dict[str, str], ...] = (
    {"Cookie": "minsheng=\udcff\udcfe"}, {"Cookie": "minsheng=" + "x" * 7000}, {"Cookie": "minsheng=\"a;b\"; minsheng="}, {"X-Token": "\udcff"},
    {"X-Token": ""}, {"Origin": "http://["}, {"Origin": "null"}, {"Origin": "http://[::1"}, {"Sec-Fetch-Site": "\udcff"}, {"Content-Encoding": "gzip"},
    {"Content-Encoding": "br"}, {"X-Forwarded-For": "\udcff, ::, 1.2.3"}, {"Accept": "text/html;q=\udcff"}, {"If-Modified-Since": "\udcff"},
    {"X-Remote-User": "admin"}, {"X-HTTP-Method-Override": "DELETE"}, {"Range": "bytes=9-1"}, {"Accept-Encoding": "\udcff"},
)  # fmt: skip


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def fields_in_templates() -> set[str]:
    """Names of the fields of all forms."""
    home = Path(desk.__file__).parent / "templates"
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(home.glob("*.html")))
    return set(re.findall(r'<(?:input|textarea|select|button)\b[^>]*?\bname="([\w-]+)"', text))
