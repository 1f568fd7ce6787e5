"""A whole shift: a scripted dispatcher clears two hundred mixed cases by keyboard alone, and each is where it was meant to be."""

import asyncio
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
CASES = 200
WORDS = (
    "楼道里堆着垃圾没人清", "门口摊位占道喊叫", "下水道往外冒污水", "大狗不拴绳追人", "墙上贴满办证小广告", "树上晾着衣服被子",
    "路灯坏了没人修", "想问居住证怎么办理", "感谢环卫工人清雪", "出租车绕路多收钱",
)  # fmt: skip
STREETS = ("民主街", "翰章大街", "渤海街", "江滨公园", "北山市场", "胜利大街", "工农路")


MOVED_ON = """was => document.getElementById('none')
    || ![undefined, was].includes(document.getElementById('detail').dataset.case)"""


@pytest.fixture
def texts() -> tuple[str, ...]:
    """Two hundred that are not each other's copies."""
    return tuple(
        f"{STREETS[n % 7]}{n * 7 % 97 + 1}号{WORDS[n % 10]}，{'早晚' if n % 2 else '夜里'}都这样，第{n}次反映"
        for n in range(CASES)
    )


async def on(page: Page) -> str:
    return str(await page.evaluate("document.getElementById('detail').dataset.case || ''"))


async def words(page: Page, said: str) -> None:
    await page.keyboard.type(said)
    await page.keyboard.press("Control+Enter")


async def accept(page: Page) -> str:
    await page.keyboard.press("e")
    return "suggested"


async def correct(page: Page) -> str:
    await page.keyboard.press("5")
    await expect(page.locator("#detail .acts .main")).not_to_contain_text("新标签")
    await page.keyboard.press("e")
    return "corrected"


async def elsewhere(page: Page) -> str:
    await page.keyboard.press("d")
    await page.keyboard.type("gaj")
    await page.keyboard.press("Enter")
    await page.keyboard.press("e")
    return "public_security"


async def decline(page: Page) -> str:
    await page.keyboard.press("#")
    await words(page, "不属于城市管理事项")
    return "declined"


async def refer(page: Page) -> str:
    await page.keyboard.press("t")
    await words(page, "请向热线反映")
    return "referred"


async def snooze(page: Page) -> str:
    await page.keyboard.press("h")
    await page.keyboard.press("Control+Enter")
    return "snoozed"


async def note_and_accept(page: Page) -> str:
    """Accepted: dispatched, or referred where nothing of this system's is meant."""
    await page.keyboard.press("i")
    await words(page, "已核实")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("e")
    return "corrected"


WORK = (
    accept,
    accept,
    correct,
    accept,
    elsewhere,
    accept,
    decline,
    accept,
    snooze,
    refer,
    accept,
    note_and_accept,
)


async def test_two_hundred_mixed_cases_by_keyboard_alone(
    open_page: Open, hub: Hub, texts: tuple[str, ...]
) -> None:
    items = [Item(channel="app", channel_id=f"s{n}", text=text) for n, text in enumerate(texts[5:])]
    await hub.admission.admit(items)
    c = T.cases.c
    for _ in range(600):
        async with hub.db.read() as conn:
            rows = (await conn.execute(select(c.id, c.suggested, c.status))).all()
        if len(rows) == CASES:
            break
        await asyncio.sleep(0.05)
    waiting = {str(row.id): row.suggested for row in rows if row.status in {"received", "filed"}}
    page = await open_page("wang")
    await expect(page.locator("#detail .text")).to_be_visible(timeout=15_000)
    await expect(page.locator("#live")).to_have_text("实时")
    meant: dict[str, str] = {}
    for n in range(len(waiting)):
        number = await on(page)
        assert number in waiting
        assert number not in meant
        meant[number] = await WORK[n % len(WORK)](page)
        await page.wait_for_function(MOVED_ON, arg=number)
    await expect(page.locator("#none")).to_be_visible(timeout=15_000)
    await expect(page.locator(".status")).not_to_contain_text("未送出")
    found = await settled(hub, len(waiting))
    async with hub.db.read() as conn:
        orders = (
            await conn.execute(select(T.work_orders.c.case_id).where(T.work_orders.c.lead))
        ).scalars()
        dispatched = [str(one) for one in orders]
    assert {number: outcome(found[number], said) for number, said in meant.items()} == meant
    assert len(dispatched) == len(set(dispatched))


def outcome(case: Any, said: str) -> str:
    """What became of a case, in the word the script used for it."""
    if said == "suggested" and case.suggested == "out_of_scope":
        return said if case.status == "referred" else f"{case.status} {case.department}"
    if said == "suggested":
        return (
            said
            if case.department == case.suggested and case.status == "dispatched"
            else f"{case.status} {case.department}"
        )
    if said == "corrected":
        return said if case.status in {"dispatched", "referred"} else str(case.status)
    if said == "snoozed":
        return said if case.snoozed_until is not None else case.status
    return case.department if said == case.department else str(case.status)


async def settled(hub: Hub, many: int) -> dict[str, Any]:
    """Every case once the last command has arrived."""
    for _ in range(200):
        async with hub.db.read() as conn:
            rows = (await conn.execute(select(T.cases))).all()
        if not [r for r in rows if r.status in {"received", "filed"} and r.snoozed_until is None]:
            break
        await asyncio.sleep(0.05)
    return {str(row.id): row for row in rows}
