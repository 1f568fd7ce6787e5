"""The parts of a message that holds several matters (拆分): each an item and a case of its own, as rows.

A part says the words chosen for it and carries the original's place, author and way back. What is sealed of it is
the whole message as it came, under a key of its own; that key is sealed under the original's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, exists, select

from router.deciding import Labels
from router.filing import SUMMARY
from router.workflow import CaseStatus
from store.db import Tx, among
from store.errors import ConflictError, RejectedError
from store.model import Decision, item_uid
from store.numbers import case_no
from store.tables import T
from store.vault import Box, Vault

INHERITED = (
    "channel", "author_key", "address", "lat", "lon", "coord_type", "url", "thread", "replayed",
    "posted_at", "received_at", "wanted_at",
)  # fmt: skip
"""Columns of a part's item that are the original's."""

PLACED = (
    "channel", "area", "point", "received_at", "wanted_at", "stage_due_at", "due_at", "replayed",
)  # fmt: skip
"""Columns of a part's case that are the original's."""


@dataclass(frozen=True)
class Part:
    """One matter of a message: labels, the words (redacted) that tell it, who should get it (empty: as rules say)."""

    labels: Labels
    words: str
    department: str = ""


def item_row(vault: Vault, origin: Any, part: Part, number: int) -> dict[str, Any]:
    """The part's row of ``items``; RejectedError when the original was erased."""
    if origin.key is None:
        msg = "router: parts: the message was erased; there is nothing left to split"
        raise RejectedError(msg, reason="erased")
    name = f"part:{origin.id}:{number}"
    theirs, own = (str(item_uid(origin.channel, one)) for one in (origin.channel_id, name))
    content = vault.unseal(theirs, Box(origin.key, origin.sealed))
    box = vault.seal(own, content)
    row = {column: getattr(origin, column) for column in INHERITED}
    row |= {"id": number, "channel_id": name, "part_of": origin.id, "text": part.words, "title": ""}
    row |= {"revision": 1, "content_sha": origin.content_sha, "media_count": 0}
    row |= {"sealed": box.sealed, "key": vault.seal(theirs, box.key, key=origin.key).sealed}
    return row


def case_row(
    case: Mapping[str, Any], part: Part, number: int, suggested: tuple[str, str]
) -> dict[str, Any]:
    """The part's case, waiting at the desk; ``suggested`` are office and rule."""
    prefix = case["case_no"].removesuffix(case_no("", case["id"]))
    labels = part.labels
    row = {column: case[column] for column in PLACED}
    row |= {"id": number, "case_no": case_no(prefix, number), "status": CaseStatus.RECEIVED}
    row |= {
        "kind": labels.kind,
        "urgency": labels.urgency,
        "decision": Decision.DESK,
        "confidence": 1.0,
    }
    row |= {"problems": _json(labels.problems), "campaigns": _json(labels.campaigns)}
    row |= {"department": "", "suggested": suggested[0], "rule": suggested[1], "version": 1}
    row |= {"summary": part.words.replace("\n", " ")[:SUMMARY], "split_from": case["id"]}
    return row


def verdict_row(verdict: Any, case: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What stands for the part's verdict until the classifier has read its words."""
    row = {
        name: case[name] for name in ("kind", "problems", "campaigns", "urgency", "area", "point")
    }
    row |= {"item_id": case["id"], "revision": 1, "model": verdict.model, "decision": Decision.DESK}
    return row | {"dept_hint": verdict.dept_hint, "trust": 0.0, "at": at}


async def take_back_parts(tx: Tx, ids: Sequence[int], *, is_sqlite: bool) -> None:
    """Remove parts that nobody has touched; nothing of them has left the hub. ConflictError otherwise."""
    c, n = T.cases.c, T.case_notes.c
    noted = exists().where(n.case_id == c.id)
    untouched = (c.version == 1, c["items"] == 1, c.merged_into.is_(None), ~noted)
    mine = select(c.id).where(among(c.id, ids, is_sqlite=is_sqlite), *untouched).with_for_update()
    if len((await tx.run(mine)).all()) != len(ids):
        msg = "router: too late to undo, somebody works on a part; use the other commands"
        raise ConflictError(msg)
    for column in _OWN:
        await tx.run(delete(column.table).where(among(column, ids, is_sqlite=is_sqlite)))


_OWN = (
    T.claims.c.case_id, T.case_keys.c.case_id, T.events.c.case_id, T.case_items.c.case_id, T.cases.c.id,
    T.shadow_verdicts.c.item_id, T.verdicts.c.item_id, T.items.c.id,
)  # fmt: skip


def _json(labels: Sequence[str]) -> str:
    return msgspec.json.encode(labels).decode()
