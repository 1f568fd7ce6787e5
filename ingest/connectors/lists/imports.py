"""Import one file at once: what the desk and the command line call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.admit import Admission
from ingest.connectors.lists import Lists
from ingest.connectors.lists.report import report
from ingest.connectors.lists.rows import Problem, Row, refused
from ingest.protocol import Payload
from store.errors import RejectedError

CHUNK = 200


@dataclass(frozen=True)
class Result:
    """What became of a file's rows. ``repeated`` ones were followed by a later one of the same
    identity; ``report_csv`` lists the bad ones, and is only a header when there are none."""

    new: int
    duplicate: int
    revised: int
    bad: int
    skipped: int
    repeated: int
    report_csv: bytes


async def import_file(admission: Admission, lists: Lists, payload: Payload) -> Result:
    """Admit every good row and keep every bad one in ``dead``; again is harmless.

    Raises RejectedError when the file is no list, TransientError when the database can not promise
    durability: import it again then.
    """
    reading = await asyncio.to_thread(lists.read, payload)
    sheet = reading.table.sheet.name
    for bad in reading.bad:
        failure = lists.failure(sheet, bad)
        error = RejectedError(failure.error)
        await admission.reject(lists.channel, failure.source_key, failure.content, error)
    problems = [bad.problem for bad in reading.bad]
    outcomes: Counter[str] = Counter()
    for start in range(0, len(reading.rows), CHUNK):
        rows = reading.rows[start : start + CHUNK]
        problems += await _admit(admission, rows, outcomes)
    return Result(
        new=outcomes["admitted"],
        duplicate=outcomes["duplicate"],
        revised=outcomes["revised"],
        bad=len(problems),
        skipped=reading.skipped,
        repeated=reading.repeated,
        report_csv=report(sheet, problems),
    )


async def _admit(
    admission: Admission, rows: Sequence[Row], outcomes: Counter[str]
) -> list[Problem]:
    """All at once; when one is refused, one by one, so that only that one is lost to ``dead``."""
    try:
        heard = await admission.admit([row.item for row in rows])
    except RejectedError as error:
        if len(rows) == 1:
            item = rows[0].item
            content = item.model_dump_json(exclude={"media"}).encode()
            await admission.reject(item.channel, f"row:{item.channel_id}", content, error)
            return [refused(rows[0], error)]
        return [p for row in rows for p in await _admit(admission, [row], outcomes)]
    outcomes.update(one.outcome for one in heard)
    return []
