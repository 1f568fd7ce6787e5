"""What every way to an office has in common: the order it is told, the endpoint, the seam, the table.

A sender turns one or more dispatches into one message and gives it to the endpoint. How long to wait,
whom to try again and in which order is the worker's business (``router.notify.worker``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from router.notify.told import Paper
from store.errors import TransientError
from store.ports import Answer, Http

PATIENT = frozenset({408, 409, 425, 429})
"""Client errors that may pass by themselves; all others of 400 to 499 are the message's fault."""

LONGEST_WAIT_S = 3600.0
"""The most of a ``Retry-After`` that is believed."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A work order given, taken back or supervised, with what the office must know; text redacted.

    ``since`` is when this round of attempts began: a redrive starts a new one. ``link`` is the one-time
    page on which the office answers, empty when there is none. ``paper`` is the document of supervision the
    message brings; it then stands for ``text``. ``contact`` is there for an office whose work needs it only.
    """

    delivery_id: int
    webhook_id: str
    change: str
    seq: int
    attempts: int
    since: datetime
    case_id: int
    case_no: str
    order_id: int
    department: str
    lead: bool
    kind: str
    problems: Sequence[str]
    campaigns: Sequence[str]
    urgency: str
    area: str
    received_at: datetime
    due_at: datetime
    text: str
    link: str = ""
    paper: Paper | None = None
    contact: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to one office. ``key`` names it in delivery rows, logs and errors; address and secret never print.

    ``contact``: its work needs how to reach the citizen.
    """

    key: str
    department: str
    kind: str
    name: str = ""
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    to: tuple[str, ...] = field(default=(), repr=False)
    contact: bool = False

    @property
    def shared(self) -> str:
        """What counts as one robot for its limit, whichever offices use it."""
        return f"{self.kind}:{self.name}" if self.name else self.key


@dataclass(frozen=True, slots=True)
class Limit:
    """What one robot bears: ``per_minute`` messages, ``burst`` of them at once.

    ``quiet_s`` keeps off that many seconds after each full and half hour.
    """

    per_minute: int
    burst: int = 1
    quiet_s: int = 0


class Sender(Protocol):
    """One kind of endpoint. ``digest`` is how many dispatches one message may tell; 1: never several."""

    kind: str
    limit: Limit | None
    digest: int

    async def send(self, dispatches: Sequence[Dispatch], endpoint: Endpoint, http: Http) -> None:
        """Deliver all of ``dispatches``, in one message.

        Raises TransientError when it may succeed later (``retry_after_s`` when the other side said
        so) and RejectedError when this message is refused.
        """
        ...


"""By kind."""


def check_status(answer: Answer, endpoint: Endpoint) -> bool:
    """Whether the message was taken; TransientError when to wait; False when it was refused."""
    if 200 <= answer.status < 300:  # noqa: PLR2004
        return True
    if answer.status in PATIENT or not 400 <= answer.status < 500:  # noqa: PLR2004
        msg = f"router: {endpoint.key} answered {answer.status}"
        raise TransientError(msg, retry_after_s=_bounded(answer.retry_after_s))
    return False


def _bounded(wait_s: float | None) -> float | None:
    return None if wait_s is None else min(wait_s, LONGEST_WAIT_S)
