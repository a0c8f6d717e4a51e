"""The processes and forms that come with the product."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository
from engine.models import ProcessDefinition
from webui.wording import both

AUTHOR = "bpmdesk"
_PATTERNS = (("processes", "*.bpmn"), ("processes/decisions", "*.dmn"), ("forms", "*.form.json"))


def files() -> dict[str, bytes]:
    """The built-in bundle by file name, without its scenarios."""
    return _read(*_PATTERNS)


def scenarios() -> dict[str, bytes]:
    """The scenarios of the built-in processes by file name."""
    return _read(("processes/scenarios", "*.json"))


def _read(*patterns: tuple[str, str]) -> dict[str, bytes]:
    """From the installed package, or from the work tree."""
    installed = Path(__file__).parent / "builtin"
    root = installed if installed.exists() else Path(__file__).parent.parent
    found = (path for folder, pattern in patterns for path in sorted((root / folder).glob(pattern)))
    return {path.name: path.read_bytes() for path in found}


def propose(session: Session) -> list[ProcessDefinition]:
    """Deploy the bundle and return what is new by it.

    A process that the desk does not know yet becomes active at once. A newer version of a known one stays
    a draft: whether it replaces what is active, perhaps made by the desk's own analyst, a person decides.
    """
    known = set(session.scalars(select(ProcessDefinition.key)))
    deployment = repository.deploy(
        session, files(), author=AUTHOR, comment=both("Поставляется с bpmdesk", "Comes with bpmdesk")
    )
    session.flush()
    drafts = [definition for definition in deployment.definitions if definition.state == "draft"]
    fresh = [definition for definition in drafts if definition.key not in known]
    for definition in fresh:
        repository.activate(session, definition, by=AUTHOR)
    # apart, so that nobody waits for them: the product was tested with them, here they are run in the background
    repository.deploy(
        session, {**files(), **scenarios()}, author=AUTHOR, comment=both("Сценарии поставки", "Its scenarios")
    )
    return fresh + [definition for definition in drafts if definition not in fresh]
