"""The administrator's pages put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from desk.accounts import User
from desk.admin import Backstage
from desk.admin.audit import AuditPage
from desk.admin.dead import DeadPage
from desk.admin.files import FilesPage
from desk.admin.models import ModelsPage
from desk.admin.users import UsersPage
from desk.pages import Pages, Section, require
from router.departments import Directory
from store.db import Database


class Admin:
    """``/desk/admin``; without ``backstage`` only people and the audit."""

    def __init__(
        self,
        db: Database,
        pages: Pages,
        directory: Callable[[], Directory],
        backstage: Backstage | None,
        *,
        offices: Mapping[str, str],
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._sections: list[Section] = [
            UsersPage(db, pages, directory, clock=clock),
            AuditPage(db, pages, zone),
        ]
        if backstage is not None:
            self._sections += [
                FilesPage(db, pages, backstage.files, offices, clock=clock),
                ModelsPage(db, pages, backstage.shelf, clock=clock),
                DeadPage(db, pages, backstage.redrive, clock=clock),
            ]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/desk/admin", self._first),
            *(route for one in self._sections for route in one.routes()),
        ]

    async def _first(self, request: web.Request) -> web.StreamResponse:
        require(request, User.may_administer)
        raise web.HTTPFound("/desk/admin/users")
