"""Open311 GeoReport v2: programs that report to many cities report to this one too.

``/open311/v2/`` offers discovery, the service list and definitions, reports (POST with an ``api_key``),
tokens, and what became of reports, each as ``.xml`` and ``.json``. A report is answered once it is
durable. The same form of the same client within 24 hours is the same report.
Source: https://wiki.open311.org/GeoReport_v2.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import ClassVar, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from ingest.admit import Admission
from ingest.bucket import Bucket
from ingest.connectors.open311 import wire
from ingest.connectors.open311.answers import (
    TooManyError,
    Work,
    answer,
    nowhere,
    only,
    speaking,
)
from ingest.connectors.open311.asking import id_of, query_of
from ingest.connectors.open311.intake import take
from ingest.connectors.open311.read import Form, Pairs, fingerprint, form_of, read, refuse
from ingest.connectors.open311.requests import Query, Requests
from ingest.connectors.open311.services import Service
from ingest.connectors.open311.view import View
from ingest.media import clean_photo
from ingest.protocol import Parsed, Payload
from store.config import Strict
from store.errors import AuthError, TransientError
from store.model import Item, Media

BASE = "/open311/v2"
AGAIN = timedelta(hours=24)
"""How long the same form of the same client is taken for a retry."""


class Open311Config(Strict):
    """``[connectors.open311]``. ``url`` is where the hub is reached from outside, without a path.

    ``public_requests`` says who sees reports: ``channel`` shows those of this channel to anybody,
    ``all`` those of every channel, ``none`` shows a client its own, by its key.
    """

    enabled: bool = False
    jurisdiction_id: str = Field(default="city", min_length=1, max_length=100)
    jurisdiction_required: bool = False
    url: str = Field(default="", pattern=r"^(https?://[^/\s?#]+)?$")
    test_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    contact: str = "请联系城市管理部门"
    key_service: str = "请向城市管理部门申请 api_key"
    changeset: AwareDatetime = datetime(2026, 11, 1, tzinfo=UTC)
    answer: Literal["id", "token"] = "id"
    public_requests: Literal["channel", "all", "none"] = "channel"
    rate: float = Field(default=50.0, gt=0)
    burst: float = Field(default=200.0, ge=1)


class Open311:
    """The channel. ``keys`` are the clients' secret keys by name, ``statuses`` and ``departments`` shown
    names by id, ``closed`` the case statuses that count as closed; ``pressure`` is seconds to wait, or 0."""

    kind: ClassVar[str] = "open311"

    def __init__(
        self,
        channel: str,
        config: Open311Config,
        services: Sequence[Service],
        *,
        admission: Admission,
        keys: Mapping[str, str],
        requests: Requests,
        statuses: Mapping[str, str],
        closed: Collection[str],
        departments: Mapping[str, str],
        zone: tzinfo,
        clock: Callable[[], datetime],
        pressure: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.channel = channel
        self._config = config
        self._services = {service.code: service for service in services}
        self._admission = admission
        self._keys = dict(keys)
        self._requests = requests
        names = {service.code: service.name for service in services}
        self._view = View(names, statuses, closed, departments, zone)
        self._zone = zone
        self._clock = clock
        self._pressure = pressure
        self._bucket = Bucket(config.rate, config.burst)

    def parse(self, payload: Payload) -> Parsed:
        """Read one urlencoded form; ``payload.url`` names the client."""
        pairs = form_of(payload.body)
        return Parsed([self._read(pairs, payload.url, f"{payload.url}:{fingerprint(pairs)}")])

    def routes(self) -> Sequence[web.RouteDef]:
        """Every path of the specification; other methods and paths are answered with an error."""
        table: dict[str, dict[str, Work]] = {
            "discovery.{fmt}": {"GET": self._discovery},
            "services.{fmt}": {"GET": self._list},
            "services/{code}.{fmt}": {"GET": self._definition},
            "requests.{fmt}": {"GET": self._find, "POST": self._post},
            "requests/{id}.{fmt}": {"GET": self._one},
            "tokens/{token}.{fmt}": {"GET": self._token},
        }
        made: list[web.RouteDef] = []
        for path, works in table.items():
            for method, work in works.items():
                made.append(web.route(method, f"{BASE}/{path}", speaking(work)))
            made.append(web.route("*", f"{BASE}/{path}", speaking(only(list(works)))))
        return [*made, web.route("*", BASE + "/{tail:.*}", speaking(nowhere))]

    async def _discovery(self, request: web.Request, fmt: str) -> web.Response:
        config = self._config
        since = config.changeset.astimezone(self._zone).isoformat(timespec="seconds")
        origin = config.url or str(request.url.origin())
        here = wire.Endpoint(wire.SPECIFICATION, origin + BASE, since, "production")
        there = wire.Endpoint(wire.SPECIFICATION, config.test_url, since, "test")
        # always two: clients that read one element as no list are common
        endpoints = (here, there if config.test_url else here)
        found = wire.Discovery(since, config.contact, config.key_service, endpoints)
        return answer(fmt, "discovery", found, bare=True)

    async def _list(self, request: web.Request, fmt: str) -> web.Response:
        self._here(request.query.get("jurisdiction_id", ""))
        return answer(fmt, "services", [wire.listed(one) for one in self._services.values()])

    async def _definition(self, request: web.Request, fmt: str) -> web.Response:
        self._here(request.query.get("jurisdiction_id", ""))
        service = self._services.get(request.match_info["code"])
        if service is None or not service.metadata:
            what = "service_code: no such service, or one without definition; see /services"
            raise refuse(what, reason="not_found")
        return answer(fmt, "service_definition", wire.definition(service))

    async def _find(self, request: web.Request, fmt: str) -> web.Response:
        client = self._reader(request)
        query = query_of(
            request.query, codes=self._services, now=self._clock(), zone=self._zone
        )  # fmt: skip
        return await self._show(query, client, fmt)

    async def _one(self, request: web.Request, fmt: str) -> web.Response:
        client = self._reader(request)
        query = Query(ids=(id_of(request.match_info["id"]),))
        return await self._show(query, client, fmt, missing="service_request_id")

    async def _show(
        self, query: Query, client: str, fmt: str, *, missing: str = ""
    ) -> web.Response:
        rows = await self._requests.find(query, client=client)
        if missing and not rows:
            raise refuse(f"{missing}: not found; send the one you were given", reason="not_found")
        return answer(fmt, "service_requests", [self._view.of(row) for row in rows])

    async def _token(self, request: web.Request, fmt: str) -> web.Response:
        client, token = self._reader(request), request.match_info["token"]
        found = await self._requests.find(Query(ids=(id_of(token),)), client=client)
        if not found:
            raise refuse("token: not found; send the one you were given", reason="not_found")
        return answer(fmt, "service_requests", [wire.Resolved(str(found[0].id), token)])

    async def _post(self, request: web.Request, fmt: str) -> web.Response:
        if wait := self._pressure():
            msg = "ingest: open311: the hub is catching up; send this again later"
            raise TransientError(msg, retry_after_s=wait)
        pairs, raw = await take(request)
        form = Form([*request.query.items(), *pairs])
        client = self._client(request, form.one("api_key"))
        self._slow(client)
        self._here(form.one("jurisdiction_id"))
        media = tuple([await asyncio.to_thread(clean_photo, content) for content in raw])
        identity = await self._identity(request, client, pairs, media)
        item = self._read(pairs, client, identity, media)
        heard = (await self._admission.admit([item]))[0]
        number = str(heard.item_id)
        notice = f"已受理，回执号 {self._admission.receipt(heard.item_id, item)}"
        if self._config.answer == "token":
            return answer(fmt, "service_requests", [wire.Posted(notice, token=number)])
        return answer(fmt, "service_requests", [wire.Posted(notice, service_request_id=number)])

    def _read(
        self, pairs: Pairs, client: str, identity: str, media: tuple[Media, ...] = ()
    ) -> Item:
        return read(
            pairs, self._services, channel=self.channel, client=client, channel_id=identity, media=media
        )  # fmt: skip

    async def _identity(
        self, request: web.Request, client: str, pairs: Pairs, media: Sequence[Media]
    ) -> str:
        """The key the client named, else form and day; yesterday's when that is less than a day old."""
        if named := request.headers.get("Idempotency-Key", "").strip():
            if len(named) > 100 or not named.isprintable():  # noqa: PLR2004 - as long as the app's
                raise refuse("Idempotency-Key: more than 100 characters; shorten it")
            return f"{client}:k:{named}"
        now, mark = self._clock(), fingerprint(pairs, media)
        today, before = (
            f"{client}:{at.astimezone(UTC):%Y%m%d}:{mark}" for at in (now, now - AGAIN)
        )
        heard = await self._requests.heard_at(before)
        return before if heard is not None and now - heard < AGAIN else today

    def _here(self, jurisdiction: str) -> None:
        if not jurisdiction.strip():
            if self._config.jurisdiction_required:
                raise refuse("jurisdiction_id: missing; send this city's")
        elif jurisdiction.strip() != self._config.jurisdiction_id:
            raise refuse("jurisdiction_id: not found; send this city's", reason="not_found")

    def _reader(self, request: web.Request) -> str:
        """The client whose reports alone are shown; nobody in particular when they are public."""
        public = self._config.public_requests != "none"
        given = request.query.get("api_key", "")
        client = "" if public else self._client(request, given)
        self._slow(client or "(anybody)")
        self._here(request.query.get("jurisdiction_id", ""))
        return client

    def _client(self, request: web.Request, given: str) -> str:
        key = given or request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        offered, found = key.encode("utf-8", "surrogateescape"), ""
        for client, secret in self._keys.items():
            if hmac.compare_digest(secret.encode(), offered):
                found = client
        if not found:
            msg = "ingest: open311: api_key: missing or invalid; send a key of connectors.app.keys"
            raise AuthError(msg)
        return found

    def _slow(self, client: str) -> None:
        if wait := self._bucket.take(client):
            msg = "ingest: open311: too many requests of this client; wait"
            raise TooManyError(msg, retry_after_s=wait)
