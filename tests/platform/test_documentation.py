"""What the reference enumerates is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.config import Settings
from webui.cli import cli

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def documented_settings() -> dict[str, str]:
    rows = re.findall(r"^\| `BPMDESK_(\w+)` \| (?:`(.*?)`)? ?\|", (REFERENCE / "settings.md").read_text(), re.MULTILINE)
    return {name.lower(): default for name, default in rows}


def test_every_setting_is_documented_with_its_default() -> None:
    defaults = {name: str(field.default or "") for name, field in Settings.model_fields.items()}

    assert documented_settings() == defaults


def test_every_command_is_documented() -> None:
    documented = set(re.findall(r"^\| `bpmdesk ([\w-]+)` \|", (REFERENCE / "commands.md").read_text(), re.MULTILINE))

    assert documented == {name for name, command in cli.commands.items() if not command.hidden}


@pytest.mark.parametrize("document", [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"], ids=lambda p: p.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_glossary_names_real_models() -> None:
    from engine.db import Base

    models = {mapper.class_.__name__ for mapper in Base.registry.mappers}
    terms = {
        "Ticket",
        "TicketStatus",
        "TicketEvent",
        "Line",
        "Channel",
        "LineSession",
        "ServiceLevel",
        "Incident",
        "Job",
    }

    assert terms <= models
    assert all(term in (ROOT / "docs" / "glossary.md").read_text() for term in terms)
