"""What people stumble over: words lost, cases not found, a page wider than the phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from hub.app import Hub
from router.tasks import TaskKind, TaskRole, raise_task
from store.db import Tx
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


async def ready(page: Page) -> None:
    await expect(page.locator("#rows .row")).to_have_count(5, timeout=15_000)
    await expect(page.locator("#detail .text")).to_be_visible()


async def last_case(hub: Hub) -> Any:
    async with hub.db.read() as conn:
        return (await conn.execute(select(T.cases).order_by(T.cases.c.id.desc()))).first()


async def test_task_opens_its_case_and_shows_no_code(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    case = await last_case(hub)

    async def work(tx: Tx) -> None:
        about = {"case_id": case.id, "at": hub.clock(), "note": "handling"}
        await raise_task(tx, mark="x", kind=TaskKind.DESK_LATE, role=TaskRole.DISPATCHER, **about)

    await hub.db.write(work)
    await page.get_by_role("link", name="待办").click()
    await expect(page.locator(".orders .text")).to_have_text("处置中")
    await page.get_by_role("link", name=case.case_no).click()
    await ready(page)
    await expect(page.locator("#rows .row.on")).to_have_id(f"row-{case.id}")
    await expect(page.locator("#detail .meta").first).to_contain_text(case.case_no)
    await expect(page.locator(".history")).to_contain_text("受理　系统自动识别")


async def test_words_survive_cancelling_and_are_required(open_page: Open) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.get_by_role("button", name="不予立案").click()
    box = page.get_by_role("dialog")
    await box.get_by_role("button", name="确定").click()
    await expect(box.get_by_role("alert")).to_have_text("请填写内容。")
    await box.get_by_role("textbox").fill("不属城市管理事项")
    await page.keyboard.press("Escape")
    await expect(box).to_have_count(0)
    await expect(page.locator("#rows .row")).to_have_count(5)
    await page.get_by_role("button", name="不予立案").click()
    await expect(box.get_by_role("textbox")).to_have_value("不属城市管理事项")


PHONE = ("/desk", "/desk/tasks", "/desk/instruction", "/desk/assessment", "/desk/sources", "/query")


async def test_pages_fit_the_phone(open_page: Open, address: str) -> None:
    page = await open_page("wang", width=390, height=844)
    wide = []
    for path in PHONE:
        await page.goto(f"{address}{path}")
        if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wide.append(path)
        for link in await page.locator("nav a").all():
            box = await link.bounding_box()
            assert box is not None
            assert 44 <= box["height"] < 60, (path, await link.text_content())
    assert wide == []


async def test_supervisor_issues_a_document_from_the_case(
    open_page: Open, hub: Hub, address: str
) -> None:
    page = await open_page("wang")
    await ready(page)
    case = await last_case(hub)
    await hub.commands.cases.dispatch(
        case.id, version=case.version, actor="wang", department="urban_enforcement"
    )
    overseer = await open_page("du")
    await overseer.goto(f"{address}/desk?case={case.id}")
    await overseer.get_by_role("button", name="发出督办文书").click()
    await overseer.get_by_label("文书种类").select_option(label="督办单")
    await overseer.get_by_role("button", name="发出", exact=True).click()
    await expect(overseer.locator("#detail")).to_contain_text("督办单 敦城督")
    async with hub.db.read() as conn:
        assert (await conn.execute(select(T.supervisions.c.level))).scalar_one() == "order"
    await page.get_by_role("button", name="已派遣").click()
    await expect(page.locator("#detail")).to_contain_text("督办单 敦城督")
    await expect(page.get_by_role("button", name="发出督办文书")).to_have_count(0)
