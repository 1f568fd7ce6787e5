"""One message of several matters: its parts are cases of their own, of one citizen, erased with the whole."""

from typing import Any

import pytest
from sqlalchemy import update

from ingest.answering import Answering
from router.deciding import Labels
from router.grouping import Finder
from router.parts import Part
from router.similarity import Matcher
from router.workflow import Verb
from store.errors import ConflictError, RejectedError, WorkflowError
from store.numbers import count_up
from store.original import Originals
from store.receipts import Receipts
from store.tables import T

DOGS = Labels("complaint", (), (), "normal")
LAMP = Part(DOGS, "路灯坏了一个月")


async def split(town: Any, case: int, *parts: Part) -> tuple[int, list[int]]:
    """With the day's numbers far from those the town gives its cases."""
    await town.db.write(lambda tx: count_up(tx, "20261124", 500, is_sqlite=town.db.is_sqlite))
    version = (await town.row(case)).version
    return await town.commands.splitting.split(
        case, version=version, actor="wang", parts=parts or (LAMP,)
    )


async def test_parts_wait_at_the_desk_with_their_own_labels_and_office(town: Any) -> None:
    case = await town.case(author="a")
    urgent = Labels("request", ("sewage",), (), "urgent")
    version, [first, second] = await split(town, case, LAMP, Part(urgent, "井盖丢了", "transport"))
    assert (await town.row(case)).version == version == 2
    one, two = await town.row(first), await town.row(second)
    assert {one.split_from, two.split_from} == {case}
    assert (two.kind, two.problems, two.urgency) == ("request", '["sewage"]', "urgent")
    assert (two.suggested, two.summary, two.status) == ("transport", "井盖丢了", "received")
    assert one.suggested
    assert one.stage_due_at == (await town.row(case)).stage_due_at
    [line] = await town.history(first)
    assert (line.verb, line.reason, line.note) == (
        Verb.SPLIT, "part", (await town.row(case)).case_no,
    )  # fmt: skip
    assert one.case_no in (await town.history(case))[-1].note
    item = (await town.rows(T.items, T.items.c.id == first))[0]
    assert (item.text, item.part_of, item.author_key) == ("路灯坏了一个月", case, "a")


async def test_a_part_is_sent_and_answered_for_itself(town: Any) -> None:
    case = await town.case()
    _, [part] = await split(town, case)
    await town.sent(part, "transport")
    [answer] = await town.rows(T.answers)
    assert (answer.item_id, answer.stage) == (part, "dispatched")
    assert (await town.row(case)).status == "received"
    assert (await town.row(part)).problems == "[]", "dispatched with the labels a person gave"


class Speaker:
    """A channel that remembers what it was given to say."""

    in_public = False

    def __init__(self) -> None:
        self.told: list[Any] = []

    async def answer(self, told: Any) -> None:
        self.told.append(told)


async def test_a_part_s_answer_goes_the_way_the_message_came(town: Any) -> None:
    case = await town.case(7)
    _, [part] = await split(town, case)
    await town.sent(part, "transport")
    speaker = Speaker()
    answering = Answering(
        db=town.db, vault=town.vault, speakers={"app": speaker}, offices={}, clock=town.clock,
        zone=town.planner.timekeeper.zone, observe=lambda *_: None,
    )  # fmt: skip
    await answering.run_once()
    [told] = speaker.told
    assert (told.channel_id, told.author) == ("7", "openid")
    number, code = told.receipt.split("-")
    assert number == str(part)
    status = await Receipts(town.db, town.vault).status(told.receipt)
    assert status is not None
    assert status["case_no"] == (await town.row(part)).case_no
    assert await Receipts(town.db, town.vault).status(f"{case}-{code}") is None


async def test_erasing_the_message_erases_its_parts(town: Any) -> None:
    case = await town.case()
    _, [part] = await split(town, case)
    originals = Originals(town.db, town.vault)
    assert (await originals.of(part))["text"] == "楼下有污水0"
    gone = update(T.items).where(T.items.c.id == case).values(key=None)
    await town.db.write(lambda tx: tx.run(gone))
    with pytest.raises(RejectedError, match="erased"):
        await originals.of(part)
    with pytest.raises(RejectedError, match="erased"):
        await split(town, case)


async def test_undo_takes_the_split_back_while_nobody_has_touched_a_part(town: Any) -> None:
    case = await town.case()
    version, [part] = await split(town, case)
    await town.commands.undoing.undo(case, version=version, actor="wang")
    for table in (T.cases, T.items, T.verdicts, T.case_items):
        assert [row[0] for row in await town.rows(table)] == [case]
    assert await town.history(part) == []
    assert (await town.history(case))[-1].verb == Verb.UNDO
    version, [part] = await split(town, case)
    await town.dispatch(part, "transport")
    with pytest.raises(ConflictError, match="part"):
        await town.commands.undoing.undo(case, version=version, actor="wang")
    assert (await town.row(part)).status == "dispatched"


async def test_parts_are_one_voice_and_never_like_each_other(town: Any, city: Any) -> None:
    case = await town.case(author="a")
    other = await town.case(1, author="b")
    _, [part] = await split(town, case, Part(Labels("complaint", ("sewage",), (), "normal"), "楼下有污水0"))  # fmt: skip
    finder = Finder(town.db, Matcher(city.grouping, city.spots(), {}), T.case_keys)
    facts = await finder.facts([case, other, part])
    rows = [{"key": key, "case_id": one.id} for one in facts for key in finder.keys_of(one)]
    await town.db.write(lambda tx: tx.insert(T.case_keys, rows, again="ignore"))
    found = {match.case_id for match in await finder.similar(part, town.clock())}
    assert case not in found
    joining = town.commands.joining
    await joining.merge(part, into=case, version=1, actor="wang", note="")
    await joining.merge(other, into=case, version=1, actor="wang", note="")
    assert (await town.row(case)).items == 2
    await town.commands.cases.end(
        case, version=(await town.row(case)).version, actor="wang", verb=Verb.REFER, note="x"
    )
    told = [one.item_id for one in await town.rows(T.answers, T.answers.c.stage == "referred")]
    assert sorted(told) == [case, other]


async def test_bad_parts_are_refused_whole(town: Any) -> None:
    case = await town.case()
    for parts in ((LAMP, Part(DOGS, " ")), (LAMP, Part(DOGS, "x", "nobody")), (LAMP,) * 10):
        with pytest.raises(RejectedError):
            await split(town, case, *parts)
    assert [row.id for row in await town.rows(T.cases)] == [case]


async def test_what_was_sent_is_not_split(town: Any) -> None:
    case = await town.case()
    await town.dispatch(case, "transport")
    with pytest.raises(WorkflowError):
        await split(town, case)


async def test_labels_of_a_person_stay_and_can_be_undone(town: Any) -> None:
    case = await town.case()
    before = await town.row(case)
    version = await town.commands.labeling.label(case, version=1, actor="wang", labels=DOGS)
    row = await town.row(case)
    assert (row.problems, row.status) == ("[]", "received")
    [kept] = await town.rows(T.corrections)
    assert (kept.problems, kept.predicted.count("sewage")) == ("[]", 1)
    await town.commands.undoing.undo(case, version=version, actor="wang")
    row = await town.row(case)
    assert (row.problems, row.suggested, row.rule) == (before.problems, before.suggested, before.rule)  # fmt: skip
    assert await town.rows(T.corrections) == []
    await town.commands.labeling.label(case, version=row.version, actor="wang", labels=DOGS)
    await town.dispatch(case, "transport")
    assert (await town.row(case)).problems == "[]"
