"""The analyst's guide says what the code says: connectors, functions, attributes of the dialect, statuses, forms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree
from pydantic import BaseModel

import services.bootstrap  # noqa: F401 - registers the connectors
from engine import connectors
from engine.functions import FUNCTIONS, LENIENT
from services import rehearsal
from services.reference import STATUSES
from services.scenarios import reading
from services.scenarios.language import ClientGiven, Clock, Expect, Given, Step, TicketGiven
from services.scenarios.running import run
from webui import builtin

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "processes" / "README.md").read_text()
FORMS = [path.read_text() for path in (ROOT / "forms").glob("*.form.json")]
XSD = etree.parse(ROOT / "engine" / "bpmn" / "desk.xsd")


def shown(connector: connectors.Connector) -> str:
    """The connector as the guide's table writes it."""
    parameters = [p.name if p.required else f"{p.name}={p.default!r}" for p in connector.parameters]
    return f"| `{connector.name}({', '.join(parameters)})` | {connector.summary} |"


def test_the_guide_has_every_connector_with_its_parameters() -> None:
    rows = [line for line in GUIDE.splitlines() if re.match(r"\| `\w+\.\w+\(", line)]

    assert rows == [shown(connector) for connector in connectors.catalogue().values()]


def test_the_guide_has_every_function() -> None:
    listed = re.search(r"Функции: (.+?)\n\n", GUIDE, re.DOTALL)
    assert listed

    assert sorted(re.findall(r"`(\w+)`", listed[1])) == sorted([*FUNCTIONS, LENIENT])


@pytest.mark.parametrize("element", ["action", "status", "assignment"])
def test_the_guide_has_every_attribute_of_the_dialect(element: str) -> None:
    names = XSD.xpath(
        f"//xs:element[@name='{element}']//xs:attribute/@name", namespaces={"xs": "http://www.w3.org/2001/XMLSchema"}
    )
    assert names

    assert [name for name in names if f"`{name}`" not in GUIDE and f"{name}=" not in GUIDE] == []


def test_the_guide_has_every_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([А-Я][^|]+?) \| (?:не идут|ид|сто|ост)", GUIDE, re.MULTILINE)

    assert rows == [(code, ru) for code, ru, *_ in STATUSES]


def test_the_guide_has_every_ticket_field_that_the_forms_write() -> None:
    bound = {bind for form in FORMS for bind in re.findall(r'"bind": "(ticket\.\w+)"', form)}
    assert len(bound) > 5

    assert [name for name in sorted(bound) if f"`{name}`" not in GUIDE] == []


@pytest.mark.parametrize("model", [Given, Step, Expect, Clock, ClientGiven, TicketGiven])
def test_the_guide_has_every_field_of_a_scenario(model: type[BaseModel]) -> None:
    names = set(model.model_fields)
    assert len(names) > 2

    assert [name for name in sorted(names) if f"`{name}`" not in GUIDE] == []


def test_the_scenario_in_the_guide_passes() -> None:
    shown = re.search(r"```json\n(.+?)```", GUIDE, re.DOTALL)
    assert shown
    with rehearsal.opened() as desk:
        desk.deploy(builtin.files())
        template = desk.template()

    result = run(reading.read(shown[1].encode(), "README.md"), template)

    assert [each.said.ru for each in result.differences] == []


def test_the_guide_has_every_shipped_process() -> None:
    files = {path.name for path in (ROOT / "processes").glob("*.bpmn")}

    assert files == set(re.findall(r"^\| `(\w+\.bpmn)`", GUIDE, re.MULTILINE))
