"""Import and drop folder against a real admission: once, each row on its own, nothing lost."""

import asyncio
import csv
import io
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import func, select

from ingest.admit import Admission
from ingest.connectors.lists import ListConfig, Lists
from ingest.connectors.lists.imports import import_file
from ingest.connectors.lists.report import report
from ingest.connectors.lists.rows import Problem
from ingest.protocol import Page, Payload
from store.db import Database
from store.dead import DeadLetters
from store.errors import RejectedError, TransientError
from store.model import Heard, Item
from store.outbox import Outbox
from store.tables import T
from store.vault import Vault

GOLDEN = Path(__file__).parent.parent / "golden" / "lists"
HEADER = "工单编号,受理时间,诉求内容,联系电话\n"


@pytest.fixture
def db_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def admission(
    db: Database, vault: Vault, outbox: Outbox, clock: Callable[[], datetime]
) -> Admission:
    return Admission(
        db=db,
        vault=vault,
        outbox=outbox,
        dead=DeadLetters(db, vault, outbox),
        zone=ZoneInfo("Asia/Shanghai"),
        clock=clock,
        observe=lambda *_: None,
    )


async def how_many(db: Database, table: object) -> int:
    async with db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(table))).scalar_one())  # type: ignore[arg-type]


def lists(folder: Path | None = None) -> Lists:
    return Lists("hotline", ListConfig(folder=folder))


def payload(*rows: str) -> Payload:
    return Payload((HEADER + "\n".join(rows)).encode())


async def test_the_same_file_again_adds_nothing(admission: Admission, db: Database) -> None:
    whole = Payload((GOLDEN / "hotline.csv").read_bytes())
    first = await import_file(admission, lists(), whole)
    again = await import_file(admission, lists(), whole)
    assert (first.new, first.duplicate, first.bad, first.skipped) == (3, 0, 3, 4)
    assert (again.new, again.duplicate, again.revised, again.bad) == (0, 3, 0, 3)
    assert await how_many(db, T.items) == await how_many(db, T.dead) == 3


async def test_tomorrows_file_with_the_same_rows_elsewhere(
    admission: Admission, db: Database
) -> None:
    bad = "G9,2026-13-01,下水道堵了,"
    await import_file(admission, lists(), payload("G1,,路灯不亮,", bad, ",2026-13-01,树倒了,"))
    later = payload("G0,,井盖丢了,", bad, ",2026-13-01,树倒了,", "G1,,路灯还是不亮,")
    result = await import_file(admission, lists(), later)
    assert (result.new, result.revised, result.bad) == (1, 1, 2)
    assert await how_many(db, T.dead) == 2


class Picky:
    """An admission that refuses one item, as a rule added later might."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.reject = admission.reject

    async def admit(self, items: list[Item]) -> list[Heard]:
        if any(item.channel_id == "G7" for item in items):
            raise RejectedError("ingest: hotline: refused; look at it")
        return await self._admission.admit(items)


async def test_a_refused_row_spoils_no_neighbour(admission: Admission, db: Database) -> None:
    rows = [f"G{n},,路灯{n}不亮," for n in range(450)]
    result = await import_file(Picky(admission), lists(), payload(*rows))  # type: ignore[arg-type]
    assert (result.new, result.bad) == (449, 1)
    assert await how_many(db, T.dead) == 1
    lines = list(csv.DictReader(io.StringIO(result.report_csv.decode("utf-8-sig"))))
    assert [(line["row"], line["what"]) for line in lines] == [
        ("9", "hotline: refused; look at it")
    ]


async def test_no_list_is_refused_whole(admission: Admission) -> None:
    with pytest.raises(RejectedError):
        await import_file(admission, lists(), Payload(b"null"))


def test_report_opens_in_a_spreadsheet_without_a_formula() -> None:
    cells = [
        f"{sign}cmd|' /C calc'!A{n}" for n, sign in enumerate(["=", "+", "-", "@", "\t=", "\r="])
    ]
    body = report("=1+1", [Problem(n, cell, cell, cell) for n, cell in enumerate(cells, 1)])
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    sheet = openpyxl.Workbook().active
    for row in rows:
        sheet.append(row)
    assert len(rows) == len(cells) + 1
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}


async def pages(source: Lists, cursor: str = "") -> list[Page]:
    return [page async for page in source.pages(cursor, sweep=False)]


def drop(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


async def test_dropped_file_is_read_when_it_stopped_growing(tmp_path: Path) -> None:
    source = lists(tmp_path)
    path = drop(tmp_path, "a.csv", payload("G1,,路灯不亮,").body)
    assert await pages(source) == []
    path.write_bytes(payload("G1,,路灯不亮,", "G2,,井盖丢了,").body)
    assert await pages(source) == []
    (page,) = await pages(source)
    assert page.payload is not None
    assert [i.channel_id for i in source.parse(page.payload).items] == ["G1", "G2"]
    assert [p.name for p in (tmp_path / "done").iterdir()] == ["a.csv"]
    assert not path.exists()
    assert source.health().warning == ""


async def test_file_stays_until_its_page_is_durable(tmp_path: Path) -> None:
    source = lists(tmp_path)
    path = drop(tmp_path, "a.csv", payload("G1,,路灯不亮,").body)
    await pages(source)
    reading = source.pages("", sweep=False)
    page = await anext(reading)
    await reading.aclose()  # type: ignore[attr-defined]
    assert path.exists()
    assert await pages(source, page.cursor) == []
    assert not path.exists()
    assert (tmp_path / "done" / "a.csv").exists()


async def test_bad_file_stops_no_other_and_is_reported(tmp_path: Path) -> None:
    source = lists(tmp_path)
    for n, body in enumerate(
        [b"null", payload("G1,,路灯不亮,", "G2,昨天,井盖丢了,").body, payload("G3,昨天,树,").body]
    ):
        os.utime(drop(tmp_path, f"{n}.csv", body), (n, n))
    await pages(source)
    found = await pages(source)
    assert [page.payload.url for page in found if page.payload] == ["1.csv"]
    assert sorted(p.name for p in (tmp_path / "failed").iterdir()) == [
        "0.csv", "0.csv.errors.csv", "2.csv", "2.csv.errors.csv",
    ]  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "done").iterdir()) == ["1.csv", "1.csv.errors.csv"]
    kept = (tmp_path / "failed" / "2.csv.errors.csv").read_text(encoding="utf-8-sig")
    assert next(csv.DictReader(io.StringIO(kept)))["row"] == "2"
    assert "errors.csv" in source.health().warning
    assert "树" not in kept


async def test_same_content_under_another_name_is_read_once(tmp_path: Path) -> None:
    source = lists(tmp_path)
    for name in ("a.csv", "b.csv"):
        drop(tmp_path, name, payload("G1,,路灯不亮,").body)
    await pages(source)
    (page,) = await pages(source)
    drop(tmp_path, "a.csv", payload("G1,,路灯不亮,").body)
    await pages(source, page.cursor)
    assert await pages(source, page.cursor) == []
    assert len(list((tmp_path / "done").iterdir())) == 3


async def test_temporary_files_links_and_folders_are_left_alone(tmp_path: Path) -> None:
    source = lists(tmp_path)
    body = payload("G1,,路灯不亮,").body
    for name in (".a.csv", "~$a.xlsx", "a.csv.part", "a.tmp", "a.crdownload"):
        drop(tmp_path, name, body)
    (tmp_path / "outside").mkdir()
    (tmp_path / "link.csv").symlink_to(drop(tmp_path / "outside", "real.csv", body))
    assert await pages(source) == await pages(source) == []
    assert len(list(tmp_path.iterdir())) == 7


async def test_missing_folder_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="folder"):
        await pages(lists(tmp_path / "none"))
    assert await pages(lists()) == []


async def test_cursor_is_bounded_and_unreadable_ones_are_ignored(tmp_path: Path) -> None:
    source = lists(tmp_path)
    drop(tmp_path, "a.csv", payload("G1,,路灯不亮,").body)
    await pages(source)
    cursor = "[" + ",".join(f'"{n}"' for n in range(500)) + "]"
    (page,) = await pages(source, cursor)
    assert page.cursor.count(",") == 199
    drop(tmp_path, "b.csv", payload("G2,,路灯不亮,").body)
    await asyncio.sleep(0)
    await pages(source, "nonsense")
    assert len(await pages(source, "nonsense")) == 1
    source.restore(source.save())
    assert (source.wait_s(), source.lists_always) == (300, False)
