"""`bpmdesk up`: prepare, start every process, print one banner, and keep watch until the end."""

from __future__ import annotations

import fcntl
import http.client
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

from click import ClickException

from engine import valkey
from engine.config import Settings
from webui import app as app  # imported here, so that the web process finds it there
from webui import logs, processes
from webui.prepare import Prepared, prepare
from webui.supervisor import Program, Supervisor
from webui.wording import both

_PORTS_TO_TRY = 100


def up(settings: Settings) -> int:
    """Run the whole desk until a signal; returns the exit code."""
    settings = settings.model_copy(update={"data_dir": settings.data_dir.resolve()})
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _sole(settings.data_dir) as note:
        port = free_port(settings.host, settings.port)
        settings = settings.model_copy(
            update={"port": port, "mail_port": free_port(settings.mail_host, settings.mail_port, but=port)}
        )
        note(settings.url)
        logs.configure(settings, "up")
        told = prepare(settings)
        supervisor = Supervisor(_programs(settings), os.environ, say=_say)
        supervisor.start()
        return supervisor.watch(lambda: answers(settings), lambda: _say(banner(settings, told)))


def free_port(host: str, wanted: int, *, but: int = 0) -> int:
    """The wanted port, or the next one that nobody listens on."""
    for port in range(wanted, min(wanted + _PORTS_TO_TRY, 65536)):
        if port != but and _is_free(host, port):
            return port
    raise ClickException(
        both(
            f"Нет свободного порта от {wanted} на {host}: задайте BPMDESK_PORT или BPMDESK_HOST",
            f"No free port from {wanted} on {host}: set BPMDESK_PORT or BPMDESK_HOST",
        )
    )


def answers(settings: Settings) -> bool:
    """True once the web process answers at its address."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "") else settings.host  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/login")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def banner(settings: Settings, told: Prepared) -> str:
    """Everything a person needs to begin."""
    rows = [(both("Адрес", "Address"), settings.url)]
    rows += [(both("Чат клиента", "Client's chat"), f"{settings.url}/chat/{slug}") for slug in told.chats]
    smtp = f"SMTP {settings.mail_host}:{settings.mail_port}"
    rows += [(both("Почта линии", "Line's mail"), f"{address} → {smtp}") for address in told.mails]
    rows += [(both("Почтовый ящик", "Mailbox"), f"{settings.url}/mailbox")]
    rows += [(both("Вход", "Logins") if index == 0 else "", login) for index, login in enumerate(told.logins)]
    if told.password:
        rows += [(both("Пароль", "Password"), told.password)]
    if told.drafts:
        rows += [(both("Новые версии", "New versions"), ", ".join(told.drafts))]
    rows += [(both("Данные", "Data"), str(settings.data_dir)), (both("Остановить", "Stop"), "Ctrl-C")]
    width = max(len(name) for name, _ in rows)
    body = "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)
    return f"\n{both('bpmdesk работает', 'bpmdesk is running')}\n{body}\n"


def _programs(settings: Settings) -> list[Program]:
    programs = [
        Program("web", partial(processes.web, settings), needed_at_start=True),
        *(
            Program(name, partial(processes.worker, settings, name))
            for name in (f"worker-{number}" for number in range(1, settings.workers + 1))
        ),
        Program("ticker", partial(processes.ticker, settings)),
        Program("mailbox", partial(processes.mailbox, settings)),
    ]
    if not settings.redis_url:
        programs.insert(0, Program("valkey", valkey.command(settings), needed_at_start=True, last=True))
    return programs


@contextmanager
def _sole(data_dir: Path) -> Iterator[Callable[[str], None]]:
    """One `up` at a time for one data directory; gives the way to leave the address for the next one to read."""
    with (data_dir / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            where = file.read().strip()
            raise ClickException(
                both(f"Уже работает с этими данными: {where}", f"Already running on this data: {where}")
            ) from None
        yield partial(_note, file)


def _note(file: TextIO, address: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(address)
    file.flush()


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return False
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == 99:
                raise ClickException(
                    both(f"Такого адреса у машины нет: {host}", f"This machine has no address {host}")
                ) from None
            return False
    return True


def _say(text: str) -> None:
    print(text, flush=True)
