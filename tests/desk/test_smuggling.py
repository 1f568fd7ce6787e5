"""Whatever stands in a field of the database, on every page of every role nothing runs and nothing is asked of elsewhere."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from payloads import SHORT
from playwright.async_api import Page, expect
from sqlalchemy import Text, select, update

from hub.app import Hub
from store.tables import T

pytestmark = pytest.mark.browser
Open = Callable[..., Any]

CODES = {
    "clock",
    "undo",
    "cursor",
    "saved",
    "state",
    "query",
    "proposed",
    "formula",
    "settings",
    "recovery",
    "body",
    "url",
}
"""Columns of words with a form of their own; ``body`` and ``url`` are filled apart."""

ALSO = {
    "items": ("address",), "users": ("display", "external"), "audit": ("actor", "act", "target"), "dead": ("stage", "source_key", "reason"),
    "saved_views": ("name",), "canned_texts": ("title",), "events": ("actor",), "case_notes": ("actor",),
    "topics": ("name",), "target_reports": ("actor",),
}  # fmt: skip
CANARY = """
window.hits = 0; window.reports = []; window.pwned = () => { window.hits++; };
document.addEventListener('securitypolicyviolation', (e) => window.reports.push(e.violatedDirective + ' ' + e.blockedURI));
"""
WORD = "pwned()"
MANY = 5
"""Cases of the fixture."""

POISONED = {
    "items.title", "items.text", "items.address", "events.note", "events.actor", "case_notes.text", "order_requests.note", "order_returns.note",
    "ratings.note", "supervisions.title", "supervisions.reply", "tasks.note", "users.display", "saved_views.name", "canned_texts.text", "dead.error",
    "topics.name", "topics.sentence", "target_reports.note", "dead.source_key", "sources.last_error", "sources.warning", "sources.alert", "audit.note", "audit.actor", "cases.summary", "cases.point",
}  # fmt: skip
SHOWN = (
    "/desk/tasks",
    "/desk/sources",
    "/desk/admin/users",
    "/desk/admin/audit",
    "/desk/admin/dead",
    "/desk/trends",
    "/desk/topics",
    "/desk/topics/1",
    "/desk/campaigns/target?id=civility_no_littering",
)
"""Pages on which a poisoned word must stand, so that they are really tried."""


def payload(n: int) -> str:
    return SHORT[n % len(SHORT)].replace("X()", WORD)


def is_free(column: Any) -> bool:
    """Whether people's words may stand in it."""
    default = column.server_default
    is_empty = default is not None and str(getattr(default.arg, "text", default.arg)) == ""
    return isinstance(column.type, Text) and is_empty and column.name not in CODES


async def poison(hub: Hub) -> set[str]:
    """Put a payload into every column of words, and a script where a citizen's link stands; which columns."""
    done: set[str] = set()
    tables = {
        table for table in T.cases.metadata.tables.values() if table.name not in {"log", "outbox"}
    }
    for table in sorted(tables, key=lambda one: one.name):
        names = [c.name for c in table.columns if is_free(c)]
        names += [name for name in ALSO.get(table.name, ()) if name in table.columns]
        key = next(iter(table.primary_key.columns), None)
        if key is None or not names:
            continue
        async with hub.db.read() as conn:
            keys = (await conn.execute(select(key).order_by(key))).scalars().all()
        for n, one in enumerate(keys):
            done |= {f"{table.name}.{name}" for name in names}
            values = {name: payload(n + m) for m, name in enumerate(names)}
            if table is T.items:
                values["url"] = (
                    f"javascript:{WORD}//" if n % 2 else f'https://example.invalid/"onclick={WORD}'
                )
            change = update(table).where(key == one).values(**values)
            await hub.db.write(lambda tx, change=change: tx.run(change))
    return done


async def watched(page: Page, address: str, outside: list[str]) -> None:
    """Count calls of the canary, reports of the policy and requests to elsewhere from now on."""
    await page.add_init_script(CANARY)
    here = urlsplit(address).netloc
    page.on(
        "request",
        lambda r: (
            None
            if urlsplit(r.url).netloc == here or r.url.startswith("data:")
            else outside.append(r.url)
        ),
    )


async def sound(page: Page, where: str) -> None:
    """Nothing ran, nothing was reported, and no link of the page is a script."""
    told = await page.evaluate(
        "() => ({hits, reports, title: document.title, odd: [...document.querySelectorAll('[href],[src],[action],[formaction]')]"
        ".map((e) => e.href || e.src || e.action || '').filter((u) => typeof u === 'string' && u && !/^(https?:|tel:|data:image)/.test(u)),"
        "handlers: [...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => /^on/.test(a.name))).length})"
    )
    assert told["hits"] == 0, where
    assert told["reports"] == [], where
    assert told["odd"] == [], where
    assert told["handlers"] == 0, where
    assert told["title"] != "pwned", where


async def prepared(hub: Hub) -> list[Any]:
    """The cases, once they are all there, two of them sent to an office; their rows."""
    c = T.cases.c
    cases: list[Any] = []
    while len(cases) < MANY:
        heard = hub.db.pulse.listen("desk")
        async with hub.db.read() as conn:
            cases = list((await conn.execute(select(c.id, c.version).order_by(c.id))).all())
        await hub.db.pulse.wait(heard, 0.1)
    for case in cases[:2]:
        await hub.commands.cases.dispatch(
            case.id, version=case.version, actor="wang", department="urban_enforcement"
        )
    return cases


PAGES = {
    "wang": ("/desk/tasks", "/desk/sources", "/desk/exposure", "/desk/instruction", "/desk/import", "/desk/assessment", "/account"),
    "ad": (
        "/desk/admin/users", "/desk/admin/users?name={q}", "/desk/admin/audit", "/desk/admin/audit?actor={q}&act={q}&target={q}&from={q}",
        "/desk/admin/dead", "/desk/admin/dead?reason={q}&state={q}", "/desk/admin/models", "/desk/admin/files", "/desk/admin/files/canned.toml",
    ),
    "du": ("/desk/tasks", "/desk/assessment", "/desk/assessment?month={q}", "/desk/sources"),
    "lead": (
        "/desk/assessment/cases?unit={q}&indicator={q}&part={q}", "/desk/sources", "/desk/{q}", "/query?no={q}", "/desk/trends",
        "/desk/trends?label={q}&area={q}&channel={q}", "/desk/trends?from={q}", "/desk/trends/number?indicator=items&label={q}&department={q}",
        "/desk/topics", "/desk/topics/1", "/desk/topics?tab={q}", "/desk/places", "/desk/campaigns", "/desk/campaigns?state={q}&owner={q}",
        "/desk/campaigns/target?id=civility_no_littering", "/desk/reports", "/desk/reports?kind={q}",
    ),
    "street": ("/account", "/query?no={q}"),
}  # fmt: skip
ADDRESSES = (
    "/desk?view=all&q={q}",
    "/desk?view={q}&problem={q}&area={q}&claimed={q}",
    "/desk?case={q}&sort={q}",
    "/desk?view=all&department={q}#{q}",
)


@pytest.fixture
def excused() -> tuple[str, ...]:
    """Pages of addresses that mean nothing answer so."""
    return ("403", "404")


async def test_no_word_of_the_database_runs_on_any_page(
    open_page: Open, hub: Hub, address: str
) -> None:
    outside: list[str] = []
    cases = await prepared(hub)
    pages = {}
    for name in ("wang", "ad", "du", "lead", "street", "fa"):
        pages[name] = await open_page(name)
        await watched(pages[name], address, outside)
    page = pages["wang"]
    await page.goto(f"{address}/desk?view=all")
    await expect(page.locator("#detail .text")).to_be_visible(timeout=15_000)
    await noted(page, payload(0))
    await grown(hub, cases[0].id)
    assert await poison(hub) >= POISONED
    await at_the_desk(page, address, len(cases))
    await on_pages(pages, address)
    await at_the_forms(pages, address)
    await at_the_import(pages["wang"], address)
    await at_the_inbox(pages["fa"], address)
    await sound_at(pages["street"], f"{address}/inbox")
    assert outside == []


async def grown(hub: Hub, case_id: int) -> None:
    """One row of each table that may stand beside a case, and of each page of the administrator."""
    at, order = hub.clock(), case_id * 100 + 1
    on_case = {"case_id": case_id, "at": at}
    office = {"department": "urban_enforcement", "order_id": order}
    paper = {
        "number": "1",
        "level": "order",
        "addressee": "urban_enforcement",
        "state": "issued",
        "actor": "",
        "reply_by": at,
    }
    paper["body"] = f"督〔2026〕1号\n某单位：\n　　{payload(0)}\n某办公室\n抄送：{payload(1)}"
    view = {
        "query": f"view=all&q={quote(payload(2))}",
        "position": 0,
        "at": at,
        "shared": True,
        "owner": "ad",
    }
    day = int(at.strftime("%Y%m%d"))
    burst = {
        "start_day": day,
        "last_day": day,
        "observed": 9,
        "expected": 1,
        "excess": 8,
        "voices": 9,
        "citizens": 9,
    }
    burst["why"] = json.dumps({"words": payload(4)})
    rows: list[tuple[Any, dict[str, Any]]] = [
        (T.requests, {"what": "extension", "state": "open", "asked_by": "fa", "asked_at": at, "case_id": case_id, "order_id": order}),
        (T.returns, on_case | office | {"rule": "", "reason": "duty", "state": "refused", "actor": "fa"}),
        (T.ratings, on_case | {"item_id": case_id, "solved": "solved", "satisfied": "satisfied", "via": "page", "actor": "citizen"}),
        (T.supervisions, on_case | office | paper | {"mark": "a"}),
        (T.saved_views, view | {"name": "x"}),
        (T.canned_texts, {"purpose": "decline", "title": "x", "at": at, "owner": "wang"}),
        (T.topics, {"name": "x", "state": "found", "actor": "x", "at": at, "updated_at": at}),
        (T.bursts, burst | {"label": "sewage", "area": "bohai", "found_at": at}),
        (T.target_reports, {"target": "civility_no_littering", "value": 1, "actor": "x", "at": at}),
        (T.audit, {"actor": "x", "act": "reveal", "target": "x", "at": at}),
        (T.dead, {"stage": "x", "source_key": "x", "reason": "x", "sealed": b"", "key": None, "at": at}),
        *((T.tasks, on_case | {"mark": role, "kind": "no_superior", "role": role}) for role in ("dispatcher", "supervisor")),
    ]  # fmt: skip
    for table, row in rows:
        await hub.db.write(lambda tx, table=table, row=row: tx.insert(table, [row]))


async def noted(page: Page, words: str) -> None:
    """A note, so that there is one."""
    await page.keyboard.press("i")
    await page.get_by_role("dialog").get_by_role("textbox").fill(words)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#detail")).to_contain_text("onerror=pwned()")


async def at_the_desk(page: Page, address: str, many: int) -> None:
    """Every case with what is beside it, every window of the keys, every field of the address."""
    for view in ("all", "waiting"):
        await page.goto(f"{address}/desk?view={view}")
        await expect(page.locator("#detail .text")).to_be_visible(timeout=15_000)
        for n in range(many):
            await sound(page, f"case {view} {n}")
            assert WORD in (await page.locator("#detail").text_content() or "")
            for tab in await page.locator("#detail [role=tab]").all():
                await tab.click()
            await page.keyboard.press("j")
    for keys in (
        ("?",),
        ("d",),
        ("/",),
        ("s",),
        ("a",),
        ("#",),
        ("i",),
        ("x", "Shift+J", "d"),
        ("x", "Shift+J", "t"),
    ):
        for key in keys:
            await page.keyboard.press(key)
        await page.wait_for_timeout(40)
        await page.keyboard.type(payload(1)[:20], delay=0)
        await sound(page, f"keys {keys}")
        for _ in range(3):
            await page.keyboard.press("Escape")
    for n, place in enumerate(ADDRESSES):
        await page.goto(address + place.replace("{q}", quote(payload(n))))
        await page.wait_for_timeout(150)
        await sound(page, place)


async def on_pages(pages: dict[str, Page], address: str) -> None:
    """Every other page of each role, asked for with payloads in its address."""
    for name, paths in PAGES.items():
        for n, path in enumerate(paths):
            answer = await pages[name].goto(
                address + path.replace("{q}", quote(payload(n), safe=""))
            )
            assert answer is not None
            assert answer.status in {200, 404, 422}, path
            await sound(pages[name], path)
            assert path not in SHOWN or WORD in await pages[name].content(), path


FORMS = {
    "wang": ("/desk/exposure", "/desk/instruction"),
    "ad": ("/desk/admin/files/canned.toml", "/desk/admin/users", "/desk/admin/dead"),
    "lead": ("/query",),
}
FILL = """(words) => {
  const form = [...document.querySelectorAll('main form, form.card')].at(-1);
  form.noValidate = true;
  for (const one of form.querySelectorAll('input:not([type=hidden]):not([type=checkbox]), textarea')) {
    one.removeAttribute('maxlength');
    if (one.type !== 'text') one.type = 'text';
    one.value = words;
  }
  form.requestSubmit(form.querySelector('button'));
}"""
"""Fill every field of a page's last form and send it."""


async def at_the_forms(pages: dict[str, Page], address: str) -> None:
    """What a form says when it is sent back with what was typed."""
    for name, paths in FORMS.items():
        page = pages[name]
        for n, path in enumerate(paths):
            await page.goto(address + path)
            async with page.expect_navigation() as sent:
                await page.evaluate(FILL, payload(n + 1))
            answer = await sent.value
            assert answer is not None
            assert answer.status in {200, 422}, path
            await sound(page, f"form {path}")
            assert path == "/desk/admin/dead" or WORD in await page.content(), path


async def at_the_import(page: Page, address: str) -> None:
    """A file whose name, columns, rows and bad rows are payloads: looked at, then taken in."""
    head = ["工单编号", "来电时间", "诉求内容", "事发地址", "来电人", "联系电话", payload(0)]
    good = [
        "2026112300010001",
        "2026/11/23 8:05",
        "人行道被占" + payload(1),
        payload(2),
        payload(3),
        "",
        payload(4),
    ]
    bad = [payload(5), payload(6), "", payload(7), "", "", ""]
    out = io.StringIO()
    csv.writer(out).writerows([head, good, bad])
    await page.goto(f"{address}/desk/import")
    file = {
        "name": f"{payload(1)}.csv",
        "mimeType": "text/csv",
        "buffer": out.getvalue().encode("utf-8-sig"),
    }
    await page.set_input_files("input[type=file]", files=[file])  # type: ignore[list-item]
    for button in ("form[enctype] button", "form[action='/desk/import/confirm'] button"):
        async with page.expect_navigation() as sent:
            await page.locator(button).first.click()
        answer = await sent.value
        assert answer is not None
        assert answer.status == 200, button
        await sound(page, button)
        assert WORD in await page.content()


async def sound_at(page: Page, where: str) -> None:
    await page.goto(where)
    await sound(page, where)


async def at_the_inbox(page: Page, address: str) -> None:
    """Rows, details, windows and the printed order of an office."""
    await page.goto(f"{address}/inbox")
    await page.wait_for_timeout(200)
    await expect(page.locator("main")).to_contain_text(WORD)
    for key in ("j", "?", "Escape", "r", "Escape", "f", "Escape", "/", "Escape"):
        await page.keyboard.press(key)
        await page.wait_for_timeout(20)
    await sound(page, "inbox")
    told = json.loads(await page.evaluate("fetch('/inbox/api/orders').then((a) => a.text())"))
    for row in told["rows"]:
        await page.goto(f"{address}/inbox/orders/{row['id']}")
        await sound(page, "sheet")
        assert WORD in await page.content()
