"""Bytes of a page to words: a forum of Discuz! X3.4 or older is commonly GBK and does not always say so.

The first rule that holds wins: the operator's setting, byte order mark, HTTP charset, XML declaration
or ``<meta>``, strict UTF-8, a guess by statistics. GB2312 and GBK are read as GB18030, their superset;
names of encodings not in the table are passed over. Never fails: what can not be read is U+FFFD.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
}
"""Names a page may use for its encoding, lower case, and the codec that reads it."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 2_000
_SAMPLE = 20_000
_LOST = 0.01
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w-]{1,40})|<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,40})",
    re.IGNORECASE,
)


def decode(body: bytes, content_type: str = "", *, encoding: str = "auto") -> str:
    """The page as text; ``encoding`` other than ``auto`` is believed before anything the page says."""
    for bom, codec in _BOMS:
        if body.startswith(bom):
            return body[len(bom) if codec == "utf-8" else 0 :].decode(codec, "replace")
    for name in (encoding, _in_header(content_type), _in_page(body)):
        codec = CODECS.get(name.lower(), "")
        if codec and (text := _try(body, codec)) is not None:
            return text
    return _guess(body)


def _in_header(content_type: str) -> str:
    found = _CHARSET.search(content_type)
    return found[1] if found else ""


def _in_page(body: bytes) -> str:
    found = _DECLARED.search(body[:_HEAD])
    return (found[1] or found[2]).decode("ascii", "ignore") if found else ""


def _try(body: bytes, codec: str) -> str | None:
    """None when the page is plainly in another encoding; a few characters cut in half are forgiven."""
    text = body.decode(codec, "replace")
    if codec != "utf-8" or "\ufffd" not in text:
        return text
    return text if text.count("\ufffd") <= len(_BEYOND_ASCII.findall(text)) * _LOST else None


def _guess(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        best = from_bytes(body[:_SAMPLE]).best()
        name = best.encoding if best else "utf-8"
        return body.decode(CODECS.get(name, name), "replace")
