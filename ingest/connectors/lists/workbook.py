"""XLSX, XLSM, XLS and ODS: what may be read at all, then a process of its own reads it."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec

from ingest.connectors.lists.sheet import MAX_COLUMNS, MAX_ROWS, Cell, Sheet
from store.errors import RejectedError

MAX_UNPACKED = 500_000_000
"""Bytes the parts of a zipped workbook may have together."""

MAX_PARTS = 10_000
MEMORY = 2_000_000_000
SECONDS = 60
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK"
_READER = str(Path(__file__).with_name("reader.py"))
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CURES = {
    "password": "is protected by a password; remove it in Excel and save again",
    "broken": "can not be read as a workbook; open it in Excel and save it as .xlsx",
    "memory": "needs too much memory or time; delete the empty rows and columns or split it",
}


class _Answer(msgspec.Struct):
    error: str = ""
    sheets: list[str] = []
    tables: list[
        tuple[str, list[list[str | int | float | bool]], list[tuple[int, int, int, int]]]
    ] = []


def kind_of(body: bytes) -> str:
    """``xlsx``, ``ods`` or ``xls``. Raises RejectedError when it is another thing or too large."""
    if body.startswith(OLE):
        if _ENCRYPTED in body:
            raise _refuse("password")
        return "xls"
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _refuse("broken") from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise _refuse("memory")
    if any(part.flag_bits & 1 for part in parts):
        raise _refuse("password")
    names = {part.filename.replace("\\", "/").lstrip("/") for part in parts}
    for kind, mark in (("xlsx", "xl/workbook.xml"), ("ods", "content.xml")):
        if mark in names:
            return kind
    raise _refuse("broken")


def read_workbook(body: bytes, wanted: str) -> tuple[list[str], list[Sheet]]:
    """Names of all sheets, and the one ``wanted`` (name, or number from 1) or every visible one.

    Raises RejectedError when it can not be read within the limits.
    """
    limits = [str(n) for n in (MAX_ROWS, MAX_COLUMNS, MEMORY, SECONDS)]
    try:
        done = subprocess.run(  # noqa: S603 - our own script, no shell
            [sys.executable, "-I", _READER, *limits, wanted],
            input=body,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        answer = msgspec.msgpack.decode(done.stdout, type=_Answer)
    except (subprocess.TimeoutExpired, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refuse("memory") from error
    if answer.error:
        raise _refuse(answer.error)
    return answer.sheets, [_sheet(*table) for table in answer.tables]


def _sheet(name: str, rows: list[list[Cell]], merges: list[tuple[int, int, int, int]]) -> Sheet:
    return Sheet(name=name, rows=rows, merges=merges)


def _refuse(why: str) -> RejectedError:
    reason = {"memory": "oversize"}.get(why, why)
    return RejectedError(f"ingest: lists: the file {_CURES[why]}", reason=reason)
