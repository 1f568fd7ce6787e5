"""What a search finds, on both engines: every length of word, numbers, edits, erasure, and nonsense that never fails."""

from datetime import UTC, datetime

from sqlalchemy import insert, select, update

from store.db import Database, Tx
from store.numbers import case_no
from store.search import Indexer, candidates, forget, mark, texts
from store.tables import T
from store.terms import Text, read

AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
FIRST = 202611240000001
SAID = (
    "渤海街３号楼楼下占道经营，早上堵车",
    "胜利大街化粪池满了，污水横流",
    "渤海街13号楼门口贴满小广告，Ｗ-iFi 牌子掉了",
    "道路占用严重",
)


async def say(db: Database, *said: str, start: int = FIRST) -> None:
    async def work(tx: Tx) -> None:
        for n, words in enumerate(said, start):
            row = {
                "id": n,
                "channel": "app",
                "channel_id": str(n),
                "content_sha": "x",
                "text": words,
            }
            await tx.run(insert(T.items).values(**row, received_at=AT, sealed=b"", key=b"k"))
            await tx.run(insert(T.case_items).values(item_id=n, case_id=n))
        await mark(tx, range(start, start + len(said)))

    await db.write(work)


async def index(db: Database) -> None:
    while await Indexer(db).sweep():
        pass


async def find(db: Database, query: str) -> list[int]:
    """Which of the messages are found, from 0."""
    search = read(query)
    async with db.read() as conn:
        ids = await candidates(conn, search, 100) or []
        said = await texts(conn, ids)
    return sorted(one - FIRST for one, found in said.items() if any(map(search.finds, found)))


WORDS = {
    "占": [0, 3],
    "车": [0],
    "渤海": [0, 2],
    "占道": [0],
    "道占": [],
    "占道经营": [0],
    "渤海街 占道": [0],
    "占道　渤海街": [0],
    "渤海街，小广告": [2],
    "渤海街 污水": [],
    "3号楼": [0],
    "13号楼": [2],
    "１３号楼": [2],
    "IFI": [2],
    "wifi": [],
    "不存在": [],
}
NUMBER = case_no("DH", FIRST + 1)
NUMBERS = {
    NUMBER: [1],
    NUMBER.lower(): [1],
    NUMBER[2:]: [1],
    NUMBER[-3:]: [1],
    NUMBER[-4:]: [1],
    NUMBER[-7:]: [1],
    NUMBER[:-4]: [0, 1, 2, 3],
    "DH20261124": [0, 1, 2, 3],
    "2026": [0, 1, 2, 3],
    "DH20251124": [],
    f"{NUMBER} 污水": [1],
    f"{NUMBER} 占道": [],
}
NONSENSE = (
    "", " ", '"', "*", "占*", "NEAR(", "a AND OR NOT", "^", "words:占", "，。！", "\ud800", "%_", "'; --", "\\",
    "占" * 10_000, "占 " * 10_000, "9" * 10_000, "\x00", "{}[]:^#",
)  # fmt: skip


async def test_words_and_numbers_are_found_and_nothing_else(db: Database) -> None:
    await say(db, *SAID)
    await index(db)
    wanted = WORDS | NUMBERS
    assert {query: await find(db, query) for query in wanted} == wanted


async def test_nonsense_is_no_error(db: Database) -> None:
    await say(db, *SAID)
    await index(db)
    found = {query[:9]: await find(db, query) for query in NONSENSE}
    assert {query for query, ids in found.items() if ids} == {"占*", "占 占 占 占 占"}


async def test_common_words_are_told_apart_from_rare_ones(db: Database) -> None:
    await say(db, *SAID)
    await index(db)
    async with db.read() as conn:
        assert await candidates(conn, read("渤海"), 1) is None
        assert sorted(await candidates(conn, read("渤海"), 2) or []) == [FIRST, FIRST + 2]


async def test_an_edit_is_found_by_its_new_words_only(db: Database) -> None:
    await say(db, *SAID)
    await index(db)

    async def work(tx: Tx) -> None:
        await forget(tx, Text(FIRST, "", SAID[0], ""))
        await tx.run(
            update(T.items).where(T.items.c.id == FIRST).values(text="井盖丢失", revision=2)
        )
        await mark(tx, [FIRST])

    await db.write(work)
    await index(db)
    assert (await find(db, "井盖"), await find(db, "占道")) == ([0], [])


async def test_what_is_edited_before_it_was_indexed_is_indexed_once(db: Database) -> None:
    await say(db, *SAID)

    async def work(tx: Tx) -> None:
        await forget(tx, Text(FIRST, "", SAID[0], ""))
        await tx.run(
            update(T.items).where(T.items.c.id == FIRST).values(text="井盖丢失", revision=2)
        )
        await mark(tx, [FIRST])

    await db.write(work)
    await index(db)
    async with db.read() as conn:
        assert await candidates(conn, read("井盖"), 9) == [FIRST]
        assert await candidates(conn, read("占道"), 9) == []


async def test_what_was_edited_while_its_terms_were_made_stays_due(db: Database) -> None:
    await say(db, SAID[0])

    async def later(tx: Tx) -> None:
        await tx.run(update(T.items).values(text="井盖丢失", revision=2))

    await db.write(later)
    indexer = Indexer(db)
    await db.write(
        lambda tx: indexer._put(tx, {FIRST: 1}, {FIRST: [] if not db.is_sqlite else "占"})
    )
    async with db.read() as conn:
        assert (await conn.execute(select(T.search_due))).all() == [(FIRST,)]
        assert (await conn.execute(select(T.searched.c.item_id))).all() == []


async def test_nothing_of_an_erased_message_is_left(db: Database) -> None:
    await say(db, *SAID)
    await index(db)

    async def work(tx: Tx) -> None:
        await forget(tx, Text(FIRST, "", SAID[0], ""))
        await tx.run(update(T.items).where(T.items.c.id == FIRST).values(text="", key=None))

    await db.write(work)
    async with db.read() as conn:
        assert await candidates(conn, read("占道"), 9) == []
        assert await candidates(conn, read("3"), 9) == []
        assert await candidates(conn, read("渤海"), 9) == [FIRST + 2]


async def test_an_erased_message_is_not_found_even_if_its_words_are_still_there(
    db: Database,
) -> None:
    await say(db, *SAID)
    await index(db)
    await db.write(lambda tx: tx.run(update(T.items).values(key=None)))
    assert await find(db, "占道") == []
    await say(db, "占道了", start=FIRST + 10)
    await db.write(lambda tx: tx.run(update(T.items).values(key=None)))
    await index(db)
    async with db.read() as conn:
        assert FIRST + 10 not in (await candidates(conn, read("占道"), 9) or [])
