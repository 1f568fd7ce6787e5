"""The bounds of the lifecycle a city may set: undoing, returns, extensions, reopening (``configs/lifecycle.toml``)."""

from __future__ import annotations

from pydantic import Field

from router.deadlines import Limit, Unit
from store.config import Strict

GRACE_S = 0.25


class Returns(Strict):
    """退单: at most ``max`` a case, each ``within`` a time after its dispatch, for a coded reason."""

    max: int = Field(default=2, ge=1, le=20)
    within: Limit = Limit(amount=1, unit=Unit.WORK_DAYS)
    reasons: dict[str, str] = Field(min_length=1)


class Extension(Strict):
    """延期: at most ``max`` requests a work order, each no longer than ``longest``."""

    max: int = Field(default=2, ge=0, le=20)
    longest: Limit = Limit(amount=10, unit=Unit.WORK_DAYS)


class Reopen(Strict):
    """重开: within so many days after closing, for a coded reason."""

    within_days: float = Field(default=15, gt=0, le=3650)
    reasons: dict[str, str] = Field(min_length=1)


class Lifecycle(Strict):
    """``configs/lifecycle.toml``. ``undo_s`` is in seconds; ``ask_hours`` is how long a case sleeps for the
    citizen's answer, ``snooze_days`` the longest a person may put it off (暂缓).
    """

    undo_s: float = Field(default=8, ge=0, le=600)
    ask_hours: float = Field(default=24, gt=0, le=24 * 30)
    snooze_days: float = Field(default=30, gt=0, le=366)
    returns: Returns
    extension: Extension = Extension()
    reopen: Reopen

    @property
    def hold_s(self) -> float:
        """Seconds before anything leaves: the window, and a moment for an undo that is being written."""
        return self.undo_s + GRACE_S if self.undo_s else 0.0
