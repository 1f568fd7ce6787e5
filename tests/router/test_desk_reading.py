"""A later reading of a message changes nothing a person said; a citizen's next message wakes their case."""

from typing import Any

from sqlalchemy import insert, update

from router.deciding import Labels
from router.parts import Part
from router.worker import RouterWorker
from store.answers import Answers
from store.model import ItemRef
from store.numbers import count_up
from store.outbox import Outbox, record
from store.tables import T

NOTHING = Labels("complaint", (), (), "normal")


async def follow(town: Any, *items: int) -> None:
    """The router follows verdicts of these items."""
    outbox = Outbox(embedded=True)
    answers = Answers(("app",), is_sqlite=town.db.is_sqlite)
    worker = RouterWorker(
        db=town.db, outbox=outbox, answers=answers, filer=town.filer, clock=town.clock,
        observe=lambda *_: None,
    )  # fmt: skip
    effects = await worker.prepare([record(f"{n}:2", str(n), ItemRef(n, 2)) for n in items])
    await town.db.write(lambda tx: worker.apply(tx, effects))


async def test_person_s_labels_and_parts_are_not_read_over(town: Any) -> None:
    labelled, plain, split = [await town.case(n) for n in range(3)]
    commands = town.commands
    await commands.labeling.label(labelled, version=1, actor="wang", labels=NOTHING)
    await town.db.write(lambda tx: count_up(tx, "20261124", 500, is_sqlite=town.db.is_sqlite))
    _, [part] = await commands.splitting.split(
        split, version=1, actor="wang", parts=[Part(NOTHING, "路灯坏了", "transport")]
    )
    read = update(T.verdicts).values(problems='["parking"]', urgency="urgent")
    await town.db.write(lambda tx: tx.run(read))
    await follow(town, labelled, plain, part)
    assert (await town.row(plain)).problems == '["parking"]'
    for case in (labelled, part):
        row = await town.row(case)
        assert (row.problems, row.urgency) == ("[]", "normal")
    assert (await town.row(part)).suggested == "transport"


async def test_words_of_no_case_wake_their_author_s(town: Any) -> None:
    case = await town.case(author="a")
    await town.commands.snoozing.ask(case, version=1, actor="wang", text="哪一栋？")
    town.clock.forward(minutes=5)
    number, now = 202611240000900, town.clock()
    item = {"id": number, "channel": "app", "channel_id": "m", "content_sha": "y", "text": "三栋"}
    item |= {"received_at": now, "sealed": b"", "key": b"k", "author_key": "a"}
    verdict = {"item_id": number, "revision": 1, "model": "m@1", "kind": "chatter", "trust": 0.9}
    verdict |= {"urgency": "normal", "decision": "auto", "at": now}
    await town.db.write(lambda tx: tx.run(insert(T.items).values(**item)))
    await town.db.write(lambda tx: tx.run(insert(T.verdicts).values(**verdict)))
    await follow(town, number)
    assert (await town.row(case)).snoozed_until is None
    assert [row.id for row in await town.rows(T.cases)] == [case]
