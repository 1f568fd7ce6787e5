"""Every error the hub raises on purpose, grouped by what the caller must do.

    HubError
    ├── TransientError   try again later (after ``retry_after_s`` when given)
    ├── RejectedError    this one input is bad: keep it in ``dead``, go on with its neighbours
    ├── ConfigError      stop with exit code 2; the message names room, key and cure
    ├── ConflictError    somebody else changed it first: reload and decide again (HTTP 409)
    │   └── WorkflowError    the lifecycle does not allow this command now (HTTP 409)
    └── AuthError        who are you, or you may not (HTTP 401 or 403)

Library errors are translated at the door module with ``raise … from``. Anything else is a defect:
it ends the task, and the runner restarts it.
"""

from __future__ import annotations

__all__ = [
    "AuthError",
    "ConfigError",
    "ConflictError",
    "HubError",
    "RejectedError",
    "TransientError",
    "WorkflowError",
]


class HubError(Exception):
    """Root of the tree; never raised itself."""


class TransientError(HubError):
    """The outside is unwell; the same call may succeed later."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RejectedError(HubError):
    """This input can not be used as it is; ``reason`` is a short code for counters."""

    def __init__(self, message: str, *, reason: str = "malformed") -> None:
        super().__init__(message)
        self.reason = reason


class ConfigError(HubError):
    """The operator must change a setting; the message names the room, the key and the cure."""


class ConflictError(HubError):
    """The row changed since it was read; ``reason`` is a short code: conflict, claimed or workflow."""

    def __init__(self, message: str, *, reason: str = "conflict") -> None:
        super().__init__(message)
        self.reason = reason


class WorkflowError(ConflictError):
    """The case's lifecycle does not allow the command in its present status."""

    def __init__(self, verb: str, status: str) -> None:
        super().__init__(
            f"router: a case that is {status} can not be {verb}; load it again", reason="workflow"
        )
        self.verb = verb
        self.status = status


class AuthError(HubError):
    """No valid credentials (``known`` false, HTTP 401) or not allowed (``known`` true, HTTP 403)."""

    def __init__(self, message: str, *, known: bool = False) -> None:
        super().__init__(message)
        self.known = known
