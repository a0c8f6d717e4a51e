"""The registry, the bell, the live stream and the languages of the pages."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import webui
from tests.webui.conftest import Browser

ROOT = Path(webui.__file__).parent
WEIGHT = 250 * 1024


def test_the_registry_filters_by_the_address(
    sign_in: Callable[[str], Browser], client_writes: Callable[..., int]
) -> None:
    client_writes("Не печатает касса", token="a" * 43)
    client_writes("Нужен пароль", name="Анна", token="b" * 43)
    operator = sign_in("operator")

    assert len(re.findall(r'id="t\d+"', operator.get("/tickets").text)) == 2
    assert "Нужен пароль" not in operator.get("/tickets?q=касса").text.partition("</form>")[2]
    assert "Ничего не найдено" in operator.get("/tickets?status=resolved").text
    assert "Нет просроченных" in operator.get("/tickets?folder=overdue").text


@pytest.mark.parametrize("address", ["/tickets?folder=nowhere", "/tickets?sort=password", "/tickets?cursor=broken"])
def test_a_broken_address_is_not_found(
    sign_in: Callable[[str], Browser], client_writes: Callable[..., int], address: str
) -> None:
    client_writes()

    assert sign_in("operator").get(address).status_code == 404


def test_counts_are_declined(sign_in: Callable[[str], Browser], client_writes: Callable[..., int]) -> None:
    operator = sign_in("operator")
    said = []
    for letter in "abc":
        client_writes(token=letter * 43)
        said.append(re.findall(r"\d+ обращени[а-я]", operator.get("/tickets").text)[0])

    assert said == ["1 обращение", "2 обращения", "3 обращения"]


def test_the_bell_counts_and_opens(sign_in: Callable[[str], Browser], client_writes: Callable[..., int]) -> None:
    number = client_writes()
    operator = sign_in("operator")
    line = re.search(r'action="(/notifications/\d+)"', operator.get("/notifications").text)
    assert line is not None

    opened = operator.post(line[1])
    foreign = sign_in("supervisor").post(line[1])

    assert opened.headers["Location"] == f"/tickets/{number}"
    assert foreign.status_code == 404
    assert 'data-part="bell" aria-hidden="true" hidden' in operator.get("/tickets").text


def test_a_page_hears_only_what_its_reader_may_see(
    sign_in: Callable[[str], Browser], client_writes: Callable[..., int]
) -> None:
    client_writes()
    operator, analyst = sign_in("operator"), sign_in("analyst")

    mine = operator.get("/live/poll?topics=tickets&from=0").get_json()
    foreign = operator.get("/live/poll?topics=agent:6,session:1,processes&from=0").get_json()
    all_seen = analyst.get(f"/live/poll?topics=tickets&from={mine['last']}").get_json()

    assert mine["events"]
    assert foreign["events"] == []
    assert all_seen["events"] == []


def test_english_pages_are_english(sign_in: Callable[[str], Browser], client_writes: Callable[..., int]) -> None:
    number = client_writes()
    operator = sign_in("operator")

    operator.post("/profile/language", {"language": "en", "next": "/tickets"})

    assert "All tickets" in operator.get("/tickets").text
    assert "Action" in operator.get(f"/tickets/{number}").text
    assert "1 ticket<" in operator.get("/tickets").text


def test_every_text_of_the_desk_has_an_english_one() -> None:
    folder = ROOT / "translations" / "en" / "LC_MESSAGES"
    known = set()
    for source in folder.glob("*.po"):
        with source.open("rb") as text:
            known |= {m.id[0] if isinstance(m.id, tuple) else m.id for m in read_po(text) if m.string}
    methods = [("views/**.py", "python"), ("*.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}

    said = {
        message[0] if isinstance(message, tuple) else message
        for file, _, message, _, _ in extract_from_dir(str(ROOT), methods, keywords=keywords)
        if "admin" not in file
    }

    assert len(said) > 250
    assert sorted(said - known) == []


def test_a_page_weighs_no_more_than_its_budget(sign_in: Callable[[str], Browser]) -> None:
    page = sign_in("operator").get("/tickets")
    linked = re.findall(r'(?:src|href)="/static/([^"?#]+)', page.text)
    files = {ROOT / "static" / name for name in linked} | set((ROOT / "static" / "dist" / "fonts").glob("inter-*"))

    weight = len(gzip.compress(page.data)) + sum(
        len(gzip.compress(file.read_bytes())) for file in files if file.is_file()
    )

    assert "dist/app.css" in linked
    assert weight <= WEIGHT
