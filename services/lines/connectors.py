"""Connectors that speak to clients: client.notify."""

from __future__ import annotations

from engine.connectors import Execution, connector
from services.lines.operations import say_automatically
from services.tickets.keys import required_ticket


@connector("client.notify")
def notify(execution: Execution, template: str) -> None:
    """Пишет клиенту в его канал готовый текст: received, pause или resolved. Writes a ready text to the client."""
    say_automatically(execution.session, required_ticket(execution), template)
