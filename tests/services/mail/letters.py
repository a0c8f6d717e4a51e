"""Mails as people, programs and attackers send them, built from parts with everything defaulted."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

IVAN = "ivan@client.example"
SUPPORT = "support@desk.localhost"
TEXT = "Здравствуйте! Не работает касса."


def letter(
    text: str = TEXT,
    *,
    sender: str = f"Иван Петров <{IVAN}>",
    to: str = SUPPORT,
    subject: str = "Не работает касса",
    message_id: str | None = "<first@client.example>",
    **headers: str,
) -> EmailMessage:
    """An ordinary mail; other headers by keyword, _ for -."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    if message_id:
        mail["Message-ID"] = message_id
    for name, value in headers.items():
        mail[name.replace("_", "-").title()] = value
    mail.set_content(text)
    return mail


def raw(head: str, body: bytes | str = b"", charset: str = "utf-8") -> bytes:
    """A mail byte for byte: what no library would build."""
    content = body if isinstance(body, bytes) else body.encode(charset)
    return head.strip().replace("\n", "\r\n").encode(charset) + b"\r\n\r\n" + content


def deeply_nested(depth: int) -> bytes:
    """Parts within parts within parts."""
    head = f"From: {IVAN}\r\nTo: {SUPPORT}\r\nSubject: deep\r\nMessage-ID: <deep@client.example>\r\n"
    opened = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(depth))
    return (head + opened + "Content-Type: text/plain\r\n\r\nbottom\r\n").encode()


def many_parts(number: int) -> bytes:
    """One mail of that many parts."""
    head = f"From: {IVAN}\r\nTo: {SUPPORT}\r\nSubject: many\r\nMessage-ID: <many@client.example>\r\n"
    part = "--b\r\nContent-Type: text/plain\r\n\r\npart\r\n"
    return (head + 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + part * number + "--b--\r\n").encode()


def bounce(of_message_id: str, *, action: str = "failed") -> bytes:
    """A delivery report of a mail server about a mail of ours."""
    return raw(
        f"""
From: Mail Delivery System <MAILER-DAEMON@mx.client.example>
To: {SUPPORT}
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@mx.client.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="r"
""",
        f"""--r\r
Content-Type: text/plain\r
\r
The mail could not be delivered: mailbox full.\r
--r\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.client.example\r
\r
Final-Recipient: rfc822; {IVAN}\r
Action: {action}\r
Status: 5.2.2\r
\r
--r\r
Content-Type: message/rfc822\r
\r
From: {SUPPORT}\r
To: {IVAN}\r
Subject: Re: till\r
Message-ID: {of_message_id}\r
\r
Please check the cable.\r
--r--\r
""",
    )
