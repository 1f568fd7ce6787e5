"""What citizens may ask and say with a receipt, without a login: where it stands, and how it was done (评价)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from desk.pages import Pages
from ingest.redact import redact
from router.cases import SATISFIED, SOLVED
from router.commands import Commands
from router.workflow import STATUS_NAMES
from store.errors import ConflictError, RejectedError
from store.receipts import Receipts

SOLVED_NAMES = dict(zip(SOLVED, ("已解决", "部分解决", "未解决"), strict=True))
SATISFIED_NAMES = dict(zip(SATISFIED, ("满意", "基本满意", "不满意", "不作评价"), strict=True))
LONGEST = 500


class Asking:
    """``/query`` and ``/query/rating``."""

    def __init__(
        self, pages: Pages, receipts: Receipts, commands: Commands, offices: Mapping[str, str]
    ) -> None:
        self._pages = pages
        self._receipts = receipts
        self._commands = commands
        self._offices = offices

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/query", self._page),
            web.post("/query", self._query),
            web.post("/query/rating", self._rate),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        return self._show(request, None, asked=False)

    async def _query(self, request: web.Request) -> web.Response:
        return await self._answer(request, _receipt(await request.post()))

    async def _rate(self, request: web.Request) -> web.Response:
        """Keep the citizen's word; a wrong receipt looks like one that is unknown."""
        form = await request.post()
        receipt = _receipt(form)
        try:
            if not await say(
                self._commands,
                self._receipts,
                receipt,
                solved=str(form.get("solved", "")),
                satisfied=str(form.get("satisfied", "")),
                note=str(form.get("note", "")).replace("\0", "")[:LONGEST],
                via="page",
            ):
                return await self._answer(request, receipt)
        except RejectedError:
            return await self._answer(
                request, receipt, said="请选择是否解决和是否满意。", status=422
            )
        except ConflictError:
            return await self._answer(request, receipt, said="办结后才能评价。", status=409)
        return await self._answer(request, receipt, said="已收到您的评价，谢谢。")

    async def _answer(
        self, request: web.Request, receipt: str, *, said: str = "", status: int = 200
    ) -> web.Response:
        found = await self._receipts.status(receipt)
        if found is not None:
            found["status_name"] = STATUS_NAMES.get(found["status"], found["status"])
            found["department_name"] = self._offices.get(found["department"], "")
            found["number"], _, found["code"] = receipt.strip().partition("-")
        number = receipt.partition("-")[0]
        return self._show(request, found, asked=True, said=said, status=status, number=number)

    def _show(
        self,
        request: web.Request,
        found: dict[str, Any] | None,
        *,
        asked: bool,
        said: str = "",
        status: int = 200,
        number: str = "",
    ) -> web.Response:
        return self._pages.render(
            "query.html",
            request,
            status=status,
            found=found,
            asked=asked,
            number=number,
            said=said,
            solved=SOLVED_NAMES,
            satisfied=SATISFIED_NAMES,
        )


async def say(
    commands: Commands,
    receipts: Receipts,
    receipt: str,
    *,
    solved: str,
    satisfied: str,
    note: str,
    via: str,
) -> bool:
    """Keep a citizen's word, redacted first; False when the receipt is wrong, and what ``follow_up`` raises."""
    item_id = await receipts.item_of(receipt)
    if item_id is None:
        return False
    await commands.cases.follow_up(
        item_id, actor="citizen", solved=solved, satisfied=satisfied, via=via, note=redact(note)
    )
    return True


def _receipt(form: Mapping[str, Any]) -> str:
    return f"{str(form.get('number', '')).strip()}-{str(form.get('code', '')).strip()}"
