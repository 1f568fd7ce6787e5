"""A hotline's export through the desk: looked at first, taken in once, its bad rows named in Chinese."""

import io
from pathlib import Path
from typing import Any

from aiohttp import FormData
from aiohttp.test_utils import TestClient
from openpyxl import Workbook
from people import case_of, log_in
from sqlalchemy import select

from hub.app import Hub
from store.tables import T

GOLDEN = Path(__file__).parent.parent / "ingest" / "golden" / "lists" / "hotline.csv"


def workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    for row in (
        ["敦化市12345热线工单（虚构）"],
        ["工单编号", "来电时间", "诉求内容", "事发地址", "来电人", "联系电话", "备用"],
        ["2026112300010001", "2026/11/23 8:05", "渤海街人行道上摆满烧烤桌子", "渤海街", "虚构人", 13800138000.0, "x"],
        ["2026112300010002", "2026/13/40 8:05", "路灯坏了", "", "", "", ""],
        ["合计", "", "2", "", "", "", ""],
    ):  # fmt: skip
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def send(client: TestClient[Any, Any], headers: dict[str, str], body: bytes) -> Any:
    form = FormData()
    form.add_field("token", headers["X-Token"])
    form.add_field("channel", "hotline")
    form.add_field("file", body, filename="工单.xlsx", content_type="application/octet-stream")
    return await client.post("/desk/import", data=form, headers={"Origin": headers["Origin"]})


async def test_export_is_previewed_then_imported_once(
    hub: Hub, client: TestClient[Any, Any]
) -> None:
    headers = await log_in(client, "wang")
    answer = await send(client, headers, workbook())
    page = await answer.text()
    assert answer.status == 200, page
    assert "可导入 1 行，无法读取 1 行" in page
    assert "未识别" in page
    assert "第 4 行“来电时间”：没有这个日期或时间" in page
    assert "13800138000" not in page
    async with hub.db.read() as conn:
        assert (await conn.execute(select(T.items))).first() is None
    key = page.split('name="key" value="')[1].split('"')[0]
    data = {"token": headers["X-Token"], "key": key}
    origin = {"Origin": headers["Origin"]}
    done = await (await client.post("/desk/import/confirm", data=data, headers=origin)).text()
    assert "新增 <b>1</b> 件" in done
    case = await case_of(hub, "2026112300010001")
    assert (case.channel, case.area) == ("hotline", "bohai")
    again = await (await client.post("/desk/import/confirm", data=data, headers=origin)).text()
    assert "预览已过期" in again
    page = await (await send(client, headers, workbook())).text()
    key = page.split('name="key" value="')[1].split('"')[0]
    done = await (
        await client.post("/desk/import/confirm", data=data | {"key": key}, headers=origin)
    ).text()
    assert "新增 <b>0</b> 件" in done
    assert [one.stage for one in await hub.dead.list()] == ["ingest.hotline"]


async def test_what_is_no_list_is_refused_in_chinese(client: TestClient[Any, Any]) -> None:
    headers = await log_in(client, "wang")
    answer = await send(client, headers, b"hello")
    assert answer.status == 422
    assert "没有找到表头" in await answer.text()
    form = {"token": headers["X-Token"], "channel": "hotline"}
    answer = await client.post("/desk/import", data=form, headers={"Origin": headers["Origin"]})
    assert "请选择渠道和文件" in await answer.text()


async def test_only_dispatchers_import(client: TestClient[Any, Any]) -> None:
    await log_in(client, "lead")
    assert (await client.get("/desk/import")).status == 403


async def test_golden_export_of_a_hotline_in_its_old_encoding(client: TestClient[Any, Any]) -> None:
    headers = await log_in(client, "wang")
    page = await (await send(client, headers, GOLDEN.read_bytes())).text()
    assert "可导入" in page
