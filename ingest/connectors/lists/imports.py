"""Import one file at once: what the desk and the command line call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.admit import Admission, admit_each
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
    """What became of each row is counted; the refused ones are kept in ``dead`` and returned."""
    problems: list[Problem] = []
    items = [row.item for row in rows]
    for row, heard in zip(rows, await admit_each(admission, items), strict=True):
        if isinstance(heard, RejectedError):
            content = row.item.model_dump_json(exclude={"media"}).encode()
            key = f"row:{row.item.channel_id}"
            await admission.reject(row.item.channel, key, content, heard)
            problems.append(refused(row, heard))
        else:
            outcomes[heard.outcome] += 1
    return problems
