"""The trends page, one number with its cases, and both as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from desk.accounts import User
from desk.pages import Pages, require
from desk.papers.xlsx import xlsx_of
from desk.queries import case_rows
from desk.trends.board import UNPLACED, Boards
from desk.trends.export import paper_of
from desk.trends.filters import PRESETS, Filters, read_ask, read_filters
from desk.trends.notes import notes
from desk.trends.telling import Stories
from router.departments import Directory
from router.trends.behind import MOST, Evidence
from router.trends.catalogue import Indicator
from router.trends.curating import TopicState
from router.trends.numbers import Ask, Figure, Numbers
from router.trends.settings import TrendSettings
from router.trends.sums import NUMBER
from router.workflow import STATUS_NAMES
from store.db import Database
from store.tables_trends import ALL

LISTED = 5
"""Rising topics beside the bursts."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class TrendsPage:
    """``/desk/trends``, ``/desk/trends/number`` and their twins under ``/desk/api``."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        numbers: Numbers,
        evidence: Evidence,
        boards: Boards,
        stories: Stories,
        *,
        settings: TrendSettings,
        public_url: str = "",
        geojson: Mapping[str, Any] | None = None,
    ) -> None:
        self._public_url = public_url
        self._db = db
        self._pages = pages
        self._numbers = numbers
        self._evidence = evidence
        self._boards = boards
        self._stories = stories
        self.settings = settings
        self.geojson = geojson

    def adopt(self, directory: Directory) -> None:
        """Know these places and offices from the next page on."""
        self._boards.directory = directory
        self._evidence.areas = directory.places

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/trends", self._page),
            web.get("/desk/trends/number", self._number),
            web.get("/desk/trends/export.xlsx", self._export),
            web.get("/desk/api/trends", self._api),
            web.get("/desk/api/number", self._api_number),
            web.get("/desk/api/indicators", self._catalogue),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        filters = read_filters(request.query, self._numbers.today())
        board = await self._boards.board(filters)
        drawn = {
            "board": board,
            "spans": self._spans(filters),
            "tiles": self._tiles(),
            "map": self.geojson,
        }
        data = msgspec.json.encode(drawn).decode()
        return self._pages.render(
            "trends.html",
            request,
            board=board,
            data=data,
            filters=filters,
            presets=PRESETS,
            choices=self._choices(),
            topics=(await self._stories.listed({TopicState.FOUND}))[:LISTED],
            notes=await notes(self._db, filters.period, self._boards.channels),
            ALL=ALL,
        )

    def _tiles(self) -> list[dict[str, Any]]:
        names = self._boards.area_names
        return [
            tile.model_dump() | {"name": names.get(tile.area, tile.area)}
            for tile in self.settings.tile
        ]

    def _spans(self, filters: Filters) -> list[dict[str, str]]:
        """Spans that touch the period."""
        period = filters.period
        return [
            {"name": one.name, "start": str(one.start), "end": str(one.end)}
            for one in self.settings.span
            if one.start <= period.end and one.end >= period.start
        ]

    def _choices(self) -> dict[str, list[tuple[str, str]]]:
        """What the page may be narrowed to, by the name of the filter."""
        taxonomy = self._boards.taxonomy
        labels = [(one, taxonomy.names[one]) for one in (*taxonomy.problems, *taxonomy.campaigns)]
        return {
            "label": labels,
            "area": [(area.id, area.name) for area in self._boards.directory.area],
            "channel": sorted(self._boards.channels.items()),
        }

    async def _api(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        board = await self._boards.board(read_filters(request.query, self._numbers.today()))
        return web.Response(body=msgspec.json.encode(board), content_type="application/json")

    async def _export(self, request: web.Request) -> web.Response:
        """The page as a workbook."""
        require(request, User.may_oversee)
        filters = read_filters(request.query, self._numbers.today())
        board = await self._boards.board(filters)
        at = board.as_of.astimezone(self._numbers.zone)
        paper = paper_of(
            board, issuer=self._pages.city, said=self._said(filters.ask("items")), at=at
        )
        body = await asyncio.to_thread(xlsx_of, paper, base_url=self._public_url)
        name = f"trends-{filters.period.start}-{filters.period.end}.xlsx"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=body, content_type=XLSX, headers=headers)

    async def _catalogue(self, request: web.Request) -> web.Response:
        require(request, User.may_oversee)
        listed = [described(one) for one in self._numbers.catalogue.indicator]
        return web.json_response({"indicators": listed})

    async def _asked(self, request: web.Request) -> tuple[Indicator, Figure, bool]:
        require(request, User.may_oversee)
        ask = read_ask(request.query, self._numbers.today())
        return (
            self._numbers.indicator(ask.indicator),
            await self._numbers.figure(ask),
            "under" in request.query,
        )

    async def _api_number(self, request: web.Request) -> web.Response:
        indicator, figure, under = await self._asked(request)
        behind = await self._evidence.of(indicator, figure.ask, under=under)
        told = described(indicator) | {
            "query": figure.ask.query(),
            "numerator": figure.numerator,
            "denominator": figure.denominator,
            "value": figure.value,
            "shown": figure.shown,
            "ignored": figure.ignored,
            "as_of": self._numbers.clock().isoformat(),
            "cases": [str(one) for one in behind.cases],
            "more": behind.more,
        }
        return web.json_response(told)

    async def _number(self, request: web.Request) -> web.Response:
        indicator, figure, under = await self._asked(request)
        behind = await self._evidence.of(indicator, figure.ask, under=under)
        return self._pages.render(
            "number.html",
            request,
            indicator=indicator,
            figure=figure,
            under=under,
            behind=behind,
            rows=await case_rows(self._db, list(behind.cases)),
            said=self._said(figure.ask),
            as_of=self._numbers.clock(),
            statuses=STATUS_NAMES,
            address=NUMBER + figure.ask.query(),
            most=MOST,
        )

    def _said(self, ask: Ask) -> list[tuple[str, str]]:
        """The filters of a number in words."""
        names: dict[str, Mapping[str, str]] = {
            "label": self._boards.taxonomy.names,
            "area": self._boards.offices,
            "channel": self._boards.channels,
            "department": self._boards.offices,
        }
        called = {"label": "类别", "area": "属地", "channel": "渠道", "department": "单位"}
        days = f"{ask.period.start} 至 {ask.period.end}"
        told = [("统计期", days)]
        for name, words in called.items():
            value = getattr(ask, name)
            if value != ALL:
                told.append((words, names[name].get(value, value or UNPLACED)))
        return told


def described(one: Indicator) -> dict[str, Any]:
    """An indicator as scripts are told of it."""
    return {
        "id": one.id,
        "name": one.name,
        "unit": one.unit,
        "formula": one.formula,
        "scope": one.meaning,
        "source": one.source,
    }
