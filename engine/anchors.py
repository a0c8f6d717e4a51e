"""Anchors: once a day the whole history is signed as it stands, so that its newest part cannot vanish unseen.

The chain of one instance proves that no step in its middle was changed; it cannot tell that the last steps were cut
off together with the instance's own head. An anchor signs the ids and hashes of all steps that are at least an hour
old, chained to the anchor before. What it proves: every step that it covers is still there, unchanged. What it cannot:
steps since the newest anchor, and a database set back as a whole – for that the newest hash is kept somewhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, history
from engine.models import History, HistoryAnchor

EVERY = timedelta(days=1)
SETTLED = timedelta(hours=1)
"""A step of that age is committed; ids are given out before the commit."""
LATE = timedelta(days=3)
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Broken:
    """An anchor that no longer holds."""

    n: int
    message: str


def newest(session: Session) -> HistoryAnchor | None:
    """The last anchor that was written."""
    return session.scalars(select(HistoryAnchor).order_by(HistoryAnchor.n.desc()).limit(1)).one_or_none()


def next_at(session: Session) -> datetime:
    """When the next anchor is due."""
    last = newest(session)
    return clock.now() if last is None else last.at + EVERY


def write(session: Session) -> HistoryAnchor | None:
    """Sign what has been added since the last anchor, if one is due; None when it is not."""
    last, now = newest(session), clock.now()
    if last is not None and last.at + EVERY > now:
        return None
    settled = select(func.max(History.id)).where(History.at <= now - SETTLED)
    since = last.last_id if last else 0
    anchor = HistoryAnchor(n=last.n + 1 if last else 1, at=now, last_id=max(session.scalar(settled) or 0, since))
    anchor.rows, digest = _digest(session, since, anchor.last_id)
    anchor.hash = _signed(last.hash if last else "", anchor, digest)
    session.add(anchor)
    session.flush()
    return anchor


def broken(session: Session) -> Iterator[Broken]:
    """The first anchor that does not hold, and anchors that ceased to be written."""
    anchors = session.scalars(select(HistoryAnchor).order_by(HistoryAnchor.n)).all()
    for before, anchor in pairwise((None, *anchors)):
        if anchor is not None and (message := _wrong(session, before, anchor)):
            yield Broken(anchor.n, message)
            return
    if anchors:
        last = session.scalar(select(func.max(History.at)))
        if last is not None and last > anchors[-1].at + LATE:
            yield Broken(anchors[-1].n, f"No anchor since {anchors[-1].at.isoformat()}, though steps were made")


def _wrong(session: Session, before: HistoryAnchor | None, anchor: HistoryAnchor) -> str:
    if anchor.n != (before.n if before else 0) + 1:
        return f"Anchor {anchor.n} does not follow the one before it"
    rows, digest = _digest(session, before.last_id if before else 0, anchor.last_id)
    if rows != anchor.rows:
        return f"Expected {anchor.rows} steps that were signed on {anchor.at.isoformat()}, found {rows}"
    if _signed(before.hash if before else "", anchor, digest) != anchor.hash:
        return f"Steps that were signed on {anchor.at.isoformat()}, or the anchor, have changed"
    return ""


def _digest(session: Session, after: int, until: int) -> tuple[int, str]:
    """How many steps have an id in (after, until], and the hash over their hashes."""
    whole, rows = hashlib.sha256(), 0
    query = select(History.id, History.instance_id, History.n, History.hash)
    query = query.where(History.id > after, History.id <= until).order_by(History.id)
    for row in session.execute(query.execution_options(yield_per=PAGE)):
        whole.update(f"{row.id} {row.instance_id} {row.n} {row.hash}\n".encode())
        rows += 1
    return rows, whole.hexdigest()


def _signed(before: str, anchor: HistoryAnchor, digest: str) -> str:
    return history.signed([before, anchor.n, anchor.at.isoformat(), anchor.last_id, anchor.rows, digest])
