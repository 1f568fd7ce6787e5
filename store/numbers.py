"""Numbers people can read out: item ids, case numbers and their check digit.

An id is ``yyyymmdd * 10_000_000 + number of the day``; a case number is the city's prefix, the same
digits and a check digit (ISO/IEC 7064, MOD 11,10), so that one wrong or swapped digit is noticed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from store.db import Tx
from store.errors import RejectedError
from store.tables import T

PER_DAY = 10_000_000


async def take_numbers(tx: Tx, days: Sequence[str], *, is_sqlite: bool) -> list[int]:
    """One new id for each of ``days`` (yyyymmdd), in order; nobody else gets the same."""
    following: dict[str, int] = {}
    for day, count in sorted(Counter(days).items()):
        last = await count_up(tx, day, count, is_sqlite=is_sqlite)
        following[day] = int(day) * PER_DAY + last - count + 1
    ids: list[int] = []
    for day in days:
        ids.append(following[day])
        following[day] += 1
    return ids


async def count_up(tx: Tx, name: str, by: int = 1, *, is_sqlite: bool) -> int:
    """Take ``by`` numbers of the counter ``name``; returns the last. Given back when the transaction fails."""
    insert = sqlite_insert if is_sqlite else pg_insert
    c = T.counters.c
    statement = (
        insert(T.counters)
        .values(day=name, n=by)
        .on_conflict_do_update(index_elements=["day"], set_={"n": c.n + by})
        .returning(c.n)
    )
    return int((await tx.run(statement)).scalar_one())


def check_digit(digits: str) -> str:
    """ISO/IEC 7064 MOD 11,10 over decimal digits."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def case_no(prefix: str, case_id: int) -> str:
    """The number of a case as people see it: DH202611240000383 and a check digit."""
    digits = str(case_id)
    return f"{prefix}{digits}{check_digit(digits)}"


def parse_case_no(prefix: str, text: str) -> int:
    """The case id behind a number; raises RejectedError when the check digit says it was mistyped."""
    digits = text.strip().upper().removeprefix(prefix)
    if not digits.isdecimal() or check_digit(digits[:-1]) != digits[-1]:
        msg = "store: that is not a case number; check its digits"
        raise RejectedError(msg, reason="case_no")
    return int(digits[:-1])
