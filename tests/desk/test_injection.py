"""Three hundred ways to smuggle a script in, through every channel and staff's own fields, onto every page: none runs."""

import csv
import html
import io
import json
import os
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from payloads import EVERY, chosen
from playwright.async_api import Page, expect
from sqlalchemy import func, select

from hub.app import Hub
from ingest.protocol import Payload
from store.errors import RejectedError
from store.model import Item
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
INGEST = Path(__file__).parents[1] / "ingest"
ALL = os.environ.get("MINSHENG_TEST_FAULTS") == "full"

PAYLOADS = chosen()
WORDS = "楼道里的垃圾没有人清理"


def app(text: str) -> bytes:
    item = {
        "id": "x",
        "text": WORDS + text,
        "title": text[:100],
        "author": text[:60],
        "place": {"address": text[:60]},
    }
    return json.dumps({"items": [item]}).encode()


def feed(text: str) -> bytes:
    body = html.escape(html.escape(WORDS + text))
    title = html.escape(text)
    return f"<rss version='2.0'><channel><item><guid>x</guid><title>{title}</title><description>{body}</description></item></channel></rss>".encode()


def open311(text: str) -> bytes:
    return urlencode(
        {
            "api_key": "k",
            "service_code": "litter",
            "description": WORDS + text,
            "address_string": text[:60],
        }
    ).encode()


def wechat(text: str) -> bytes:
    said = (WORDS + text).replace("]]>", "]]]]><![CDATA[>")
    recorded = (INGEST / "golden/wechat/text.xml").read_text(encoding="utf-8")
    return recorded.replace("渤海街路灯坏了 ]] > 三天", said).encode()


def weibo(text: str) -> bytes:
    recorded = json.loads((INGEST / "golden/weibo/comments.json").read_text(encoding="utf-8"))
    first = recorded["comments"][0]
    first["text"] = WORDS + html.escape(text, quote=False)
    first["user"]["screen_name"] = text[:30]
    return json.dumps({"comments": [first]}).encode()


def lists(text: str) -> bytes:
    lines = (INGEST / "golden/lists/hotline.csv").read_text(encoding="gb18030").splitlines()
    row = next(csv.reader(lines[2:]))
    row[3], row[4], row[6] = text[:40], WORDS + text, text[:40]
    out = io.StringIO()
    csv.writer(out).writerow(row)
    return "\n".join([*lines[:2], out.getvalue()]).encode("gb18030", "replace")


def discuz(text: str) -> bytes:
    page = (INGEST / "golden/discuz/thread-1.html").read_text(encoding="utf-8")
    safe = html.escape(text)
    page = page.replace("井盖缺失", safe)
    return re.sub(r'(id="postmessage_11">)', lambda m: m[1] + WORDS + safe, page).encode()


DOORS: dict[str, tuple[Callable[[str], bytes], str]] = {
    "app": (app, "application/json"), "feed": (feed, "application/rss+xml"), "wechat": (wechat, "application/rss+xml"),
    "open311": (open311, "application/x-www-form-urlencoded"), "weibo": (weibo, "application/json"),
    "lists": (lists, "text/csv"), "discuz": (discuz, "text/html; charset=utf-8"),
}  # fmt: skip


def said(channel: str, n: int, text: str) -> list[Item]:
    """What the channel's connector makes of the payload, its number made one of its own; nothing when it is refused."""
    recorded = runpy.run_path(str(INGEST / "recorded.py"))
    kind = next(one for one in recorded["MAKE"] if one.kind == channel)
    build, content_type = DOORS[channel]
    payload = Payload(build(text.replace("X()", "pwned()")), content_type, "city")
    try:
        parsed = recorded["make"](kind).parse(payload)
    except RejectedError:
        return []
    own = {"channel_id": f"x{n}", "posted_at": None}
    return [one.model_copy(update=own) for one in parsed.items[:1]]


async def admitted(hub: Hub, items: list[Item]) -> None:
    c = T.cases.c
    async with hub.db.read() as conn:
        before = (await conn.execute(select(func.count(c.id)))).scalar_one()
    for at in range(0, len(items), 200):
        await hub.admission.admit(items[at : at + 200])
    for _ in range(600):
        async with hub.db.read() as conn:
            if (await conn.execute(select(func.count(c.id)))).scalar_one() >= before + len(items):
                return
        await hub.db.pulse.wait(hub.db.pulse.listen("desk"), 0.1)


async def watched(page: Page, address: str) -> list[str]:
    """What the page asked for outside the hub, from now on; a canary counts calls."""
    outside: list[str] = []
    await page.add_init_script("window.hits = 0; window.pwned = () => { window.hits++; };")
    page.on(
        "request",
        lambda r: (
            None
            if urlsplit(r.url).netloc == urlsplit(address).netloc or r.url.startswith("data:")
            else outside.append(r.url)
        ),
    )
    return outside


async def hits(page: Page) -> int:
    return int(await page.evaluate("window.hits"))


async def test_no_payload_runs_on_any_page(open_page: Open, hub: Hub, address: str) -> None:
    channels = list(DOORS)
    pairs = (
        [(c, p) for p in (*PAYLOADS, *EVERY[::20]) for c in channels]
        if ALL
        else [(channels[n % 7], p) for n, p in enumerate(PAYLOADS)]
    )
    assert len(PAYLOADS) == 300
    items = [one for n, pair in enumerate(pairs) for one in said(pair[0], n, pair[1])]
    assert len(items) >= len(pairs) * 0.95
    await admitted(hub, items)
    page = await open_page("wang")
    outside = await watched(page, address)
    await page.goto(f"{address}/desk")
    await expect(page.locator("#detail .text")).to_be_visible(timeout=15_000)
    await page.locator("#rows").focus()
    seen: set[str] = set()
    for _ in range(len(pairs) + 10):
        seen.add(await page.evaluate("document.getElementById('detail').dataset.case || ''"))
        await page.keyboard.press("j")
    assert len(seen - {""}) >= len(items) * 0.9
    assert await hits(page) == 0
    assert "pwned()" in (await page.locator("#detail").text_content() or "")
    await at_the_desk(page, address)
    await at_the_inbox(hub, open_page, address, outside)
    assert outside == []


async def at_the_desk(page: Page, address: str) -> None:
    """Staff's own fields, and the other pages."""
    text = "\"'><img src=x onerror=pwned()>"
    await page.keyboard.press("i")
    await page.get_by_role("dialog").get_by_role("textbox").fill(text)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#detail")).to_contain_text("onerror=pwned()")
    await page.get_by_role("button", name="保存当前视图").click()
    await page.get_by_label("视图名称").fill(text)
    await page.get_by_role("button", name="保存", exact=True).click()
    await expect(page.locator(".saved")).to_contain_text("onerror=pwned()")
    for path in (
        f"/desk?view=all&q={quote(text)}",
        f"/desk?view={quote(text)}&problem={quote(text)}",
        "/desk/tasks",
        "/desk/sources",
        f"/desk/assessment?month={quote(text)}",
        f"/query?no={quote(text)}",
    ):
        answer = await page.goto(address + path)
        assert answer is not None
        assert answer.status in {200, 422}, path
        await page.wait_for_timeout(250)
        assert await hits(page) == 0, path


async def at_the_inbox(hub: Hub, open_page: Open, address: str, outside: list[str]) -> None:
    """An office's list, detail and printed order."""
    c = T.cases.c
    async with hub.db.read() as conn:
        cases = (
            await conn.execute(select(c.id, c.version).where(c.status == "received").limit(30))
        ).all()
    for case in cases:
        await hub.commands.cases.dispatch(
            case.id, version=case.version, actor="nobody", department="urban_enforcement"
        )
    office = await open_page("fa")
    outside += await watched(office, address)
    await office.goto(f"{address}/inbox")
    await expect(office.locator("#rows .row").first).to_be_visible(timeout=15_000)
    for _ in range(30):
        await office.keyboard.press("j")
    assert await hits(office) == 0
    answer = await office.goto(f"{address}/inbox/orders/{cases[0].id * 100 + 1}")
    assert answer is not None
    assert answer.status == 200
    assert await hits(office) == 0
