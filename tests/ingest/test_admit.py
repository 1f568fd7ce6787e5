"""The only door in: once, durable, sealed, numbered; on both databases."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ingest.admit import Admission
from store.db import Database
from store.dead import DeadLetters
from store.errors import RejectedError
from store.model import Contact, Item, Place
from store.original import Originals
from store.tables import T
from store.vault import Vault


def item(name: str = "1", text: str = "楼下垃圾没人收", **more: object) -> Item:
    return Item(channel="app", channel_id=name, text=text, **more)  # type: ignore[arg-type]


async def how_many(db: Database, table: object) -> int:
    async with db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(table))).scalar_one())  # type: ignore[arg-type]


async def test_same_message_again_is_a_duplicate_with_the_same_receipt(
    admission: Admission, db: Database
) -> None:
    first = (await admission.admit([item()]))[0]
    again = (await admission.admit([item()]))[0]
    assert (first.outcome, again.outcome) == ("admitted", "duplicate")
    assert admission.receipt(first.item_id, item()) == admission.receipt(again.item_id, item())
    assert await how_many(db, T.items) == 1
    assert await how_many(db, T.log) == 1


async def test_twins_in_one_batch_are_stored_once(admission: Admission, db: Database) -> None:
    heard = await admission.admit([item(), item(), item("2")])
    assert [h.outcome for h in heard] == ["admitted", "duplicate", "admitted"]
    assert await how_many(db, T.items) == 2


async def test_edited_message_is_a_revision(admission: Admission, db: Database) -> None:
    first = (await admission.admit([item()]))[0]
    edited = (await admission.admit([item(text="楼下垃圾收了，谢谢")]))[0]
    assert (edited.outcome, edited.item_id) == ("revised", first.item_id)
    async with db.read() as conn:
        row = (await conn.execute(select(T.items.c.text, T.items.c.revision))).one()
    assert tuple(row) == ("楼下垃圾收了，谢谢", 2)
    assert await how_many(db, T.revisions) == 1
    assert await how_many(db, T.log) == 2


async def test_numbers_of_a_day_follow_the_order_of_arrival(admission: Admission) -> None:
    heard = await admission.admit([item(str(n)) for n in range(5)])
    assert [h.item_id for h in heard] == [202611240000000 + n for n in range(1, 6)]


async def test_recorded_message_keeps_its_own_day(admission: Admission) -> None:
    at = datetime(2026, 11, 19, 17, 0, tzinfo=UTC)  # already the 20th in the city
    heard = await admission.admit([item(posted_at=at, replayed=True)])
    assert heard[0].item_id == 202611200000001
    assert heard[0].at == at


async def test_many_at_once_get_different_numbers(admission: Admission, db: Database) -> None:
    done = await asyncio.gather(*(admission.admit([item(str(n))]) for n in range(40)))
    assert len({h[0].item_id for h in done}) == 40
    assert await how_many(db, T.items) == 40


async def test_contact_and_original_are_nowhere_in_clear(
    admission: Admission, db: Database, vault: Vault, tmp_path: Path
) -> None:
    secret = item(
        text="我叫王小明，电话13812345678，楼下有污水",
        author="wang-openid-77",
        contact=Contact(name="王小明", phone="13812345678"),
        place=Place(address="渤海街3号楼2单元501室"),
    )
    heard = (await admission.admit([secret]))[0]
    async with db.read() as conn:
        kept = [str(row) for t in (T.items, T.log) for row in await conn.execute(select(t))]
    assert not any(
        s in text for s in ("13812345678", "王小明", "openid-77", "501室") for text in kept
    )
    if db.is_sqlite:
        content = b"".join(p.read_bytes() for p in tmp_path.glob("minsheng.db*"))
        assert "王小明".encode() not in content
        assert b"13812345678" not in content
    opened = await Originals(db, vault).of(heard.item_id)
    assert (opened["phone"], opened["name"]) == ("13812345678", "王小明")


@pytest.mark.parametrize(
    ("text", "reason"), [("\u200b\u200b \n", "empty"), ("长" * 10_001, "oversize")]
)
async def test_unusable_text_is_refused_before_anything_is_stored(
    admission: Admission, db: Database, text: str, reason: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        await admission.admit([item("ok"), item("bad", text=text)])
    assert caught.value.reason == reason
    assert await how_many(db, T.items) == 0


async def test_reject_is_kept_whole(admission: Admission, dead: DeadLetters) -> None:
    raw = json.dumps({"text": "脏" * 5}).encode()
    await admission.reject("app", "k", raw, RejectedError("no", reason="mine"))
    (one,) = await dead.list()
    assert (one.stage, one.reason, one.content) == ("ingest.app", "mine", raw)


async def test_receipt_can_not_be_guessed_from_the_number(admission: Admission) -> None:
    codes = [admission.receipt(7, item(name)).split("-")[1] for name in ("1", "2")]
    assert codes[0] != codes[1]
    assert all(len(code) == 12 for code in codes)


async def test_amended_item_has_the_new_words_place_and_photos_and_its_old_identity(
    admission: Admission, db: Database, vault: Vault
) -> None:
    first = (await admission.admit([item(text="井盖没了")]))[0]
    place = Place(address="渤海街", lat=43.37, lon=128.23, coord_type="gcj02")
    for photo in ("a:1", "a:2", "a:1"):
        await admission.amend(first.item_id, text=f"补充{photo}", place=place, photos=(photo,))
    async with db.read() as conn:
        row = (await conn.execute(select(T.items))).one()
        photos = (await conn.execute(select(T.photos).order_by(T.photos.c.n))).all()
    assert row.text == "井盖没了\n补充a:1\n补充a:2\n补充a:1"
    assert (row.address, row.lat, row.coord_type, row.revision) == ("渤海街", 43.37, "gcj02", 4)
    assert [p.n for p in photos] == [0, 1]
    assert await how_many(db, T.revisions) == 3
    assert await how_many(db, T.log) == 4
    assert (await Originals(db, vault).of(first.item_id))["text"] == row.text
    again = (await admission.admit([item(text="井盖没了")]))[0]
    assert again.outcome == "duplicate"


async def test_addition_repeated_after_a_crash_is_made_once(
    admission: Admission, db: Database
) -> None:
    first = (await admission.admit([item(text="井盖没了")]))[0]
    place = Place(address="渤海街")
    outcomes = [
        (await admission.amend(first.item_id, text="在桥头", place=place)).outcome for _ in range(3)
    ]
    assert outcomes == ["revised", "duplicate", "duplicate"]
    async with db.read() as conn:
        row = (await conn.execute(select(T.items))).one()
    assert (row.text, row.revision) == ("井盖没了\n在桥头", 2)


async def test_photo_addresses_are_sealed_and_bounded(admission: Admission, db: Database) -> None:
    refs = tuple(f"https://photo.invalid/{n}" for n in range(9))
    heard = (await admission.admit([item(photos=refs)]))[0]
    await admission.amend(heard.item_id, photos=("https://photo.invalid/one-too-many",))
    async with db.read() as conn:
        rows = (await conn.execute(select(T.photos))).all()
    assert len(rows) == 9
    assert not any(b"photo.invalid" in row.sealed for row in rows)


async def test_vanished_post_is_marked_kept_and_may_come_back(
    admission: Admission, db: Database
) -> None:
    await admission.admit([item("1"), item("2")])
    await admission.gone("app", ["1", "never heard"])
    async with db.read() as conn:
        rows = (await conn.execute(select(T.items).order_by(T.items.c.channel_id))).all()
    assert [row.gone_at is None for row in rows] == [False, True]
    await admission.admit([item("1")])
    async with db.read() as conn:
        assert (await conn.execute(select(T.items.c.gone_at))).scalars().all() == [None, None]


async def test_unknown_item_can_not_be_amended(admission: Admission) -> None:
    with pytest.raises(RejectedError, match="not there"):
        await admission.amend(1, text="x")
