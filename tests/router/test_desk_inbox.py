"""An office's inbox: only its own, what it may do with it, photos of the place, contact behind a reason."""

import io
import json
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from sqlalchemy import update

from desk.accounts import User
from desk.details import Details
from desk.events import Events
from desk.inbox import HOURLY, Inbox
from desk.inbox_queries import page
from desk.order_photos import MOST, SIDE, OrderPhotos
from desk.pages import Pages
from desk.revealing import Reveals
from desk.security import SESSION
from desk.sessions import Session
from hub.web import errors
from router.deadlines import Limit, Unit
from router.replies import Replies
from router.workflow import Verb
from store.db import Tx
from store.model import item_uid
from store.tables import T

ZONE = ZoneInfo("Asia/Shanghai")
FA, TRANSPORT, AREA = "urban_enforcement", "transport", "minzhu"
PEOPLE = {
    "fa": User("fa", "执法局岗位", "department", FA),
    "jt": User("jt", "交通局岗位", "department", TRANSPORT),
    "jd": User("jd", "街道岗位", "subdistrict", AREA),
    "none": User("none", "无单位", "department", ""),
    "wang": User("wang", "派遣员甲", "dispatcher", ""),
    "du": User("du", "督查员", "supervisor", ""),
    "ling": User("ling", "领导", "official", ""),
}
SECRET = {"name": "来电人", "phone": "13800000000", "email": "", "author": "u-77"}
VERBS = ("sign", "handle", "return", "forward", "extend", "suspend")


@web.middleware
async def known(request: web.Request, handler: Any) -> Any:
    request[SESSION] = Session(user=PEOPLE[request.headers["X-User"]], csrf="t")
    return await handler(request)


class Office:
    """Offices at their inbox, over a town."""

    def __init__(self, town: Any, city: Any) -> None:
        self.town, self.client = town, None
        pages = Pages(city="测试", zone=ZONE, demo=False, clock=town.clock)
        inbox = Inbox(
            town.db, pages, town.commands, Replies(town.db, town.clock), Reveals(town.db, town.vault, clock=town.clock),
            Events(town.db), taxonomy=city.taxonomy, offices=city.directory.names, zone=ZONE, clock=town.clock,
        )  # fmt: skip
        self.routes = [
            *inbox.routes(),
            *OrderPhotos(town.db, town.vault, clock=town.clock).routes(),
        ]

    async def open(self) -> TestClient[Any, Any]:
        application = web.Application(middlewares=[errors, known])
        application.add_routes(self.routes)
        made = TestClient(TestServer(application))
        self.client: Any = made
        return made

    async def ask(self, who: str, path: str, body: Any = None, method: str = "") -> tuple[int, Any]:
        how = method or ("GET" if body is None else "POST")
        form = {"data": body} if isinstance(body, FormData) else {"json": body}
        answer = await self.client.request(how, path, headers={"X-User": who}, **form)
        told = await answer.read()
        return answer.status, json.loads(told) if answer.content_type.endswith("json") else told

    async def list(self, who: str, view: str, **more: str) -> Any:
        query = "&".join(f"{key}={value}" for key, value in {"view": view, **more}.items())
        status, told = await self.ask(who, f"/inbox/api/orders?{query}")
        assert status == 200, told
        return told

    async def do(self, who: str, order: Any, verb: str, **body: Any) -> tuple[int, Any]:
        body.setdefault("version", (await self.town.row(order.case_id)).version)
        return await self.ask(who, f"/inbox/api/orders/{order.id}/{verb}", body)

    async def photo(
        self, who: str, order: Any, content: bytes, stage: str = "before"
    ) -> tuple[int, Any]:
        form = FormData()
        form.add_field("stage", stage)
        form.add_field("photo", io.BytesIO(content), filename="p.jpg", content_type="image/jpeg")
        return await self.ask(who, f"/inbox/api/orders/{order.id}/photos", form)

    async def seal(self, case: int, **told: str) -> None:
        """What the citizen of the case had really sent."""
        owner, item = str(item_uid("app", str(case % 1000 - 1))), T.items.c
        box = self.town.vault.seal(owner, json.dumps({"text": "原话", **SECRET, **told}).encode())
        change = update(T.items).where(item.id == case).values(key=box.key, sealed=box.sealed)
        await self.town.db.write(lambda tx: tx.run(change))


@pytest.fixture
async def office(town: Any, city: Any) -> AsyncIterator[Office]:
    made = Office(town, city)
    async with await made.open():
        yield made


def picture(size: tuple[int, int] = (80, 60), kind: str = "JPEG", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **more)
    return out.getvalue()


def bomb(pixels: int) -> bytes:
    """A PNG that says it is this wide and high, in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + crc

    side = pixels.to_bytes(4, "big")
    head = chunk(b"IHDR", side + side + bytes([8, 2, 0, 0, 0]))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


async def test_views_hold_only_what_left_and_is_the_offices_own(office: Office, town: Any) -> None:
    first, second, third = [await town.case(n) for n in range(3)]
    await town.dispatch(first, FA)
    assert (await office.list("fa", "sign"))["rows"] == []
    town.clock.forward(seconds=8.25)
    await town.sent(second, TRANSPORT)
    done = await town.done(third, FA)
    told = await office.list("fa", "sign")
    assert [row["case_no"] for row in told["rows"]] == [(await town.row(first)).case_no]
    assert told["counts"] == {"sign": 1, "doing": 0, "soon": 1, "back": 0, "done": 1}
    assert told["rows"][0]["may"] == ["sign", "return", "extend"]
    assert [row["id"] for row in (await office.list("fa", "done"))["rows"]] == [str(done.id)]
    assert len((await office.list("fa", "", q="污水"))["rows"]) == 2
    assert (await office.list("fa", "", q="污水1"))["rows"] == []
    assert (await office.list("jt", "", q="污水1"))["counts"]["sign"] == 1
    for mark in ("%25", "_", "\\"):
        assert (await office.list("fa", "", q=mark))["rows"] == []


async def test_a_subdistrict_is_an_office_and_nobody_without_one_is(
    office: Office, town: Any
) -> None:
    order = await town.sent(await town.case(), AREA)
    assert [row["id"] for row in (await office.list("jd", "sign"))["rows"]] == [str(order.id)]
    assert (await office.do("jd", order, "sign"))[0] == 200
    assert (await office.ask("none", "/inbox/api/orders"))[0] == 403


async def test_what_comes_back_is_in_its_view(office: Office, town: Any) -> None:
    rework, returned = [await town.case(n) for n in range(2)]
    order = await town.done(rework, FA)
    await town.commands.cases.verify(
        rework,
        version=(await town.row(rework)).version,
        actor="wang",
        passed=False,
        note="仍有残留",
    )
    sent = await town.sent(returned, FA)
    await town.act(sent, Verb.RETURN_ORDER, "不是我局", reason="duty")
    again = await town.sent(returned, FA)
    rows = (await office.list("fa", "back"))["rows"]
    assert {row["id"]: (row["reworks"], row["refused"]) for row in rows} == {
        str(order.id): (1, False), str(again.id): (0, True),
    }  # fmt: skip
    assert "return" not in next(row["may"] for row in rows if row["refused"])
    status, told = await office.ask("fa", f"/inbox/api/orders/{sent.id}")
    assert (status, told["reason"]) == (422, "order")


@pytest.mark.parametrize("view", ["sign", ""])
async def test_pages_meet_without_gap_or_overlap(town: Any, view: str) -> None:
    orders = [await town.sent(await town.case(n), FA) for n in range(5)]
    seen, after = [], ""
    for _ in range(3):
        rows, after = await page(town.db, FA, town.clock(), view=view, after=after, limit=2)
        seen += [row["id"] for row in rows]
    assert after == ""
    assert seen == sorted((str(order.id) for order in orders), reverse=not view)


async def test_another_offices_order_is_refused_on_every_route(office: Office, town: Any) -> None:
    order = await town.sent(await town.case(), FA)
    await town.act(order, Verb.SIGN)
    await office.photo("fa", order, picture())
    before = await town.history(order.case_id)
    base = f"/inbox/api/orders/{order.id}"
    note = {
        "version": before[-1].version,
        "note": "四个以上的字",
        "reason": "duty",
        "proposed": AREA,
    }
    questions: list[tuple[str, Any, str]] = [(f"{base}/{verb}", note, "") for verb in VERBS]
    questions += [
        (base, None, ""),
        (f"{base}/photos/1", None, ""),
        (f"/inbox/orders/{order.id}", None, ""),
    ]
    questions += [
        (f"{base}/reveal", {"note": "四个以上的字"}, ""),
        (f"{base}/photos/1", None, "DELETE"),
    ]
    for path, body, method in questions:
        status, told = await office.ask("jt", path, body, method)
        assert status in {409, 422}, path
        assert "污水" not in str(told)
    assert (await office.photo("jt", order, picture()))[0] == 422
    for who in ("wang", "ling"):
        for path, body, method in questions:
            assert (await office.ask(who, path, body, method))[0] == 403, path
    assert await town.history(order.case_id) == before
    assert await town.rows(T.audit) == []
    assert len(await town.rows(T.order_photos)) == 1


async def test_command_keeps_to_what_was_seen(office: Office, town: Any) -> None:
    order = await town.sent(await town.case(), FA)
    version = (await town.row(order.case_id)).version
    assert (await office.do("fa", order, "sign", version=version - 1))[0] == 409
    assert (await office.do("fa", order, "sign"))[0] == 200
    assert (await office.do("fa", order, "sign"))[0] == 409
    assert (await office.do("fa", order, "handle", note=" "))[1]["reason"] == "note"
    assert (await office.do("fa", order, "extend", note="雨天", amount=60))[1]["reason"] == "limit"
    assert (await office.do("fa", order, "extend", note="雨天", amount=2))[0] == 200
    assert (await office.do("fa", order, "suspend", note="待批"))[0] == 200
    assert (await office.do("fa", order, "handle", note="已清理"))[0] == 200
    told = (await office.ask("fa", f"/inbox/api/orders/{order.id}"))[1]
    assert [line["what"] for line in told["history"]] == [
        "派遣",
        "签收",
        "申请延期",
        "申请挂账",
        "处置完毕",
    ]
    assert [(one["what"], one["state"]) for one in told["requests"]] == [
        ("extension", "lapsed"),
        ("suspension", "lapsed"),
    ]
    assert told["may"] == []


@pytest.mark.parametrize("proposed", ["", FA, "nobody"])
async def test_forward_needs_another_office(office: Office, town: Any, proposed: str) -> None:
    order = await town.sent(await town.case(), FA)
    status, told = await office.do(
        "fa", order, "forward", note="归交通", reason="duty", proposed=proposed
    )
    assert (status, told["reason"]) == (422, "proposed")


async def test_forward_is_a_return_the_desk_may_accept(office: Office, town: Any) -> None:
    order = await town.sent(await town.case(), FA)
    case = order.case_id
    assert (
        await office.do("fa", order, "forward", note="归交通", reason="duty", proposed=TRANSPORT)
    )[0] == 200
    assert (await Details(town.db).of([case]))[0]["proposed"] == {
        "department": TRANSPORT,
        "by": FA,
        "note": "归交通",
    }
    await town.dispatch(case, TRANSPORT)
    kept = (await town.rows(T.returns))[0]
    assert (kept.state, kept.proposed, (await town.row(case)).returns) == ("accepted", TRANSPORT, 1)
    assert (await Details(town.db).of([case]))[0]["proposed"] is None


async def test_contact_is_shown_for_a_reason_while_in_hand(office: Office, town: Any) -> None:
    case = await town.case()
    await office.seal(case)
    order = await town.sent(case, FA)
    path, note = f"/inbox/api/orders/{order.id}/reveal", {"note": "核实具体位置"}
    assert (await office.ask("fa", path, note))[0] == 409
    await town.act(order, Verb.SIGN)
    assert (await office.ask("fa", path, {"note": "核实 "}))[1]["reason"] == "note"
    assert await town.rows(T.audit) == []
    status, told = await office.ask("fa", path, note)
    assert (status, told["phone"], told["text"]) == (200, SECRET["phone"], "原话")
    assert set(told) == {"name", "phone", "email", "title", "text", "address"}
    kept = await town.rows(T.audit)
    assert [(one.actor, one.act, one.target, one.note) for one in kept] == [
        ("fa", "reveal", f"order:{order.id}", "核实具体位置")
    ]
    await town.act(order, Verb.HANDLE, "已办")
    assert (await office.ask("fa", path, note))[0] == 409


async def test_reveals_are_few_an_hour_for_each_person(office: Office, town: Any) -> None:
    case = await town.case()
    await office.seal(case)
    order = await town.sent(case, FA)
    await town.act(order, Verb.SIGN)
    row = {
        "actor": "fa",
        "act": "reveal",
        "target": "order:1",
        "note": "核实位置",
        "at": town.clock(),
    }
    others = [
        row | {"actor": "jt"},
        row | {"at": town.clock() - timedelta(hours=2)},
        row | {"act": "login"},
    ]

    async def looked(tx: Tx) -> None:
        await tx.insert(T.audit, [row] * (HOURLY - 1) + others)

    await town.db.write(looked)
    path, note = f"/inbox/api/orders/{order.id}/reveal", {"note": "核实具体位置"}
    assert (await office.ask("fa", path, note))[0] == 200
    assert (await office.ask("fa", path, note))[0] == 429
    assert len(await town.rows(T.audit)) == HOURLY + 3
    town.clock.forward(minutes=61)
    assert (await office.ask("fa", path, note))[0] == 200


async def test_photos_are_cleaned_sealed_and_shown_to_office_and_desk(
    office: Office, town: Any
) -> None:
    case = await town.case()
    order = await town.sent(case, FA)
    assert (await office.photo("fa", order, picture()))[0] == 409
    await town.act(order, Verb.SIGN)
    exif = Image.Exif()
    exif[0x010E] = "拍摄人与坐标"
    large = picture((SIDE + 800, 400), exif=exif)
    assert (await office.photo("fa", order, large))[0] == 200
    status, told = await office.photo("fa", order, picture(kind="PNG"), "after")
    assert (status, [one["stage"] for one in told["photos"]]) == (200, ["before", "after"])
    shown = (await office.ask("fa", f"/inbox/api/orders/{order.id}/photos/1"))[1]
    opened = Image.open(io.BytesIO(shown))
    assert (opened.width, opened.format, len(opened.getexif())) == (SIDE, "JPEG", 0)
    kept = await town.rows(T.order_photos)
    assert b"JFIF" not in kept[0].sealed
    base = f"/desk/api/cases/{case}/photos"
    listed = (await office.ask("wang", base))[1]["photos"]
    assert [(one["stage"], one["department"]) for one in listed] == [("before", FA), ("after", FA)]
    assert (await office.ask("du", f"{base}/{order.id}/1"))[1] == shown
    assert (await office.ask("du", f"/desk/api/cases/0/photos/{order.id}/1"))[0] == 404
    for who in ("ling", "fa"):
        assert (await office.ask(who, base))[0] == 403
    assert (await office.ask("fa", f"/inbox/api/orders/{order.id}/photos/1", method="DELETE"))[
        0
    ] == 200
    await town.act(order, Verb.HANDLE, "已办")
    assert (await office.ask("fa", f"/inbox/api/orders/{order.id}/photos/2", method="DELETE"))[
        0
    ] == 409
    await town.db.write(lambda tx: tx.run(update(T.items).values(key=None)))
    for who, path in (
        ("du", f"{base}/{order.id}/2"),
        ("fa", f"/inbox/api/orders/{order.id}/photos/2"),
    ):
        status, told = await office.ask(who, path)
        assert (status, told["reason"]) == (422, "erased")


async def test_bad_photos_are_refused_by_a_word(office: Office, town: Any) -> None:
    order = await town.sent(await town.case(), FA)
    await town.act(order, Verb.SIGN)
    for reason, content in (
        ("photo_format", b"<svg onload=alert(1)>"), ("photo_pixels", bomb(8_000)), ("photo_format", bomb(32_000)),
        ("photo_format", bomb(99)), ("photo_size", b"\xff" * 10_000_001),
    ):  # fmt: skip
        status, told = await office.photo("fa", order, content)
        assert (status, told["reason"]) == (422, reason)
    assert (await office.photo("fa", order, picture(), "during"))[1]["reason"] == "stage"
    assert (await office.photo("fa", order, b""))[1]["reason"] == "photo_format"
    status, _ = await office.ask("fa", f"/inbox/api/orders/{order.id}/photos", {"stage": "before"})
    assert status == 422
    for _ in range(MOST):
        assert (await office.photo("fa", order, picture()))[0] == 200
    assert (await office.photo("fa", order, picture()))[1]["reason"] == "photo_count"
    assert len(await town.rows(T.order_photos)) == MOST


async def test_sheet_and_page_carry_no_contact(office: Office, town: Any) -> None:
    case = await town.case()
    await office.seal(case)
    order = await town.sent(case, FA)
    await town.act(order, Verb.SIGN)
    await town.ask(order, "extension", Limit(amount=1, unit=Unit.WORK_DAYS))
    sheet = (await office.ask("fa", f"/inbox/orders/{order.id}"))[1].decode()
    assert (await town.row(case)).case_no in sheet
    page = (await office.ask("fa", "/inbox"))[1].decode()
    for text in (sheet, page):
        assert SECRET["phone"] not in text
