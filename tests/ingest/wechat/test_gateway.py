"""The callback: who may call, what is kept, what the citizen reads; over a real admission."""

import asyncio
import random
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from aiohttp import ClientSession
from conftest_wechat import APP_ID, KEY, OLD_KEY, TOKEN
from sqlalchemy import select
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto

from ingest.connectors.wechat.crypto import signature
from store.db import Database
from store.dead import DeadLetters
from store.errors import TransientError
from store.tables import T


async def rows(db: Database, table: Any = T.items) -> list[Any]:
    async with db.read() as conn:
        return list((await conn.execute(select(table))).all())


def text_xml(clock: Any, words: str = "路灯坏了", number: int = 1) -> bytes:
    return (
        f"<xml><ToUserName>gh</ToUserName><FromUserName>oCitizen1</FromUserName>"
        f"<CreateTime>{int(clock().timestamp())}</CreateTime><MsgType>text</MsgType>"
        f"<Content>{words}</Content><MsgId>{number}</MsgId></xml>"
    ).encode()


def query(clock: Any, nonce: str = "n1", **more: str) -> dict[str, str]:
    stamp = str(int(clock().timestamp()))
    return {"timestamp": stamp, "nonce": nonce, "signature": signature(TOKEN, stamp, nonce), **more}


async def post(url: str, asked: dict[str, str], body: bytes) -> tuple[int, str]:
    async with (
        ClientSession() as session,
        session.post(f"{url}?{urlencode(asked)}", data=body) as answer,
    ):
        return answer.status, await answer.text()


async def test_address_is_verified(account: Any, clock: Any) -> None:
    async with ClientSession() as session:
        asked = query(clock, echostr="4375120948345356249")
        async with session.get(f"{account.url}?{urlencode(asked)}") as answer:
            assert (answer.status, await answer.text()) == (200, "4375120948345356249")
        asked["signature"] = "0" * 40
        async with session.get(f"{account.url}?{urlencode(asked)}") as answer:
            assert answer.status == 403


async def test_text_is_an_item_and_is_answered_with_its_receipt(account: Any, db: Database) -> None:
    reply = await account.citizen().say("胜利大街井盖没了")
    (item,) = await rows(db)
    assert item.text == "胜利大街井盖没了"
    assert f"受理号：{item.id}-" in reply
    assert "请发送位置" not in reply


async def test_encrypted_both_ways_with_wechatpy(connect: Any, db: Database, clock: Any) -> None:
    account = await connect(mode="aes", aes_key=KEY)
    peer, stamp = WeChatCrypto(TOKEN, KEY, APP_ID), str(int(clock().timestamp()))
    sealed = peer.encrypt_message(text_xml(clock, "污水外溢😀").decode(), "nonce", stamp)
    inner = sealed.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    asked = {
        "timestamp": stamp, "nonce": "nonce", "signature": signature(TOKEN, stamp, "nonce"),
        "encrypt_type": "aes", "msg_signature": signature(TOKEN, stamp, "nonce", inner),
    }  # fmt: skip
    status, body = await post(account.url, asked, sealed.encode())
    assert status == 200

    def field(name: str) -> str:
        inner = body.split(f"<{name}>")[1].split(f"</{name}>")[0]
        return inner.removeprefix("<![CDATA[").removesuffix("]]>")

    xml = peer.decrypt_message(body, field("MsgSignature"), field("TimeStamp"), field("Nonce"))
    told = parse_message(xml)
    assert (told.source, told.target, told.type) == ("gh", "oCitizen1", "text")
    assert "受理号" in told.content
    assert [item.text for item in await rows(db)] == ["污水外溢😀"]
    plain = await post(account.url, query(clock, "n2"), text_xml(clock, number=2))
    assert plain[0] == 403


async def test_message_under_the_old_key_is_answered_under_it(connect: Any, db: Database) -> None:
    account = await connect(mode="aes", aes_key=KEY, previous_aes_key=OLD_KEY)
    for n, key in enumerate((KEY, OLD_KEY)):
        reply = await account.citizen(f"o{n}", aes_key=key).say(f"路灯坏了{n}")
        assert "受理号" in reply
    assert len(await rows(db)) == 2


async def test_missing_place_and_photo_are_asked_for_once_and_amend_the_item(
    account: Any, db: Database
) -> None:
    citizen = account.citizen()
    assert "请发送位置或补充地点、照片" in await citizen.say("路灯坏了好几天没人修")
    assert "已补充" in await citizen.point(43.372, 128.232, "敦化市渤海街")
    assert "已补充" in await citizen.show(account.sim.upload())
    assert "已补充" in await citizen.say("江滨小区门口")
    (item,) = await rows(db)
    assert item.text == "路灯坏了好几天没人修\n江滨小区门口"
    assert (item.address, item.lat, item.lon, item.coord_type) == (
        "敦化市渤海街",
        43.372,
        128.232,
        "gcj02",
    )
    assert len(await rows(db, T.photos)) == 1
    other = await citizen.say("渤海街还有人占道卖菜")
    assert "受理号" in other
    assert "请发送位置" not in other
    assert len(await rows(db)) == 2


async def test_later_than_half_an_hour_is_a_matter_of_its_own(
    account: Any, db: Database, clock: Any
) -> None:
    citizen = account.citizen()
    await citizen.say("胜利大街路灯坏了")
    clock.forward(minutes=31)
    assert "请再用文字" in await citizen.show(account.sim.upload())
    assert len(await rows(db)) == 2


async def test_status_by_number_by_code_and_by_word(account: Any, db: Database) -> None:
    citizen = account.citizen()
    reply = await citizen.say("胜利大街路灯坏了")
    number = reply.split("受理号：")[1].split("-")[0]
    wide = number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for asked in (number, wide, "进度", "查询"):
        assert await citizen.say(asked) == f"第{number}号目前：处置中"
    assert await citizen.say(f"{number}-ABCDEFGHJKLM") == f"{number}-ABCDEFGHJKLM 已派遣"
    stranger = account.citizen("oStranger")
    assert "未查到该受理号" in await stranger.say(number)
    assert "未查到该受理号" in await stranger.say(f"{number}-WRONGWRONG23")
    assert "暂未查到" in await stranger.say("进度")
    assert len(await rows(db)) == 1


async def test_thanks_and_smiles_are_no_new_matter(account: Any, db: Database) -> None:
    citizen = account.citizen()
    assert "请直接用文字" in await citizen.say("😀")
    await citizen.say("胜利大街路灯坏了")
    for words in ("谢谢", "😀👍", "[微笑]", "好的，辛苦了！"):
        assert "感谢" in await citizen.say(words)
    assert len(await rows(db)) == 1


async def test_follower_is_welcomed_and_leaver_forgotten(account: Any, db: Database) -> None:
    citizen = account.citizen()
    assert "感谢关注" in await citizen.send(MsgType="event", Event="subscribe", EventKey="")
    await citizen.say("胜利大街路灯坏了")
    assert await citizen.send(MsgType="event", Event="unsubscribe", EventKey="") is None
    assert "暂未查到" in await citizen.say("进度")


async def test_wechats_own_retry_gets_the_same_reply_and_no_second_item(
    account: Any, db: Database, clock: Any
) -> None:
    body = text_xml(clock)
    answers = [await post(account.url, query(clock, f"n{n}"), body) for n in range(3)]
    at_once = await asyncio.gather(
        *(post(account.url, query(clock, f"m{n}"), body) for n in range(5))
    )
    assert len({text for _, text in [*answers, *at_once]}) == 1
    assert len(await rows(db)) == 1


async def test_recorded_query_with_other_words_is_refused(
    account: Any, db: Database, clock: Any
) -> None:
    asked = query(clock)
    assert (await post(account.url, asked, text_xml(clock)))[0] == 200
    assert (await post(account.url, asked, text_xml(clock)))[0] == 200
    assert (await post(account.url, asked, text_xml(clock, "伪造", 2)))[0] == 403
    assert [item.text for item in await rows(db)] == ["路灯坏了"]


@pytest.mark.parametrize("minutes", [11, -11])
async def test_stale_query_is_refused(account: Any, db: Database, clock: Any, minutes: int) -> None:
    asked, body = query(clock), text_xml(clock)
    clock.forward(minutes=minutes)
    assert (await post(account.url, asked, body))[0] == 403
    assert await rows(db) == []


async def test_two_thousand_forged_queries_are_refused(
    account: Any, db: Database, clock: Any
) -> None:
    from ingest.connectors.wechat.callback import check
    from store.errors import AuthError

    pick = random.Random(6)
    body, refused = text_xml(clock), 0
    good = query(clock, "nonce1")
    for _ in range(2000):
        forged = dict(good)
        name = pick.choice(["timestamp", "nonce", "signature"])
        value = list(forged[name])
        at = pick.randrange(len(value))
        value[at] = pick.choice([c for c in "0123456789abcdef" if c != value[at]])
        forged[name] = pick.choice(["".join(value), "".join(value)[:-1], "", "é" * 40])
        try:
            check(account.account, forged, body, clock())
        except AuthError:
            refused += 1
    assert refused == 2000
    check(account.account, good, body, clock())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not xml", b"<xml></xml>", b"<xml><MsgType>text</MsgType></xml>", b"\xff\xfe\x00",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml><MsgType>&a;</MsgType></xml>",
        b"<xml><MsgType>unknown</MsgType></xml>",
    ],
)  # fmt: skip
async def test_authentic_but_unreadable_is_kept_and_ends_the_tries(
    account: Any, db: Database, dead: DeadLetters, clock: Any, body: bytes
) -> None:
    assert await post(account.url, query(clock), body) == (200, "success")
    assert [one.content for one in await dead.list()] == [body]
    assert await rows(db) == []


async def test_too_long_a_body_is_refused_unread(account: Any, clock: Any) -> None:
    status, _ = await post(account.url, query(clock), b"<xml>" + b"x" * 70_000)
    assert status == 413


async def test_nothing_is_acknowledged_while_the_database_refuses(
    account: Any, db: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = text_xml(clock)

    async def refuse(*_: object, **__: object) -> None:
        raise TransientError("store: full")

    with monkeypatch.context() as patched:
        patched.setattr(account.gateway._admission, "admit", refuse)
        assert (await post(account.url, query(clock, "a"), body))[0] == 503
    status, told = await post(account.url, query(clock, "b"), body)
    assert status == 200
    assert "受理号" in told
    assert len(await rows(db)) == 1


async def test_what_takes_too_long_goes_on_and_the_retry_finds_it(
    account: Any, db: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, gate = text_xml(clock), asyncio.Event()
    admit = account.gateway._admission.admit

    async def slow(items: Any) -> Any:
        await gate.wait()
        return await admit(items)

    monkeypatch.setattr(account.gateway._admission, "admit", slow)
    monkeypatch.setattr(account.gateway, "_deadline_s", 0.02)
    assert (await post(account.url, query(clock, "a"), body))[0] == 503
    gate.set()
    await account.gateway.close()
    monkeypatch.setattr(account.gateway, "_deadline_s", 4.0)
    status, told = await post(account.url, query(clock, "b"), body)
    assert status == 200
    assert "受理号" in told
    assert len(await rows(db)) == 1


async def test_no_words_and_no_openid_in_conversations(account: Any, db: Database) -> None:
    await account.citizen("oVerySecret").say("胜利大街路灯坏了")
    (row,) = await rows(db, T.conversations)
    assert "oVerySecret" not in str(row)
    assert "路灯" not in str(row)


def test_queries_are_what_the_platform_sends(clock: Any) -> None:
    assert set(dict(parse_qsl(urlencode(query(clock))))) == {"timestamp", "nonce", "signature"}
