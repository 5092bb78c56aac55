"""Takes the README's pictures of the hall: `python -m tests.browser.pictures [FOLDER]`."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from dashboard.core.views import HallView
from tests.browser.conftest import Served
from tests.web.fake_feed import FakeFeed, hall

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"


def main() -> None:
    """Take them all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = os.environ.get("WALLBOARD_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        pictures: dict[str, HallView] = {"calm": hall(), "busy": hall(busy=True), "stale": hall()}
        for name, view in pictures.items():
            served = Served(FakeFeed(view))
            try:
                page.goto(f"{served.url}/hall")
                page.wait_for_selector('#link[data-link="live"]', state="attached")
                page.wait_for_selector("#seats > li")
                if name == "stale":
                    served.feed.silence()
                    page.wait_for_timeout(14_000)
                page.wait_for_timeout(1_000)
                file = folder / f"hall-{name}.png"
                page.screenshot(path=file)
                print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
            finally:
                served.stop()
        browser.close()


if __name__ == "__main__":
    main()
