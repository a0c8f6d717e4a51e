"""A row of the outbox as a MIME mail: every call gives the same one."""

from __future__ import annotations

from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from services.mail.outgoing import clean_header
from services.notifications.models import OutboxMessage

# identifiers longer than a line must not be folded into encoded words
_POLICY = SMTP.clone(max_line_length=900)


def compose(row: OutboxMessage, files: Sequence[tuple[str, bytes]] = ()) -> EmailMessage:
    """The mail of that row with these files; raises ValueError for an address that is none."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = _address(row.sender, clean_header(row.sender_name))
    mail["To"] = _address(row.recipient)
    mail["Subject"] = clean_header(row.subject)
    mail["Date"] = format_datetime(row.created_at)
    for name, value in row.headers.items():
        mail[clean_header(name)] = clean_header(value, 5000)
    mail.set_content(row.text, cte="base64")
    for name, content in files:
        # never anything a mail program would show or run by itself
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=clean_header(name))
    return mail


def _address(address: str, name: str = "") -> Address:
    return Address(display_name=name, addr_spec=clean_header(address))
