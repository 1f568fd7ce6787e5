"""The departments' inbox in a real browser: sign, photos and result, return, forward, contact under a watermark."""

import asyncio
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Page, expect
from sqlalchemy import insert, select

from hub.app import Hub
from store.db import Tx
from store.model import Contact, Item
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
AXE = Path(__file__).parents[2] / "desk/web/node_modules/axe-core/axe.min.js"
OFFICE = "urban_enforcement"
MESSAGES = 5


def picture(color: str = "red") -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), color).save(out, "JPEG")
    return {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


async def cases_of(hub: Hub) -> list[Any]:
    """The first two cases; the second is due sooner."""
    async with hub.db.read() as conn:
        return list((await conn.execute(select(T.cases).order_by(T.cases.c.id).limit(2))).all())


async def give(hub: Hub, case: Any) -> None:
    await hub.commands.cases.dispatch(
        case.id, version=case.version, actor="wang", department=OFFICE
    )


async def state(hub: Hub, case: int) -> tuple[str, str]:
    async with hub.db.read() as conn:
        found = (await conn.execute(select(T.cases).where(T.cases.c.id == case))).one()
        o = T.work_orders.c
        order = await conn.execute(
            select(o.status).where(o.case_id == case).order_by(o.id.desc()).limit(1)
        )
        return found.status, order.scalar_one()


async def settled(hub: Hub, case: int, wanted: tuple[str, str]) -> None:
    for _ in range(100):
        if await state(hub, case) == wanted:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"the case is {await state(hub, case)}, not {wanted}")


async def answer(page: Page, words: str) -> None:
    box = page.get_by_role("dialog")
    await box.get_by_role("textbox").last.fill(words)
    await box.locator("button.main").click()


async def accessible(page: Page) -> list[Any]:
    """Serious and critical findings of axe."""
    await page.evaluate(AXE.read_text(encoding="utf-8") + ";window.axe=axe;0")
    found = await page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']})")
    bad = [one for one in found["violations"] if one["impact"] in {"serious", "critical"}]
    return [(one["id"], [n["target"] for n in one["nodes"]]) for one in bad]


@pytest_asyncio.fixture(loop_scope="session")
async def waiting(hub: Hub, address: str) -> None:
    """Every message has become a case."""
    for _ in range(300):
        async with hub.db.read() as conn:
            if len((await conn.execute(select(T.cases.c.id))).all()) >= MESSAGES:
                return
        await asyncio.sleep(0.05)


@pytest_asyncio.fixture(loop_scope="session")
async def cases(hub: Hub, waiting: None) -> list[Any]:
    """Two cases of the office, the one due sooner first."""
    later, sooner = await cases_of(hub)
    for case in (later, sooner):
        await give(hub, case)
    return [sooner, later]


async def test_keys_sign_ask_and_return_and_what_is_refused_comes_back(
    open_page: Open, hub: Hub, cases: list[Any]
) -> None:
    page = await open_page("fa")
    await expect(page.locator("#rows .row")).to_have_count(2)
    await expect(page.locator("#live")).to_have_text("实时")
    await page.keyboard.press("s")
    await expect(page.locator("#rows .row")).to_have_count(1)
    await expect(page.locator("#detail")).to_contain_text(cases[1].case_no)
    await settled(hub, cases[0].id, ("handling", "signed"))
    composing = "{key: 's', isComposing: true, bubbles: true}"
    await page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {composing}))")
    await page.locator("#q").press_sequentially("sssr")
    assert await state(hub, cases[1].id) == ("dispatched", "assigned")
    await expect(page.locator("#none")).to_have_text("没有找到本单位的工单。")
    await page.keyboard.press("Escape")
    await page.keyboard.press("2")
    await expect(page.locator("#rows .row.on")).to_have_attribute("id", f"row-{cases[0].id}01")
    await page.keyboard.press("1")
    await expect(page.locator("#rows .row.on")).to_have_attribute("id", f"row-{cases[1].id}01")
    await page.keyboard.press("x")
    box = page.get_by_role("dialog")
    await box.get_by_label("延期工作日数").fill("60")
    await answer(page, "连日降雪")
    await expect(page.locator("#toast")).to_contain_text("申请的时间无效")
    await page.keyboard.press("x")
    await expect(box.get_by_label("延期理由")).to_have_value("连日降雪")
    await box.get_by_label("延期工作日数").fill("2")
    await box.locator("button.main").click()
    await expect(page.locator("#detail")).to_contain_text("申请延期 2 个工作日：连日降雪")
    await page.keyboard.press("r")
    await answer(page, "不属我局")
    await expect(page.locator("#none")).to_be_visible()
    await settled(hub, cases[1].id, ("filed", "returned"))


async def test_on_a_phone_a_result_with_photos_and_an_order_for_another_office(
    open_page: Open, hub: Hub, cases: list[Any], address: str
) -> None:
    page = await open_page("fa", width=390, height=844)
    await page.locator("#rows .row").first.click()
    await page.locator(".acts button", has_text="签收").click()
    await expect(page.locator("#rows .row")).to_have_count(1)
    await page.locator("#views button", has_text="办理中").click()
    for stage, color in (("before", "red"), ("after", "green")):
        here = page.locator(f".stage[data-stage={stage}]")
        await here.locator("input[type=file]").last.set_input_files(picture(color))
        await expect(here.locator("img")).to_have_count(1)
    assert await accessible(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="处置完毕").click()
    await expect(page.get_by_role("dialog")).to_contain_text("处置前照片 1 张、处置后照片 1 张")
    await answer(page, "已清理干净")
    await expect(page.locator("#none")).to_be_visible()
    await settled(hub, cases[0].id, ("handled", "handled"))
    desk = await open_page("wang")
    await desk.goto(f"{address}/desk?case={cases[0].id}")
    for stage in ("before", "after"):
        await expect(desk.locator(f"#detail .stage[data-stage={stage}] img")).to_have_count(1)
    await page.locator("#views button", has_text="已办结").click()
    await expect(page.locator(".stage img")).to_have_count(2)
    await expect(page.locator(".stage input")).to_have_count(0)
    await page.locator("#views button", has_text="待签收").click()
    await page.get_by_role("button", name="转办").click()
    picker = page.get_by_role("dialog")
    await picker.get_by_role("combobox").fill("交通")
    await page.keyboard.press("Enter")
    await expect(picker).to_contain_text("建议转办至市交通运输局")
    await answer(page, "道路归交通部门管")
    await settled(hub, cases[1].id, ("filed", "returned"))
    async with hub.db.read() as conn:
        kept = (await conn.execute(select(T.returns))).one()
    assert (kept.proposed, kept.state, kept.note) == ("transport", "open", "道路归交通部门管")


async def test_contact_is_shown_under_a_watermark_and_hidden_again(
    open_page: Open, hub: Hub, cases: list[Any]
) -> None:
    contact = Contact(name="来电人", phone="13800000000")
    message = Item(channel="app", channel_id="c", text="井盖缺失", contact=contact)
    await hub.admission.admit([message])
    async with hub.db.read() as conn:
        i = T.items.c
        sealed = (await conn.execute(select(i.id).where(i.channel_id == "c"))).scalar_one()
    for _ in range(300):
        async with hub.db.read() as conn:
            case = (await conn.execute(select(T.cases).where(T.cases.c.id == sealed))).first()
        if case is not None:
            break
        await asyncio.sleep(0.05)
    await hub.commands.cases.dispatch(
        case.id, version=case.version, actor="wang", department=OFFICE
    )
    order = case.id * 100 + 1
    page = await open_page("fa")
    await page.locator(f"#row-{order}").click()
    await expect(page.get_by_role("button", name="查看原文与联系方式")).to_have_count(0)
    await page.locator(".acts button", has_text="签收").click()
    await page.locator("#views button", has_text="办理中").click()
    await page.get_by_role("button", name="查看原文与联系方式").click()
    await answer(page, "核实")
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("至少填写 4 个字")
    await answer(page, "核实具体位置")
    shown = page.locator("#original")
    await expect(shown).to_contain_text("13800000000")
    await expect(shown.locator("svg.watermark text").first).to_contain_text("执法")
    for width, height in ((390, 844), (1366, 768)):
        await page.set_viewport_size({"width": width, "height": height})
        outer, mark = (
            await shown.bounding_box(),
            await shown.locator("svg.watermark").bounding_box(),
        )
        assert outer is not None
        assert mark is not None
        assert mark["height"] >= outer["height"] - 4
    kept = await page.evaluate(
        "JSON.stringify([{...sessionStorage}, {...localStorage}, location.href])"
    )
    assert "13800000000" not in kept
    assert await accessible(page) == []
    await page.get_by_role("button", name="立即隐藏").click()
    await expect(shown).to_have_count(0)
    async with hub.db.read() as conn:
        seen = (await conn.execute(select(T.audit).where(T.audit.c.act == "reveal"))).one()
    assert (seen.actor, seen.target, seen.note) == ("fa", f"order:{order}", "核实具体位置")


async def test_document_is_answered_and_new_orders_wait_behind_a_bar(
    open_page: Open, hub: Hub, waiting: None, address: str
) -> None:
    later, sooner = await cases_of(hub)
    await give(hub, later)
    letter = {
        "mark": "x:0:urge",
        "number": "敦城督催〔2026〕1号",
        "level": "urge",
        "order_id": later.id * 100 + 1,
    }
    letter |= {
        "case_id": later.id,
        "department": OFFICE,
        "addressee": OFFICE,
        "title": "催办通知书",
    }
    letter |= {
        "body": "请立即组织办理。",
        "state": "issued",
        "actor": "supervision",
        "replied_by": "",
    }

    async def work(tx: Tx) -> None:
        await tx.run(
            insert(T.supervisions).values(
                **letter, at=hub.clock(), reply_by=hub.clock() + timedelta(days=1)
            )
        )

    await hub.db.write(work)
    page = await open_page("fa", width=390, height=844)
    await expect(page.locator("#rows .row")).to_have_count(1)
    await expect(page.locator("#live")).to_have_text("实时")
    await give(hub, sooner)
    await page.get_by_role("button", name="有 1 件新工单").click()
    await expect(page.locator("#rows .row").first).to_have_id(f"row-{sooner.id}01")
    await page.locator("#views button", has_text="待回复文书").click()
    assert await accessible(page) == []
    await page.get_by_role("textbox", name="回复").fill("今日办结")
    await page.get_by_role("button", name="提交回复").click()
    await expect(page.locator("#detail")).to_contain_text("没有待回复的文书")
    await page.goto(f"{address}/inbox/orders/{later.id}01")
    await expect(page.locator("main")).to_contain_text("城市管理案件办理单")
    await page.goto(f"{address}/inbox?order={sooner.id}01")
    await expect(page.locator("#detail")).to_contain_text(sooner.case_no)
    async with hub.db.read() as conn:
        assert (await conn.execute(select(T.supervisions.c.reply))).scalar_one() == "今日办结"
