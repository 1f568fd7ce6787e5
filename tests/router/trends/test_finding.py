"""Topics are kept: found, known again, and what officials make of them counts."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from speaking import ZONE, City
from sqlalchemy import update
from test_emerging import planted

from router.trends.curating import STATE_NAMES, Curation, TopicState
from router.trends.finding import read_told
from router.trends.topics import Topics
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.tables import T

TEXTS = [one.text for one in planted("直饮水机")]


@pytest.fixture
async def city(db: Database, clock: Any) -> City:
    return City(db, clock)


@pytest.fixture
async def busy(city: City) -> City:
    """Sixty usual messages and twelve about one thing."""
    await city.usual()
    await city.hear_all([(text, n % 5) for n, text in enumerate(TEXTS)])
    return city


async def test_a_topic_is_found_once_and_told_anew(busy: City) -> None:
    (first,) = await busy.look()
    assert (first.state, first.actor) == ("found", "hub")
    assert "直饮水机" in first.name
    assert first.score == pytest.approx(11)
    assert first.first_day == 20261120
    assert read_told(first.told).count == 11
    await busy.hear("直饮水机又停了")
    busy.clock.forward(minutes=10)
    (again,) = await busy.look()
    assert (again.id, again.name, read_told(again.told).count) == (first.id, first.name, 12)
    assert again.updated_at == busy.clock()


async def test_an_empty_city_has_no_topics(city: City) -> None:
    assert await city.look() == []
    await city.hear("直饮水机坏了")
    assert await city.look() == []


async def test_what_is_erased_is_told_no_more(busy: City) -> None:
    (topic,) = await busy.look()

    async def erase(tx: Tx) -> None:
        await tx.run(update(T.items).where(T.items.c.text.like("%直饮水%")).values(key=None))

    await busy.db.write(erase)
    (topic,) = await busy.look()
    assert (topic.sentence, topic.score, read_told(topic.told).count) == ("", 0, 0)


async def test_what_rises_no_more_is_gone_unless_it_was_named(busy: City) -> None:
    (topic,) = await busy.look()
    busy.clock.forward(days=40)
    assert await busy.look() == []
    await busy.hear_all([(text, 0) for text in TEXTS])
    await busy.usual()
    (topic,) = await busy.look()
    await busy.curation.name(topic.id, "直饮水", actor="li")
    busy.clock.forward(days=40)
    (kept,) = await busy.look()
    assert (kept.name, kept.score) == ("直饮水", 0)


async def test_hidden_stays_hidden(busy: City) -> None:
    (topic,) = await busy.look()
    await busy.curation.hide(topic.id, actor="li")
    (hidden,) = await busy.look()
    assert (hidden.state, hidden.sentence) == ("hidden", "")
    await busy.curation.show(topic.id, actor="li")
    (shown,) = await busy.look()
    assert (shown.state, shown.sentence != "") == ("found", True)


async def test_a_watched_topic_is_counted_back(busy: City) -> None:
    await busy.hear("直饮水机早就该修了", 399)
    await busy.hear("直饮水机是好东西", 401)
    (topic,) = await busy.look()
    series = f"topic:{topic.id}"
    assert await busy.count_of(series) == 0
    await busy.curation.watch(topic.id, actor="li")
    await busy.settle()
    assert await busy.count_of(series) == 12
    await busy.hear("直饮水机又坏了")
    await busy.settle()
    assert await busy.count_of(series) == 13
    await busy.curation.rephrase(topic.id, [["直饮水机", "味"]], actor="li")
    await busy.settle()
    assert await busy.count_of(series) == 2
    await busy.curation.unwatch(topic.id, actor="li")
    await busy.settle()
    assert await busy.count_of(series) == 0
    acts = [(one.act, one.target, one.actor) for one in await busy.rows(T.audit)]
    assert acts == [(f"topic.{act}", series, "li") for act in ("watch", "rephrase", "unwatch")]


async def test_a_merged_topic_counts_for_its_target(busy: City) -> None:
    (topic,) = await busy.look()
    target = await busy.curation.add("饮水", [["饮水点"]], actor="li")
    await busy.curation.merge(topic.id, target, actor="li")
    own, kept = await busy.look()
    assert (own.state, own.merged_into) == ("merged", target)
    assert read_told(kept.told).count == 11
    assert json.loads(kept.phrases) == [["饮水点"], ["直饮水机"]]
    assert await busy.count_of(f"topic:{target}") == 11


async def test_a_topic_of_the_file_is_counted_back_when_the_file_says_so(city: City) -> None:
    await city.hear("路灯坏了", 20)
    await city.tally.settle()
    assert await city.count_of("topic:lamps") == 1
    await city.recount.remember()
    await city.settle()
    again = {"topic": [{"id": "lamps", "name": "灯", "words": [["灯笼"]]}]}
    city.series.adopt(Topics.model_validate(again), city.series.spots)
    await city.recount.remember()
    await city.settle()
    assert await city.count_of("topic:lamps") == 0


async def test_a_file_that_says_the_same_marks_nothing(city: City) -> None:
    await city.recount.remember()
    await city.settle()
    await city.recount.remember()
    assert await city.recount.run() == 3.0


async def test_the_walk_waits_while_the_roll_up_is_busy(city: City) -> None:
    await city.recount.remember()
    marks = [{"item_id": 1, "case_id": None}] * 1001
    await city.db.write(lambda tx: tx.insert(T.tally_due, marks))
    assert await city.recount.run() == 0.5


async def test_places_are_series_too(city: City) -> None:
    await city.hear("翰章广场的地砖翘了")
    await city.settle()
    assert await city.count_of("spot:翰章广场") == 1


Act = Callable[[Curation, int], Awaitable[Any]]
ACTS: dict[str, tuple[Act, set[str]]] = {
    "name": (lambda c, n: c.name(n, "名", actor="li"), {"found", "watched"}),
    "hide": (lambda c, n: c.hide(n, actor="li"), {"found", "watched"}),
    "show": (lambda c, n: c.show(n, actor="li"), {"hidden", "merged"}),
    "watch": (lambda c, n: c.watch(n, actor="li"), {"found"}),
    "unwatch": (lambda c, n: c.unwatch(n, actor="li"), {"watched"}),
    "rephrase": (lambda c, n: c.rephrase(n, [["词语"]], actor="li"), {"found", "watched"}),
    "merge": (lambda c, n: c.merge(n, 1, actor="li"), {"found", "watched"}),
}


async def test_commands_fit_the_state(db: Database, clock: Any) -> None:
    """Each command in each state; topic 1 is there to be merged into."""
    curation, at = Curation(db, zone=ZONE, clock=clock), datetime(2026, 11, 24, tzinfo=UTC)
    row = {"name": "x", "phrases": '[["词"]]', "state": "found", "actor": "hub", "score": 0.0, "at": at, "updated_at": at}  # fmt: skip
    states = [(act, state) for act in ACTS for state in TopicState]
    rows = [row, *(row | {"state": state} for _, state in states)]
    await db.write(lambda tx: tx.insert(T.topics, rows))
    for number, (act, state) in enumerate(states, 2):
        command, allowed = ACTS[act]
        if state in allowed:
            await command(curation, number)
        else:
            with pytest.raises(ConflictError, match=f"is {state} now"):
                await command(curation, number)


@pytest.mark.parametrize(
    ("act", "cure"),
    [
        (lambda c: c.name(1, "  ", actor="li"), "write another"),
        (lambda c: c.name(1, "长" * 41, actor="li"), "write another"),
        (lambda c: c.hide(99, actor="li"), "look again"),
        (lambda c: c.merge(1, 1, actor="li"), "choose another"),
        (lambda c: c.rephrase(1, [[""]], actor="li"), "at least one word"),
        (lambda c: c.add("名", [], actor="li"), "at least one word"),
    ],
)
async def test_what_can_not_be_is_refused(
    db: Database, clock: Any, act: Callable[[Curation], Awaitable[Any]], cure: str
) -> None:
    with pytest.raises(RejectedError, match=cure):
        await act(Curation(db, zone=ZONE, clock=clock))


def test_every_state_has_a_name() -> None:
    assert set(STATE_NAMES) == set(TopicState)
