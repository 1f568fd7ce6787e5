"""The administrator's pages (管理): people, files, models, rejects, the audit. Role ``admin`` only.

What they need of the hub comes in as small protocols (``Backstage``): this room does not know that one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

TABS = (
    ("/desk/admin/users", "人员"),
    ("/desk/admin/files", "配置文件"),
    ("/desk/sources", "渠道"),
    ("/desk/admin/models", "分类模型"),
    ("/desk/admin/dead", "死信"),
    ("/desk/admin/audit", "操作记录"),
)
"""Pages of the administrator."""


@dataclass(frozen=True)
class Saved:
    """A file that was replaced: digests of both texts and where the former one is kept."""

    before: str
    after: str
    kept: str


class Files(Protocol):
    """The files of ``configs/`` that may be edited here. ``mark`` is a digest of what somebody read."""

    @property
    def names(self) -> Sequence[str]:
        """The files."""
        ...

    def waits(self, name: str) -> bool:
        """Whether a change takes effect at the next start only."""
        ...

    def tries(self, name: str) -> bool:
        """Whether ``try_out`` knows what a change of this file would move."""
        ...

    async def read(self, name: str) -> tuple[str, str]:
        """Text and mark; both of an empty file where there is none. ConfigError when it can not be read."""
        ...

    async def check(self, name: str, text: str) -> str:
        """What is wrong with all files when this one says ``text``; empty when nothing is."""
        ...

    async def try_out(self, name: str, text: str, days: int) -> Mapping[str, Any]:
        """What the last days' matters would have done (``router.dryrun.Moves.as_dict``)."""
        ...

    async def save(self, name: str, text: str, mark: str) -> Saved:
        """Replace the file at one stroke. ConflictError when it is no longer what ``mark`` says,
        RejectedError (``readonly``) when the folder can not be written."""
        ...


class Shelf(Protocol):
    """The saved models. ConfigError when a model is missing or damaged."""

    async def rows(self) -> Sequence[Mapping[str, Any]]:
        """``name``, ``created_at``, ``examples``, ``state`` (in_use, shadow, empty) and ``measures``, newest first."""
        ...

    async def use(self, name: str) -> None:
        """Let this one judge."""
        ...

    async def roll_back(self) -> str:
        """The one before is in use again; its name."""
        ...

    async def shadow(self, name: str) -> None:
        """Let this one judge beside the one in use; empty ends the trial."""
        ...


Redrive = Callable[[Sequence[int]], Awaitable[int]]
"""Feed these rejects again; how many went through."""


@dataclass(frozen=True)
class Backstage:
    """What the hub lends to its administrators."""

    files: Files
    shelf: Shelf
    redrive: Redrive
