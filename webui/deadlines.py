"""Deadlines in words: the cell of a list, the rows of the table of norms, and why a due date is what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from engine import clock
from services.sla import queries as sla
from services.sla.models import ServiceClock
from services.sla.queries import SlaCell
from services.tickets.models import Ticket
from webui.language import gettext
from webui.moments import at, brief, figures, full, span

TICKING = ("left", "soon", "over")


@dataclass(frozen=True, slots=True)
class Cell:
    """One SLA cell ready for its macro."""

    raw: SlaCell
    text: str
    hint: str

    @property
    def state(self) -> str:
        return self.raw.state

    @property
    def kind(self) -> str:
        return self.raw.kind

    @property
    def ticks(self) -> bool:
        return self.state in TICKING

    @property
    def percent(self) -> int | None:
        """Share of the norm that is left; a full bar once it is exceeded, none where nothing is measured."""
        if self.state in ("done", "late", "none", "idle"):
            return None
        return 100 if self.state == "over" else round(100 * self.raw.share_left)

    @property
    def figures(self) -> str:
        """What the ring shows: "6:01:42", from ten hours on "17:20"."""
        shown = figures(self.raw.remaining_sec)
        return shown if len(shown) < 8 else shown.rpartition(":")[0]

    @property
    def measured(self) -> bool:
        return bool(self.raw.target_sec) and self.state not in ("none", "idle")


@dataclass(frozen=True, slots=True)
class Row:
    """One clock in the table norm, fact, difference."""

    kind: str
    target_sec: int
    elapsed_sec: int
    remaining_sec: int
    due: datetime | None
    met: bool | None
    """None while it runs."""
    words: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One line of the explanation of a due date."""

    start: datetime
    end: datetime | None
    words: str
    counted_sec: int
    total_sec: int


@dataclass(frozen=True, slots=True)
class Why:
    """The explanation of one due date."""

    kind: str
    due: datetime | None
    rule: str
    schedule: str
    pieces: tuple[Piece, ...]


def cells(session: Session, tickets: Sequence[Ticket]) -> dict[int, Cell]:
    """Ticket id → cell, by a constant number of queries."""
    found = sla.cells(session, [ticket.id for ticket in tickets], clock.now()) if tickets else {}
    rules = {ticket.id: ticket.sla_rule for ticket in tickets}
    return {ticket_id: Cell(raw, _words(raw), _hint(raw, rules[ticket_id])) for ticket_id, raw in found.items()}


def rows(ticket: Ticket) -> list[Row]:
    """The clocks of a ticket with norm, fact and difference."""
    return [_row(found) for found in ticket.clocks if found.target_sec]


def explained(ticket: Ticket) -> list[Why]:
    """Why each due date of the ticket is what it is."""
    now = clock.now()
    return [
        Why(
            found.kind,
            sla.reading(found, now).due,
            ticket.sla_rule,
            found.calendar.name,
            tuple(_pieces(sla.provenance(found, now))),
        )
        for found in ticket.clocks
        if found.target_sec
    ]


def kind_name(kind: str) -> str:
    """Реакция or Решение."""
    return gettext("Решение") if kind == "resolution" else gettext("Реакция")


def _words(cell: SlaCell) -> str:
    left = span(cell.remaining_sec // 60 * 60) if abs(cell.remaining_sec) >= 60 else gettext("%(m)d м", m=0)
    until = brief(cell.until) if cell.until else ""
    return {
        "left": lambda: gettext("осталось %(t)s", t=left),
        "soon": lambda: gettext("ещё %(t)s", t=left),
        "over": lambda: gettext("просрочено %(t)s", t=left),
        "pause": lambda: gettext("пауза до %(t)s", t=until) if until else gettext("пауза"),
        "sleep": lambda: gettext("спит до %(t)s", t=until) if until else gettext("спит"),
        "done": lambda: gettext("в срок"),
        "late": lambda: gettext("позже на %(t)s", t=left),
        "none": lambda: gettext("не задан"),
        "idle": lambda: gettext("не идёт"),
    }[cell.state]()


def _hint(cell: SlaCell, rule: str) -> str:
    if cell.state == "none":
        return rule
    if cell.state == "idle":
        return gettext("Часы пойдут после классификации")
    if cell.due is None:
        return kind_name(cell.kind)
    return gettext("%(kind)s: срок %(due)s", kind=kind_name(cell.kind), due=full(cell.due))


def _row(found: ServiceClock) -> Row:
    reading = sla.reading(found, clock.now())
    met = found.met if found.state == "stopped" else None
    words = {
        "running": gettext("идёт"),
        "paused": gettext("пауза"),
        "sleeping": gettext("спит до открытия"),
        "met": gettext("в срок"),
        "breached": gettext("нарушен"),
    }[reading.state]
    return Row(found.kind, found.target_sec, reading.elapsed_sec, reading.remaining_sec, reading.due, met, words)


def _pieces(stretches: Sequence[sla.Stretch]) -> list[Piece]:
    total, pieces = 0, []
    for stretch in stretches:
        counted = stretch.working_sec if stretch.kind == "counted" else 0
        total += counted
        pieces.append(Piece(stretch.start, stretch.end, _piece_words(stretch), counted, total))
    return pieces


def _piece_words(stretch: sla.Stretch) -> str:
    if stretch.kind == "counted":
        ahead = stretch.start > clock.now()
        return gettext("рабочее время, ещё впереди") if ahead else gettext("рабочее время")
    if stretch.kind == "pause":
        spared = span(stretch.working_sec) if stretch.working_sec else gettext("%(m)d м", m=0)
        return gettext("пауза, рабочего времени в ней %(t)s", t=spared)
    if stretch.kind == "holiday":
        return gettext("нерабочий день")
    return gettext("в этот день другие часы работы, с %(at)s", at=at(stretch.start))
