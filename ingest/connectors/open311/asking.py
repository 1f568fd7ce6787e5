"""From the arguments of GET /requests to a query, purely.

Times are W3C dates (2026-11-24, 2026-11-24T08:30:00Z, …+08:00); a date alone and a time without zone
are the city's. At most 90 days and 1,000 reports are given at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, tzinfo

from ingest.connectors.open311.read import refuse
from ingest.connectors.open311.requests import Query

MAX_DAYS = 90
MAX_ROWS = 1000
MAX_PAGE = 100_000
STATUSES = frozenset({"open", "closed"})

_SPAN = timedelta(days=MAX_DAYS)
_W3 = re.compile(
    r"(?P<date>(?:19[7-9]\d|20\d\d)-\d\d-\d\d)"
    r"(?P<time>T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?P<zone>Z|[+ -]\d\d:?\d\d)?",
    re.ASCII,
)


def query_of(
    args: Mapping[str, str], *, codes: Collection[str], now: datetime, zone: tzinfo
) -> Query:
    """What is asked for; an empty argument counts as absent. RejectedError names the argument."""
    page, size = _whole(args, "page", 1, MAX_PAGE), _whole(args, "page_size", MAX_ROWS, MAX_ROWS)
    ids = _listed(args, "service_request_id")
    if ids:
        return Query(ids=tuple(filter(None, map(id_of, ids))) or (0,))
    services = _listed(args, "service_code")
    if not set(services) <= set(codes):
        raise refuse("service_code: not found; send codes of /services", reason="not_found")
    statuses = _listed(args, "status")
    if not set(statuses) <= STATUSES:
        raise refuse("status: unknown; send open, closed or both")
    start, end = _span(args, now, zone)
    return Query(
        services=services, statuses=statuses, start=start, end=end, limit=size, offset=(page - 1) * size
    )  # fmt: skip


def id_of(text: str) -> int:
    """The number of a report, 0 when it can be none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def _listed(args: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = [one.strip() for one in args.get(name, "").split(",")]
    kept = tuple(dict.fromkeys(one for one in found if one))
    if len(kept) > MAX_ROWS:
        raise refuse(f"{name}: more than {MAX_ROWS} values; send fewer")
    return kept


def _whole(args: Mapping[str, str], name: str, default: int, most: int) -> int:
    given = args.get(name, "").strip()
    if not given:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", given) or not 1 <= int(given) <= most:
        raise refuse(f"{name}: not a number from 1 to {most}; correct it or leave it out")
    return int(given)


def _span(args: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    first, last = (_time(args, name, zone) for name in ("start_date", "end_date"))
    if first is None:
        last = last or now
        return last - _SPAN, last
    last = last or first + _SPAN
    if not timedelta() <= last - first <= _SPAN:
        raise refuse(f"start_date, end_date: not 0 to {MAX_DAYS} days apart; ask for less at once")
    return first, last


def _time(args: Mapping[str, str], name: str, zone: tzinfo) -> datetime | None:
    given = args.get(name, "").strip()
    if not given:
        return None
    match = _W3.fullmatch(given)
    if match is None:
        raise refuse(f"{name}: not a W3C date; send it like 2026-11-24T08:30:00Z")
    clock = match["time"] or ("T00:00:00" if name == "start_date" else "T23:59:59.999999")
    offset = (match["zone"] or "").replace(" ", "+")  # an unescaped + arrives as a blank
    try:
        made = datetime.fromisoformat(match["date"] + clock + offset)
    except ValueError as error:
        raise refuse(f"{name}: no such day or time; correct it") from error
    return made if made.tzinfo else made.replace(tzinfo=zone)
