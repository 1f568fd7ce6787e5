"""Commands that put something into the hub or show what is in it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from pathlib import Path

import msgspec

from desk.accounts import Accounts, check_scope
from hub.app import ROOMS, Hub
from hub.commands.common import bars, looked, make_hub, opened, say
from hub.handover import hand_over, running_hub
from hub.redrive import redrive
from hub.replay import as_json, replay
from ingest.connectors.lists import Lists
from ingest.connectors.lists.imports import import_file
from ingest.protocol import Payload
from store.errors import ConfigError, RejectedError


def migrate_(args: argparse.Namespace) -> int:
    """Upgrade the schema and say from where to where."""

    async def work() -> int:
        with bars(migrate=1) as advance:
            async with opened(args) as hub:
                advance("migrate", 1)
                say(f"store: {hub.db.shown_url} is up to date")
        return 0

    return asyncio.run(work())


def replay_(args: argparse.Namespace) -> int:
    """Run the recording through this process's rooms, or hand it to the hub that owns the data."""
    counts = asyncio.run(_replay(args))
    print(as_json(counts) if args.json else "\n".join(f"{k:>11} {v}" for k, v in counts.items()))
    return 0


async def _replay(args: argparse.Namespace) -> dict[str, int]:
    total = _lines(args.file)
    with bars(feed=total, settle=total) as advance:
        hub = make_hub(args)
        if hub.db.is_sqlite and running_hub(Path(args.data)):
            return await hand_over(hub, Path(args.data), args.file, args.channel, progress=advance)
        await hub.open()
        try:
            await hub.start(tuple(room for room in ROOMS if room != "desk"))
            return await replay(hub, args.file, args.channel, progress=advance)
        finally:
            await hub.close()


def _lines(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    except OSError as error:
        msg = f"hub: can not read {path} ({error.strerror}); give a file of JSON lines"
        raise ConfigError(msg) from error


def poll_(args: argparse.Namespace) -> int:
    """Ask a source; with ``--dry-run`` show what it said."""

    async def work() -> int:
        async with opened(args) as hub:
            source = next((s for s in hub.channels.polled if s.channel == args.name), None)
            if source is None:
                known = ", ".join(s.channel for s in hub.channels.polled) or "none"
                cure = f"(configured: {known}); add it under [connectors]"
                msg = f"config: hub.toml: connectors: no polled source is called {args.name} {cure}"
                raise ConfigError(msg)
            if args.dry_run:
                async for item in looked(source):
                    print(item.model_dump_json(exclude={"media", "contact", "author"}))
                return 0
            polling = await hub.poller.poll(source, sweep=args.sweep or None)
            counts = Counter(h.outcome for h in polling.heard)
            told = ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())) or "nothing"
            say(polling.error or f"ingest: {args.name}: {told}")
            if polling.error:
                return 1
        return 0

    return asyncio.run(work())


def import_(args: argparse.Namespace) -> int:
    """Take in a list; with ``--preview`` show how it was understood, personal details masked."""
    try:
        payload = Payload(args.file.read_bytes(), "", args.file.name)
    except OSError as error:
        msg = f"hub: can not read {args.file} ({error.strerror}); give a CSV, XLSX or XLS file"
        raise ConfigError(msg) from error
    if args.preview:
        lists = _lists(make_hub(args), args.channel)
        print(msgspec.json.format(msgspec.json.encode(lists.preview(payload).as_dict())).decode())
        return 0

    async def work() -> int:
        async with opened(args) as hub:
            result = await import_file(hub.admission, _lists(hub, args.channel), payload)
        counts = f"{result.new} new, {result.revised} revised, {result.duplicate} known already"
        say(f"ingest: {args.channel}: {counts}, {result.bad} bad rows, {result.skipped} skipped")
        if result.bad:
            print(result.report_csv.decode("utf-8-sig"), end="")
        return int(result.bad > 0)

    return asyncio.run(work())


def _lists(hub: Hub, channel: str) -> Lists:
    if channel not in hub.channels.lists:
        known = ", ".join(hub.channels.lists)
        msg = f"config: hub.toml: connectors.lists.{channel} is not there (configured: {known}); add it"
        raise ConfigError(msg)
    return hub.channels.lists[channel]


def dead_(args: argparse.Namespace) -> int:
    """Rejects, newest first; contents stay sealed."""

    async def work() -> int:
        async with opened(args) as hub:
            if args.replay:
                say(f"dead: {await redrive(hub)} fed again")
                return 0
            for one in await hub.dead.list(limit=10_000):
                row = {"id": one.id, "stage": one.stage, "reason": one.reason, "error": one.error}
                row |= {"attempts": one.attempts, "at": one.at.isoformat()}
                print(
                    msgspec.json.encode(row).decode()
                    if args.json
                    else f"{one.id:>6} {one.stage:<16} {one.reason:<12} {one.error}"
                )
        return 0

    return asyncio.run(work())


def user_(args: argparse.Namespace) -> int:
    """Write an account; the password is the first line of standard input."""
    password = sys.stdin.readline().rstrip("\n")

    async def work() -> int:
        async with opened(args) as hub:
            try:
                check_scope(args.role, args.scope, hub.city.directory)
            except RejectedError as error:
                raise ConfigError(str(error)) from error
            accounts = Accounts(hub.db, clock=hub.clock)
            await accounts.put(
                args.name,
                password,
                role=args.role,
                display=args.display or args.name,
                scope=args.scope,
            )
            say(f"desk: {args.name} may log in as {args.role}")
        return 0

    return asyncio.run(work())
