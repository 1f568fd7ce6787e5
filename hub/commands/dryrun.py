"""``minsheng dry-run``: what a changed rule, directory, taxonomy or model would move, before it is saved."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from classify.artifact import load as load_model
from classify.artifact import read_card
from classify.engine import ThreadEngine
from classify.tokens import Tokenizer
from hub.city import City, Files, load_city
from hub.commands.common import known_channels
from hub.commands.model import in_use
from hub.settings import Settings, find_configs, load_settings
from router.dryrun import Moves, compare, past
from store.db import Database
from store.errors import ConfigError


def dry_run(args: argparse.Namespace) -> int:
    """Show the moves; nothing is written, and the hub may be running."""
    if args.days < 1:
        msg = "hub: --days must be at least 1; give a number of days"
        raise ConfigError(msg)
    configs = find_configs(args.configs)
    settings = load_settings(configs)
    channels = known_channels(settings)
    old = load_city(configs, channels=channels)
    files = Files(configs, args.routing, args.departments, args.taxonomy)
    new = load_city(files, channels=channels)
    engine = _engine(args, new)
    try:
        moves = asyncio.run(_moves(args, settings, old, new, engine))
    finally:
        if engine is not None:
            engine.close()
    if args.json:
        print(msgspec.json.encode({"days": args.days, **moves.as_dict()}).decode())
    else:
        names = old.directory.names | new.directory.names
        print("\n".join(lines(moves, names, args.days)))
    return 0


def _engine(args: argparse.Namespace, new: City) -> ThreadEngine | None:
    """What understands the messages anew, where another model or taxonomy is given."""
    home = Path(args.data) / "models"
    if args.model:
        read_card(home / args.model)
        return ThreadEngine(load_model(home / args.model, Tokenizer(new.language.whole)))
    if args.taxonomy:
        return ThreadEngine(in_use(home, new.taxonomy, new))
    return None


async def _moves(
    args: argparse.Namespace,
    settings: Settings,
    old: City,
    new: City,
    engine: ThreadEngine | None,
) -> Moves:
    home = Path(args.data) / "minsheng.db"
    if not settings.database_url and not home.exists():
        msg = f"hub: {home} is not there; give the hub's own folder with --data"
        raise ConfigError(msg)
    db = Database(settings.database_url or f"sqlite:///{home}", exclusive=False)
    await db.open()
    moves = Moves()
    try:
        pages = past(
            db,
            old.directory,
            since=datetime.now(UTC) - timedelta(days=args.days),
            zone=ZoneInfo(settings.city.timezone),
            judge=engine.judge if engine is not None else None,
        )
        async for page in pages:
            compare(old.router, new.router, page, deadlines=old.deadlines, into=moves)
    finally:
        await db.close()
    return moves


def lines(moves: Moves, names: dict[str, str], days: int) -> Iterator[str]:
    """The moves for a person at a terminal; cases by number, never their words."""
    yield f"{moves.items} matters of the last {days} days: {moves.moved} would go to another office"
    for (a, b), n in moves.offices.most_common():
        yield f"{n:>7}  {names.get(a, a)} → {names.get(b, b)}"
    yield f"by another rule: {moves.rules.total()}"
    for (a, b), n in moves.rules.most_common():
        yield f"{n:>7}  {a or '-'} → {b or '-'}"
    yield f"only other support: {moves.support}; other urgency: {moves.urgency}; other limit: {moves.deadline}"
    if moves.decided:
        shares = (f"{count / moves.decided:.1%}" for count in (moves.before, moves.after))
        yield f"{moves.decided} placed by a person; the rules agree: {' → '.join(shares)}"
        yield f"  agree now: {' '.join(moves.gained) or '-'}"
        yield f"  no longer: {' '.join(moves.lost) or '-'}"
    for one in moves.examples:
        office, other = (names.get(o, o) for o in (one.office, one.new_office))
        yield f"{one.case_no}  {office} ({one.rule}) → {other} ({one.new_rule})"
