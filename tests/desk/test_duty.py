"""Undo, joining, rework, requests and documents in a real browser."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import insert, select

from hub.app import Hub
from router.workflow import Verb
from store.db import Tx
from store.model import Item
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
TWICE = "翰章大街建设银行门口的垃圾桶满了好几天没有人来倒，周围堆满了袋子，走路都要绕开，请尽快派人清理一下"


async def ready(page: Page, rows: int = 5) -> None:
    await expect(page.locator("#rows .row")).to_have_count(rows, timeout=15_000)
    await expect(page.locator("#detail .text")).to_be_visible()


async def cases(hub: Hub) -> list[Any]:
    async with hub.db.read() as conn:
        return list((await conn.execute(select(T.cases).order_by(T.cases.c.id))).all())


async def answer(page: Page, words: str) -> None:
    """What the page asks is answered with ``words``."""
    await page.get_by_role("dialog").get_by_role("textbox").fill(words)
    await page.get_by_role("button", name="确定").click()


async def handled(hub: Hub) -> Any:
    """A case whose department says it is done."""
    case = (await cases(hub))[0]
    await hub.commands.cases.dispatch(
        case.id, version=case.version, actor="wang", department="urban_enforcement"
    )
    progress = {"actor": "fa", "scope": "urban_enforcement"}
    for verb in (Verb.SIGN, Verb.HANDLE):
        await hub.commands.orders.progress(case.id * 100 + 1, verb=verb, note="已清", **progress)
    return case


@pytest.mark.parametrize("undo_s", [8])
async def test_last_dispatch_is_taken_back_by_one_key(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    chosen = (await page.locator("#rows .row.on").get_attribute("id") or "").removeprefix("row-")
    await page.keyboard.press("e")
    await expect(page.locator("#toast")).to_contain_text("撤销")
    await expect(page.locator("#rows .row")).to_have_count(4)
    await page.keyboard.press("z")
    await expect(page.locator("#rows .row")).to_have_count(5)
    await expect(page.locator("#rows .row.on")).to_have_id(f"row-{chosen}")
    row = next(one for one in await cases(hub) if str(one.id) == chosen)
    assert (row.status, row.department) == ("received", "")


async def test_similar_case_is_joined_and_parted(open_page: Open, hub: Hub) -> None:
    await hub.admission.admit([Item(channel="app", channel_id="a", text=TWICE, author="甲")])
    await hub.admission.admit(
        [Item(channel="app", channel_id="b", text=TWICE + "，谢谢", author="乙")]
    )
    page = await open_page("wang")
    await ready(page, 7)
    await page.locator("#rows .row", has_text="谢谢").click()
    await page.get_by_role("button", name="并入此案").first.click()
    await expect(page.locator("#rows .row")).to_have_count(6)
    await expect(page.locator("#toast")).to_contain_text("已并入")
    first, second = (await cases(hub))[-2:]
    assert (second.status, second.merged_into, first.items) == ("merged", first.id, 2)
    await page.get_by_role("button", name="已办结").click()
    await page.locator("#rows .row", has_text="谢谢").click()
    await expect(page.locator("#detail")).to_contain_text(f"已并入案件 {first.case_no}")
    await page.get_by_role("button", name="取消并案").click()
    await answer(page, "两个桶")
    await expect(page.locator("#rows .row")).to_have_count(0)
    await expect(page.locator("#toast")).to_contain_text("已取消并案")
    assert (await cases(hub))[-1].status == "received"


async def test_result_is_sent_back_and_then_closed(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    case = await handled(hub)
    await page.get_by_role("button", name="待核查").click()
    await expect(page.locator("#detail .text")).to_be_visible()
    await page.get_by_role("button", name="核查不通过").click()
    await answer(page, "仍有残留")
    await expect(page.locator("#rows .row")).to_have_count(0)
    await expect(page.locator("#toast")).to_contain_text("已退回返工")
    office = await open_page("fa", width=390, height=844)
    await expect(office.locator("#detail")).to_contain_text("返工 1 次")
    await office.locator(".acts button", has_text="处置完毕").click()
    await office.get_by_label("处置结果").fill("再次清理")
    await office.get_by_role("dialog").locator("button.main").click()
    await expect(office.locator("#toast")).to_contain_text("已办结")
    await page.get_by_role("button", name="待核查").click()
    await expect(page.locator("#detail .history").last).to_contain_text("再次清理")
    await page.get_by_role("button", name="核查通过并结案").click()
    await expect(page.locator("#toast")).to_contain_text("已结案")
    for _ in range(100):
        first = (await cases(hub))[0]
        if first.status == "closed":
            break
        await page.wait_for_timeout(50)
    assert (first.id, first.status) == (case.id, "closed")


async def test_request_is_answered_and_document_replied(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    case = (await cases(hub))[0]
    await hub.commands.cases.dispatch(
        case.id, version=case.version, actor="wang", department="urban_enforcement"
    )
    now = hub.clock()
    letter = {
        "mark": "x:0:urge",
        "number": "敦城督催〔2026〕1号",
        "level": "urge",
        "case_id": case.id,
    }
    letter |= {
        "order_id": case.id * 100 + 1,
        "department": "urban_enforcement",
        "addressee": "urban_enforcement",
    }
    letter |= {
        "title": "催办通知书",
        "body": "请立即组织办理。",
        "state": "issued",
        "actor": "supervision",
    }

    async def work(tx: Tx) -> None:
        reply_by = now + timedelta(days=1)
        await tx.run(
            insert(T.supervisions).values(**letter, at=now, reply_by=reply_by, replied_by="")
        )

    await hub.db.write(work)
    office = await open_page("fa", width=390, height=844)
    await office.locator("#views button", has_text="待回复文书").click()
    await office.get_by_role("textbox", name="回复").fill("今日办结")
    await office.get_by_role("button", name="提交回复").click()
    await expect(office.locator("main")).not_to_contain_text("催办通知书")
    await office.locator("#views button", has_text="待签收").click()
    await office.locator(".acts button", has_text="申请延期").click()
    await office.get_by_label("延期工作日数").fill("2")
    await office.get_by_label("延期理由").fill("连日降雪")
    await office.get_by_role("dialog").locator("button.main").click()
    await expect(office.locator("#toast")).to_contain_text("已申请延期")
    await page.get_by_role("link", name="待办").click()
    await expect(page.locator("main")).to_contain_text("申请延期 2 个工作日")
    await page.get_by_label("答复").fill("同意")
    await page.get_by_role("button", name="同意", exact=True).click()
    await expect(page.locator("main")).to_contain_text("目前没有待办事项")
    async with hub.db.read() as conn:
        kept = (await conn.execute(select(T.supervisions.c.reply))).scalar_one()
        granted = (await conn.execute(select(T.requests.c.state))).scalar_one()
    assert (kept, granted) == ("今日办结", "granted")


async def test_leaders_instruction_becomes_a_case_with_its_day(open_page: Open, hub: Hub) -> None:
    page = await open_page("wang")
    await ready(page)
    await page.get_by_role("link", name="领导交办").click()
    await page.get_by_label("交办人职务").fill("分管副市长")
    await page.get_by_label("交办内容").fill("尽快解决翰章大街垃圾清运不及时问题")
    await page.get_by_label("办理期限").fill("2020-01-01T10:00")
    await page.get_by_role("button", name="登记").click()
    await expect(page.get_by_role("alert")).to_contain_text("办理期限已过")
    await page.get_by_label("办理期限").fill("2026-11-26T17:00")
    await page.get_by_role("button", name="登记").click()
    await expect(page.get_by_role("status")).to_contain_text("已登记")
    await page.get_by_role("link", name="调度台").click()
    await ready(page, 6)
    await page.locator("#rows .row", has_text="翰章大街").click()
    await expect(page.locator("#detail")).to_contain_text("领导交办，要求 11月26日 17:00 前办结")
    assert (await cases(hub))[-1].wanted_at is not None


async def test_citizen_says_how_it_was_done(open_page: Open, hub: Hub, address: str) -> None:
    page = await open_page("wang")
    await ready(page)
    case = await handled(hub)
    async with hub.db.read() as conn:
        row = (
            await conn.execute(select(T.items.c.channel_id).where(T.items.c.id == case.id))
        ).one()
        version = (
            await conn.execute(select(T.cases.c.version).where(T.cases.c.id == case.id))
        ).scalar_one()
    await hub.commands.cases.close(case.id, version=version, actor="wang", note="办结")
    item = Item(channel="app", channel_id=row.channel_id, text="x")
    number, code = hub.admission.receipt(case.id, item).split("-")
    await page.goto(f"{address}/query")
    await page.get_by_label("受理编号").fill(number)
    await page.get_by_label("查询码").fill(code)
    await page.get_by_role("button", name="查询").click()
    await page.get_by_label("已解决").check()
    await page.get_by_label("基本满意").check()
    await page.get_by_role("button", name="提交评价").click()
    await expect(page.get_by_role("status")).to_contain_text("谢谢")
    async with hub.db.read() as conn:
        kept = (await conn.execute(select(T.ratings))).one()
    assert (kept.solved, kept.satisfied, kept.via) == ("solved", "fair", "page")
