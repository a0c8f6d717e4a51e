"""Ticket numbers: 1, 2, 3 … without a gap."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from services.catalog.models import Counter


def next_number(session: Session) -> int:
    """Take the next number; the counter's row stays locked until the transaction ends, a rollback gives it back."""
    step = update(Counter).where(Counter.name == "ticket").values(value=Counter.value + 1).returning(Counter.value)
    number = session.scalar(step.execution_options(synchronize_session=False))
    if number is None:
        session.add(Counter(name="ticket", value=1))
        session.flush()
        return 1
    return number
