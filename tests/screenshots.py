"""Pictures of a page that is being served: `python tests/screenshots.py URL DIR` writes light, dark and phone .png.

The second crossing and the first movement are opened first, to show what stands behind them.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

LOOKS = {"light": ("light", 1400, 1000), "dark": ("dark", 1400, 1000), "phone": ("light", 390, 844)}


def main(url: str, folder: Path) -> None:
    """Take every look of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (scheme, width, height) in LOOKS.items():
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(url)
            page.wait_for_selector('#live[data-state="live"]', timeout=10_000)
            for summary in (page.locator(".pass summary").nth(1), page.locator(".move summary").first):
                if summary.count():
                    summary.click()
            page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
            page.wait_for_timeout(1000)
            page.screenshot(path=folder / f"{name}.png", full_page=name != "phone")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
