"""Workers that are killed at any moment: every mail becomes one message, every answer leaves as one mail."""

from __future__ import annotations

import os
import random
import select as io
import smtplib
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from engine import clock, listeners, repository
from engine.config import Settings
from services.bootstrap import open_desk
from services.lines.models import InboundMail, LineSession, Message
from services.mail import mailbox, outgoing
from services.notifications.models import OutboxMessage
from services.reference import ensure_reference
from services.tickets.models import Ticket
from tests.services.mail.letters import SUPPORT, letter
from tests.services.mail.servers import smtp_server
from webui import builtin

ROOT = Path(__file__).resolve().parents[2]
MAILS = 30
KILLS = 5
LEASE_MINUTES = 3

WORKER = """
from engine import due
from services.bootstrap import open_desk
desk = open_desk()
print("ready", flush=True)
idle = 0
while idle < 2:
    worked = False
    for name in ("inbound_mail", "outbox"):
        source = due.sources()[name]
        with desk.database.transaction() as session:
            ids = source.claim(session, "worker", 10)
        if ids:
            source.execute(desk.database, ids)
            worked = True
    idle = 0 if worked else idle + 1
"""


def run_worker(environment: dict[str, str], seconds: float | None) -> int:
    """Run a worker until nothing is due, or kill it that long after its start; gives its exit code."""
    with subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stdout=subprocess.PIPE, cwd=ROOT) as worker:
        assert worker.stdout is not None
        assert b"ready" in worker.stdout.readline()
        try:
            io.select([worker.stdout], [], [], seconds if seconds is not None else 60)
        finally:
            if seconds is not None or worker.poll() is None:
                worker.kill() if seconds is not None else worker.wait(60)
        return worker.wait(10)


def test_killed_workers_lose_nothing_and_double_nothing(settings: Settings) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    clock_file = settings.data_dir / "clock"
    desk = open_desk(settings.model_copy(update={"clock_file": clock_file}))
    files = builtin.files()
    with desk.database.transaction() as session:
        ensure_reference(session, settings)
        repository.deploy(session, files, author="system", activate=True)

    with mailbox.serve(desk) as port, smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        for number in range(MAILS):
            address = f"client{number}@client.example"
            mail = letter(f"Письмо {number}", sender=address, message_id=f"<{number}@client.example>")
            client.sendmail(address, [SUPPORT], mail.as_bytes())

    with smtp_server() as server:
        environment = os.environ | {
            "BPMDESK_DATA_DIR": str(settings.data_dir),
            "BPMDESK_DATABASE_URL": settings.database_url,
            "BPMDESK_SECRET_KEY": settings.secret_key,
            "BPMDESK_CLOCK_FILE": str(clock_file),
            "BPMDESK_SMTP_HOST": "127.0.0.1",
            "BPMDESK_SMTP_PORT": str(server.port),
        }
        for kill in range(KILLS):
            run_worker(environment, chance.uniform(0.05, 0.5))
            clock_file.write_text(str(60 * LEASE_MINUTES * (kill + 1)))
            if kill == KILLS // 2:
                answer_everybody(desk.database)
        answer_everybody(desk.database)
        assert run_worker(environment, None) == 0
        clock_file.write_text(str(60 * LEASE_MINUTES * (KILLS + 1)))
        answer_everybody(desk.database)
        assert run_worker(environment, None) == 0

    with desk.database.reading() as session:
        states = Counter(session.scalars(select(InboundMail.state)))
        texts = Counter(session.scalars(select(Message.text).where(Message.kind == "in")))
        queued = set(session.scalars(select(Message.external_id).where(Message.kind == "out")))
        unsent = session.scalar(select(func.count()).where(OutboxMessage.state != "sent"))
        tickets = session.scalar(select(func.count(Ticket.id)))
    arrived = {mail["Message-ID"] for mail in server.mails}
    assert states == {"done": MAILS}
    assert texts == {f"Письмо {number}": 1 for number in range(MAILS)}
    assert tickets == MAILS
    assert unsent == 0
    assert queued <= arrived
    assert len(queued) >= MAILS
    listeners.reset()
    clock.install(None)
    desk.database.dispose()


def answer_everybody(database: Any) -> None:
    """An operator answers each request that has no answer yet."""
    with database.transaction() as session:
        answered = select(Message.session_id).where(Message.kind == "out", Message.automatic.is_(False))
        for row in session.scalars(select(LineSession).where(LineSession.id.not_in(answered))):
            message = Message(
                session_id=row.id,
                ticket_id=row.ticket_id,
                kind="out",
                channel="email",
                text="Проверьте кабель.",
                created_at=clock.now(),
            )
            session.add(message)
            ticket = session.get(Ticket, row.ticket_id)
            outgoing.queue_reply(session, ticket=ticket, session_row=row, message=message)
