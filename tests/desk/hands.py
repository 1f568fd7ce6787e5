"""What a hand and an eye do at the desk, for tests in the browser."""

import asyncio
from typing import Any

from playwright.async_api import Page, expect
from sqlalchemy import select

from hub.app import Hub
from store.tables import T


async def ready(page: Page, rows: int = 5) -> str:
    """Wait until the queue, a case and the link are here; the number of the case under the cursor."""
    await expect(page.locator("#rows .row")).to_have_count(rows, timeout=15_000)
    await expect(page.locator("#detail .text")).to_be_visible()
    await expect(page.locator("#live")).to_have_text("实时")
    return await on(page)


async def on(page: Page) -> str:
    """The number of the case under the cursor."""
    return (await page.locator("#rows .row.on").get_attribute("id") or "").removeprefix("row-")


async def says(page: Page, words: str) -> None:
    """The page says so."""
    await expect(page.locator("#toast")).to_contain_text(words, timeout=10_000)


async def case_of(hub: Hub, number: str) -> Any:
    """The case as it is kept."""
    async with hub.db.read() as conn:
        return (await conn.execute(select(T.cases).where(T.cases.c.id == int(number)))).one()


async def kept(hub: Hub, column: Any, *where: Any) -> list[Any]:
    """A column of every row."""
    async with hub.db.read() as conn:
        return list((await conn.execute(select(column).where(*where))).scalars())


async def filed(hub: Hub, many: int) -> None:
    """Wait until so many cases are at the desk."""
    for _ in range(1200):
        if len(await kept(hub, T.cases.c.id)) >= many:
            return
        await asyncio.sleep(0.02)
    msg = f"fewer than {many} cases"
    raise TimeoutError(msg)
