"""The norms promised for one ticket: what its level said at the moment it was picked."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from engine.errors import BpmnError
from services.sla.models import CalendarSnapshot, ServiceLevel
from services.tickets.models import Ticket

Kind = Literal["reaction", "resolution"]
KINDS: tuple[Kind, ...] = ("reaction", "resolution")


@dataclass(frozen=True, slots=True)
class Terms:
    """A frozen level and the frozen copy of its schedule."""

    level_id: int
    level: str
    calendar_id: int
    reaction_sec: int
    """0 = not measured."""
    resolution_sec: int
    remind_percent: int
    resolution_starts: str
    """accepted | taken"""
    pause_stops_reaction: bool
    asked: str = field(compare=False)
    """Company, category and service that it was picked for, as services/sla/levels.py writes them."""

    def target_sec(self, kind: Kind) -> int:
        """The norm of that clock; 0 = not measured."""
        return self.reaction_sec if kind == "reaction" else self.resolution_sec

    def as_data(self) -> dict[str, Any]:
        """As it is stored in `ticket.sla_terms`."""
        return asdict(self)


def terms_of(ticket: Ticket) -> Terms | None:
    """What was promised; None while no level is picked or none fits."""
    return None if ticket.sla_terms is None else Terms(**ticket.sla_terms)


def frozen(level: ServiceLevel, calendar: CalendarSnapshot, asked: str) -> Terms:
    """The level as it is now."""
    return Terms(
        level_id=level.id,
        level=level.name,
        calendar_id=calendar.id,
        reaction_sec=level.reaction_min * 60,
        resolution_sec=level.resolution_min * 60,
        remind_percent=level.remind_percent,
        resolution_starts=level.resolution_starts,
        pause_stops_reaction=level.pause_stops_reaction,
        asked=asked,
    )


def kind_of(name: Any) -> Kind:
    """The clock of that name; raises BpmnError("no_clock")."""
    if name not in KINDS:
        raise BpmnError("no_clock", f"Expected the clock {' or '.join(KINDS)}, got {str(name)[:40]}")
    return cast(Kind, name)
