"""The trends page in a browser: charts and their tables say the same, every number opens its cases, filters are the address."""

import io
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

sys.path.insert(0, str(Path(__file__).parent.parent))

from year import Burst, Plan, fill

from hub.app import Hub

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
PLAN = Plan(days=75, bursts=(Burst("sewage", "bohai", date(2026, 11, 18), 5, 9),))
WHERE = "/desk/trends?from=2026-10-26&to=2026-11-24"


@pytest.fixture
def texts() -> tuple[str, ...]:
    return ("楼下垃圾没人收", "路灯坏了")


@pytest_asyncio.fixture(loop_scope="session")
async def year(hub: Hub, address: str) -> str:
    """The hub's address, once the last weeks of a year are in it."""
    await fill(hub.db, PLAN)
    await hub.trends.tally.settle()
    await hub.trends.bursts.look(date(2026, 11, 24))
    return address


def count(text: str) -> int:
    """A number as it is printed."""
    return int(text.replace(",", "").removesuffix("件").strip())


async def opened(page: Page, words: str) -> int:
    """Follow a link by its words on the page that is open; what the cases there come to."""
    await page.locator("main").get_by_role("link", name=words, exact=True).first.click()
    await expect(page.locator("h1")).to_contain_text("：")
    cells = await page.locator("tbody tr td:nth-child(3)").all_inner_texts()
    return sum(map(count, cells))


async def test_every_number_of_the_page_opens_what_it_counts(open_page: Open, year: str) -> None:
    page = await open_page("lead")
    await page.goto(f"{year}{WHERE}&label=sewage&area=bohai")
    card = page.locator(".cards .card").first
    shown = await card.locator(".large a").inner_text()
    assert count(shown) > 40
    assert await opened(page, shown) == count(shown)
    await expect(page.locator("dl")).to_contain_text("污水乱排")
    await expect(page.locator("dl")).to_contain_text("渤海街道")

    await page.goto(f"{year}{WHERE}")
    heat = page.locator("#heat tbody tr").first
    cell = await heat.locator("td").nth(3).inner_text()
    await heat.locator("td a").nth(3).click()
    rows = await page.locator("tbody tr td:nth-child(3)").all_inner_texts()
    assert sum(map(count, rows)) == count(cell)
    assert "area=" in page.url
    assert "label=" in page.url


async def test_charts_are_drawn_and_have_their_tables(open_page: Open, year: str) -> None:
    page = await open_page("lead")
    await page.goto(f"{year}{WHERE}")
    for one in ("lines", "map", "channels"):
        await expect(page.locator(f"#chart-{one} svg")).to_be_visible(timeout=15_000)
        assert await page.locator(f"#chart-{one} svg path").count() > 3
    assert await page.locator("#chart-lines svg text", has_text="突增").count() == 1
    tables = page.locator("details table")
    assert await tables.count() == 3
    days = await tables.first.locator("tbody tr").first.locator("td").all_inner_texts()
    await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    days = await tables.first.locator("tbody tr").first.locator("td").all_inner_texts()
    assert sum(map(count, days[1:])) == count(days[0])
    await page.get_by_role("button", name="十大提升行动").click()
    await expect(page.locator("#chart-lines svg text", has_text="文明交通").first).to_be_visible()
    rising = page.locator("table.rising").first
    await expect(rising).to_contain_text("渤海街道 污水乱排")


async def test_the_address_is_the_filter_and_the_page_works_without_script(
    open_page: Open, year: str, browser: Any, house: Any
) -> None:
    page = await open_page("lead")
    await page.goto(f"{year}{WHERE}")
    await page.get_by_label("类别").select_option("pets")
    await page.get_by_role("button", name="查看").click()
    await expect(page.get_by_label("类别")).to_have_value("pets")
    assert "label=pets" in page.url
    plain = await browser.new_context(java_script_enabled=False)
    await plain.add_cookies([await house.login("lead")])
    bare = await plain.new_page()
    await bare.goto(page.url)
    shown = await page.locator(".cards .large a").first.inner_text()
    assert await bare.locator(".cards .large a").first.inner_text() == shown
    await bare.locator("summary", has_text="数据表").first.click()
    await expect(bare.locator("details table").first).to_be_visible()
    await plain.close()


async def test_the_workbook_says_what_the_page_says(open_page: Open, year: str) -> None:
    page = await open_page("lead")
    await page.goto(f"{year}{WHERE}&area=bohai")
    shown = await page.locator(".cards .large a").first.inner_text()
    answer = await page.request.get(
        f"{year}/desk/trends/export.xlsx?from=2026-10-26&to=2026-11-24&area=bohai"
    )
    assert answer.status == 200
    book = openpyxl.load_workbook(io.BytesIO(await answer.body()))
    words = [
        str(cell.value)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    assert any("属地：渤海街道" in one for one in words)
    assert any("2026-10-26 至 2026-11-24" in one for one in words)
    total = sum(
        cell.value
        for sheet in book
        for row in sheet.iter_rows()
        if row[0].value in {"手机APP", "app", "wechat", "forum", "weibo", "hotline"}
        and isinstance(row[1].value, int | float)
        for cell in row[1:2]
    )
    assert total == count(shown)
    assert sum(len(sheet._charts) for sheet in book) >= 1


async def test_what_can_not_be_asked_is_refused_in_words(open_page: Open, year: str) -> None:
    page = await open_page("lead")
    for query, words in (
        ("from=2026-11-30&to=2026-11-01", "before from"),
        ("from=nonsense", "not a date"),
        ("preset=x", "preset"),
    ):
        answer = await page.request.get(f"{year}/desk/api/trends?{query}")
        assert answer.status == 422
        assert words in await answer.text()
