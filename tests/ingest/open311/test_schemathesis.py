"""Schemathesis against a real server of both interfaces: no 5xx, every answer as the document says.

MINSHENG_TEST_FUZZ=full runs many more examples.
"""

import asyncio
import os
from typing import Any

import pytest
import schemathesis
from citizens import KEY
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ingest.openapi import openapi

EXAMPLES = 400 if os.environ.get("MINSHENG_TEST_FUZZ") == "full" else 20
CHECKS = (
    not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance,
)  # fmt: skip
POSITIVE = schemathesis.GenerationMode.POSITIVE
REACHED = {(name, POSITIVE) for name in ("postRequest", "submit", "findRequests", "services")}
SCHEMA = schemathesis.openapi.from_dict(openapi(codes=["litter", "civility"]))
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok() for found in SCHEMA.get_all_operations()
}


def let_in(name: str, case: Any) -> None:
    """Give a case the key and the id without which nothing behind them is tried."""
    if name == "postRequest" and isinstance(case.body, dict):
        case.body |= {"api_key": KEY, "jurisdiction_id": "city"}
    if name == "submit":
        case.headers.pop("webhook-signature", None)
        case.headers["Idempotency-Key"] = "k"


def fuzz(name: str, mode: Any, base: str, headers: dict[str, str]) -> set[int]:
    """Statuses seen; a failed check raises."""
    seen = set()

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(case=OPERATIONS[name].as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        if mode is POSITIVE:
            let_in(name, case)
        seen.add(case.call_and_validate(base_url=base, headers=headers, checks=CHECKS).status_code)

    run()
    return seen


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_answers_are_as_described(api: Any, name: str, mode: Any) -> None:
    base = str(api.make_url("")).rstrip("/")
    headers = {"Authorization": f"Bearer {KEY}"}
    seen = await asyncio.to_thread(fuzz, name, mode, base, headers)
    assert max(seen) < 500
    if (name, mode) in REACHED:
        assert seen & {200, 201}, "no example got through: nothing was tried"
