"""How to reach the citizen, for an office whose work needs it (``contact = true``); on record before it leaves.

Only in signed webhooks to the office's own system, only with work given or sent back, never to robots or letters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from router.notify.senders import Dispatch
from store.audit import audit
from store.db import Database
from store.errors import RejectedError
from store.original import Originals
from store.vault import Vault

FIELDS = ("name", "phone", "email")
WORK = frozenset({"assigned", "reworked"})


class Contacts:
    """Opens what was sealed, dispatch by dispatch."""

    def __init__(self, db: Database, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._originals = Originals(db, vault)
        self._clock = clock

    async def add(self, dispatch: Dispatch) -> Dispatch:
        """The dispatch with the contact of the citizen who founded the case; as it was where there is none."""
        if dispatch.change not in WORK:
            return dispatch
        try:
            found = await self._originals.of(dispatch.case_id)
        except RejectedError:
            return dispatch
        contact = {field: found[field] for field in FIELDS if found.get(field)}
        if not contact:
            return dispatch
        await audit(
            self._db,
            actor=dispatch.department,
            act="contact_sent",
            target=str(dispatch.case_id),
            note=dispatch.webhook_id,
            at=self._clock(),
        )
        return replace(dispatch, contact=contact)
