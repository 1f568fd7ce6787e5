"""A whole shift: a scripted dispatcher clears two hundred mixed cases by keyboard alone, and each is where it was meant to be."""

from collections.abc import Callable
from typing import Any

import pytest
from hands import kept, says
from playwright.async_api import Page, expect
from sqlalchemy import select

from hub.app import Hub
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
CASES = 200
WORDS = (
    "楼道里堆着垃圾没人清", "门口摊位占道喊叫", "下水道往外冒污水", "大狗不拴绳追人", "墙上贴满办证小广告", "树上晾着衣服被子",
    "路灯坏了没人修", "想问居住证怎么办理", "感谢环卫工人清雪", "出租车绕路多收钱",
)  # fmt: skip
STREETS = ("民主街", "翰章大街", "渤海街", "江滨公园", "北山市场", "胜利大街", "工农路")
OWN = "不属于城市管理事项"


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def words(page: Page, said: str) -> None:
    await page.keyboard.type(said)
    await page.keyboard.press("Control+Enter")


async def accept(page: Page) -> str:
    await press(page, "e")
    return "suggested"


async def correct(page: Page) -> str:
    await press(page, "5")
    await expect(page.locator("#detail .acts .main")).not_to_contain_text("新标签")
    await press(page, "e")
    return "accepted"


async def second_best(page: Page) -> str:
    await press(page, "r")
    return "another"


async def elsewhere(page: Page) -> str:
    await press(page, "d")
    await page.keyboard.type("gaj")
    await press(page, "Enter", "e")
    return "public_security"


async def join(page: Page) -> str:
    await press(page, "m")
    return "merged"


async def decline(page: Page) -> str:
    await press(page, "#")
    await words(page, OWN)
    return "declined"


async def decline_in_standing_words(page: Page) -> str:
    await press(page, "#", "Shift+Tab", "ArrowDown", "Control+Enter")
    return "declined"


async def refer(page: Page) -> str:
    await press(page, "t")
    await words(page, "请向热线反映")
    return "referred"


async def snooze(page: Page) -> str:
    await press(page, "h", "Control+Enter")
    return "asleep"


async def ask(page: Page) -> str:
    await press(page, "a")
    await words(page, "请问是哪个单元？")
    return "asleep"


async def note_and_accept(page: Page) -> str:
    await press(page, "i")
    await words(page, "已核实")
    await says(page, "已添加备注")
    await press(page, "e")
    return "accepted"


async def split_and_accept(page: Page) -> str:
    await press(page, "s")
    await words(page, "还有，楼下有人占道摆摊")
    await says(page, "已拆分出 1 件")
    await press(page, "e")
    return "accepted"


WORK = (
    elsewhere, join, correct, accept, accept, second_best, decline, accept,
    snooze, refer, ask, note_and_accept, decline_in_standing_words, accept, split_and_accept, accept,
)  # fmt: skip
MOVED_ON = """was => document.getElementById('none')
    || ![undefined, was].includes(document.getElementById('detail').dataset.case)"""


def said_by_citizen(n: int) -> str:
    """Two hundred matters; the one at ``join`` is of the same matter as the one before it."""
    if WORK[n % len(WORK)] is join:
        return said_by_citizen(n - 1) + "，下雨天更严重"
    when = "早晚" if n % 2 else "夜里"
    return f"{STREETS[n % 7]}{n * 7 % 97 + 1}号{WORDS[n % 10]}，{when}都这样，已经反映过{n}次"


@pytest.fixture
def texts() -> tuple[str, ...]:
    return tuple(said_by_citizen(n) for n in range(CASES))


@pytest.fixture
def speaking() -> tuple[str, ...]:
    return ("app",)


async def next_case(page: Page) -> str:
    """The number of the case that is shown, new ones taken in once the rest is done; empty at the end."""
    if await page.locator("#none").count() and await page.locator("#fresh").count():
        await press(page, "n")
        await expect(page.locator("#detail .text")).to_be_visible()
    return str(await page.evaluate("document.getElementById('detail').dataset.case || ''"))


async def test_two_hundred_mixed_cases_by_keyboard_alone(
    open_page: Open, hub: Hub, address: str, texts: tuple[str, ...]
) -> None:
    numbers = sorted(str(one) for one in await kept(hub, T.cases.c.id))
    assert len(numbers) == CASES
    page = await open_page("wang")
    await page.goto(f"{address}/desk?view=waiting&sort=oldest")
    await expect(page.locator("#detail .text")).to_be_visible(timeout=15_000)
    await expect(page.locator("#live")).to_have_text("实时")
    meant: dict[str, str] = {}
    while number := await next_case(page):
        assert number not in meant
        work = WORK[numbers.index(number) % len(WORK)] if number in numbers else accept
        meant[number] = await work(page)
        await page.wait_for_function(MOVED_ON, arg=number)
    await expect(page.locator(".status")).not_to_contain_text("未送出")
    assert set(numbers) <= set(meant)
    split = sum(WORK[n % len(WORK)] is split_and_accept for n in range(CASES))
    assert len(meant) == CASES + split
    found = await settled(page, hub)
    assert {number: outcome(found[number], said) for number, said in meant.items()} == meant
    leads = await kept(hub, T.work_orders.c.case_id, T.work_orders.c.lead)
    assert len(leads) == len(set(leads))
    firsts = {n: numbers[numbers.index(n) - 1] for n, said in meant.items() if said == "merged"}
    assert {n: str(found[n].merged_into) for n in firsts} == firsts


def outcome(case: Any, said: str) -> str:
    """What became of a case, in the word the script used for it."""
    outside = case.suggested == "out_of_scope"
    by_hand = {
        "suggested": case.status == "referred" if outside else case.department == case.suggested,
        "another": case.status == "dispatched" and case.department not in {"", case.suggested},
        "asleep": case.snoozed_until is not None and case.status == "received",
        "public_security": case.department == "public_security",
        "accepted": case.status in {"dispatched", "referred"},
    }
    return said if by_hand.get(said, case.status == said) else f"{case.status} {case.department}"


async def settled(page: Page, hub: Hub) -> dict[str, Any]:
    """Every case once the last command has arrived."""
    c = T.cases.c
    for _ in range(200):
        waiting = c.status.in_(("received", "filed")) & c.snoozed_until.is_(None)
        if not await kept(hub, c.id, waiting):
            break
        await page.wait_for_timeout(50)
    async with hub.db.read() as conn:
        return {str(row.id): row for row in await conn.execute(select(T.cases))}
