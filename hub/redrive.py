"""Feed kept rejects again, each through the door it was refused at."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import update

from hub.app import Hub
from hub.recording import read_line
from ingest.protocol import Payload
from store.db import Tx
from store.dead import Dead
from store.errors import HubError, RejectedError
from store.model import Item, Record
from store.tables import T

log = logging.getLogger(__name__)

TOPIC_OF = {"classify": "items", "router": "verdicts", "notify": "notices"}


async def redrive(hub: Hub, ids: Sequence[int] | None = None) -> int:
    """Replay every dead letter, or these; one that is still refused stays dead. Returns how many went through."""
    done = 0
    for one in await hub.dead.list(limit=100_000, ids=ids):
        try:
            await _again(hub, one)
        except HubError as error:
            log.warning(
                "still refused",
                extra={"event": "redrive_refused", "stage": one.stage, "cause": str(error)},
            )
            continue

        async def mark(tx: Tx, dead_id: int = one.id) -> None:
            await hub.dead.mark(tx, dead_id, "replayed")

        await hub.db.write(mark)
        done += 1
    return done


async def _again(hub: Hub, one: Dead) -> None:
    if one.stage in TOPIC_OF:
        await _append(hub, one)
    elif one.stage == "deliver":
        await _deliver(hub, one)
    elif one.stage == "photos":
        await _fetch_again(hub, one)
    else:
        await hub.admission.admit(_items(hub, one))


def _items(hub: Hub, one: Dead) -> list[Item]:
    """What a reject of a channel says today: an item that was refused, a payload its connector can read
    now, or a line of a recording. Raises RejectedError when it is still none of these."""
    channel = one.stage.removeprefix("ingest.")
    try:
        return [Item.model_validate_json(one.content)]
    except ValidationError:
        pass
    reader = hub.channels.by_name.get(channel)
    if reader is not None:
        with suppress(RejectedError):
            parsed = reader.parse(Payload(one.content, "", channel))
            if parsed.items and not parsed.failures:
                return list(parsed.items)
    line = read_line(one.content, Path(), channel, hub.zone, datetime.now(UTC))
    if line.item is None:
        cure = f"; what its source still shows is read again by `minsheng poll {channel} --sweep`"
        raise RejectedError(f"{line.error or 'ingest: still not readable'}{cure}")
    return [line.item]


async def _append(hub: Hub, one: Dead) -> None:
    """The same content under a new record id: the old one's place in the log is behind its group."""
    key = one.source_key.split(":")[0]
    again = Record(f"{one.source_key}:again{one.attempts}", key, one.content)

    async def work(tx: Tx) -> None:
        await hub.outbox.put(tx, TOPIC_OF[one.stage], [again])

    await hub.db.write(work)


async def _fetch_again(hub: Hub, one: Dead) -> None:
    item_id, n = (int(part) for part in one.source_key.split(":"))
    p, now = T.photos, hub.clock()

    async def work(tx: Tx) -> None:
        again = update(p).where(p.c.item_id == item_id, p.c.n == n)
        await tx.run(again.values(state="pending", due_at=now, created_at=now, attempts=0))
        tx.touched.add("photos")

    await hub.db.write(work)


async def _deliver(hub: Hub, one: Dead) -> None:
    d = T.deliveries

    async def work(tx: Tx) -> None:
        await tx.run(
            update(d)
            .where(d.c.webhook_id == one.source_key)
            .values(state="pending", due_at=hub.clock(), created_at=hub.clock(), attempts=0)
        )
        tx.touched.add("deliveries")

    await hub.db.write(work)
