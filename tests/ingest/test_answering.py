"""What a citizen hears of their case: once, in their own channel, without anybody's details."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from ingest.admit import Admission
from ingest.answering import Answering
from ingest.protocol import Told
from store.answers import Answers
from store.db import Database, Tx
from store.errors import RejectedError, TransientError
from store.model import Item
from store.tables import T
from store.vault import Vault


class Speaker:
    """A channel that can answer; raises what it is told to."""

    in_public = False

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.errors: list[Exception] = []

    async def answer(self, told: Told) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.told.append(told)


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
def answering(db: Database, vault: Vault, speaker: Speaker, clock: Callable[[], Any]) -> Answering:
    return Answering(
        db=db, vault=vault, speakers={"wechat": speaker}, offices={"water": "市水务集团"},
        zone=ZoneInfo("Asia/Shanghai"), clock=clock, observe=lambda *_: None,
    )  # fmt: skip


@pytest.fixture
def answers(db: Database) -> Answers:
    return Answers(["wechat"], is_sqlite=db.is_sqlite)


async def case_of(
    db: Database, admission: Admission, clock: Any, *, channel: str = "wechat", **more: Any
) -> int:
    item = Item(channel=channel, channel_id="7", text="污水外溢", author="openid-1", **more)
    heard = (await admission.admit([item]))[0]
    row = {
        "id": heard.item_id, "case_no": "DH1", "status": "dispatched", "channel": channel, "kind": "complaint",
        "urgency": "normal", "decision": "auto", "confidence": 1.0, "department": "water", "suggested": "water",
        "rule": "r", "received_at": clock(), "due_at": clock(),
    }  # fmt: skip

    async def work(tx: Tx) -> None:
        await tx.run(insert(T.cases).values(**row))
        await tx.run(insert(T.case_items).values(item_id=heard.item_id, case_id=heard.item_id))

    await db.write(work)
    return heard.item_id


async def tell(db: Database, answers: Answers, case_id: int, clock: Any, **more: Any) -> None:
    values = {"stage": "dispatched", "mark": "dispatched:3", "at": clock(), **more}

    async def work(tx: Tx) -> None:
        await answers.tell(tx, [case_id], **values)

    await db.write(work)


async def states(db: Database) -> list[str]:
    async with db.read() as conn:
        return list((await conn.execute(select(T.answers.c.state))).scalars())


async def test_citizen_is_told_once_with_receipt_office_and_day(
    db: Database,
    admission: Admission,
    answers: Answers,
    answering: Answering,
    speaker: Speaker,
    clock: Any,
) -> None:
    case_id = await case_of(db, admission, clock)
    for _ in range(3):
        await tell(db, answers, case_id, clock)
    while await answering.run_once():
        pass
    (told,) = speaker.told
    assert (told.author, told.channel_id, told.stage) == ("openid-1", "7", "dispatched")
    assert told.receipt.startswith(f"{case_id}-")
    assert told.receipt in told.text
    assert "市水务集团" in told.text
    assert "11月24日" in told.text
    assert await states(db) == ["sent"]


async def test_what_everybody_reads_holds_no_code(
    db: Database,
    admission: Admission,
    answers: Answers,
    answering: Answering,
    speaker: Speaker,
    clock: Any,
) -> None:
    speaker.in_public = True
    case_id = await case_of(db, admission, clock)
    await tell(db, answers, case_id, clock)
    await answering.run_once()
    assert f"受理号 {case_id}）" in speaker.told[0].text
    assert speaker.told[0].receipt == str(case_id)


async def test_closing_words_are_masked(
    db: Database,
    admission: Admission,
    answers: Answers,
    answering: Answering,
    speaker: Speaker,
    clock: Any,
) -> None:
    case_id = await case_of(db, admission, clock)
    text = "已疏通，联系王师傅13800138000"
    await tell(db, answers, case_id, clock, stage="closed", mark="closed:5", text=text)
    await answering.run_once()
    assert "已疏通" in speaker.told[0].text
    assert "13800138000" not in speaker.told[0].text


@pytest.mark.parametrize(("channel", "more"), [("forum", {}), ("wechat", {"replayed": True})])
async def test_channels_that_can_not_speak_and_recordings_get_no_row(
    db: Database, admission: Admission, answers: Answers, clock: Any, channel: str, more: Any
) -> None:
    case_id = await case_of(db, admission, clock, channel=channel, **more)
    await tell(db, answers, case_id, clock)
    assert await states(db) == []


async def test_trouble_is_tried_again_and_a_refusal_is_kept(
    db: Database,
    admission: Admission,
    answers: Answers,
    answering: Answering,
    speaker: Speaker,
    clock: Any,
) -> None:
    case_id = await case_of(db, admission, clock)
    speaker.errors = [TransientError("busy"), RejectedError("ingest: wechat: window closed")]
    await tell(db, answers, case_id, clock)
    await answering.run_once()
    assert await states(db) == ["pending"]
    assert await answering.run_once() == 0
    clock.forward(minutes=1)
    await answering.run_once()
    assert await states(db) == ["unsent"]


async def test_two_days_of_trouble_end_it(
    db: Database,
    admission: Admission,
    answers: Answers,
    answering: Answering,
    speaker: Speaker,
    clock: Any,
) -> None:
    case_id = await case_of(db, admission, clock)
    speaker.errors = [TransientError("busy")] * 100
    await tell(db, answers, case_id, clock)
    for _ in range(50):
        await answering.run_once()
        clock.forward(hours=1)
    assert await states(db) == ["unsent"]
