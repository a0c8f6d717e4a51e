"""What the desk writes to clients by itself."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import BpmnError
from services.tickets.models import Ticket


def _received(ticket: Ticket) -> str:
    return f"Здравствуйте! Мы получили ваше обращение, его номер – {ticket.number}. Ответим здесь же."


def _pause(ticket: Ticket) -> str:
    reason = f" Причина: {ticket.wait_reason}." if ticket.wait_reason else ""
    return f"Работа по обращению № {ticket.number} приостановлена.{reason} Если вам есть что добавить – напишите нам."


def _resolved(ticket: Ticket) -> str:
    return f"Обращение № {ticket.number} решено. Если вопрос остался – просто ответьте на это сообщение."


_TEMPLATES: dict[str, Callable[[Ticket], str]] = {"received": _received, "pause": _pause, "resolved": _resolved}


def automatic_text(template: str, ticket: Ticket) -> str:
    """The text of a template for this ticket; raises BpmnError("no_template")."""
    if template not in _TEMPLATES:
        raise BpmnError("no_template", f"Expected a template of {', '.join(_TEMPLATES)}, got {template}")
    return _TEMPLATES[template](ticket)
