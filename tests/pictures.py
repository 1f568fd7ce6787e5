"""Pictures of every page for the docs, from the demonstration: ``python tests/pictures.py http://127.0.0.1:8470``.

Each page twice: 1366 × 768 as ``name.png``, 390 × 844 as ``name-phone.png`` in ``docs/pictures``.
"""

import asyncio
import os
import sys
from pathlib import Path

from playwright.async_api import Page, async_playwright

OUT = Path(__file__).parent.parent / "docs" / "pictures"
SIZES = {"": (1366, 768), "-phone": (390, 844)}
PASSWORDS = {
    "desk": "fictional-desk",
    "zhifa": "fictional-zhifa",
    "admin": "fictional-admin",
    "leader": "fictional-leader",
}
PAGES = (  # name, person, path, keys pressed before
    ("login", "", "/login", ""),
    ("desk", "desk", "/desk", "j j"),
    ("desk-keys", "desk", "/desk", "?"),
    ("desk-picker", "desk", "/desk", "d"),
    ("desk-search", "desk", "/desk?view=all&q=%E5%9E%83%E5%9C%BE", ""),
    ("desk-bulk", "desk", "/desk", "x Shift+J Shift+J"),
    ("desk-split", "desk", "/desk", "s"),
    ("unsure", "desk", "/desk?view=unsure", ""),
    ("tasks", "desk", "/desk/tasks", ""),
    ("instruction", "desk", "/desk/instruction", ""),
    ("exposure", "desk", "/desk/exposure", ""),
    ("import", "desk", "/desk/import", ""),
    ("assessment", "desk", "/desk/assessment", ""),
    ("sources", "desk", "/desk/sources", ""),
    ("query", "desk", "/query", ""),
    ("account", "desk", "/account", ""),
    ("inbox", "zhifa", "/inbox", ""),
    ("admin-users", "admin", "/desk/admin/users", ""),
    ("admin-files", "admin", "/desk/admin/files", ""),
    ("admin-rules", "admin", "/desk/admin/files/routing.toml", ""),
    ("admin-models", "admin", "/desk/admin/models", ""),
    ("admin-dead", "admin", "/desk/admin/dead", ""),
    ("admin-audit", "admin", "/desk/admin/audit", ""),
    ("trends", "leader", "/desk/trends?preset=60d", ""),
    ("number", "leader", "/desk/trends/number?indicator=on_time_rate", ""),
    ("topics", "leader", "/desk/topics", ""),
    ("topic", "leader", "/desk/topics/1", ""),
    ("places", "leader", "/desk/places", ""),
    ("campaigns", "leader", "/desk/campaigns", ""),
    ("reports", "leader", "/desk/reports", ""),
    ("report", "desk", "/desk/reports/1", ""),
    ("paper", "leader", "/report/1", ""),
    ("inbox-targets", "zhifa", "/inbox/targets", ""),
)


async def log_in(page: Page, address: str, name: str) -> None:
    await page.context.clear_cookies()
    if not name:
        return
    await page.goto(f"{address}/login")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", PASSWORDS[name])
    await page.click("button.main")


async def main(address: str, only: tuple[str, ...]) -> None:
    path = os.environ.get("MINSHENG_TEST_CHROMIUM", "/usr/bin/chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
        page = await context.new_page()
        logged = None
        for name, person, where, keys in PAGES:
            if only and name not in only:
                continue
            if person != logged:
                await log_in(page, address, person)
                logged = person
            for suffix, (width, height) in SIZES.items():
                await page.set_viewport_size({"width": width, "height": height})
                await page.goto(address + where)
                await page.wait_for_timeout(1500)
                for key in keys.split():
                    await page.keyboard.press(key)
                    await page.wait_for_timeout(200)
                await page.screenshot(path=OUT / f"{name}{suffix}.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1].rstrip("/"), tuple(sys.argv[2:])))
