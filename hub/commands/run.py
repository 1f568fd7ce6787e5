"""``minsheng run``: the hub until SIGINT or SIGTERM, stopped cleanly within ten seconds."""

from __future__ import annotations

import argparse
import asyncio
import signal
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from desk.admin import Backstage
from desk.app import Desk
from hub.app import ROOMS, Hub
from hub.backstage import backstage
from hub.city import City
from hub.commands.common import known_channels, make_hub, say
from hub.demo import Demo, demo_settings
from hub.handover import Handover
from hub.settings import find_configs
from hub.telemetry import set_up_logs
from hub.web import build
from store.errors import ConfigError


def run(args: argparse.Namespace) -> int:
    """Start, wait for a signal, stop."""
    rooms = tuple(args.only or ROOMS)
    for room in rooms:
        if room not in ROOMS:
            msg = f"hub: --only {room}: there is no such room; one of {', '.join(ROOMS)}"
            raise ConfigError(msg)
    set_up_logs()
    return asyncio.run(_run(args, rooms))


async def _run(args: argparse.Namespace, rooms: tuple[str, ...]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    demo = Demo() if args.demo else None
    if demo is not None:
        await demo.open()
    hub = make_hub(args, **(demo_settings(args, demo) if demo else {}))
    if demo is not None:
        demo.attach(hub)
    try:
        await hub.open()
        await _serve(args, rooms, hub, demo, stop)
    finally:
        if demo is not None:
            await demo.close()
        await hub.close()
    failed = hub.runner.failed
    if failed is not None and failed.done():
        raise failed.result()
    return 0


async def _serve(
    args: argparse.Namespace,
    rooms: tuple[str, ...],
    hub: Hub,
    demo: Demo | None,
    stop: asyncio.Event,
) -> None:
    lent = backstage(hub, find_configs(args.configs), known_channels(hub.settings))
    desk = _desk(hub, lent, demo=demo is not None)
    hub.adopters.append(lambda city: desk.adopt(city.directory, city.charges, _reasons(city)))
    handover = Handover(hub)
    mounts = [handover.mount] if "ingest" in rooms else []
    if "desk" in rooms:
        mounts.append(desk.mount)
    runner = web.AppRunner(
        build(hub, mounts=tuple(mounts)), access_log=None, shutdown_timeout=3, handle_signals=False
    )
    await runner.setup()
    try:
        url = await _listen(args, hub, runner)
        await hub.start(rooms)
        if hub.db.is_sqlite:
            handover.announce(url)
        if demo is not None:
            await demo.start(url, desk.accounts)
        _greet(hub, url, demo)
        await _until(stop, hub)
    finally:
        await desk.close()
        await runner.cleanup()
        (Path(args.data) / "hub.json").unlink(missing_ok=True)


def _desk(hub: Hub, lent: Backstage, *, demo: bool) -> Desk:
    return Desk(
        db=hub.db,
        vault=hub.vault,
        commands=hub.commands,
        city=hub.settings.city.hub_name,
        taxonomy=hub.city.taxonomy,
        directory=hub.city.directory,
        charges=hub.city.charges,
        replies=hub.routing.replies,
        reckoner=hub.routing.reckoner,
        numbers=hub.trends.numbers,
        bulletins=hub.reporting.bulletins,
        trends=hub.city.trends,
        topics=hub.city.topics,
        geojson=hub.city.geojson,
        book=hub.trends.book,
        supervisor=hub.routing.supervisor(),
        admission=hub.admission,
        sources=hub.channels.names,
        lists=hub.channels.lists,
        finder=hub.routing.finder,
        zone=hub.zone,
        channels=hub.settings.channels,
        rules=_reasons(hub.city),
        clock=hub.clock,
        secure=hub.settings.listen.secure,
        demo=demo,
        offices=hub.routing.offices,
        notices=hub.notices,
        canned=hub.city.canned,
        people=hub.settings.accounts,
        http=hub.http,
        public_url=hub.settings.public_url,
        backstage=lent,
    )


def _reasons(city: City) -> dict[str, str]:
    """Why each rule sends where it sends, by its name."""
    return {rule.name: rule.why for rule in city.router.rules.rule}


async def _until(stop: asyncio.Event, hub: Hub) -> None:
    waits = [asyncio.ensure_future(stop.wait())]
    if hub.runner.failed is not None:
        waits.append(hub.runner.failed)  # type: ignore[arg-type]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    waits[0].cancel()
    with suppress(asyncio.CancelledError):
        await waits[0]


async def _listen(args: argparse.Namespace, hub: Hub, runner: web.AppRunner) -> str:
    host = args.host or hub.settings.listen.host
    port = hub.settings.listen.port if args.port is None else args.port
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
    except OSError as error:
        cause = f"hub: listen.port: {host}:{port} can not be used ({error.strerror})"
        msg = f"{cause}; stop the other program or pass --port"
        raise ConfigError(msg) from error
    shown = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - only compared
    return f"http://{shown}:{runner.addresses[0][1]}"


def _greet(hub: Hub, url: str, demo: Demo | None) -> None:
    say(f"\n  {hub.settings.city.hub_name}  {url}\n")
    if demo is not None:
        say("  Demo: every message and person is fictional. Log in with:")
        for name, password, what in demo.logins:
            say(f"    {name:<12} {password:<18} {what}")
    else:
        say(
            "  Nothing is connected yet unless configs/hub.toml names it: feeds under [connectors.feeds],"
        )
        say(
            "  app clients in MINSHENG_CONNECTORS__APP__KEYS. Add people with `minsheng user NAME --role admin`."
        )
    say("  Stop with Ctrl-C.\n")
