"""Two dispatchers at one desk: who came second is told by whom and what, counts follow, and who is here is seen."""

from collections.abc import Callable
from typing import Any

import pytest
from hands import case_of, kept, on, ready, says
from playwright.async_api import expect

from hub.app import Hub
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


@pytest.mark.parametrize("excused", [("net::ERR_INTERNET_DISCONNECTED",)])
async def test_who_decides_second_reads_who_was_first_and_nothing_is_sent_twice(
    open_page: Open, hub: Hub
) -> None:
    first, second = await open_page("wang"), await open_page("zhang")
    number = await ready(first)
    assert await ready(second) == number
    await second.context.set_offline(True)
    await second.keyboard.press("d")
    await second.keyboard.type("gaj")
    await second.keyboard.press("Enter")
    await second.keyboard.press("e")
    await expect(second.locator(".status")).to_contain_text("1 件未送出")
    await first.keyboard.press("e")
    await says(first, "已派遣至")
    await second.context.set_offline(False)
    await says(second, "未能提交：派遣员甲 已")
    await expect(second.locator(".status")).not_to_contain_text("未送出")
    await expect(second.locator("#rows .row")).to_have_count(4)
    case = await case_of(hub, number)
    assert case.department == case.suggested
    assert len(await kept(hub, T.work_orders.c.id)) == 1


async def test_counts_of_the_views_follow_a_colleague(open_page: Open) -> None:
    first, second = await open_page("wang"), await open_page("zhang")
    await ready(first)
    await ready(second)
    views = second.locator("#views")
    await expect(views.get_by_role("button", name="待派遣 5")).to_be_visible()
    await first.keyboard.press("e")
    await expect(views.get_by_role("button", name="待派遣 4")).to_be_visible(timeout=10_000)
    await second.keyboard.press("j")
    await first.keyboard.press("h")
    await first.get_by_role("dialog").get_by_role("button", name="暂缓").click()
    await expect(views.get_by_role("button", name="暂缓 1")).to_be_visible(timeout=10_000)
    await expect(views.get_by_role("button", name="待派遣 3")).to_be_visible()


async def test_the_row_under_a_colleagues_hand_does_not_move_away(open_page: Open) -> None:
    first, second = await open_page("wang"), await open_page("zhang")
    number = await ready(first)
    await ready(second)
    await second.keyboard.press("#")
    words = second.get_by_role("dialog").get_by_role("textbox")
    await words.fill("不属于城市管理")
    await first.keyboard.press("e")
    await expect(second.locator("#rows .row.gone")).to_have_count(1, timeout=10_000)
    await expect(second.locator("#rows .row.on.gone")).to_contain_text("已由他人处理")
    await expect(words).to_have_value("不属于城市管理")
    await second.keyboard.press("Escape")
    assert await on(second) == number


async def test_who_is_here_is_seen_until_the_page_is_closed(open_page: Open) -> None:
    page, other = await open_page("wang"), await open_page("zhang")
    await ready(page)
    await ready(other)
    here = page.locator(".people")
    await expect(here).to_contain_text("在线 2 人", timeout=10_000)
    await expect(here.locator(".person")).to_have_text("派遣员乙")
    await other.goto("about:blank")
    await expect(here.locator(".person.idle")).to_have_count(1, timeout=10_000)
