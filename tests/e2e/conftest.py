"""One running desk and one browser for all end-to-end tests of a session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.e2e.running_desk import PASSWORD, RunningDesk

REFUSALS = ("status of 409", "status of 422")
"""Answers that a page shows to the person; the browser logs them as errors all the same."""
SHOTS = os.environ.get("BPMDESK_SHOTS")
"""A folder: every `shot(page, name)` is kept there as a picture."""


def _coming_monday_at_ten() -> datetime:
    """10:00 in Moscow on a Monday far enough ahead that the clock never goes back."""
    today = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    desk = RunningDesk(tmp_path_factory.mktemp("desk"), _coming_monday_at_ten())
    desk.start()
    yield desk
    desk.stop()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page of a new person; any error in a page's console fails the test."""
    pages: list[Page] = []
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(code in message.text for code in REFUSALS):
            errors.append(f"{message.text} ({message.location.get('url')})")

    def open_one(url: str, width: int = 1366, height: int = 768, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="ru-RU", color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        pages.append(page)
        return page

    yield open_one

    for page in pages:
        page.context.close()
    assert errors == []


@pytest.fixture
def staff(desk: RunningDesk, open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Log somebody of the demo staff in: staff("operator") gives their page."""

    def log_in(who: str, **look: object) -> Page:
        page = open_page(f"{desk.url}/login", **look)
        page.get_by_label("Почта").fill(f"{who}@desk.localhost")
        page.get_by_label("Пароль").fill(PASSWORD)
        page.get_by_role("button", name="Войти").click()
        page.wait_for_url("**/tickets**")
        return page

    return log_in


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keep a picture of the page when BPMDESK_SHOTS names a folder."""

    def take(page: Page, name: str) -> None:
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{SHOTS}/{name}.png")

    return take
