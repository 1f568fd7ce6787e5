"""What officials do with topics: name, merge, hide, watch (专题); each is on the audit and counts from then on.

A change of what a watched topic means, or of which are watched, has items counted anew (``router.trends.series``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import insert, select, update

from router.trends.series import start_over
from router.trends.topics import MOST_WAYS, Phrases, check_phrases, read_phrases
from store.audit import audited
from store.db import Database, Tx
from store.errors import ConflictError, RejectedError
from store.tables import T

LONGEST_NAME = 40
"""Characters of a topic's name."""


class TopicState(StrEnum):
    """Where a topic stands."""

    FOUND = "found"
    WATCHED = "watched"
    HIDDEN = "hidden"
    MERGED = "merged"


STATE_NAMES: Mapping[TopicState, str] = MappingProxyType(
    {
        TopicState.FOUND: "上升话题",
        TopicState.WATCHED: "专题",
        TopicState.HIDDEN: "已隐藏",
        TopicState.MERGED: "已合并",
    }
)
_LISTED = frozenset({TopicState.FOUND, TopicState.WATCHED})
_AWAY = frozenset({TopicState.HIDDEN, TopicState.MERGED})

Change = Callable[[Tx, Any, datetime], Any]


class Curation:
    """Commands on topics. ``actor`` is a login.

    Every one raises RejectedError for a topic that is not there or a value that can not be, ConflictError when
    somebody has changed the topic so that the command no longer fits.
    """

    def __init__(self, db: Database, *, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._zone = zone
        self._clock = clock

    async def name(self, topic: int, name: str, *, actor: str) -> None:
        """Call it ``name`` from now on."""
        said = _name(name)
        await self._change(topic, _LISTED, "topic.name", said, actor=actor, name=said)

    async def hide(self, topic: int, *, actor: str) -> None:
        """It is no topic; found again, it stays hidden. A watched one is watched no more."""
        values = {"state": TopicState.HIDDEN, "sentence": ""}
        await self._change(topic, _LISTED, "topic.hide", "", actor=actor, again=True, **values)

    async def show(self, topic: int, *, actor: str) -> None:
        """List a hidden or merged one again."""
        back: dict[str, Any] = {"state": TopicState.FOUND, "merged_into": None}
        await self._change(topic, _AWAY, "topic.show", "", actor=actor, **back)

    async def watch(self, topic: int, *, actor: str) -> None:
        """Make it a 专题 with a trend of its own, back to 400 days."""
        values = {"state": TopicState.WATCHED}
        found = frozenset({TopicState.FOUND})
        await self._change(topic, found, "topic.watch", "", actor=actor, again=True, **values)

    async def unwatch(self, topic: int, *, actor: str) -> None:
        """Its trend ends, with all its past; it stays listed while it rises."""
        values = {"state": TopicState.FOUND}
        watched = frozenset({TopicState.WATCHED})
        await self._change(topic, watched, "topic.unwatch", "", actor=actor, again=True, **values)

    async def rephrase(self, topic: int, ways: Iterable[Iterable[str]], *, actor: str) -> None:
        """Other phrases tell it: alternatives, each of words that must all be there."""
        phrases = check_phrases(ways)
        kept = _written(phrases)
        await self._change(
            topic, _LISTED, "topic.rephrase", _said(phrases), actor=actor, again=True, phrases=kept
        )

    async def add(self, name: str, ways: Iterable[Iterable[str]], *, actor: str) -> int:
        """A watched topic that nobody had to find; its number."""
        said, phrases, at = _name(name), check_phrases(ways), self._clock()
        row: dict[str, Any] = {"name": said, "phrases": _written(phrases), "actor": actor}
        row |= {"state": TopicState.WATCHED, "at": at, "updated_at": at}

        async def work(tx: Tx) -> int:
            made = await tx.run(insert(T.topics).values(row).returning(T.topics.c.id))
            topic = int(made.scalar_one())
            note = f"{said}：{_said(phrases)}"
            await self._noted(tx, topic, "topic.add", note, actor=actor, at=at)
            await start_over(tx, at, self._zone)
            return topic

        return await self._db.write(work)

    async def merge(self, topic: int, into: int, *, actor: str) -> None:
        """It is the same as another, which takes its phrases."""
        t, at = T.topics.c, self._clock()
        if topic == into:
            raise RejectedError("router: into: the topic itself; choose another", reason="into")

        async def work(tx: Tx) -> None:
            own = await self._row(tx, topic, _LISTED)
            target = await self._row(tx, into, _LISTED)
            both = dict.fromkeys((*read_phrases(target.phrases), *read_phrases(own.phrases)))
            if len(both) > MOST_WAYS:
                msg = f"router: into: more than {MOST_WAYS} phrases together; remove some first"
                raise RejectedError(msg, reason="into")
            gone = {"state": TopicState.MERGED, "merged_into": into, "sentence": ""}
            await tx.run(update(T.topics).where(t.id == topic).values(gone | {"updated_at": at}))
            moved = update(T.topics).where(t.merged_into == topic)
            await tx.run(moved.values(merged_into=into))
            taken = {"phrases": _written(tuple(both)), "actor": actor, "updated_at": at}
            await tx.run(update(T.topics).where(t.id == into).values(taken))
            await self._noted(tx, topic, "topic.merge", f"并入 {into}", actor=actor, at=at)
            if TopicState.WATCHED in {own.state, target.state}:
                await start_over(tx, at, self._zone)

        await self._db.write(work)

    async def _change(
        self,
        topic: int,
        states: Collection[TopicState],
        act: str,
        note: str,
        *,
        actor: str,
        again: bool = False,
        **values: Any,
    ) -> None:
        """Change a row that is in one of ``states``; ``again``: what it counts may be another."""
        at = self._clock()

        async def work(tx: Tx) -> None:
            row = await self._row(tx, topic, states)
            changes = values | {"actor": actor, "updated_at": at}
            await tx.run(update(T.topics).where(T.topics.c.id == topic).values(changes))
            await self._noted(tx, topic, act, note or row.name, actor=actor, at=at)
            if again and TopicState.WATCHED in {row.state, changes.get("state")}:
                await start_over(tx, at, self._zone)

        await self._db.write(work)

    async def _row(self, tx: Tx, topic: int, states: Collection[TopicState]) -> Any:
        asked = select(T.topics).where(T.topics.c.id == topic).with_for_update()
        row = (await tx.run(asked)).first()
        if row is None:
            raise RejectedError("router: topic: no such topic; look again", reason="topic")
        if row.state not in states:
            msg = f"router: topic: is {row.state} now; look again"
            raise ConflictError(msg)
        return row

    async def _noted(
        self, tx: Tx, topic: int, act: str, note: str, *, actor: str, at: datetime
    ) -> None:
        await audited(tx, actor=actor, act=act, target=f"topic:{topic}", note=note, at=at)


def _name(name: str) -> str:
    said = " ".join(name.split())
    if not 0 < len(said) <= LONGEST_NAME:
        msg = f"router: name: empty or longer than {LONGEST_NAME} characters; write another"
        raise RejectedError(msg, reason="name")
    return said


def _written(phrases: Phrases) -> str:
    return msgspec.json.encode(phrases).decode()


def _said(phrases: Phrases) -> str:
    """Phrases as a person writes them: one alternative a line, its words apart."""
    return "；".join(" ".join(way) for way in phrases)
