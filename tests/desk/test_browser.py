"""The desk in a real browser: see, dispatch by keyboard, hear of news, meet a colleague."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from hub.app import Hub
from store.model import Item
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


async def ready(page: Page, rows: int = 5) -> None:
    await expect(page.locator("#rows .row")).to_have_count(rows, timeout=15_000)
    await expect(page.locator("#detail .text")).to_be_visible()


async def test_queue_shows_messages_as_text(open_page: Open) -> None:
    page = await open_page("wang")
    await ready(page)
    await expect(page.locator("#rows")).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(page.locator("#rows img")).to_have_count(0)
    await expect(page.locator("#live")).to_have_text("实时")


async def test_keys_move_label_and_dispatch(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    for key in ("j", "j", "k"):
        await page.keyboard.press(key)
    chosen = (await page.locator("#rows .row.on").get_attribute("id") or "").removeprefix("row-")
    await expect(page.locator("#detail .meta").first).to_contain_text(f"DH{chosen}")
    await page.keyboard.press("5")
    await expect(page.locator("button.pick.on", has_text="衣物乱晒")).to_be_visible()
    await page.keyboard.press("d")
    await page.keyboard.type("jtysj")
    await page.keyboard.press("Enter")
    await page.keyboard.press("e")
    await expect(page.locator("#rows .row")).to_have_count(4)
    await expect(page.locator("#toast")).to_contain_text("已派遣至市交通运输局")
    async with hub.db.read() as conn:
        case = (await conn.execute(select(T.cases).where(T.cases.c.id == int(chosen)))).one()
        kept = (await conn.execute(select(T.corrections))).one()
    assert (case.status, case.department) == ("dispatched", "transport")
    assert "laundry" in kept.problems
    assert not kept.confirmed


async def test_new_message_waits_behind_a_bar(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    await hub.admission.admit([Item(channel="app", channel_id="new", text="桥头路面塌了个坑")])
    await expect(page.locator("#fresh")).to_contain_text("有 1 件新诉求", timeout=10_000)
    await expect(page.locator("#rows .row")).to_have_count(5)
    await page.keyboard.press("n")
    await expect(page.locator("#rows .row")).to_have_count(6)


async def test_two_dispatchers_on_one_case(open_page: Open, hub: Hub) -> None:
    first, second = await open_page("wang"), await open_page("zhang")
    await ready(first)
    await ready(second)
    await first.keyboard.press("e")
    await expect(first.locator("#rows .row")).to_have_count(4)
    await expect(second.locator("#rows .row.gone")).to_have_count(1, timeout=10_000)
    await second.keyboard.press("j")
    await expect(second.locator("#rows .row")).to_have_count(4)
    async with hub.db.read() as conn:
        assert len((await conn.execute(select(T.work_orders.c.id))).all()) == 1


async def test_citizen_asks_with_number_and_code(open_page: Open, hub: Hub, address: str) -> None:
    item = Item(channel="app", channel_id="0", text="x")
    page = await open_page("wang")
    await ready(page)
    async with hub.db.read() as conn:
        row = (await conn.execute(select(T.items.c.id).where(T.items.c.channel_id == "0"))).one()
    number, code = hub.admission.receipt(row.id, item).split("-")
    await page.goto(f"{address}/query")
    await page.get_by_label("受理编号").fill(number)
    await page.get_by_label("查询码").fill(code)
    await page.get_by_role("button", name="查询").click()
    await expect(page.locator("dl")).to_contain_text("已受理")
    await page.get_by_label("受理编号").fill(number)
    await page.get_by_label("查询码").fill("AAAAAAAAAAAA")
    await page.get_by_role("button", name="查询").click()
    await expect(page.get_by_role("alert")).to_contain_text("没有查到")


async def test_unsure_view_puts_the_most_instructive_first(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    view = page.get_by_role("button", name="低置信度")
    await view.click()
    await expect(view).to_have_attribute("aria-pressed", "true")
    async with hub.db.read() as conn:
        teach = {str(r.id): r.teach for r in await conn.execute(select(T.cases))}
    assert len(teach) == 5
    most_first = sorted(teach, key=lambda one: (-teach[one], int(one)))
    shown = (
        "ids => [...document.querySelectorAll('#rows .row')].map(r => r.id.slice(4)).join() === ids"
    )
    await page.wait_for_function(shown, arg=",".join(most_first))


async def test_desk_says_where_it_is_or_to_ask(open_page: Open) -> None:
    page = await open_page("wang")
    await ready(page)
    await expect(page.locator("#detail")).to_contain_text("属地")


@pytest.mark.parametrize("excused", [("403",)])
async def test_a_page_that_can_not_be_shown_says_why_in_words(
    open_page: Open, address: str
) -> None:
    page = await open_page("lead")
    for path, words in (
        ("/desk/exposure", "没有查看此页的权限"),
        ("/desk/assessment?month=x", "地址中的内容无效"),
    ):
        answer = await page.goto(address + path)
        assert answer is not None
        assert answer.status in {403, 422}
        await expect(page.get_by_role("alert")).to_contain_text(words)
