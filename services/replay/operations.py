"""Asking what a version would have made of closed tickets, and working the answer out in the background."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from engine import clock, versions
from engine.db import Database
from engine.due import DueSource
from engine.errors import NotFound
from engine.models import ProcessDefinition
from services import rehearsal
from services.replay.living import Relived, relive
from services.replay.models import Replay, ReplayOutcome
from services.replay.outcomes import outcome
from services.replay.recorded import NotRecorded, life
from services.replay.sums import sums
from services.tickets.models import Ticket

log = structlog.get_logger(__name__)

MOST = 5_000
BATCH = 8
"""Tickets a worker relives before it looks after timers again."""
LEASE = timedelta(minutes=1)
_WHY = "relived before it is used"


def closed(session: Session, last: int) -> list[int]:
    """The ids of the tickets that were made last among the closed ones, newest first."""
    return list(session.scalars(select(Ticket.id).where(~Ticket.is_open).order_by(Ticket.id.desc()).limit(last)))


def begin(session: Session, definition: ProcessDefinition, *, last: int, by: str) -> Replay:
    """Order a replay of the newest closed tickets; workers do it. One that is under way for the version ends."""
    session.execute(
        update(Replay)
        .where(Replay.definition_id == definition.id, Replay.state == "running")
        .values(state="cancelled", ended_at=clock.now())
    )
    replay = Replay(definition_id=definition.id, wanted=last, state="running", created_by=by, created_at=clock.now())
    session.add(replay)
    session.flush()
    ids = closed(session, min(last, MOST))
    session.add_all(ReplayOutcome(replay_id=replay.id, ticket_id=ticket_id) for ticket_id in ids)
    session.flush()
    if not ids:
        _finish(session, replay)
    return replay


def cancel(session: Session, replay: Replay) -> None:
    """Leave it where it is; what was worked out stays."""
    if replay.state == "running":
        replay.state, replay.ended_at = "cancelled", clock.now()
        replay.sums = _sums(session, replay)


def one(session: Session, replay_id: int) -> Replay:
    """The replay of that id; raises NotFound."""
    found = session.get(Replay, replay_id)
    if found is None:
        raise NotFound(f"Expected the replay {replay_id} to exist, but it does not")
    return found


def progress(session: Session, replay: Replay) -> tuple[int, int]:
    """How many tickets are done, of how many."""
    rows = select(func.count()).select_from(ReplayOutcome).where(ReplayOutcome.replay_id == replay.id)
    waiting = session.scalar(rows.where(ReplayOutcome.verdict == "waiting")) or 0
    total = session.scalar(rows) or 0
    return total - waiting, total


def template(session: Session, definition: ProcessDefinition) -> rehearsal.Template:
    """A throw-away desk like the live one on which this version is the active one."""
    copied = rehearsal.copied(session, bundle=definition.deployment_id)
    with rehearsal.opened(reference=copied) as desk:
        with desk.session() as inside:
            _activate(inside, inside.get_one(ProcessDefinition, definition.id))
        return desk.template()


def with_files(session: Session, files: Mapping[str, bytes]) -> rehearsal.Template:
    """The same for files that were never deployed; raises DeploymentRefused for what cannot be executed."""
    with rehearsal.opened(reference=rehearsal.copied(session)) as desk:
        desk.deploy(files)
        return desk.template()


def answer(session: Session, ticket_id: int, on: rehearsal.Template) -> Relived:
    """What the version makes of one ticket; the session is only read."""
    ticket = session.get_one(Ticket, ticket_id)
    try:
        return relive(life(session, ticket), outcome(session, ticket), on)
    except NotRecorded as error:
        return Relived("failed", {"failed": {"message": str(error), "element": None}})


def source() -> DueSource:
    """Tickets that wait to be relived, as due work."""
    return DueSource("replays", _claim, _execute, _next_due)


def _activate(session: Session, definition: ProcessDefinition) -> None:
    if definition.state != "active":
        versions.activate(session, definition, by=rehearsal.AUTHOR, override_reason=_WHY)


def _waiting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(ReplayOutcome.lease_until.is_(None), ReplayOutcome.lease_until <= now)
    return ReplayOutcome.verdict == "waiting", Replay.state == "running", free


def _claim(session: Session, _owner: str, limit: int) -> list[int]:
    now = clock.now()
    query = select(ReplayOutcome.id).join(Replay, Replay.id == ReplayOutcome.replay_id).where(*_waiting(now))
    ids = list(session.scalars(query.order_by(ReplayOutcome.id).limit(min(limit, BATCH))))
    if ids:
        session.execute(update(ReplayOutcome).where(ReplayOutcome.id.in_(ids)).values(lease_until=now + LEASE))
    return ids


def _next_due(session: Session) -> datetime | None:
    query = select(ReplayOutcome.id).join(Replay, Replay.id == ReplayOutcome.replay_id)
    waiting = session.scalar(query.where(*_waiting(clock.now())).limit(1))
    return clock.now() if waiting is not None else None


def _execute(database: Database, ids: Sequence[int]) -> None:
    rows = select(ReplayOutcome.id, ReplayOutcome.ticket_id, ReplayOutcome.replay_id)
    with database.reading() as session:
        wanted = session.execute(rows.where(ReplayOutcome.id.in_(ids))).all()
        found = {row.id: answer(session, row.ticket_id, _template(session, row.replay_id)) for row in wanted}
    with database.transaction() as session:
        for row in session.scalars(select(ReplayOutcome).where(ReplayOutcome.id.in_(list(found)))):
            row.verdict, row.differences = found[row.id].verdict, found[row.id].differences
            row.lease_until = None
        session.flush()
        for replay_id in sorted({row.replay_id for row in wanted}):
            _finish_if_done(session, replay_id)


_templates: OrderedDict[tuple[str, datetime], rehearsal.Template] = OrderedDict()


def _template(session: Session, replay_id: int) -> rehearsal.Template:
    """The desk of the replay; the last two are kept in this process, so that batches share it."""
    replay = one(session, replay_id)
    key = (replay.definition.sha256, replay.created_at)
    if key not in _templates:
        _templates[key] = template(session, replay.definition)
        while len(_templates) > 2:
            _templates.popitem(last=False)
    return _templates[key]


def _finish_if_done(session: Session, replay_id: int) -> None:
    replay = session.get_one(Replay, replay_id, with_for_update=True, populate_existing=True)
    left = select(ReplayOutcome.id).where(ReplayOutcome.replay_id == replay.id, ReplayOutcome.verdict == "waiting")
    if replay.state == "running" and session.scalar(left.limit(1)) is None:
        _finish(session, replay)
        log.info("replay done", action="replay", replay=replay.id, **replay.sums["verdicts"])


def _finish(session: Session, replay: Replay) -> None:
    replay.state, replay.ended_at, replay.sums = "done", clock.now(), _sums(session, replay)
    session.flush()


def _sums(session: Session, replay: Replay) -> dict[str, object]:
    rows = select(ReplayOutcome.verdict, ReplayOutcome.differences)
    wanted = rows.where(ReplayOutcome.replay_id == replay.id, ReplayOutcome.verdict != "waiting")
    return sums((verdict, differences) for verdict, differences in session.execute(wanted))
