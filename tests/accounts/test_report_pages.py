"""Bulletins on the screen: made, edited, signed, downloaded, by whom and with what said when it fails."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from visitors import Browser, Office, Opens

from store.tables import T

ROLES = ("dispatcher", "supervisor", "official", "department")
EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def office(open_office: Opens, sqlite_url: str, clock: Any) -> Office:
    clock.now = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    opened = await open_office(sqlite_url, ROLES, public_url="https://hub.example/")
    of = {"label": "*", "area": "*", "channel": "*", "n": 31}
    days = [of | {"day": day} for day in (20261105, -202611)]
    await opened.hub.db.write(lambda tx: tx.run(T.item_days.insert(), days))
    return opened


async def made(browser: Browser, kind: str = "monthly", period: str = "2026-11") -> str:
    answer = await browser.post("/desk/reports", {"kind": kind, "period": period})
    assert answer.status == 302, await answer.text()
    return str(answer.headers["Location"])


async def text_of(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status == 200, path
    return await answer.text()


def version(page: str) -> str:
    return re.findall(r'name="version" value="(\d+)"', page)[0]


async def test_a_bulletin_from_the_list_to_its_files(office: Office) -> None:
    clerk, chief = await office.browser("dispatcher"), await office.browser("official")
    where = await made(clerk)
    page = await text_of(clerk, where)
    assert "草稿　未签发" in page
    assert (
        'href="/desk/trends/number?indicator=items&amp;from=2026-11-01&amp;to=2026-11-30">31</a>'
        in page
    )
    assert "去年同期无数据" in page
    title = re.findall(r'name="title" [^>]*value="([^"]*)"', page)[0]
    form = {"version": version(page), "title": f"{title}{EVIL}", "act": "words.b2"}
    assert (await clerk.post(f"{where}/edit", form)).headers["Location"] == f"{where}#b2"
    page = await text_of(clerk, where)
    assert EVIL not in page
    assert "（请填写）" in page
    await clerk.post(f"{where}/edit", {"version": version(page), "title": title})
    await clerk.post(f"{where}/submit", {"version": version(await text_of(clerk, where))})
    page = await text_of(chief, where)
    assert 'id="edit"' not in page
    await chief.post(f"{where}/back", {"version": version(page), "reason": "标题再改"})
    assert "标题再改" in await text_of(clerk, where)
    await clerk.post(f"{where}/submit", {"version": version(await text_of(clerk, where))})
    await chief.post(f"{where}/sign", {"version": version(await text_of(chief, where))})
    page = await text_of(clerk, where)
    assert "敦城管通报〔2026〕1号" in page
    assert "草稿　未签发" not in page
    assert "敦城管通报〔2026〕1号" in await text_of(clerk, "/desk/reports?kind=monthly")
    number = where.rpartition("/")[2]
    printed = await text_of(chief, f"/report/{number}")
    assert 'class="official"' in printed
    for suffix, head in (("docx", b"PK"), ("xlsx", b"PK"), ("pdf", b"%PDF")):
        answer = await chief.get(f"{where}/file.{suffix}")
        assert (await answer.read()).startswith(head)
        assert f'filename="bulletin-{number}.{suffix}"' in answer.headers["Content-Disposition"]
    assert (await clerk.post(f"{where}/withdraw", {"version": "9", "reason": "有误"})).status == 403
    withdrawn = {"version": version(await text_of(chief, where)), "reason": "有误"}
    assert (await chief.post(f"{where}/withdraw", withdrawn)).status == 302
    assert "已撤回" in await text_of(clerk, where)


async def test_refusals_are_said_on_the_page(office: Office) -> None:
    clerk, other = await office.browser("dispatcher"), await office.browser("supervisor")
    where = await made(clerk)
    page = await text_of(clerk, where)
    said = {
        ("/desk/reports", "kind=monthly&period=2026-11"): (422, "已有这份通报"),
        ("/desk/reports", "kind=monthly&period=2026-12"): (422, "统计期尚未结束"),
        (f"{where}/edit", "version=1&text.b2={{f:x}}"): (422, "数字标记 {{f:x}} 不存在"),
        (f"{where}/withdraw", "version=1&reason="): (422, "请填写理由"),
        (f"{where}/correct", ""): (409, "状态已变化"),
        (f"{where}/edit", "title=x"): (422, "version: missing"),
    }
    for (path, form), (status, words) in said.items():
        fields = dict(pair.split("=", 1) for pair in form.split("&") if pair)
        answer = await clerk.post(path, fields or {"x": ""})
        assert (answer.status, words in await answer.text()) == (status, True), (path, form)
    assert (
        await other.post(f"{where}/edit", {"version": version(page), "title": "督查改"})
    ).status == 302
    answer = await clerk.post(f"{where}/edit", {"version": version(page), "title": "派遣改"})
    assert answer.status == 409
    shown = await answer.text()
    assert "已被他人修改" in shown
    assert "督查改" in shown
    missing = await clerk.get("/desk/reports/99")
    assert missing.status == 422


async def test_who_sees_which_buttons(office: Office) -> None:
    clerk = await office.browser("dispatcher")
    where = await made(clerk)
    await clerk.post(f"{where}/submit", {"version": "1"})
    for role, verbs in {
        "dispatcher": {"withdraw"},
        "supervisor": {"sign", "back", "withdraw"},
        "official": {"sign", "back"},
    }.items():
        page = await text_of(await office.browser(role), where)
        assert set(re.findall(rf'action="{where}/(\w+)"', page)) == verbs, role
    assert "新建通报" not in await text_of(await office.browser("official"), "/desk/reports")
    assert (await (await office.browser("department")).get(where)).status == 403
