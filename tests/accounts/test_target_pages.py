"""Pages of the responsibility book: who sees what, who may report, and what is said when it can not be."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from visitors import Browser, Office, Opens

from router.trends.targets import Targets
from store.db import Tx
from store.numbers import case_no
from store.tables import T

CASE = 202611240000007
TARGET = {"title": "停车泊位", "year": 2026, "due": "2026-10-31"}
BOOK = Targets.model_validate(
    {
        "target": [
            TARGET | {"id": "parking", "campaign": "traffic", "owner": "urban_enforcement", "helpers": ["bohai"], "unit": "个", "goal": 20},
            TARGET | {"id": "steps", "campaign": "markets", "owner": "transport", "title": "<b>市场</b>", "milestones": [{"name": "验收", "due": "2026-09-30"}]},
            TARGET | {"id": "lamps", "topic": "street_lamps", "owner": "transport", "title": "路灯", "due": "2026-12-31", "indicator": "items", "better": "down", "reduce_by": 0.1},
            TARGET | {"id": "old", "campaign": "traffic", "owner": "urban_enforcement", "title": "去年的", "year": 2025, "due": "2025-12-31", "unit": "个", "goal": 5},
        ]
    }
)  # fmt: skip


@pytest.fixture
async def office(open_office: Opens, sqlite_url: str) -> Office:
    """A book of four targets, and a case of 市执法局."""
    roles = ("official", "supervisor", "dispatcher", "department", "subdistrict")
    office = await open_office(sqlite_url, roles)
    hub = office.hub
    hub.trends.adopt(replace(hub.city, targets=BOOK))
    at = hub.clock() - timedelta(hours=1)
    case: dict[str, Any] = {"id": CASE, "case_no": case_no("DH", CASE), "status": "handling", "channel": "app", "kind": "complaint", "urgency": "normal", "decision": "auto", "confidence": 0.9, "department": "urban_enforcement", "suggested": "", "rule": "r", "received_at": at}  # fmt: skip
    order = {"id": CASE * 10, "case_id": CASE, "department": "urban_enforcement", "lead": True, "status": "signed", "seq": 1, "dispatched_at": at, "due_at": at}  # fmt: skip

    async def work(tx: Tx) -> None:
        await tx.insert(T.cases, [case])
        await tx.insert(T.work_orders, [order])

    await hub.db.write(work)
    return office


async def text(browser: Browser, path: str, status: int = 200) -> str:
    answer = await browser.get(path)
    assert answer.status == status
    return await answer.text()


async def board(browser: Browser, query: str = "") -> dict[str, Any]:
    answer = await browser.get(f"/desk/api/campaigns{query}")
    assert answer.status == 200
    told: dict[str, Any] = await answer.json()
    return told


async def reports(office: Office) -> list[Any]:
    async with office.hub.db.read() as conn:
        return list((await conn.execute(select(T.target_reports))).all())


async def test_the_board_tells_every_campaign_and_topic(office: Office) -> None:
    official = await office.browser("official")
    told = await board(official)
    assert [one["id"] for one in told["campaigns"]] == list(office.hub.city.taxonomy.campaigns)
    assert [(group["id"], len(group["topics"])) for group in told["groups"]] == [
        ("mechanism", 9),
        ("civic", 5),
    ]
    assert told["counts"] == {"done": 0, "on_track": 0, "behind": 0, "overdue": 2, "unknown": 1}
    (parking,) = (one["targets"] for one in told["campaigns"] if one["id"] == "traffic")
    assert [(one["id"], one["state_name"], one["owner"]) for one in parking] == [
        ("parking", "逾期", "市执法局")
    ]
    page = await text(official, "/desk/campaigns")
    assert "&lt;b&gt;市场&lt;/b&gt;" in page
    assert page.count('class="spark"') == 14
    assert "逾期 2 项" in page
    assert "今年尚无数据" in page
    assert "style=" not in page


NARROWED = {
    "?state=overdue": ["parking", "steps"],
    "?state=done": [],
    "?owner=transport": ["lamps", "steps"],
    "?owner=transport&state=overdue": ["steps"],
    "?year=2025": ["old"],
}


async def test_the_board_is_narrowed(office: Office) -> None:
    browser = await office.browser("official")
    for query, shown in NARROWED.items():
        told = await board(browser, query)
        places = told["campaigns"] + [one for group in told["groups"] for one in group["topics"]]
        assert sorted(line["id"] for one in places for line in one["targets"]) == shown, query
        if "year" not in query:
            assert all(one["targets"] for one in places)


async def test_an_address_that_means_nothing(office: Office) -> None:
    browser = await office.browser("official")
    for query in ("year=1999", "year=x", "state=fine", "owner=palace"):
        await text(browser, f"/desk/campaigns?{query}", 422)
        await text(browser, f"/desk/api/campaigns?{query}", 422)
    await text(browser, "/desk/campaigns/target?id=none", 404)


async def test_an_owner_reports_and_the_board_tells(office: Office) -> None:
    department = await office.browser("department")
    page = await text(department, "/inbox/targets")
    assert "停车泊位" in page
    assert "市场" not in page
    form = {"target": "parking", "value": "21", "note": "<i>已投用", "cases": case_no("DH", CASE), "seen": "0"}  # fmt: skip
    answer = await department.post("/inbox/targets/report", form)
    assert (answer.status, answer.headers["Location"]) == (302, "/inbox/targets?year=2026&done=1")
    page = await text(department, "/inbox/targets?year=2026&done=1")
    assert "已上报。" in page
    assert "佐证 1 件" in page
    helper = await text(await office.browser("subdistrict"), "/inbox/targets")
    assert "&lt;i&gt;已投用" in helper
    assert "DH2026" not in helper  # a case of another office
    official = await office.browser("official")
    (line,) = next(c for c in (await board(official))["campaigns"] if c["id"] == "traffic")["targets"]  # fmt: skip
    assert (line["state"], line["shown"], line["share"]) == ("done", "21 个", 1.0)
    assert line["report"]["cases"] == [{"id": str(CASE), "case_no": case_no("DH", CASE)}]
    page = await text(official, "/desk/campaigns/target?id=parking")
    assert f'href="/desk?case={CASE}"' in page
    assert "&lt;i&gt;已投用" in page
    assert "代为上报" not in page
    assert [row.note for row in await office.audit("target.report")] == ["0 → 21；佐证 1 件"]


REFUSED: list[tuple[str, str, dict[str, str], int, str]] = [
    ("department", "/inbox/targets", {"target": "steps", "value": "1"}, 422, "不属于本单位"),
    ("department", "/inbox/targets", {"target": "", "value": "1"}, 422, "没有这个目标"),
    ("department", "/inbox/targets", {"target": "parking", "value": "x", "note": "留着"}, 422, "完成数无法识别"),
    ("department", "/inbox/targets", {"target": "parking", "value": "1", "seen": "9"}, 409, "刚有他人上报"),
    ("department", "/inbox/targets", {"target": "parking", "value": "1", "cases": "DH12"}, 422, "DH12 不存在"),
    ("subdistrict", "/inbox/targets", {"target": "parking", "value": "1", "cases": case_no("DH", CASE)}, 422, "不属于责任单位"),
    ("supervisor", "/desk/campaigns", {"target": "steps", "value": "2"}, 422, "节点目标请选择"),
    ("supervisor", "/desk/campaigns", {"target": "lamps"}, 422, "说明未填写"),
    ("supervisor", "/desk/campaigns", {"target": "none", "value": "1"}, 422, "target"),
    ("official", "/desk/campaigns", {"target": "steps", "value": "1"}, 403, "your role"),
    ("official", "/inbox/targets", {"target": "steps", "value": "1"}, 403, "your role"),
    ("department", "/desk/campaigns", {"target": "parking", "value": "1"}, 403, "your role"),
    ("dispatcher", "/inbox/targets", {"target": "steps", "value": "1"}, 403, "your role"),
]  # fmt: skip
"""Who sends what, and what they are told."""


async def test_a_report_that_is_refused(office: Office) -> None:
    for who, path, form, status, says in REFUSED:
        browser = await office.browser(who)
        answer = await browser.post(f"{path}/report", form)
        page = await answer.text()
        assert (answer.status, says in page) == (status, True), (who, form, page)
        assert form.get("note", "") in page
    assert await reports(office) == []
    assert await office.audit("target.report") == []


async def test_a_supervisor_reports_for_an_owner(office: Office) -> None:
    browser = await office.browser("supervisor")
    for seen, value in (("0", "0"), ("1", "1")):
        form = {"target": "steps", "value": value, "seen": seen}
        answer = await browser.post("/desk/campaigns/report", form)
        assert answer.headers["Location"] == "/desk/campaigns/target?id=steps&done=1"
    page = await text(browser, "/desk/campaigns/target?id=steps&done=1")
    assert "已上报。" in page
    assert "逾期完成" in page
    assert page.count("supervisor 上报") == 2
    assert [row.value for row in await reports(office)] == [0, 1]


async def test_a_city_without_a_book_has_its_campaigns(office: Office) -> None:
    hub = office.hub
    hub.trends.adopt(replace(hub.city, targets=Targets()))
    browser = await office.browser("official")
    told = await board(browser)
    assert len(told["campaigns"]) == 10
    assert "本年度没有目标" in await text(browser, "/desk/campaigns")
    department = await office.browser("department")
    assert "没有本单位的目标" in await text(department, "/inbox/targets")
