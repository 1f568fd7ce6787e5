"""What the eye is told: the clock by text, icon and color, what lies beside a case, and all of a long list."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hands import case_of, kept, on, ready, says
from playwright.async_api import Page, expect
from sqlalchemy import update

from hub.app import Hub
from store.model import Item, Place
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
TWICE = "翰章大街建设银行门口的垃圾桶满了好几天没有人来倒，周围堆满了袋子，走路都要绕开，请尽快派人清理一下"
LEVELS = (  # minutes left, class, words
    (9 * 60, "green", "剩 9 小时"),
    (5 * 60, "amber", "剩 5 小时"),
    (90, "red", "剩 1 小时 30 分"),
    (-30, "late", "超期 30 分钟"),
)
ICONS = 3


async def changed(hub: Hub, number: str, **values: Any) -> None:
    """The case is changed by somebody."""
    change = update(T.cases).where(T.cases.c.id == int(number))
    version = T.cases.c.version + 1
    await hub.db.write(lambda tx: tx.run(change.values(version=version, **values)))


async def look_again(page: Page) -> None:
    """The page connects anew, as after a gap."""
    await page.evaluate("dispatchEvent(new Event('online'))")


async def test_time_left_is_told_by_words_icon_and_color(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    number = await ready(page)
    shown = page.locator("#rows .row.on .clock")
    seen = set()
    for minutes, level, words in LEVELS:
        await changed(hub, number, stage_due_at=hub.clock() + timedelta(minutes=minutes))
        await look_again(page)
        await expect(shown).to_contain_text(words, timeout=10_000)
        await expect(shown).to_have_class(f"clock {level}")
        seen.add(await shown.evaluate("node => getComputedStyle(node).color"))
        seen.add(await shown.locator("svg path").get_attribute("d"))
    assert len(seen) == len(LEVELS) + ICONS


async def test_first_similar_case_is_joined_by_one_key(open_page: Open, hub: Hub) -> None:
    for n, words in enumerate((TWICE, f"{TWICE}，谢谢")):
        await hub.admission.admit([Item(channel="app", channel_id=f"t{n}", text=words)])
    page = await open_page("wang")
    await ready(page, 7)
    first, second = sorted(await kept(hub, T.cases.c.id))[-2:]
    await page.locator(f"#row-{second}").click()
    await expect(page.locator("#similar")).to_contain_text("可能性")
    await expect(page.locator("#similar button kbd")).to_have_text("m")
    await page.keyboard.press("m")
    await says(page, "已并入")
    joined = await case_of(hub, str(second))
    assert (joined.status, joined.merged_into) == ("merged", first)


async def test_what_happened_nearby_stands_beside_with_its_distance(
    open_page: Open, hub: Hub
) -> None:
    at = {"place": Place(lat=43.3724, lon=128.2321)}
    words = ("江滨公园东门垃圾桶满了", "江滨公园东门有人乱倒垃圾")
    for n, text in enumerate(words):
        await hub.admission.admit([Item(channel="app", channel_id=f"n{n}", text=text, **at)])
    page = await open_page("wang")
    await ready(page, 7)
    await page.locator("#rows .row", has_text=words[1]).click()
    await page.get_by_role("tab", name="附近诉求 1 件").click()
    await expect(page.locator("#beside")).to_contain_text(words[0])
    await expect(page.locator("#beside")).to_contain_text("相距 0 米")


async def test_standing_words_decline_and_reach_the_history(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    number = await ready(page)
    await page.keyboard.press("#")
    box = page.get_by_role("dialog")
    choice = box.get_by_label("常用语")
    name = await choice.locator("option").nth(1).text_content()
    await choice.select_option(label=name)
    words = await box.get_by_role("textbox").input_value()
    assert len(words) > 8
    await page.keyboard.press("Control+Enter")
    await says(page, "已不予立案")
    assert await kept(hub, T.events.c.note, T.events.c.verb == "decline") == [words]
    await page.goto(page.url.partition("?")[0] + f"?case={number}")
    await expect(page.locator("ol.history")).to_contain_text(f"派遣员甲　{words}")


@pytest.mark.parametrize("speaking", [("app",)])
async def test_citizen_is_asked_in_the_own_channel_and_the_case_sleeps(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    number = await ready(page)
    await page.keyboard.press("a")
    await page.keyboard.type("请问是几单元？")
    await page.keyboard.press("Control+Enter")
    await says(page, "已向市民询问")
    await expect(page.locator("#rows .row")).to_have_count(4)
    assert (await case_of(hub, number)).snoozed_until is not None
    a = T.answers.c
    assert await kept(hub, a.text, a.stage == "question") == ["请问是几单元？"]


@pytest.mark.parametrize("texts", [tuple(f"{n}号楼道里堆着垃圾" for n in range(25))])
async def test_all_of_the_filter_is_chosen_and_more_than_twenty_are_asked_about(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    await expect(page.locator("#detail .text")).to_be_visible(timeout=15_000)
    await page.keyboard.press("x")
    await page.get_by_role("button", name="选中符合筛选的全部").click()
    await expect(page.get_by_role("toolbar")).to_contain_text("已选 25 件")
    await page.keyboard.press("i")
    await page.keyboard.type("同一小区")
    await page.keyboard.press("Control+Enter")
    box = page.get_by_role("dialog", name="确定添加备注 25 件诉求？")
    await box.get_by_role("button", name="添加备注").click()
    await says(page, "25 件成功")
    assert await kept(hub, T.case_notes.c.text) == ["同一小区"] * 25


async def test_a_changed_case_is_marked_in_place_and_the_cursor_stays(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    number = await ready(page)
    other = next(str(n) for n in await kept(hub, T.cases.c.id) if str(n) != number)
    before = await page.locator("#rows .row").evaluate_all("rows => rows.map(row => row.id)")
    await changed(hub, other, urgency="urgent")
    await look_again(page)
    await expect(page.locator(f"#row-{other} .chip.danger")).to_be_visible(timeout=10_000)
    assert await page.locator("#rows .row").evaluate_all("rows => rows.map(r => r.id)") == before
    assert await on(page) == number
