"""An office answers: by a signed call from its own system, or by the one-time link in a message.

``POST /office/v1/orders/{order_id}/{sign|handle|return|extend|suspend}`` takes Standard Webhooks headers and the
office's own secret; the same ``webhook-id`` again is answered the same and acts no second time.
``GET /office/link/{token}`` shows the order with a form and changes nothing (mail scanners open links);
its POST acts once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from sqlalchemy import select

from router.commands import OFFICE_VERBS, REFUSED, Commands, office_may
from router.notify import page
from router.notify.calls import LONGEST_NOTE, Report, asked_days, read_report, verify
from router.notify.links import PATH, Link, Links
from router.notify.words import Speech
from router.workflow import OPEN_ORDER, STATUS_NAMES, VERB_NAMES, CaseStatus, Verb
from store.db import Database
from store.errors import ConflictError, RejectedError
from store.tables import T

MAX_BODY = 20_000


class Callbacks:
    """The office's side of the HTTP server. ``secrets`` are those of the offices' webhooks."""

    def __init__(
        self,
        *,
        db: Database,
        commands: Commands,
        links: Links,
        secrets: Mapping[str, str],
        speech: Speech,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._commands = commands
        self._links = links
        self._secrets = secrets
        self._speech = speech
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """To be added to the hub's application."""
        verbs = "|".join(OFFICE_VERBS)
        return [
            web.post(rf"/office/v1/orders/{{order_id:\d{{1,19}}}}/{{verb:{verbs}}}", self._call),
            web.get(PATH + "{token}", _as_page(self._show), allow_head=False),
            web.post(PATH + "{token}", _as_page(self._answer)),
        ]

    async def _call(self, request: web.Request) -> web.Response:
        """Raises AuthError (401); RejectedError and ConflictError become 422 and 409."""
        body = await _read(request)
        call = verify(request.headers, body, secrets=self._secrets, now=self._clock())
        order_id, verb = (
            int(request.match_info["order_id"]),
            OFFICE_VERBS[request.match_info["verb"]],
        )
        order = await self._order(order_id)
        if order is None or order.department not in call.offices:
            return web.json_response(
                {"error": "router: no such work order; look at its number again"}, status=404
            )
        actor = f"{order.department}/{call.mark}"
        report = read_report(body)
        note = self._note(report.note, report.at, verb)
        done = await self._done(order.case_id, actor)
        if done is None:
            await self._act(order_id, actor, order, verb, report, note)
            done = await self._done(order.case_id, actor)
        if done is None or done.verb != verb:
            msg = "router: call: this webhook-id was used for something else; take a new one"
            raise ConflictError(msg)
        told = {"order": str(order_id), "case_no": order.case_no, "status": done.after}
        return web.json_response(told)

    async def _act(
        self, order_id: int, actor: str, order: Any, verb: Verb, report: Report, note: str
    ) -> None:
        """Do it, unless the same call has just done it on another connection."""
        try:
            await self._commands.office(
                order_id,
                verb,
                actor=actor,
                scope=order.department,
                note=note,
                reason=report.reason,
                limit=report.limit,
                once=True,
            )
        except ConflictError:
            if await self._done(order.case_id, actor) is None:
                raise

    async def _show(self, request: web.Request) -> web.Response:
        link = self._links.read(request.match_info["token"])
        order = await self._open_order(link)
        allowed = office_may(order.status, order.case_status, lead=order.lead)
        facts = [
            ("状态", STATUS_NAMES[CaseStatus(order.case_status)]),
            ("办理期限", f"{order.due_at.astimezone(self._speech.zone):%Y-%m-%d %H:%M}"),
        ]
        text = f"{order.title or ''}\n{order.text or ''}".strip()[:4000]
        form = page.form(request.path, allowed, self._commands.orders.lifecycle.returns.reasons)
        return _html(page.show(f"工单 {order.case_no}", facts, text, form))

    async def _answer(self, request: web.Request) -> web.Response:
        """Do it once; whoever must go on gets the next link."""
        link = self._links.read(request.match_info["token"])
        order = await self._open_order(link)
        form = _fields(await _read(request))
        verb = OFFICE_VERBS.get(form.get("verb", ""))
        if verb is None:
            raise RejectedError("router: link: verb: unknown; choose one", reason="verb")
        note = self._note(form.get("note", ""), None, verb)
        actor = f"{order.department}/{link.mark}"
        await self._commands.office(
            link.order_id,
            verb,
            actor=actor,
            scope=order.department,
            note=note,
            reason=form.get("reason", ""),
            limit=asked_days(form.get("amount", "")) if verb is Verb.ASK_EXTENSION else None,
            once=True,
        )
        following = ""
        if verb in {Verb.SIGN, Verb.ASK_EXTENSION, Verb.ASK_SUSPENSION}:
            following = PATH + self._links.next(link)
        return _html(page.say(f"工单 {order.case_no}", f"已记录：{VERB_NAMES[verb]}。", following))

    def _note(self, note: str, at: datetime | None, verb: Verb) -> str:
        """The office's words, with its own time when it told one; RejectedError when they are missing."""
        note = note.replace("\0", "").strip()[:LONGEST_NOTE]
        if verb is not Verb.SIGN and not note:
            msg = "router: note: a result or reason is needed; write what was done or why not"
            raise RejectedError(msg, reason="note")
        if at is None:
            return note
        return f"{note}（{at.astimezone(self._speech.zone):%Y-%m-%d %H:%M}）"

    async def _open_order(self, link: Link) -> Any:
        """The order of an unused link; RejectedError when it was used or the order has ended."""
        order = await self._order(link.order_id)
        if order is None or order.status not in OPEN_ORDER:
            raise RejectedError("router: this order has ended; use the inbox", reason="link")
        if await self._done(order.case_id, f"{order.department}/{link.mark}") is not None:
            raise RejectedError("router: this link was used; use the inbox", reason="link")
        return order

    async def _order(self, order_id: int) -> Any:
        o, c, i = T.work_orders.c, T.cases.c, T.items.c
        shown = (o.department, o.status, o.lead, o.due_at, c.case_no, c.status.label("case_status"))
        statement = (
            select(o.case_id, *shown, i.title, i.text)
            .join(T.cases, c.id == o.case_id)
            .outerjoin(T.items, i.id == o.case_id)
            .where(o.id == min(order_id, 2**63 - 1))
        )
        async with self._db.read() as conn:
            return (await conn.execute(statement)).first()

    async def _done(self, case_id: int, actor: str) -> Any:
        """What this link or call did, if anything."""
        e = T.events.c
        statement = select(e.verb, e.after).where(e.case_id == case_id, e.actor == actor)
        async with self._db.read() as conn:
            return (await conn.execute(statement)).first()


_Handler = Callable[[web.Request], Awaitable[web.Response]]
_SAID = MappingProxyType(
    {
        "link": (404, "链接无效、已使用或已过期，请使用最新消息中的链接或登录平台办理。"),
        "verb": (422, "请选择一项操作。"),
        "note": (422, "请填写办理结果、退单或申请理由。"),
        **{reason: (422, sentence) for reason, sentence in REFUSED.items()},
    }
)
_MOVED = (409, "工单状态已变化，请返回后重新打开链接。")


def _as_page(handler: _Handler) -> _Handler:
    """Say in Chinese what went wrong, for people."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except (RejectedError, ConflictError) as error:
            status, sentence = _SAID.get(getattr(error, "reason", ""), _MOVED)
            return _html(page.say("工单办理", sentence), status)

    return handle


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers=page.HEADERS)


async def _read(request: web.Request) -> bytes:
    """The whole body; RejectedError above ``MAX_BODY`` bytes."""
    body = await request.content.read(MAX_BODY + 1)
    while len(body) <= MAX_BODY and not request.content.at_eof():
        body += await request.content.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        msg = f"router: call: body: over {MAX_BODY} bytes; shorten the note"
        raise RejectedError(msg, reason="oversize")
    return body


def _fields(body: bytes) -> dict[str, str]:
    """The last value of each field of a form; none when it is not one."""
    try:
        return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=10))
    except ValueError:
        return {}
