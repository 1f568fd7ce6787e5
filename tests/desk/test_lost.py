"""Answers that are lost, a hub that starts again, a tab that is closed: what was decided arrives once, what was typed stays."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hands import case_of, kept, on, ready, says
from playwright.async_api import Page, Route, expect

from hub.app import Hub
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
LOST = "net::ERR_FAILED"
GONE = ("net::ERR_CONNECTION_REFUSED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_CONNECTION_RESET",
        "net::ERR_EMPTY_RESPONSE", "net::ERR_SOCKET_NOT_CONNECTED")  # fmt: skip


async def lose_one_answer(page: Page, command: str) -> None:
    """The first such command reaches the hub; what the hub answers does not reach the page."""

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route(f"**/{command}", lose, times=1)


@pytest.mark.parametrize("excused", [(LOST,)])
async def test_a_dispatch_whose_answer_was_lost_is_sent_again_and_done_once(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    number = await ready(page)
    await lose_one_answer(page, "dispatch")
    await page.keyboard.press("e")
    await expect(page.locator(".status")).to_contain_text("1 件未送出", timeout=15_000)
    await expect(page.locator(".status")).not_to_contain_text("未送出", timeout=15_000)
    await expect(page.locator("#rows .row")).to_have_count(4)
    await expect(page.locator("#toast")).not_to_contain_text("未能提交")
    assert (await case_of(hub, number)).status == "dispatched"
    assert len(await kept(hub, T.work_orders.c.id)) == 1


@pytest.mark.parametrize("excused", [(LOST,)])
async def test_a_note_whose_answer_was_lost_is_kept_once(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    await lose_one_answer(page, "note")
    await page.keyboard.press("i")
    await page.keyboard.type("已致电社区")
    await page.keyboard.press("Control+Enter")
    await says(page, "已添加备注")
    assert await kept(hub, T.case_notes.c.text) == ["已致电社区"]


@pytest.mark.parametrize("excused", [(LOST,)])
async def test_parts_that_could_not_be_sent_are_still_there(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.route("**/split", lambda route: route.abort())
    await page.keyboard.press("s")
    box = page.get_by_role("dialog")
    await box.get_by_label("内容").fill("还有，楼下有人占道摆摊")
    await box.get_by_role("button", name="拆分").click()
    await expect(page.locator(".status")).to_contain_text("1 件未送出", timeout=15_000)
    await page.keyboard.press("s")
    await expect(box.get_by_label("内容")).to_have_value("还有，楼下有人占道摆摊")
    await page.keyboard.press("Escape")
    await page.unroute("**/split")
    await says(page, "已拆分出 1 件")
    assert len(await kept(hub, T.cases.c.id, T.cases.c.split_from.is_not(None))) == 1


@pytest.mark.parametrize("excused", [(LOST,)])
async def test_words_for_many_stay_until_all_have_them(open_page: Open) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.route("**/bulk", lambda route: route.abort())
    for key in ("x", "Shift+J", "#"):
        await page.keyboard.press(key)
    await page.keyboard.type("不属于城市管理")
    await page.keyboard.press("Control+Enter")
    await says(page, "连接中断")
    await expect(page.get_by_role("toolbar")).to_contain_text("已选 2 件")
    await page.unroute("**/bulk")
    await page.keyboard.press("#")
    await expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value("不属于城市管理")
    await page.keyboard.press("Control+Enter")
    await says(page, "2 件成功")
    await expect(page.locator("#rows .row")).to_have_count(3)


async def test_draft_outlives_its_tab_and_is_nobody_elses(open_page: Open, address: str) -> None:
    page = await open_page("wang")
    number = await ready(page)
    await page.keyboard.press("#")
    await page.get_by_role("dialog").get_by_role("textbox").fill("写了一半的理由")
    context = page.context
    await page.close()
    again = await context.new_page()
    await again.goto(f"{address}/desk?case={number}")
    await ready(again)
    await again.keyboard.press("#")
    words = again.get_by_role("dialog").get_by_role("textbox")
    await expect(words).to_have_value("写了一半的理由")
    await again.keyboard.press("Escape")
    await again.get_by_role("button", name="退出").click()
    await again.fill("input[name=name]", "zhang")
    await again.fill("input[name=password]", "correct horse")
    await again.click("button.main")
    await again.goto(f"{address}/desk?case={number}")
    await ready(again)
    await again.keyboard.press("#")
    await expect(words).to_have_value("")


@pytest.mark.parametrize("excused", [GONE])
async def test_a_hub_that_starts_again_gets_what_was_decided_meanwhile_once(
    open_page: Open, hub: Hub, house: Any
) -> None:
    page = await open_page("wang")
    number = await ready(page)
    await page.keyboard.press("#")
    words = page.get_by_role("dialog").get_by_role("textbox")
    await words.fill("写到一半时系统重启")
    await house.stop()
    await expect(page.locator("#live")).to_have_text("连接中断，正在重连", timeout=10_000)
    await expect(words).to_have_value("写到一半时系统重启")
    await page.keyboard.press("Escape")
    await page.keyboard.press("e")
    await expect(page.locator(".status")).to_contain_text("1 件未送出", timeout=15_000)
    assert await on(page) != number
    await house.start()
    await expect(page.locator("#live")).to_have_text("实时", timeout=20_000)
    await expect(page.locator(".status")).not_to_contain_text("未送出", timeout=10_000)
    await expect(page.locator("#rows .row")).to_have_count(4)
    assert (await case_of(hub, number)).status == "dispatched"
    assert len(await kept(hub, T.work_orders.c.id)) == 1


async def test_a_case_is_dispatched_by_a_key_that_comes_before_the_answer_to_the_split(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    number = await ready(page)
    late = asyncio.Event()

    async def wait(route: Route) -> None:
        await late.wait()
        await route.continue_()

    await page.route("**/split", wait)
    await page.keyboard.press("s")
    await page.keyboard.type("还有，楼下有人占道摆摊")
    await page.keyboard.press("Control+Enter")
    await page.keyboard.press("e")
    await expect(page.locator(f"#row-{number}")).to_have_count(0)
    late.set()
    await says(page, "已派遣至")
    await page.unroute_all(behavior="wait")
    assert (await case_of(hub, number)).status == "dispatched"
    assert len(await kept(hub, T.cases.c.id, T.cases.c.split_from == int(number))) == 1


async def test_a_view_chosen_while_the_page_connects_anew_is_entered(open_page: Open) -> None:
    page = await open_page("wang")
    await ready(page)
    slow, asked = asyncio.Event(), asyncio.Semaphore(0)

    async def wait(route: Route) -> None:
        asked.release()
        await slow.wait()
        await route.continue_()

    await page.route("**/queue?view=unsure*", wait)
    await page.locator("#views").get_by_role("button", name="低置信度").click()
    await asked.acquire()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await asked.acquire()
    slow.set()
    await expect(page.locator("#rows")).to_have_attribute("aria-busy", "false", timeout=10_000)
    await expect(page.locator("#rows .row")).to_have_count(5)
    await page.unroute_all(behavior="wait")
