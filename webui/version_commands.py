"""The commands about versions: `bpmdesk versions`, `bpmdesk diff`, `bpmdesk rollback`."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webui.opened import opened_desk
from webui.wording import both

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.difference import Difference
    from engine.models import ProcessDefinition

_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_KINDS = {
    "activated": ("включена", "activated"),
    "rolled_back": ("возврат", "rolled back"),
    "deleted": ("удалена", "deleted"),
}


@click.command("versions", help=both("Показать процессы и их версии.", "Show the processes and their versions."))
@click.argument("key", required=False)
def versions(key: str | None) -> None:
    """All processes; with a key its versions and their journal."""
    from engine import versions as room

    with opened_desk().database.reading() as session:
        for definition in _definitions(session, key):
            name = f"{definition.key} v{definition.version}"
            click.echo(
                f"{name:<40} {definition.state:<8} {definition.created_at:%Y-%m-%d %H:%M} {definition.created_by}"
            )
        for change in room.journal(session, key) if key else ():
            words, before = both(*_KINDS[change.kind]), f"v{change.before} → " if change.before else ""
            reason = f" – {change.reason}" if change.reason else ""
            click.echo(f"{change.at:%Y-%m-%d %H:%M} {change.by}: {words} {before}v{change.version}{reason}")


@click.command(
    "diff", help=both("Сравнить две версии или два файла словами.", "Compare two versions or files in words.")
)
@click.argument("before", metavar="FILE|KEY:VERSION")
@click.argument("after", metavar="FILE|KEY:VERSION")
@click.option("--process", metavar="ID", help=both("какой процесс файла", "which process of the file"))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(before: str, after: str, process: str | None, style: str) -> int:
    """What differs; 1 when something does."""
    difference = _compared(before, after, process)
    if style == "json":
        click.echo(json.dumps(dataclasses.asdict(difference), ensure_ascii=False, indent=2, default=str))
    else:
        for line in _told(difference):
            click.echo(line)
    return int(bool(difference))


@click.command("rollback", help=both("Вернуться к более старой версии.", "Go back to an older version."))
@click.argument("key")
@click.argument("version", type=int)
@click.option("--author", default="cli", show_default=True)
def rollback(key: str, version: int, author: str) -> None:
    """New instances start with the older version at once; running ones keep theirs."""
    from engine import versions as room
    from engine.errors import EngineError

    with opened_desk().database.transaction() as session:
        chosen = _stored(session, key, version)
        if chosen.state == "draft":
            raise EngineError(f"Expected a version that was active before, but {key} v{version} is a draft")
        room.activate(session, chosen, by=author)
        click.echo(both(f"Действует {key} v{version}", f"{key} v{version} is active"))


def _definitions(session: Session, key: str | None) -> Sequence[ProcessDefinition]:
    from sqlalchemy import select

    from engine.errors import NotFound
    from engine.models import ProcessDefinition

    query = select(ProcessDefinition).order_by(ProcessDefinition.key, ProcessDefinition.version.desc())
    found = session.scalars(query.where(ProcessDefinition.key == key) if key else query).all()
    if key and not found:
        raise NotFound(f"Expected a process {key}, but there is none")
    return found


def _stored(session: Session, key: str, version: int) -> ProcessDefinition:
    from engine.errors import NotFound

    found = next((each for each in _definitions(session, key) if each.version == version), None)
    if found is None:
        raise NotFound(f"Expected {key} v{version}, but there is no such version")
    return found


def _compared(before: str, after: str, process: str | None) -> Difference:
    from engine import difference

    names = [_version_of(before), _version_of(after)]
    if all(names):
        with opened_desk().database.reading() as session:
            old, new = (_stored(session, *name) for name in names if name)
            return difference.compare(session, old, new)
    old_file, new_file = (_content(text, name) for text, name in zip((before, after), names, strict=True))
    key = process or next((name[0] for name in names if name), None) or _only_process(new_file, after)
    return difference.compare_files(old_file, new_file, key)


def _version_of(text: str) -> tuple[str, int] | None:
    """`KEY:VERSION`, unless a file has that name."""
    key, _, number = text.rpartition(":")
    return (key, int(number)) if key and number.isdecimal() and not Path(text).exists() else None


def _content(text: str, name: tuple[str, int] | None) -> bytes:
    if name is None:
        return Path(text).read_bytes()
    with opened_desk().database.reading() as session:
        return _stored(session, *name).resource.content


def _only_process(content: bytes, name: str) -> str:
    from engine.bpmn import xml
    from engine.bpmn.extensions import processes
    from engine.errors import NotFound

    found = [each.get("id", "") for each in processes(xml.read(content, name))]
    if len(found) != 1:
        raise NotFound(f"Expected one process in {name}, but it holds {len(found)}: name one with --process")
    return found[0]


def _told(difference: Difference) -> Iterator[str]:
    from engine.difference_words import lines

    language = "en" if os.environ.get("BPMDESK_LANGUAGE") == "en" else "ru"
    for line in lines(difference, language):
        yield f"{_MARKS[line.change.kind]} {line.title}"
        yield from (f"    {detail}" for detail in line.details)
    moved = len(difference.moved)
    if moved:
        yield both(f"Только сдвинуто на рисунке: {moved}", f"Only moved in the picture: {moved}")
    if not difference and not moved:
        yield both("Отличий нет", "No difference")
