"""Register what a leader ordered (领导交办): whose post, what is wanted, where, and by when.

It comes in as a message of the channel ``instruction`` with its own day, and is never left without a case. The
same words with the same day again are the same message, so a doubled click is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from desk.accounts import User
from desk.pages import Pages
from desk.registering import Registering
from ingest.admit import Admission
from ingest.normalize import clean
from router.clocking import FARTHEST
from store.errors import RejectedError
from store.model import Item, Place
from store.vault import sha256_hex

CHANNEL = "instruction"
FIELDS = ("post", "text", "address", "wanted")


def may_instruct(user: User) -> bool:
    """Whether this person may register an instruction."""
    return user.may_dispatch() or user.role == "supervisor"


def instruction_form(
    pages: Pages, admission: Admission, zone: ZoneInfo, clock: Callable[[], datetime]
) -> Registering:
    """The form, for dispatchers and supervisors."""
    return Registering(
        pages,
        admission,
        path="/desk/instruction",
        template="instruction.html",
        fields=FIELDS,
        allowed=may_instruct,
        item=lambda form: instructed(form, zone, clock()),
    )


def instructed(form: Mapping[str, str], zone: ZoneInfo, now: datetime) -> Item:
    """The item a form describes; RejectedError says in Chinese which field to correct."""
    if not clean(form["post"]) or not clean(form["text"]):
        raise RejectedError("请填写交办人职务和交办内容", reason="form")
    try:
        wanted = datetime.fromisoformat(form["wanted"])
    except ValueError as error:
        raise RejectedError("办理期限无法识别，请重新选择", reason="form") from error
    wanted = wanted if wanted.tzinfo else wanted.replace(tzinfo=zone)
    if wanted <= now:
        raise RejectedError("办理期限已过，请选择以后的时间", reason="form")
    if wanted > now + FARTHEST:
        raise RejectedError(f"办理期限超过{FARTHEST.days}天，请选择较近的时间", reason="form")
    key = sha256_hex("|".join((form["post"], wanted.isoformat(), form["text"])).encode())
    try:
        return Item(
            channel=CHANNEL,
            channel_id=f"instruction:{key[:32]}",
            title=f"{form['post']}交办"[:500],
            text=form["text"],
            author=form["post"][:200],
            posted_at=now,
            place=Place(address=form["address"]),
            wanted_at=wanted,
        )
    except ValidationError as error:
        raise RejectedError("内容过长或含有无法保存的字符，请改正", reason="form") from error
