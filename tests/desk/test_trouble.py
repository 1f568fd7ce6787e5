"""Lost connection, ended login, a wrong clock: a visible sign, and nothing that was typed or decided is lost."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import delete, select

from hub.app import Hub
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
OFFLINE = ("net::ERR_INTERNET_DISCONNECTED",)


async def ready(page: Page) -> None:
    await expect(page.locator("#rows .row")).to_have_count(5, timeout=15_000)
    await expect(page.locator("#detail .text")).to_be_visible()
    await expect(page.locator("#live")).to_have_text("实时")


async def statuses(hub: Hub) -> list[str]:
    async with hub.db.read() as conn:
        return list((await conn.execute(select(T.cases.c.status).order_by(T.cases.c.id))).scalars())


async def orders(hub: Hub) -> int:
    async with hub.db.read() as conn:
        return len((await conn.execute(select(T.work_orders.c.id))).all())


@pytest.mark.parametrize("excused", [OFFLINE])
async def test_decisions_made_offline_go_out_once_when_the_link_is_back(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.context.set_offline(True)
    await expect(page.locator("#live")).to_have_text("连接中断，正在重连", timeout=10_000)
    await page.keyboard.press("e")
    await page.keyboard.press("e")
    await expect(page.locator(".status")).to_contain_text("2 件未送出")
    await expect(page.locator("#rows .row")).to_have_count(3)
    assert await orders(hub) == 0
    await page.context.set_offline(False)
    await expect(page.locator("#live")).to_have_text("实时", timeout=20_000)
    await expect(page.locator(".status")).not_to_contain_text("未送出", timeout=10_000)
    await expect(page.locator("#rows .row")).to_have_count(3)
    await expect(page.locator("#toast")).to_contain_text("已派遣至")
    assert (await orders(hub), (await statuses(hub)).count("dispatched")) == (2, 2)


@pytest.mark.parametrize("excused", [OFFLINE])
async def test_words_typed_offline_stay_until_they_are_accepted(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.keyboard.press("#")
    box = page.get_by_role("dialog")
    await box.get_by_role("textbox").fill("不属于城市管理")
    await page.context.set_offline(True)
    await box.get_by_role("button", name="确定").click()
    await expect(page.locator(".status")).to_contain_text("1 件未送出")
    await page.context.set_offline(False)
    await expect(page.locator(".status")).not_to_contain_text("未送出", timeout=20_000)
    await expect(page.locator("#toast")).to_contain_text("已不予立案")
    async with hub.db.read() as conn:
        e = T.events.c
        notes = (await conn.execute(select(e.note).where(e.verb == "decline"))).scalars().all()
    assert notes == ["不属于城市管理"]


@pytest.mark.parametrize("excused", [("401",)])
async def test_ended_login_is_renewed_on_the_page_and_the_act_goes_on(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.keyboard.press("i")
    box = page.get_by_role("dialog", name="内部备注")
    await box.get_by_role("textbox").fill("已致电社区")
    await hub.db.write(lambda tx: tx.run(delete(T.sessions)))
    await page.evaluate("document.querySelector('dialog form').requestSubmit()")
    again = page.get_by_role("dialog", name="登录已过期")
    await expect(again).to_contain_text("已填写的内容不会丢失")
    await again.get_by_label("密码").fill("wrong horse 1")
    await again.get_by_role("button", name="继续").click()
    await expect(again.get_by_role("alert")).to_contain_text("不正确")
    await again.get_by_label("密码").fill("correct horse")
    await again.get_by_role("button", name="继续").click()
    await expect(again).to_have_count(0)
    await expect(page.locator("#detail")).to_contain_text("派遣员甲　已致电社区")
    await page.keyboard.press("e")
    await expect(page.locator("#toast")).to_contain_text("已派遣至")


async def test_draft_outlives_a_reload(open_page: Open) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.keyboard.press("#")
    await page.get_by_role("dialog").get_by_role("textbox").fill("写了一半的理由")
    await page.reload()
    await ready(page)
    await page.keyboard.press("#")
    box = page.get_by_role("dialog").get_by_role("textbox")
    await expect(box).to_have_value("写了一半的理由")


async def test_wrong_clock_is_named_and_deadlines_follow_the_hub(open_page: Open) -> None:
    page = await open_page("wang")
    await ready(page)
    right = await page.locator("#rows .row.on .clock").text_content()
    await page.add_init_script("const real = Date.now; Date.now = () => real() + 47 * 60000;")
    await page.reload()
    await ready(page)
    await expect(page.locator(".status")).to_contain_text("本机时间与系统相差")
    assert await page.locator("#rows .row.on .clock").text_content() == right
