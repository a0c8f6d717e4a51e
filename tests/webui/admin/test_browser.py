"""The drawing in a real browser: strict policy, hostile names, the mark of bpmn.io in both themes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.webui.admin.conftest import Office, Visitor
from tests.webui.admin.drawings import errand

pytestmark = pytest.mark.e2e
HOSTILE = "<img src=x onerror=alert(1)>"
COLOURS = """mark => [
    getComputedStyle(mark).color,
    getComputedStyle(mark.closest('process-diagram')).backgroundColor,
]"""
Scheme = Literal["light", "dark"]


@dataclass
class Window:
    """A page of a signed-in analyst that remembers whatever the browser complained of."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_selector("process-diagram[data-state=ready]", timeout=15_000)
        return self.page


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def window(app: Flask, analyst: Visitor, address: str, browser: Browser) -> Iterator[Callable[[Scheme], Window]]:
    serializer = app.session_interface.get_signing_serializer(app)
    contexts = []

    def enter(scheme: Scheme) -> Window:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, color_scheme=scheme, locale="ru-RU")
        contexts.append(context)
        cookie = serializer.dumps(analyst.session())
        context.add_cookies([{"name": "bpmdesk", "value": cookie, "url": address}])
        opened = Window(context.new_page(), address)
        opened.page.on("console", lambda said: opened.complaints.append(said.text) if said.type == "error" else None)
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("dialog", lambda dialog: (opened.complaints.append(dialog.message), dialog.dismiss()))
        return opened

    yield enter
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_inspector_draws_hostile_names_as_text_under_the_strict_policy(
    scheme: Scheme, office: Office, window: Callable[[Scheme], Window]
) -> None:
    office.deploy(errand(name=HOSTILE, step=HOSTILE))
    instance_id, _ = office.failed_delivery(HOSTILE)
    opened = window(scheme)

    page = opened.open(f"/admin/instances/{instance_id}")

    assert opened.complaints == []
    assert page.locator("process-diagram img").count() == 0
    assert page.locator('[data-element-id="deliver"].is-bad').count() == 1
    assert page.locator('[data-element-id="flow_work"].is-past').count() == 1
    mark = page.locator(".bjs-powered-by").bounding_box()
    assert mark is not None
    assert mark["width"] > 40


def test_the_mark_of_bpmn_io_stands_out_from_both_themes(office: Office, window: Callable[[Scheme], Window]) -> None:
    office.deploy(errand())
    colours = {}

    for scheme in ("light", "dark"):
        page = window(scheme).open("/admin/processes/errand")
        colours[scheme] = page.locator(".bjs-powered-by").evaluate(COLOURS)

    assert colours["light"] != colours["dark"]
    assert all(ink != ground for ink, ground in colours.values())


def test_a_finding_or_a_timer_leads_to_its_element(office: Office, window: Callable[[Scheme], Window]) -> None:
    office.deploy(errand())
    opened = window("light")
    page = opened.open(f"/admin/instances/{office.start()}")

    page.get_by_role("link", name="Напомнить").click()

    assert page.locator('[data-element-id="remind"].is-sel').count() == 1
    assert opened.complaints == []
