"""What several commands share: opening a hub from the arguments, and progress on a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hub.app import Hub
from hub.city import load_city
from hub.settings import Settings, find_configs, load_settings
from ingest.protocol import Parsed, Polled
from store.model import Item

console = Console(stderr=True)


def say(text: str) -> None:
    """A line for the person at the terminal, apart from the command's output."""
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def make_hub(args: argparse.Namespace, **overrides: Any) -> Hub:
    """A hub, not yet open, from ``--configs`` and ``--data``."""
    configs = find_configs(args.configs)
    settings = load_settings(configs, **overrides)
    city = load_city(configs, channels=known_channels(settings))
    return Hub(settings, city, Path(args.data), progress=say)


def known_channels(settings: Settings) -> frozenset[str]:
    """Channels that rules may name: those with a shown name and those with a connector."""
    connectors = settings.connectors
    named = (
        connectors.feeds,
        connectors.forums,
        connectors.weibo,
        connectors.wechat,
        connectors.lists,
    )
    return frozenset(settings.channels).union(*named)


@asynccontextmanager
async def opened(args: argparse.Namespace) -> AsyncIterator[Hub]:
    """An open hub without running rooms."""
    hub = make_hub(args)
    await hub.open()
    try:
        yield hub
    finally:
        await hub.close()


@contextmanager
def bars(**totals: int) -> Iterator[Callable[[str, int], None]]:
    """Progress bars on a terminal, silence elsewhere; call with (bar, how many more)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
        tasks = {name: progress.add_task(name, total=total) for name, total in totals.items()}
        yield lambda name, more: progress.advance(tasks[name], more)


async def looked(source: Polled, *, pages: int = 20) -> AsyncIterator[Item]:
    """What the source's first pages hold now, without storing anything; a post that can not be read is said."""
    async with aclosing(source.pages("", sweep=False)) as found:  # type: ignore[type-var]
        async for page in found:
            parsed = source.parse(page.payload) if page.payload else Parsed()
            for failure in parsed.failures:
                say(failure.error)
            for item in parsed.items:
                yield item
            pages -= 1
            if not pages:
                return
