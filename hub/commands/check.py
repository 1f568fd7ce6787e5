"""``minsheng check``: everything that can be known to be wrong before the hub runs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import timedelta

from hub.commands.common import looked, make_hub
from store.errors import ConfigError, HubError

AHEAD = timedelta(days=400)
"""How far ahead the calendar must be known."""


def check(args: argparse.Namespace) -> int:
    """Read every file, run every rule's examples, open the stores, call every source."""
    return asyncio.run(_check(args))


async def _check(args: argparse.Namespace) -> int:
    hub = make_hub(args)
    examples = sum(len(rule.example) for rule in hub.city.router.rules.rule)
    offices, rules = len(hub.city.directory.names), len(hub.city.router.rules.rule)
    charges = len(hub.city.charges.charge)
    print(f"config: {offices} offices, {rules} rules, {examples} examples, {charges} charges: good")
    today = hub.clock().astimezone(hub.zone).date()
    for notice in hub.city.deadlines.notices(today, today + AHEAD):
        print(notice)
    await hub.open()
    failed = 0
    try:
        print(f"store: {hub.db.shown_url}: good")
        print(f"journal: {'embedded' if hub.embedded else hub.settings.journal_url}: good")
        for source in hub.channels.polled:
            try:
                found = [item async for item in looked(source, pages=1)]
                print(f"ingest: {source.channel}: {len(found)} messages: good")
            except HubError as error:
                failed += 1
                print(error, file=sys.stderr)
    finally:
        await hub.close()
    if failed:
        msg = f"check: {failed} sources do not answer as they should; see above"
        raise ConfigError(msg)
    return 0
