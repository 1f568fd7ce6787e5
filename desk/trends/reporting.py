"""Forms by which people report on targets, at the desk and in an office's inbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from router.trends.book import CaseRefusedError, Said
from store.errors import ConflictError, RejectedError

REFUSED: Mapping[str, str] = {
    "target": "没有这个目标，或不属于本单位，未上报。",
    "value": "完成数无法识别，未上报：请填写从0开始的数字，节点目标请选择已完成的步数。",
    "note": "说明未填写或超过1000字，未上报。",
    "cases": "佐证案件最多50件，未上报。",
}
CHANGED = "此目标刚有他人上报，未保存。请核对最新进展后重新上报。"
DONE = "已上报。"
LONGEST_NUMBER = 18


NOTHING = Said()


@dataclass(frozen=True, slots=True)
class Kept:
    """What a person had filled in, shown again when it was refused; ``words`` say why."""

    target: str = ""
    said: Said = NOTHING
    words: str = ""
    status: int = 200


async def read_report(request: web.Request) -> tuple[str, Said]:
    """The target and what is said of it."""
    sent = await request.post()
    form = {name: str(value).replace("\0", "") for name, value in sent.items()}
    seen = form.get("seen", "")
    known = int(seen) if seen.isdecimal() and len(seen) <= LONGEST_NUMBER else 0
    value, note, cases = (form.get(name, "") for name in ("value", "note", "cases"))
    return form.get("target", "")[:40], Said(value, note, cases, known)


def refused(target: str, said: Said, error: RejectedError | ConflictError) -> Kept:
    """A refusal in words; an error that is none of a report comes through."""
    if isinstance(error, ConflictError):
        return Kept(target, said, CHANGED, 409)
    if isinstance(error, CaseRefusedError):
        words = f"佐证案件 {error.number} 不存在或不属于责任单位，未上报。"
        return Kept(target, said, words, 422)
    if error.reason not in REFUSED:
        raise error
    return Kept(target, said, REFUSED[error.reason], 422)
