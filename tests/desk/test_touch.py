"""The desk under a finger: everything by touch on a tablet, and nothing too small to touch on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from hands import case_of, kept, ready, says
from playwright.async_api import expect

from hub.app import Hub
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
TOUCHED = "#views .view, #rows .row, .detail button, .detail select, summary, .search input"
SMALL = """selector => [...document.querySelectorAll(selector)].filter(node => node.offsetParent).map(node => {
    const box = node.getBoundingClientRect();
    return box.height < 44 || box.width < 24 ? `${node.textContent} ${box.width} × ${box.height}` : "";
}).filter(Boolean)"""


async def test_everything_by_touch_on_a_tablet(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang", width=820, height=1180, touch=True)
    await ready(page)
    row = page.locator("#rows .row").nth(1)
    number = (await row.get_attribute("id") or "").removeprefix("row-")
    await row.tap()
    label = page.locator("#detail").get_by_role("button", name="宠物乱养")
    was = await label.get_attribute("aria-pressed")
    await label.tap()
    await expect(label).to_have_attribute("aria-pressed", "false" if was == "true" else "true")
    await page.get_by_role("button", name="其他单位…").tap()
    await page.get_by_role("option", name="市公安局").tap()
    await page.get_by_role("button", name="派遣至 市公安局").tap()
    await says(page, "已派遣至市公安局")
    assert (await case_of(hub, number)).department == "public_security"


@pytest.mark.parametrize("undo_s", [8])
async def test_many_are_chosen_and_taken_back_by_touch(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang", width=820, height=1180, touch=True)
    await ready(page)
    for n in (0, 2):
        await page.locator("#rows .row .box").nth(n).tap()
    await page.get_by_role("toolbar").get_by_role("button", name="按推荐派遣").tap()
    await says(page, "2 件成功")
    await page.locator("#toast").get_by_role("button", name="撤销").tap()
    await says(page, "已撤销")
    assert set(await kept(hub, T.cases.c.status)) == {"received"}


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180)])
async def test_nothing_is_too_small_to_touch(open_page: Open, width: int, height: int) -> None:
    page = await open_page("wang", width=width, height=height, touch=True)
    await ready(page)
    assert await page.evaluate(SMALL, TOUCHED) == []
