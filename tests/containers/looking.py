"""Opens the services of a lab environment in a browser: `python -m tests.containers.looking URLS` (JSON)."""

import json
import sys

from playwright.sync_api import expect

from tests.browser.chromium import chromium


def main(urls: dict[str, str]) -> None:
    """Wait until each shows what a learner looks for."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(urls["site"])
        expect(page).to_have_title("From DevOps to MLOps")
        page.goto(urls["mlflow"])
        expect(page.get_by_role("link", name="Experiments").first).to_be_visible(timeout=60_000)
        page.goto(urls["jupyter"])
        expect(page.get_by_role("menuitem", name="File")).to_be_visible(timeout=60_000)
        page.goto(urls["prometheus"])
        assert '"job":"service"' in page.content()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
