"""``python tests/bench/clocks.py``: due times a second on one core, against going through the days."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from router.deadlines import Clock, Clocks, Deadlines, Limit, Pause, Reason, Unit
from store.config import load

ZONE = ZoneInfo("Asia/Shanghai")
LIMITS = load(Path(__file__).parent.parent.parent / "configs" / "deadlines.toml", Deadlines)
STARTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=17 * n) for n in range(20_000)]
AMOUNTS = [Limit(amount=n, unit=Unit.WORK_DAYS) for n in (0.5, 5, 40, 500)]


def stepping(start: datetime, limit: Limit) -> datetime:
    """What one writes first: from one day to the next."""
    left, local = LIMITS.seconds(limit), start.astimezone(ZONE)
    while True:
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        for opens, closes in LIMITS.hours_on(local.date()):
            begins = max(local, datetime.combine(local.date(), opens, ZONE))
            ends = datetime.combine(local.date(), closes, ZONE)
            if begins + timedelta(seconds=left) <= ends:
                return begins + timedelta(seconds=left)
            left -= max(0.0, (ends - begins).total_seconds())
        local = midnight + timedelta(days=1)


def rate(name: str, call: Callable[[datetime], object], starts: list[datetime]) -> None:
    """Print how many calls a second."""
    call(starts[-1])
    began = time.perf_counter()
    for start in starts:
        call(start)
    print(f"{name:<36} {len(starts) / (time.perf_counter() - began):>10,.0f} / s")


def paused(start: datetime, limit: Limit) -> Clock:
    """A clock that stood for two days."""
    since = start + timedelta(hours=3)
    pause = Pause(since, since + timedelta(days=2), Reason.SUSPENSION)
    return Clock(start, limit, (pause,))


def main() -> None:
    clocks = Clocks(LIMITS, ZONE)
    for limit in AMOUNTS:
        name = f"{limit.amount:g} {limit.unit}"
        rate(f"due_at {name}", lambda start, limit=limit: LIMITS.due_at(start, limit, ZONE), STARTS)
        rate(
            f"  day by day {name}", lambda start, limit=limit: stepping(start, limit), STARTS[::20]
        )
    five = AMOUNTS[1]
    rate("clock with a pause: due_at", lambda s: clocks.due_at(paused(s, five)), STARTS)
    now = STARTS[-1]
    rate("clock with a pause: state", lambda s: clocks.state(paused(s, five), now), STARTS)


if __name__ == "__main__":
    main()
