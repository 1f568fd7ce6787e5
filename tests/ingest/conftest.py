"""Admission over a real database of each kind, for every test of this room."""

import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.admit import Admission
from store.db import Database
from store.dead import DeadLetters
from store.outbox import Outbox
from store.vault import Vault

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def dead(db: Database, vault: Vault, outbox: Outbox) -> DeadLetters:
    return DeadLetters(db, vault, outbox)


@pytest.fixture
def admission(
    db: Database, vault: Vault, outbox: Outbox, dead: DeadLetters, clock: object
) -> Admission:
    return Admission(
        db=db,
        vault=vault,
        outbox=outbox,
        dead=dead,
        zone=ZoneInfo("Asia/Shanghai"),
        clock=clock,  # type: ignore[arg-type]
        observe=lambda *_: None,
    )
