"""What a dispatcher does with one case after another, by keyboard, in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest
from hands import case_of, on, ready, says
from playwright.async_api import Page, expect
from sqlalchemy import select, update

from hub.app import Hub
from router.workflow import Verb
from store.model import Item
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]


async def answer(page: Page, words: str, button: str = "确定") -> None:
    box = page.get_by_role("dialog")
    await box.get_by_role("textbox").fill(words)
    await box.get_by_role("button", name=button, exact=True).click()


async def test_suggestion_says_how_sure_and_why_and_r_takes_the_next_best(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    first = await ready(page)
    await expect(page.locator("#detail .sure")).to_contain_text("识别把握")
    await expect(page.locator("#detail")).to_contain_text("推荐依据：")
    await expect(page.locator("#detail mark").first).to_be_visible()
    await expect(page.locator("#rows .row.on .clock svg")).to_be_visible()
    before = await case_of(hub, first)
    await page.keyboard.press("r")
    await says(page, "已派遣至")
    after = await case_of(hub, first)
    assert after.department not in {"", before.suggested}


async def test_two_keys_correct_a_label_and_a_third_dispatches(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    first = await ready(page)
    had = await page.locator("#detail .pick.on kbd").first.text_content() or "1"
    other = "6" if had != "6" else "5"
    for key in (had, other, "e"):
        await page.keyboard.press(key)
    await says(page, "已派遣至")
    async with hub.db.read() as conn:
        kept = (await conn.execute(select(T.corrections.c.problems))).scalar_one()
    wanted = hub.city.taxonomy.problems[int(other) - 1]
    case = await case_of(hub, first)
    assert (wanted in kept, wanted in case.problems, case.status) == (True, True, "dispatched")


async def test_campaign_by_g_and_digit(open_page: Open) -> None:
    page = await open_page("wang")
    await ready(page)
    button = page.locator("#detail .pick", has_text="市民素质")
    was = await button.get_attribute("aria-pressed")
    await page.keyboard.press("g")
    await page.keyboard.press("1")
    await expect(button).to_have_attribute("aria-pressed", "false" if was == "true" else "true")
    await expect(page.locator("#detail")).to_contain_text("人工修改")


@pytest.mark.parametrize("undo_s", [8])
async def test_many_at_once_each_with_its_result_and_one_key_takes_all_back(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.keyboard.press("x")
    await page.keyboard.press("Shift+J")
    await page.keyboard.press("Shift+J")
    await expect(page.get_by_role("toolbar")).to_contain_text("已选 3 件")
    third = await on(page)
    moved = update(T.cases).where(T.cases.c.id == int(third)).values(version=99)
    await hub.db.write(lambda tx: tx.run(moved))
    await page.keyboard.press("e")
    await says(page, "2 件成功，1 件未成功")
    await expect(page.get_by_role("alert", name="未成功的诉求")).to_contain_text("刚被他人处理")
    async with hub.db.read() as conn:
        statuses = (await conn.execute(select(T.cases.c.status))).scalars().all()
        assert sorted(statuses).count("dispatched") == 2
        assert not (await conn.execute(select(T.deliveries.c.id))).all()
    await page.keyboard.press("z")
    await says(page, "已撤销")
    async with hub.db.read() as conn:
        statuses = (await conn.execute(select(T.cases.c.status))).scalars().all()
    assert statuses.count("received") == 5


async def test_snoozed_case_waits_in_its_view_and_comes_back(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    first = await ready(page)
    await page.keyboard.press("h")
    await page.get_by_role("dialog").get_by_role("button", name="暂缓").click()
    await says(page, "已暂缓")
    await expect(page.locator("#rows .row")).to_have_count(4)
    assert (await case_of(hub, first)).snoozed_until is not None
    await page.locator("#views").get_by_role("button", name="暂缓").click()
    await expect(page.locator("#rows .row")).to_have_count(1)
    await expect(page.locator("#detail")).to_contain_text("暂缓至")
    await page.keyboard.press("h")
    await says(page, "已恢复")
    assert (await case_of(hub, first)).snoozed_until is None


async def test_message_of_two_matters_becomes_two_cases(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    first = await ready(page)
    await page.keyboard.press("s")
    box = page.get_by_role("dialog")
    await box.get_by_label("内容").fill("还有，楼下有人占道摆摊")
    await box.get_by_role("button", name="摊位乱摆").click()
    await box.get_by_role("button", name="拆分").click()
    await says(page, "已拆分出 1 件")
    async with hub.db.read() as conn:
        c = T.cases.c
        part = (await conn.execute(select(T.cases).where(c.split_from == int(first)))).one()
    assert (part.status, "stalls" in part.problems) == ("received", True)
    await expect(page.locator("#detail")).to_contain_text(f"已拆分出 {part.case_no}")


@pytest.mark.parametrize(
    ("key", "said", "status"),
    [("#", "已不予立案", "declined"), ("t", "已转 12345", "referred")],
)
async def test_case_ends_with_words(
    open_page: Open, hub: Hub, key: str, said: str, status: str
) -> None:
    page = await open_page("wang")
    first = await ready(page)
    await page.keyboard.press(key)
    await answer(page, "不属于城市管理事项")
    await says(page, said)
    assert (await case_of(hub, first)).status == status
    await expect(page.locator("#rows .row")).to_have_count(4)


async def test_note_is_for_colleagues_and_stays_on_the_case(open_page: Open) -> None:
    page = await open_page("wang")
    first = await ready(page)
    await page.keyboard.press("i")
    await answer(page, "已与社区核实位置")
    await expect(page.locator("#detail")).to_contain_text("派遣员甲　已与社区核实位置")
    assert await on(page) == first


async def test_claim_is_seen_refused_by_name_and_broken_by_a_supervisor(
    open_page: Open, hub: Hub, address: str
) -> None:
    page, other = await open_page("wang"), await open_page("zhang")
    first = await ready(page)
    await page.keyboard.press("c")
    await says(page, "已认领")
    assert await ready(other) == first
    await expect(other.locator("#rows .row.on .held")).to_contain_text("派遣员甲")
    await expect(other.locator("#detail .banner")).to_contain_text("派遣员甲 正在处理")
    await expect(other.locator(".people")).to_contain_text("派遣员甲")
    await other.keyboard.press("e")
    await says(other, "派遣员甲")
    await expect(other.locator("#rows .row")).to_have_count(5)
    overseer = await open_page("du")
    await overseer.goto(f"{address}/desk?case={first}")
    await overseer.get_by_role("button", name="解除认领").click()
    await answer(overseer, "本人离岗")
    await says(overseer, "已解除认领")
    await expect(other.locator("#detail .banner")).to_have_count(0)
    await other.keyboard.press("e")
    await says(other, "已派遣至")
    assert (await case_of(hub, first)).status == "dispatched"


async def test_filters_are_in_the_address_and_views_are_shared(
    open_page: Open, address: str
) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.get_by_role("button", name="宠物乱养").first.click()
    await expect(page.locator("#rows .row")).to_have_count(1)
    assert "problem=pets" in page.url
    await page.get_by_role("button", name="保存当前视图").click()
    await page.get_by_label("视图名称").fill("犬只专项")
    await page.get_by_label("全调度台共享").check()
    await page.get_by_role("button", name="保存", exact=True).click()
    await expect(page.locator(".saved")).to_contain_text("犬只专项")
    await page.go_back()
    await expect(page.locator("#rows .row")).to_have_count(5)
    other = await open_page("zhang")
    await ready(other)
    await other.get_by_role("button", name="犬只专项").click()
    await expect(other.locator("#rows .row")).to_have_count(1)
    await expect(other.get_by_role("button", name="删除视图 犬只专项")).to_have_count(0)


async def test_search_finds_chinese_words_and_is_silent_while_they_are_composed(
    open_page: Open,
) -> None:
    page = await open_page("wang")
    first = await ready(page)
    await page.keyboard.press("/")
    await page.keyboard.type("楼道")
    await expect(page.locator("#rows .row")).to_have_count(2, timeout=10_000)
    await expect(page.locator("#rows mark.found").first).to_have_text("楼道")
    await page.keyboard.press("Escape")
    await expect(page.locator("#rows .row")).to_have_count(5)
    composed = """() => { for (const key of ["j", "e"]) document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key, bubbles: true, isComposing: true })); }"""
    await page.evaluate(composed)
    await expect(page.locator("#rows .row")).to_have_count(5)
    assert await on(page) == first


async def test_key_map_and_the_switch_for_single_keys(open_page: Open) -> None:
    page = await open_page("wang")
    first = await ready(page)
    await page.keyboard.press("?")
    box = page.get_by_role("dialog")
    await expect(box).to_contain_text("派遣至次选单位")
    async with page.expect_response("**/account/keys"):
        await box.get_by_label("使用单键操作").uncheck()
    await box.get_by_role("button", name="关闭").click()
    await page.keyboard.press("j")
    assert await on(page) == first
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#rows .row.on")).not_to_have_id(f"row-{first}")
    await page.reload()
    first = await ready(page)
    await page.keyboard.press("e")
    await expect(page.locator("#rows .row")).to_have_count(5)


async def test_same_citizen_and_nearby_stand_beside(open_page: Open, hub: Hub) -> None:
    said = "江滨公园门口垃圾桶满了"
    for n in ("a", "b"):
        await hub.admission.admit(
            [Item(channel="app", channel_id=n, text=f"{said}{n}", author="同一人")]
        )
    page = await open_page("wang")
    await ready(page, 7)
    await page.locator("#rows .row", has_text=f"{said}b").click()
    await page.get_by_role("tab", name="同一市民 1 件").click()
    await expect(page.locator("#beside")).to_contain_text(f"{said}a")
    await page.get_by_role("tab", name="附近诉求").click()


async def test_asking_the_citizen_of_a_mute_channel_is_refused_and_words_stay(
    open_page: Open, hub: Hub
) -> None:
    page = await open_page("wang")
    first = await ready(page)
    await page.keyboard.press("a")
    await answer(page, "请问是几单元？")
    await says(page, "不能回复市民")
    assert (await case_of(hub, first)).snoozed_until is None
    await page.keyboard.press("a")
    box = page.get_by_role("dialog").get_by_role("textbox")
    await expect(box).to_have_value("请问是几单元？")


async def test_handled_case_is_closed_by_the_same_key(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    first = await ready(page)
    case = await case_of(hub, first)
    office = "urban_enforcement"
    given = {"actor": "wang", "department": office}
    await hub.commands.cases.dispatch(case.id, version=case.version, **given)
    for verb in (Verb.SIGN, Verb.HANDLE):
        progress = {"verb": verb, "note": "已清", "actor": "fa", "scope": office}
        await hub.commands.orders.progress(case.id * 100 + 1, **progress)
    await page.locator("#views").get_by_role("button", name="待核查").click()
    await expect(page.locator("#detail .meta").first).to_contain_text("已处置")
    await page.keyboard.press("e")
    await says(page, "已结案")
    assert (await case_of(hub, first)).status == "closed"
