"""Every page of every role, on a desktop and a phone: no serious finding of axe, nothing wider than the screen."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from hub.app import Hub

pytestmark = pytest.mark.browser
Open = Callable[..., Any]
AXE = Path(__file__).parents[2] / "desk/web/node_modules/axe-core/axe.min.js"
SIZES = ((1366, 768), (390, 844))
STAFF = ("/desk/tasks", "/desk/assessment", "/desk/sources", "/account")
PAGES = {
    "wang": ("/desk", "/desk?view=all&q=楼道", *STAFF, "/desk/instruction", "/desk/exposure", "/desk/import"),
    "ad": (
        "/desk/admin/users", "/desk/admin/files", "/desk/admin/files/routing.toml", "/desk/admin/models",
        "/desk/admin/dead", "/desk/admin/audit",
    ),
    "fa": ("/inbox", "/inbox/targets", "/account"),
    "street": ("/desk", "/inbox"),
    "lead": ("/desk", "/desk/assessment", "/desk/sources", "/desk/topics", "/desk/places", "/desk/campaigns", "/desk/campaigns/target?id=markets_upgraded", "/desk/trends", "/desk/trends/number?indicator=on_time_rate"),
    "": ("/login", "/query"),
}  # fmt: skip


async def findings(page: Page) -> list[str]:
    """What axe calls serious or critical (WCAG 2.1 A and AA), and a page wider than its screen."""
    await page.evaluate(AXE.read_text(encoding="utf-8") + ";window.axe=axe;0")
    told = await page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})")
    found = [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}"
        for one in told["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
    if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        found.append("wider than the screen")
    return found


@pytest.mark.parametrize("name", PAGES)
async def test_pages_are_accessible(open_page: Open, address: str, hub: Hub, name: str) -> None:
    if not AXE.exists():
        reason = "axe-core is missing; run make web"
        if os.environ.get("MINSHENG_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    page = await open_page(name)
    found: dict[str, list[str]] = {}
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        for path in PAGES[name]:
            answer = await page.goto(f"{address}{path}")
            assert answer is not None
            assert answer.status == 200, path
            if path.startswith("/desk?") or path in {"/desk", "/inbox"}:
                await page.wait_for_selector("#rows", state="attached")
                await page.wait_for_timeout(400)
            found[f"{path} {width}"] = await findings(page)
    assert {path: one for path, one in found.items() if one} == {}
