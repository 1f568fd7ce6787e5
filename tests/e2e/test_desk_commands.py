"""What dispatchers do over HTTP: claims, bulk, notes, canned texts, questions, parts, redaction, next best offices."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from desk.canned import Standing
from hub.app import Hub
from people import log_in, waiting

PHONE = "13812345678"
Client = TestClient[Any, Any]
