"""The command `bpmdesk replay`: a version run over the closed tickets of this desk, by as many processes as there are
cores."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webui.opened import opened_desk
from webui.wording import both

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.db import Database
    from services.rehearsal import Template
    from services.replay.living import Relived

CHUNK = 10
"""Tickets a process is given at once."""
MOST_SHOWN = 12
_WORDS = {
    "same": ("так же", "the same"),
    "differs": ("иначе", "otherwise"),
    "stuck": ("застряли", "stuck"),
    "failed": ("сбой", "failed"),
}
_CHANGES = {
    "new": ("появился бы", "new"),
    "gone": ("исчез бы", "gone"),
    "order": ("те же, но в другом порядке", "the same in another order"),
    "more": ("больше", "more"),
    "fewer": ("меньше", "fewer"),
}
_TERMS = {
    "breached": ("срок был бы нарушен", "would be breached"),
    "kept": ("срок был бы соблюдён", "would be kept"),
    "begun": ("часы пошли бы", "would run"),
    "never": ("часы не пошли бы", "would not run"),
    "open": ("часы не остановились бы", "would still run"),
    "slower": ("дольше", "slower"),
    "faster": ("быстрее", "faster"),
}


@dataclass(frozen=True, slots=True)
class _Answered:
    """One ticket with what became of it."""

    number: int
    relived: Relived


@click.command("replay", help=both("Прогнать версию по закрытым обращениям.", "Run a version over closed tickets."))
@click.argument("version", metavar="KEY[:N]|FILE")
@click.option(
    "--last", type=click.IntRange(1, 100_000), default=1000, show_default=True, help=both("сколько", "how many")
)
@click.option("--processes", type=click.IntRange(1, 64), help=both("по числу ядер", "as there are cores"))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(version: str, last: int, processes: int | None, style: str) -> int:
    """Nothing is written: the sums are printed, and the tickets that got stuck. 1 when some got stuck or failed."""
    from services.replay import operations
    from services.replay.sums import sums

    began = time.monotonic()
    with opened_desk().database.reading() as session:
        template = _template(session, version)
        ids = operations.closed(session, last)
    if not ids:
        raise click.ClickException(both("Закрытых обращений ещё нет", "There are no closed tickets yet"))
    answered = list(_answers(template, ids, processes or os.cpu_count() or 1))
    told = sums((each.relived.verdict, each.relived.differences) for each in answered)
    seconds = time.monotonic() - began
    click.echo(_as_json(told, answered, seconds) if style == "json" else "\n".join(_as_text(told, answered, seconds)))
    return int(told["verdicts"]["stuck"] + told["verdicts"]["failed"] > 0)


def _template(session: Session, version: str) -> Template:
    from sqlalchemy import select

    from engine.models import ProcessDefinition
    from services.replay import operations

    path = Path(version)
    if path.suffix == ".bpmn":
        if not path.is_file():
            raise click.ClickException(both(f"Нет файла {version}", f"There is no file {version}"))
        return operations.with_files(session, {path.name: path.read_bytes()})
    key, _, number = version.partition(":")
    query = select(ProcessDefinition).where(ProcessDefinition.key == key).order_by(ProcessDefinition.version.desc())
    if number:
        query = query.where(ProcessDefinition.version == (int(number) if number.isdecimal() else -1))
    found = session.scalars(query.limit(1)).one_or_none()
    if found is None:
        raise click.ClickException(both(f"Нет версии {version}", f"There is no version {version}"))
    return operations.template(session, found)


def _answers(template: Template, ids: Sequence[int], processes: int) -> Iterator[_Answered]:
    """All tickets, newest first; the processes share nothing but the template they begin with."""
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, context, initializer=_prepare, initargs=(template,)) as pool:
        for answered in pool.map(_chunk, chunks):
            yield from answered


_prepared: tuple[Template, Database]
"""Of one process of the pool."""


def _prepare(template: Template) -> None:
    global _prepared
    _prepared = template, opened_desk().database
    gc.freeze()  # what was loaded stays and need not be looked through for garbage again and again


def _chunk(ids: Sequence[int]) -> list[_Answered]:
    from services.replay import operations
    from services.tickets.models import Ticket

    template, database = _prepared
    with database.reading() as session:
        return [
            _Answered(session.get_one(Ticket, each).number, operations.answer(session, each, template)) for each in ids
        ]


def _as_json(told: Mapping[str, Any], answered: Sequence[_Answered], seconds: float) -> str:
    tickets = [
        {"number": each.number, "verdict": each.relived.verdict, "differences": each.relived.differences}
        for each in answered
    ]
    return json.dumps({"sums": told, "seconds": round(seconds, 1), "tickets": tickets}, ensure_ascii=False, indent=2)


def _as_text(told: Mapping[str, Any], answered: Sequence[_Answered], seconds: float) -> Iterator[str]:
    rate = len(answered) / seconds
    yield both(
        f"Обращений: {len(answered)} за {seconds:.1f} с ({rate:.0f} в секунду)",
        f"Tickets: {len(answered)} in {seconds:.1f} s ({rate:.0f} a second)",
    )
    for verdict, count in told["verdicts"].items():
        yield f"  {both(*_WORDS[verdict]):<12} {count}"
    yield from _nodes(both("Новые шаги:", "New steps:"), told["new"])
    yield from _nodes(both("Исчезнувшие шаги:", "Steps that are gone:"), told["gone"])
    for code, how, count in told["statuses"]:
        yield f"{both('Статус', 'Status')} {code or '–'} ({both(*_CHANGES[how])}): {count}"
    for kind, how, count in told["terms"]:
        yield f"SLA {kind}, {both(*_TERMS[how])}: {count}"
    for kind, how, count in told["notices"]:
        yield f"{both('Уведомление', 'Notice')} {kind} ({both(*_CHANGES[how])}): {count}"
    for label, count in told["refused"]:
        yield both(f"Кнопки «{label}» не было бы: {count}", f"The button “{label}” would not be there: {count}")
    for place, count in told["waiting"]:
        yield both(f"Ждали бы на «{place}»: {count}", f"Would wait at “{place}”: {count}")
    for message, count in told["failures"]:
        yield f"{count} × {message}"
    yield from _stuck(answered)


def _nodes(title: str, nodes: Sequence[Sequence[Any]]) -> Iterator[str]:
    if nodes:
        yield title
        for key, element, name, count in nodes:
            yield f"  {count:>6}  {name or element} [{key}/{element}]"


def _stuck(answered: Sequence[_Answered]) -> Iterator[str]:
    numbers = sorted(each.number for each in answered if each.relived.verdict in ("stuck", "failed"))
    if numbers:
        shown = ", ".join(f"№ {number}" for number in numbers[:MOST_SHOWN])
        more = f" … ({len(numbers)})" if len(numbers) > MOST_SHOWN else ""
        yield both(f"Застряли или сорвались: {shown}{more}", f"Stuck or failed: {shown}{more}")
