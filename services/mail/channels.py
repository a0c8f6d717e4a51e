"""Which addresses are the desk's own: what is sent there comes back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.lines.models import Channel
from services.mail.addresses import normalised, split_tag
from services.mail.identity import current


def mail_channels(session: Session) -> dict[str, Channel]:
    """The active mail channels by normalised address; read once per transaction."""
    known: dict[str, Channel] | None = session.info.get("mail_channels")
    if known is None:
        rows = session.scalars(select(Channel).where(Channel.kind == "email", Channel.active).order_by(Channel.id))
        known = session.info["mail_channels"] = {normalised(channel.address): channel for channel in rows}
    return known


def is_own(address: str, channels: dict[str, Channel]) -> bool:
    """Whether mail to this address would come back to the desk."""
    base = split_tag(normalised(address))[0]
    return base in channels or base == current().address
