"""From WeChat's callback to a stored item and back to the citizen's phone."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select
from wechatpy.crypto import WeChatCrypto

from hub.sim.wechat import WeChatSim
from hub.sim.wechat_citizen import SORRY, Call, Citizen
from ingest.admit import Admission
from ingest.connectors.wechat.crypto import signature
from ingest.connectors.wechat.dialogue import TEXTS
from store.db import Database
from store.dead import DeadLetters
from store.errors import RejectedError, TransientError
from store.model import Heard, Item
from store.tables import T

GOLDEN = Path(__file__).parent.parent / "golden" / "wechat"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbZ"
APP_ID = "wx0123456789abcdef"
TOKEN = "tokenOfTheTests"
MODES = ("plain", "compat", "aes")
ASKED = (TEXTS["received"] + TEXTS["ask_more"]).split("{receipt}")
MakeHub = Callable[..., Any]
MakeCitizen = Callable[..., Citizen]


class Theirs:
    """wechatpy in WeChat's place."""

    def __init__(self, key: str = KEY, app_id: str = APP_ID) -> None:
        self._crypto = WeChatCrypto(TOKEN, key, app_id)

    def seal(self, xml: bytes, index: int = 0) -> str:
        whole = self._crypto.encrypt_message(xml.decode(), "n", "1")
        return str(whole.split("<Encrypt><![CDATA[")[1].split("]]>")[0])

    def open(self, encrypted: str) -> tuple[bytes, int]:
        signed = signature(TOKEN, "1", "n", encrypted)
        opened = self._crypto.decrypt_message({"Encrypt": encrypted}, signed, "1", "n")
        return opened.encode(), 0


class Door:
    """The admission with something in its way."""

    def __init__(self, inner: Admission) -> None:
        self.inner = inner
        self.open = asyncio.Event()
        self.open.set()
        self.errors: list[Exception] = []

    async def admit(self, items: list[Item]) -> list[Heard]:
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        return await self.inner.admit(items)

    async def amend(self, item_id: int, **more: Any) -> Heard:
        if self.errors:
            raise self.errors.pop(0)
        return await self.inner.amend(item_id, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture
def door(admission: Admission) -> Door:
    return Door(admission)


async def rows(db: Database, table: Any) -> list[Any]:
    async with db.read() as conn:
        return list((await conn.execute(select(table))).all())


async def post(url: str, call: Call) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, params=call.query, data=call.body) as answer,
    ):
        return answer.status, await answer.read()


async def ask(url: str, **query: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as answer:
        return answer.status, await answer.text()


async def test_address_is_verified(make_hub: MakeHub, clock: Any) -> None:
    hub = await make_hub()
    now = str(int(clock().timestamp()))
    good = {
        "signature": signature(TOKEN, now, "n"),
        "timestamp": now,
        "nonce": "n",
        "echostr": "43751209",
    }
    assert await ask(hub.url, **good) == (200, "43751209")
    assert (await ask(hub.url, **good | {"nonce": "m"}))[0] == 403
    assert (await ask(hub.url))[0] == 403
    clock.forward(minutes=10, seconds=1)
    assert (await ask(hub.url, **good))[0] == 403


@pytest.mark.parametrize("mode", MODES)
async def test_text_is_stored_and_answered_with_its_receipt(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, clock: Any, mode: str
) -> None:
    hub, citizen = await make_hub(mode=mode), make_citizen(mode, seals=Theirs())
    reply = await citizen.say(hub.url, Content="路灯不亮 <三天> & 没人管🙏")
    item = (await rows(db, T.items))[0]
    assert reply.startswith(f"{ASKED[0]}{item.id}-")
    assert reply.endswith(ASKED[1])
    assert (item.channel, item.text) == ("wx", "路灯不亮 <三天> & 没人管🙏")
    assert item.posted_at == clock()
    assert (await rows(db, T.conversations))[0].author_key == item.author_key


async def test_message_sealed_with_the_old_key_is_answered_with_it(
    make_hub: MakeHub, make_citizen: MakeCitizen
) -> None:
    hub = await make_hub(previous_aes_key=OLD_KEY)
    for key in (OLD_KEY, KEY):
        citizen = make_citizen("aes", key=key, seals=Theirs(key))
        assert (await citizen.say(hub.url, Content="路灯不亮")).startswith(ASKED[0])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.xml")), ids=lambda p: p.stem)
async def test_every_kind_of_message_is_heard(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, path: Path, mode: str
) -> None:
    hub, citizen = await make_hub(mode=mode), make_citizen(mode, seals=Theirs())
    await citizen.post(hub.url, citizen.call(path.read_text(encoding="utf-8").strip()))
    assert len(await rows(db, T.items)) == (0 if path.stem.startswith("event") else 1)
    assert await rows(db, T.dead) == []
    assert SORRY not in citizen.said


async def test_what_follows_is_added_to_the_item(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, clock: Any
) -> None:
    hub, citizen = await make_hub(), make_citizen()
    await citizen.say(hub.url, Content="路灯不亮")
    place = {"Location_X": "38.9137", "Location_Y": "121.6147", "Label": "渤海街12号"}
    assert await citizen.say(hub.url, "location", **place) != ""
    await citizen.say(hub.url, "image", MediaId="m1")
    await citizen.say(hub.url, "image", MediaId="m2")
    clock.forward(minutes=5)
    reply = await citizen.say(hub.url, Content="渤海街12号门口")
    [item] = await rows(db, T.items)
    assert reply.startswith(TEXTS["amended"].split("{receipt}")[0] + str(item.id))
    assert item.text == "路灯不亮\n渤海街12号门口"
    assert (item.address, item.coord_type) == ("渤海街12号", "gcj02")
    assert [photo.n for photo in await rows(db, T.photos)] == [0, 1]
    assert (await rows(db, T.conversations))[0].updated_at == clock()


async def test_picture_first_is_an_item_and_its_words_follow(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database
) -> None:
    hub, citizen = await make_hub(), make_citizen()
    assert (await citizen.say(hub.url, "image", MediaId="m1")).endswith(TEXTS["ask_words"])
    await citizen.say(hub.url, Content="垃圾满地")
    assert [item.text for item in await rows(db, T.items)] == ["【图片】\n垃圾满地"]


async def test_item_that_was_erased_is_not_amended(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, door: Door
) -> None:
    hub, citizen = await make_hub(door=door), make_citizen()
    await citizen.say(hub.url, Content="路灯不亮")
    door.errors = [RejectedError("erased", reason="unknown")]
    reply = await citizen.say(hub.url, "image", MediaId="m1")
    assert len(await rows(db, T.items)) == 2
    assert "{receipt}" not in reply


async def test_status_is_told(make_hub: MakeHub, make_citizen: MakeCitizen, db: Database) -> None:
    hub, citizen = await make_hub(), make_citizen()
    assert await citizen.say(hub.url, Content="进度") == TEXTS["no_item"]
    await citizen.say(hub.url, Content="路灯不亮")
    number = (await rows(db, T.items))[0].id
    assert await citizen.say(hub.url, Content="进度") == f"受理号{number}：正在办理"
    assert await citizen.say(hub.url, Content=str(number)) == f"受理号{number}：正在办理"
    assert await citizen.say(hub.url, Content=f"{number}-ABCDEFGHJKLM") == "已办结"
    assert await citizen.say(hub.url, Content=f"{number}-ABCDEFGHJKLX") == TEXTS["no_receipt"]
    assert await citizen.say(hub.url, Content="谢谢") == TEXTS["thanks"]
    assert len(await rows(db, T.items)) == 1


async def test_unsubscribing_ends_the_conversation(
    make_hub: MakeHub, make_citizen: MakeCitizen
) -> None:
    hub, citizen = await make_hub(), make_citizen()
    assert await citizen.say(hub.url, "event", Event="subscribe") == TEXTS["welcome"]
    await citizen.say(hub.url, Content="路灯不亮")
    assert await citizen.say(hub.url, "event", Event="unsubscribe") == ""
    assert await citizen.say(hub.url, Content="进度") == TEXTS["no_item"]


@pytest.mark.parametrize("mode", MODES)
async def test_retry_gets_the_very_same_reply(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, clock: Any, mode: str
) -> None:
    hub, citizen = await make_hub(mode=mode), make_citizen(mode)
    xml = citizen.message("text", Content="路灯不亮")
    same = citizen.call(xml)
    first = await citizen.post(hub.url, same)
    await citizen.say(hub.url, "image", MediaId="m1")
    clock.forward(seconds=5)
    assert await citizen.post(hub.url, same) == first  # the same query
    assert await citizen.post(hub.url, citizen.call(xml)) == first  # signed anew
    assert len(await rows(db, T.items)) == 1


async def test_duplicates_at_once_are_one_item_with_one_reply(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database
) -> None:
    hub, citizen = await make_hub(), make_citizen()
    xml = citizen.message("text", Content="路灯不亮")
    replies = await asyncio.gather(*(citizen.post(hub.url, citizen.call(xml)) for _ in range(12)))
    assert len(set(replies)) == 1
    assert len(await rows(db, T.items)) == 1
    assert (await rows(db, T.items))[0].revision == 1


async def test_duplicates_at_once_are_added_once(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database
) -> None:
    hub, citizen = await make_hub(), make_citizen()
    await citizen.say(hub.url, Content="路灯不亮")
    xml = citizen.message("text", Content="渤海街12号门口")
    await asyncio.gather(*(citizen.post(hub.url, citizen.call(xml)) for _ in range(8)))
    assert [item.text for item in await rows(db, T.items)] == ["路灯不亮\n渤海街12号门口"]


async def test_event_repeated_is_one_event(make_hub: MakeHub, make_citizen: MakeCitizen) -> None:
    hub, citizen = await make_hub(), make_citizen()
    xml = citizen.message("event", Event="CLICK", EventKey="PROGRESS")
    assert await citizen.post(hub.url, citizen.call(xml)) == TEXTS["no_item"]
    await citizen.say(hub.url, Content="路灯不亮")
    assert await citizen.post(hub.url, citizen.call(xml)) == TEXTS["no_item"]


@pytest.mark.parametrize("mode", MODES)
async def test_forged_message_is_refused_and_not_stored(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, mode: str
) -> None:
    hub, forger = await make_hub(mode=mode), make_citizen(mode, token="guessedToken")
    assert await forger.say(hub.url, Content="伪造") == SORRY
    for table in (T.items, T.dead, T.conversations):
        assert await rows(db, table) == []


@pytest.mark.parametrize(("mode", "theirs"), [("aes", "plain"), ("plain", "aes")])
async def test_mode_of_the_account_is_kept(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, mode: str, theirs: str
) -> None:
    hub, citizen = await make_hub(mode=mode), make_citizen(theirs)
    assert (await post(hub.url, citizen.call(citizen.message("text", Content="x"))))[0] == 403
    assert await rows(db, T.items) == []


@pytest.mark.parametrize("minutes", [-11, 11])
async def test_stale_message_is_refused(
    make_hub: MakeHub, make_citizen: MakeCitizen, clock: Any, minutes: float
) -> None:
    hub, citizen = await make_hub(), make_citizen()
    call = citizen.call(citizen.message("text", Content="x"))
    clock.now += timedelta(minutes=minutes)
    assert (await post(hub.url, call))[0] == 403


async def test_signed_query_is_good_for_one_message_only(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database
) -> None:
    hub, citizen = await make_hub(mode="plain"), make_citizen("plain")
    overheard = citizen.call(citizen.message("text", Content="路灯不亮"))
    assert (await post(hub.url, overheard))[0] == 200
    for body in (citizen.message("text", Content="伪造"), "<xml>伪造", ""):
        assert (await post(hub.url, Call(overheard.query, body.encode())))[0] == 403
    assert len(await rows(db, T.items)) == 1
    assert await rows(db, T.dead) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timestamp", ""), ("timestamp", "١٧٦٤"), ("timestamp", "9" * 30), ("timestamp", "-1"), ("nonce", "other"),
        ("msg_signature", ""), ("msg_signature", "é"), ("encrypt_type", "raw"), ("encrypt_type", "AES"),
    ],
)  # fmt: skip
async def test_altered_query_is_refused(
    make_hub: MakeHub, make_citizen: MakeCitizen, name: str, value: str
) -> None:
    hub, citizen = await make_hub(), make_citizen()
    call = citizen.call(citizen.message("text", Content="x"))
    assert (await post(hub.url, Call({**call.query, name: value}, call.body)))[0] == 403


@pytest.mark.parametrize("body", [b"", b"<xml></xml>", b"<!DOCTYPE xml><xml/>", b"\xff"])
async def test_encrypted_call_without_its_body_is_refused(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, body: bytes
) -> None:
    hub, citizen = await make_hub(), make_citizen()
    call = citizen.call(citizen.message("text", Content="x"))
    assert (await post(hub.url, Call(call.query, body)))[0] == 403
    assert await rows(db, T.dead) == []


@pytest.mark.parametrize("mode", ["plain", "aes"])
@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("<xml><MsgType>text", "malformed"), ("<!DOCTYPE xml [<!ENTITY a 'b'>]><xml>&a;</xml>", "dtd"),
        ("<xml><MsgType>new_kind</MsgType></xml>", "malformed"), ("not xml", "malformed"),
    ],
)  # fmt: skip
async def test_authentic_but_unreadable_message_is_kept(
    make_hub: MakeHub,
    make_citizen: MakeCitizen,
    dead: DeadLetters,
    mode: str,
    xml: str,
    reason: str,
) -> None:
    hub, citizen = await make_hub(mode=mode), make_citizen(mode)
    assert await post(hub.url, citizen.call(xml)) == (200, b"success")
    [kept] = await dead.list()
    assert (kept.stage, kept.reason, kept.content) == ("ingest.wx", reason, xml.encode())


@pytest.mark.parametrize(
    ("seals", "reason"),
    [(Theirs(app_id="wxffffffffffffffff"), "app_id"), (Theirs(OLD_KEY), "encryption")],
)
async def test_message_nobody_can_open_yet_is_kept_as_it_came(
    make_hub: MakeHub, make_citizen: MakeCitizen, dead: DeadLetters, seals: Theirs, reason: str
) -> None:
    hub, citizen = await make_hub(), make_citizen(seals=seals)
    call = citizen.call(citizen.message("text", Content="路灯不亮"))
    assert await post(hub.url, call) == (200, b"success")
    [kept] = await dead.list()
    assert (kept.reason, kept.content) == (reason, call.body)


async def test_too_long_text_is_kept(
    make_hub: MakeHub, make_citizen: MakeCitizen, dead: DeadLetters
) -> None:
    hub, citizen = await make_hub(mode="plain"), make_citizen("plain")
    assert await citizen.say(hub.url, Content="字" * 10_001) == ""
    assert [kept.reason for kept in await dead.list()] == ["oversize"]


async def test_body_over_64_kib_is_refused(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database
) -> None:
    hub, citizen = await make_hub(mode="plain"), make_citizen("plain")
    call = citizen.call(citizen.message("text", Content="x" * 65_536))
    assert (await post(hub.url, call))[0] == 413
    assert await rows(db, T.dead) == []


async def test_refusing_database_makes_wechat_try_again(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, door: Door
) -> None:
    hub, citizen = await make_hub(door=door), make_citizen()
    door.errors = [TransientError("store: full")] * 2
    assert (await citizen.say(hub.url, Content="路灯不亮")).startswith(ASKED[0])
    assert len(await rows(db, T.items)) == 1


async def test_database_that_keeps_refusing_is_told_to_the_citizen(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, door: Door
) -> None:
    hub, citizen = await make_hub(door=door), make_citizen()
    door.errors = [TransientError("store: full")] * 3
    assert await citizen.say(hub.url, Content="路灯不亮") == SORRY
    assert await rows(db, T.items) == []
    assert await rows(db, T.conversations) == []


@pytest.mark.parametrize("errors", [[], [TransientError("store: full"), ValueError("defect")]])
async def test_slow_admission_is_answered_success_and_the_receipt_follows(
    make_hub: MakeHub,
    make_citizen: MakeCitizen,
    db: Database,
    door: Door,
    sim: WeChatSim,
    errors: list[Exception],
) -> None:
    hub, citizen = await make_hub(door=door, deadline_s=0.02), make_citizen()
    door.open.clear()
    door.errors = list(errors)
    assert await citizen.say(hub.url, Content="路灯不亮") == ""
    assert await rows(db, T.items) == []
    door.open.set()
    await hub.gateway.close()
    [item] = await rows(db, T.items)
    path, body = sim.received[0]
    assert path == "message/custom/send"
    assert body["text"]["content"].startswith(f"{ASKED[0]}{item.id}-")


async def test_late_reply_that_can_not_be_sent_loses_nothing(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database, door: Door, sim: WeChatSim
) -> None:
    hub, citizen = await make_hub(door=door, deadline_s=0.02), make_citizen()
    sim.fail("/custom/send", errcode=48001)
    door.open.clear()
    assert await citizen.say(hub.url, Content="路灯不亮") == ""
    door.open.set()
    await hub.gateway.close()
    assert len(await rows(db, T.items)) == 1


async def test_citizens_are_kept_apart(
    make_hub: MakeHub, make_citizen: MakeCitizen, db: Database
) -> None:
    hub = await make_hub()
    one, two = make_citizen(openid="one"), make_citizen(openid="two")
    await asyncio.gather(one.say(hub.url, Content="路灯不亮"), two.say(hub.url, Content="路灯不亮"))
    await one.say(hub.url, "image", MediaId="m1")
    assert len(await rows(db, T.items)) == 2
    assert len(await rows(db, T.conversations)) == 2
    number = one.said[0].split("：")[1][:15]
    assert await two.say(hub.url, Content=number) == TEXTS["no_receipt"]


async def test_nothing_of_the_citizen_is_logged(
    make_hub: MakeHub, make_citizen: MakeCitizen, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    hub, citizen = await make_hub(door=door), make_citizen()
    door.errors = [TransientError("store: full")]
    await citizen.say(hub.url, Content="路灯不亮")
    forger = make_citizen(token="guessedToken")
    await forger.say(hub.url, Content="路灯不亮")
    told = [str(vars(record)) for record in caplog.records if record.name.startswith("ingest")]
    assert len(told) == 4
    assert not [line for line in told if "oFictional" in line or "路灯" in line or TOKEN in line]
