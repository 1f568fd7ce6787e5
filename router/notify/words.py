"""What a robot or a letter says about a work order, in Chinese, without anything a chat would act on.

A citizen's words must not become markup, a mention of a group's members or a link in a message that
the city sends: such signs are replaced by their full-width forms, which read the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from router.notify.senders import Dispatch

_MARKUP = "\\`*_{}[]()<>#|~@&"
_FULL_WIDTH = {ord(sign): chr(ord(sign) + 0xFEE0) for sign in _MARKUP}
_SPACE = re.compile(r"\s+")

CHANGES = {"assigned": "新工单", "reworked": "退回返工", "withdrawn": "工单已收回"}

SUPERVISION = "督办"
"""What a notice of supervision is called whose document is gone."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Names and times of this city. ``names`` shows labels, areas and urgencies by id."""

    names: Mapping[str, str]
    zone: ZoneInfo

    def title(self, dispatch: Dispatch) -> str:
        """One line that says what this is."""
        paper = dispatch.paper
        if paper is None:
            return f"{CHANGES.get(dispatch.change, SUPERVISION)} {dispatch.case_no}"
        copied = "（抄送）" if paper.is_copy else ""
        return " ".join(p for p in (paper.title + copied, paper.number, dispatch.case_no) if p)

    def facts(self, dispatch: Dispatch) -> list[tuple[str, str]]:
        """Label and value, most important first; empty values left out."""
        local = dispatch.due_at.astimezone(self.zone)
        facts = [
            ("类别", self._called(dispatch.problems or (dispatch.kind,))),
            ("紧急程度", self._called((dispatch.urgency,))),
            ("属地", self._called((dispatch.area,)) if dispatch.area else ""),
            ("角色", "主办" if dispatch.lead else "协办"),
            ("办理期限", f"{local:%Y-%m-%d %H:%M}"),
            ("回复期限", self._reply_by(dispatch)),
        ]
        return [(label, value) for label, value in facts if value]

    def brief(self, dispatch: Dispatch) -> str:
        """What one line of a digest says before the citizen's words."""
        local = dispatch.due_at.astimezone(self.zone)
        what = self._called(dispatch.problems or (dispatch.kind,))
        urgency = self._called((dispatch.urgency,))
        return f"{self.title(dispatch)} {what} {urgency} 期限{local:%m月%d日}"

    def text(self, dispatch: Dispatch, *, gap: str = "\n") -> str:
        """The citizen's words on one line, or the document's paragraphs with ``gap`` between them."""
        if dispatch.paper is None:
            return plain(dispatch.text)
        return gap.join(plain(line) for line in dispatch.paper.body.splitlines())

    def letter(self, dispatch: Dispatch) -> str:
        """What a letter says, where nothing is markup."""
        return dispatch.text if dispatch.paper is None else dispatch.paper.body

    def _reply_by(self, dispatch: Dispatch) -> str:
        """When the addressee of a document must have answered; a copy asks for nothing."""
        paper = dispatch.paper
        if paper is None or paper.is_copy or paper.reply_by is None:
            return ""
        return f"{paper.reply_by.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def _called(self, ids: Sequence[str]) -> str:
        return "、".join(self.names.get(one, one) for one in ids)


def plain(text: str) -> str:
    """``text`` on one line, no sign of it markup, mention or link."""
    flat = _SPACE.sub(" ", text).strip()
    return flat.translate(_FULL_WIDTH).replace("://", "：//")


def cut(text: str, limit: int) -> str:
    """At most ``limit`` bytes of UTF-8, never half a character; an ellipsis shows that something is gone."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    mark = "…" if limit >= len("…".encode()) else ""
    kept = encoded[: max(0, limit - len(mark.encode()))].decode(errors="ignore")
    return kept + mark
