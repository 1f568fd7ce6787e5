"""A small town whose November is over, and what makes bulletins of it."""

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "router" / "trends"))

from bureau import Bureau, furnish

from store.db import Database

Furnish = Callable[..., Awaitable[Bureau]]


@pytest.fixture
def clock(clock: Any) -> Any:
    clock.now = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    return clock


@pytest.fixture
def bureau(db: Database, city: Any, clock: Any) -> Bureau:
    """Nothing has happened yet."""
    return Bureau(db, city, clock)


@pytest.fixture
async def busy(bureau: Bureau) -> Bureau:
    """Six weeks of a town."""
    await furnish(bureau)
    return bureau
