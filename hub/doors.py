"""The HTTP doors of channels that call us: the app's API, Open311, WeChat's callbacks, and their document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from desk.asking import say
from hub.app import Hub
from hub.standing import Standing
from ingest.connectors.app import App
from ingest.connectors.open311 import Open311
from ingest.connectors.open311.requests import StoredRequests
from ingest.connectors.open311.services import Service, services_of
from ingest.connectors.wechat.conversations import SqlConversations
from ingest.connectors.wechat.gateway import Status, WeChatGateway
from ingest.gateway import Gateway
from ingest.openapi import openapi, openapi_route
from ingest.shapes import Rating
from router.workflow import STATUS_NAMES, CaseStatus
from store.config import Taxonomy
from store.receipts import Receipts

CLOSED = (CaseStatus.CLOSED, CaseStatus.DECLINED, CaseStatus.REFERRED, CaseStatus.MERGED)
"""Statuses an Open311 client is told as closed."""


def add_doors(application: web.Application, hub: Hub, pressure: Callable[[], float]) -> None:
    """Mount what the settings enable; ``pressure`` is seconds a client should wait, or 0."""
    connectors = hub.settings.connectors
    keys = {name: key.get_secret_value() for name, key in connectors.app.keys.items()}
    receipts = Receipts(hub.db, hub.vault)

    async def rated(receipt: str, said: Rating) -> bool:
        words = {"solved": said.solved, "satisfied": said.satisfied, "note": said.note}
        return await say(hub.commands, receipts, receipt, **words, via="app")

    if connectors.app.enabled:
        gateway = Gateway(
            admission=hub.admission,
            app=App(),
            keys=keys,
            status_of=receipts.status,
            rated=rated,
            pressure=pressure,
            rate=connectors.app.rate,
            burst=connectors.app.burst,
        )
        application.add_routes(gateway.routes())
    services = _services(hub.city.taxonomy)
    if connectors.open311.enabled:
        application.add_routes(_open311(hub, services, keys, pressure).routes())
    document = openapi(codes=[service.code for service in services])
    application.add_routes([openapi_route(document)])
    for gateway_ in _wechat(hub):
        application.add_routes(gateway_.routes())
        application.on_shutdown.append(_closing(gateway_))


def _services(taxonomy: Taxonomy) -> tuple[Service, ...]:
    """What can be reported: the problems and the campaigns."""
    names = taxonomy.names
    return services_of(
        {problem: names[problem] for problem in taxonomy.problems},
        {campaign: names[campaign] for campaign in taxonomy.campaigns},
    )


def _open311(
    hub: Hub, services: Sequence[Service], keys: dict[str, str], pressure: Callable[[], float]
) -> Open311:
    config = hub.settings.connectors.open311
    names = {service.code: service.name for service in services}
    return Open311(
        "open311",
        config,
        services,
        admission=hub.admission,
        keys=keys,
        requests=StoredRequests(
            hub.db, "open311", names, CLOSED, every_channel=config.public_requests == "all"
        ),
        statuses={str(status): name for status, name in STATUS_NAMES.items()},
        closed=CLOSED,
        departments=hub.routing.offices,
        zone=hub.zone,
        clock=hub.clock,
        pressure=pressure,
    )


def _wechat(hub: Hub) -> list[WeChatGateway]:
    """The callback of each official account."""
    standing = Standing(Receipts(hub.db, hub.vault), hub.routing.offices, hub.zone)
    return [
        WeChatGateway(
            account=account,
            admission=hub.admission,
            conversations=SqlConversations(hub.db, name, hub.author_key(name)),
            has_place=lambda text: bool(hub.city.gazetteer.locate(text).area),
            status=Status(standing.of, standing.by_receipt),
            clock=hub.clock,
        )
        for name, account in hub.channels.wechat.items()
    ]


def _closing(gateway: WeChatGateway) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_application: web.Application) -> None:
        await gateway.close()

    return close
