"""Encrypted callbacks end to end: every recorded message, unreadable ones, many at once."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from sqlalchemy import select

from ingest.connectors.wechat.crypto import Cipher, signature
from store.db import Database
from store.dead import DeadLetters
from store.errors import TransientError
from store.tables import T

GOLDEN = Path(__file__).parent.parent / "golden" / "wechat"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
TOKEN = "AAAAA"
TEXT = "<xml><ToUserName>gh</ToUserName><FromUserName>o1</FromUserName><CreateTime>{at}</CreateTime><MsgType>text</MsgType><Content>{text}</Content><MsgId>{n}</MsgId></xml>"


async def rows(db: Database, table: Any) -> list[Any]:
    async with db.read() as conn:
        return list((await conn.execute(select(table))).all())


async def post(
    made: Any, clock: Any, xml: bytes, *, nonce: str = "n", app_id: str = "", key: str = KEY
) -> tuple[int, str]:
    """What WeChat is answered, opened when it is sealed."""
    cipher = Cipher("x", app_id or made.account.config.app_id, key)
    box, stamp = cipher.seal(xml), str(int(clock().timestamp()))
    query = {
        "timestamp": stamp, "nonce": nonce, "encrypt_type": "aes",
        "signature": signature(TOKEN, stamp, nonce), "msg_signature": signature(TOKEN, stamp, nonce, box),
    }  # fmt: skip
    body = f"<xml><ToUserName>gh</ToUserName><Encrypt>{box}</Encrypt></xml>"
    async with (
        aiohttp.ClientSession() as session,
        session.post(made.url, params=query, data=body.encode()) as answer,
    ):
        said = await answer.text()
    if "<Encrypt>" in said:
        said = cipher.open(said.split("CDATA[")[1].split("]]")[0])[0].decode()
    return answer.status, said


def text_xml(clock: Any, text: str, n: int = 1) -> bytes:
    return TEXT.format(at=int(clock().timestamp()), text=text, n=n).encode()


@pytest.mark.parametrize("mode", ["compat", "aes"])
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.xml")), ids=lambda p: p.stem)
async def test_every_recorded_message_is_heard(
    connect: Any, db: Database, clock: Any, path: Path, mode: str
) -> None:
    made = await connect(mode=mode, aes_key=KEY)
    assert (await post(made, clock, path.read_bytes().strip()))[0] == 200
    assert len(await rows(db, T.items)) == (0 if path.stem.startswith("event") else 1)
    assert await rows(db, T.dead) == []


@pytest.mark.parametrize(
    ("more", "reason"), [({"app_id": "wx" + "f" * 16}, "app_id"), ({"key": OLD_KEY}, "encryption")]
)
async def test_what_nobody_can_open_yet_is_kept_and_read_once_the_key_is_there(
    connect: Any, db: Database, dead: DeadLetters, clock: Any, more: dict[str, str], reason: str
) -> None:
    made = await connect(mode="aes", aes_key=KEY)
    xml = text_xml(clock, "路灯不亮")
    assert await post(made, clock, xml, **more) == (200, "success")
    [kept] = await dead.list()
    assert kept.reason == reason
    assert b"<Encrypt>" in kept.content
    assert await rows(db, T.items) == []


@pytest.mark.parametrize(
    ("xml", "reason"),
    [(b"<xml><MsgType>text", "malformed"), (b"<!DOCTYPE xml><xml/>", "dtd"), (b"\xff", "malformed")],
)  # fmt: skip
async def test_unreadable_inside_is_kept_open(
    connect: Any, dead: DeadLetters, clock: Any, xml: bytes, reason: str
) -> None:
    made = await connect(mode="aes", aes_key=KEY)
    assert await post(made, clock, xml) == (200, "success")
    [kept] = await dead.list()
    assert (kept.reason, kept.content) == (reason, xml)


async def test_too_long_a_text_is_kept(connect: Any, dead: DeadLetters, clock: Any) -> None:
    made = await connect(mode="aes", aes_key=KEY)
    assert await post(made, clock, text_xml(clock, "字" * 10_001)) == (200, "success")
    assert [(one.reason, one.source_key) for one in await dead.list()] == [("oversize", "1")]


async def test_duplicates_at_once_are_one_item_with_one_reply(
    connect: Any, db: Database, clock: Any
) -> None:
    made = await connect(mode="aes", aes_key=KEY)
    xml = text_xml(clock, "路灯不亮")
    replies = await asyncio.gather(*(post(made, clock, xml, nonce=str(n)) for n in range(10)))
    contents = {said.split("<Content>")[1] for _, said in replies}
    assert len(contents) == 1
    assert [item.revision for item in await rows(db, T.items)] == [1]


async def test_picture_sent_while_its_text_is_being_stored_is_added_to_it(
    connect: Any, db: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await connect(mode="aes", aes_key=KEY)
    admit, gate, begun = made.gateway._admission.admit, asyncio.Event(), asyncio.Event()

    async def slow(items: Any) -> Any:
        begun.set()
        await gate.wait()
        return await admit(items)

    monkeypatch.setattr(made.gateway._admission, "admit", slow)
    text = asyncio.create_task(post(made, clock, text_xml(clock, "路灯不亮")))
    await begun.wait()
    xml = text_xml(clock, "", n=2).replace(b">text<", b">image<")
    xml = xml.replace(b"<MsgId>", b"<MediaId>m1</MediaId><MsgId>")
    picture = asyncio.create_task(post(made, clock, xml, nonce="m"))
    await asyncio.sleep(0.05)
    gate.set()
    assert "已补充" in (await picture)[1]
    await text
    assert [item.text for item in await rows(db, T.items)] == ["路灯不亮"]
    assert len(await rows(db, T.photos)) == 1


async def test_nothing_of_the_citizen_is_logged(
    connect: Any, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made = await connect(mode="plain")
    citizen = made.citizen("oVerySecret")
    citizen._token = "guessed"
    assert await citizen.say("路灯不亮") is None
    query = dict(parse_qsl(citizen._signed(b"")[0]))
    told = [str(vars(one)) for one in caplog.records if one.name.startswith("ingest")]
    assert len(told) == 3
    words = ("oVerySecret", "路灯", TOKEN, query["signature"])
    assert not [line for line in told if any(word in line for word in words)]


async def test_late_failure_is_noted_and_the_retry_is_heard(
    connect: Any,
    db: Database,
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = await connect(mode="aes", aes_key=KEY)
    gate, admit = asyncio.Event(), made.gateway._admission.admit

    async def broken(items: Any) -> Any:
        await gate.wait()
        raise TransientError("store: full")

    monkeypatch.setattr(made.gateway._admission, "admit", broken)
    monkeypatch.setattr(made.gateway, "_deadline_s", 0.02)
    xml = text_xml(clock, "路灯不亮")
    assert (await post(made, clock, xml))[0] == 503
    gate.set()
    await made.gateway.close()
    causes = [vars(one).get("cause") for one in caplog.records]
    assert "TransientError" in causes
    monkeypatch.setattr(made.gateway._admission, "admit", admit)
    monkeypatch.setattr(made.gateway, "_deadline_s", 4.0)
    assert "受理号" in (await post(made, clock, xml, nonce="m"))[1]
    assert len(await rows(db, T.items)) == 1
