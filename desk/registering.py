"""A form by which staff bring in a message of their own: what is typed is kept when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from desk.accounts import User
from desk.pages import Pages, require
from ingest.admit import Admission
from store.errors import RejectedError
from store.model import Item

OTHER = "内容无法登记，请检查后重试"


@dataclass(frozen=True)
class Registering:
    """The page ``path`` with ``template`` and ``fields`` for whom ``allowed`` lets in.

    ``item`` makes the message of a form, or RejectedError with the reason ``form`` says in Chinese what to correct;
    ``refused`` words other reasons.
    """

    pages: Pages
    admission: Admission
    path: str
    template: str
    fields: tuple[str, ...]
    allowed: Callable[[User], bool]
    item: Callable[[Mapping[str, str]], Item]
    refused: Mapping[str, str] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(self.path, self._form), web.post(self.path, self._register)]

    async def _form(self, request: web.Request) -> web.Response:
        require(request, self.allowed)
        return self._show(request, dict.fromkeys(self.fields, ""))

    async def _register(self, request: web.Request) -> web.Response:
        require(request, self.allowed)
        posted = await request.post()
        form = {name: str(posted.get(name, "")).strip() for name in self.fields}
        try:
            item = self.item(form)
            heard = (await self.admission.admit([item]))[0]
        except RejectedError as error:
            is_told = error.reason == "form"
            said = str(error) if is_told else self.refused.get(error.reason, OTHER)
            return self._show(request, form, error=said, status=422)
        receipt = self.admission.receipt(heard.item_id, item)
        return self._show(request, dict.fromkeys(self.fields, ""), done=receipt)

    def _show(
        self,
        request: web.Request,
        form: Mapping[str, str],
        *,
        error: str = "",
        done: str = "",
        status: int = 200,
    ) -> web.Response:
        return self.pages.render(
            self.template, request, status=status, form=form, error=error, done=done
        )
