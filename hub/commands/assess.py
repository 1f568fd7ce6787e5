"""``minsheng assess``: a month of the assessment (考核) as a table or JSON; ``--freeze`` fixes it."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.table import Table

from hub.commands.common import make_hub, opened, say
from router.assessment import By, plain
from router.months import Month, read_month
from router.reports import Line, Report, as_dict
from store.db import Database
from store.errors import ConfigError


def assess_(args: argparse.Namespace) -> int:
    """Show the month, frozen or as it stands; a running hub need not be stopped unless to freeze by hand."""
    month, by = read_month(args.month), By(args.by)
    report, zone = asyncio.run(_frozen(args, month, by) if args.freeze else _read(args, month, by))
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(as_dict(report))).decode())
    else:
        show(report, zone)
    return 0


async def _frozen(args: argparse.Namespace, month: Month, by: By) -> tuple[Report, ZoneInfo]:
    async with opened(args) as hub:
        reckoner = hub.routing.reckoner
        at, is_new = await reckoner.freeze(month)
        when = at.astimezone(hub.zone)
        say(f"router: {month} {'is frozen now' if is_new else f'was frozen {when:%Y-%m-%d %H:%M}'}")
        return await reckoner.report(month, by), hub.zone


async def _read(args: argparse.Namespace, month: Month, by: By) -> tuple[Report, ZoneInfo]:
    hub = make_hub(args)
    file = Path(args.data) / "minsheng.db"
    if not hub.settings.database_url and not file.exists():
        msg = f"store: {file} is not there; pass --data DIR of a hub that has run"
        raise ConfigError(msg)
    db = Database(hub.settings.database_url or f"sqlite:///{file}", exclusive=False)
    await db.open()
    try:
        return await hub.routing.reckoner.beside(db).report(month, by), hub.zone
    finally:
        await db.close()


def show(report: Report, zone: ZoneInfo) -> None:
    """Print the table on standard output: a line a number, then the definitions."""
    state = "已固化" if report.is_frozen else "未固化，仍会变化"
    title = f"{report.month} 考核（{state}，统计于 {report.at.astimezone(zone):%Y-%m-%d %H:%M}）"
    table = Table("单位", "得分", "名次", "指标", "值", "分子/分母")
    for line in report.lines:
        heading = _heading(line)
        for one, cell in zip(report.indicators, line.cells, strict=True):
            parts = [plain(cell.numerator), plain(cell.denominator)][: 1 + one.is_ratio]
            table.add_row(*heading, one.name, cell.shown, "/".join(parts))
            heading = ("", "", "")
        table.add_section()
    console = Console()
    console.print(title, highlight=False, soft_wrap=True)
    console.print(table)
    for one in report.indicators:
        console.print(f"{one.name}：{one.formula}", highlight=False, markup=False)


def _heading(line: Line) -> tuple[str, str, str]:
    standing = line.standing
    score = "—" if standing.score is None else f"{standing.score:.2f}"
    return line.name, score, "—" if standing.rank is None else str(standing.rank)
