"""The commands that change running instances: `bpmdesk migrate-instances` and `bpmdesk repair`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from webui.opened import opened_desk
from webui.wording import both

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.models import ProcessDefinition, ProcessInstance
    from engine.repair import Standing

_ACTIONS = {
    "show": ("", 0),
    "move": ("FROM TO", 2),
    "repeat": ("FROM", 1),
    "skip": ("FROM", 1),
    "set": ("NAME JSON", 2),
    "due": ("TIMER INSTANT", 2),
    "suspend": ("", 0),
    "resume": ("", 0),
    "cancel": ("", 0),
}
"""Action → what it is given: element ids, a number of `show`, an instant such as 2026-03-20T15:00+03:00."""


@click.command(
    "migrate-instances",
    help=both("Перенести идущие экземпляры на другую версию.", "Move running instances to another version."),
)
@click.argument("key")
@click.argument("source", type=int)
@click.argument("target", type=int)
@click.option(
    "--map", "pairs", multiple=True, metavar="OLD=NEW", help=both("привязка элемента", "where an element goes")
)
@click.option("--rebind", is_flag=True, help=both("вызовы – на действующие версии", "calls to their active versions"))
@click.option("--trial", is_flag=True, help=both("перенести и сразу вернуть", "move and take back at once"))
@click.option(
    "--begin", metavar="REASON", help=both("начать, с причиной; без неё – только показать", "really begin, why")
)
@click.option("--author", default="cli", show_default=True)
def migrate_instances(
    key: str,
    source: int,
    target: int,
    pairs: Sequence[str],
    rebind: bool,
    trial: bool,
    begin: str | None,
    author: str,
) -> int:
    """Without --trial and --begin a preview: who moves, who does not and why; 1 when somebody does not."""
    from engine import migrating, migration

    mapping = _mapping(pairs)
    database = opened_desk().database
    with database.transaction() as session:
        ends = _version(session, key, source), _version(session, key, target)
        if trial:
            attempts = migration.dry_run(session, *ends, mapping, rebind=rebind, by=author)
            return _told(Counter(a.outcome for a in attempts), [_both(a) for a in attempts if a.outcome != "moved"])
        verdicts = migration.preview(session, *ends, mapping, rebind=rebind)
        code = _told(Counter(v.outcome for v in verdicts), [_both(o) for v in verdicts for o in v.obstacles[:1]])
        if begin is None:
            return code
        order = migration.begin(session, *ends, mapping, rebind=rebind, by=author, comment=begin).id
    migrating.finish(database, order)
    with database.reading() as session:
        found = migration.progress(session, migration.one(session, order))
    return _told(Counter(found.counts), [])


@click.command("repair", help=both("Починить один экземпляр.", "Repair one instance."))
@click.argument("instance_id", type=int)
@click.argument("action", type=click.Choice(list(_ACTIONS)), default="show")
@click.argument("given", nargs=-1)
@click.option("--reason", default="", help=both("причина, останется в истории", "why; stays in the history"))
@click.option("--at", metavar="ELEMENT", help=both("set: только в этом узле", "set: at this node only"))
@click.option("--author", default="cli", show_default=True)
def repair(instance_id: int, action: str, given: Sequence[str], reason: str, at: str | None, author: str) -> None:
    """Shows where it stands, before or after what was asked for."""
    from engine import repair as room
    from engine.models import ProcessInstance

    wanted, count = _ACTIONS[action]
    if len(given) != count:
        raise click.UsageError(f"repair {instance_id} {action} {wanted}")
    with opened_desk().database.transaction() as session:
        instance = session.get(ProcessInstance, instance_id)
        if instance is None:
            raise click.ClickException(both("Такого экземпляра нет", "There is no such instance"))
        if action == "show":
            _show_timers(session, instance)
            after = room.standing(session, instance, since=-1)
        else:
            after = _verbs(session, instance, at)[action](*given, reason=reason, by=author)
        _show(after)


def _verbs(session: Session, instance: ProcessInstance, at: str | None) -> dict[str, Callable[..., Standing]]:
    from engine import repair as room

    def key(element_id: str) -> str:
        return _key(room.places(session, instance), element_id)

    def set_(name: str, value: str, **more: Any) -> Standing:
        return room.set_variable(session, instance.id, name, _json(value), key=key(at) if at else None, **more)

    return {
        "move": lambda source, to, **more: room.move_token(session, instance.id, key(source), to, **more),
        "repeat": lambda source, **more: room.repeat(session, instance.id, key(source), **more),
        "skip": lambda source, **more: room.skip(session, instance.id, key(source), **more),
        "set": set_,
        "due": lambda job, when, **more: room.set_due(session, int(job), _instant(when), **more),
        "suspend": lambda **more: room.suspend(session, instance.id, **more),
        "resume": lambda **more: room.resume(session, instance.id, **more),
        "cancel": lambda **more: room.cancel(session, instance.id, **more),
    }


def _mapping(pairs: Sequence[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    if any(not (old and new) for old, _, new in split):
        raise click.UsageError("--map OLD=NEW")
    return {old: new for old, _, new in split}


def _version(session: Session, key: str, number: int) -> ProcessDefinition:
    from sqlalchemy import select

    from engine.models import ProcessDefinition

    query = select(ProcessDefinition).where(ProcessDefinition.key == key, ProcessDefinition.version == number)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise click.ClickException(both(f"Версии {number} процесса {key} нет", f"There is no {key} v{number}"))
    return found


def _told(counts: Mapping[str, int], sentences: Sequence[str]) -> int:
    for word, count in sorted(counts.items()):
        click.echo(f"{word:<10} {count}")
    for sentence, count in Counter(sentences).most_common():
        click.echo(f"{count:>6}  {sentence}")
    return int(any(word not in ("moves", "moved") for word in counts))


def _both(reason: Any) -> str:
    return both(reason.ru, reason.en)


def _key(places: Sequence[Any], element_id: str) -> str:
    found = next((place.key for place in reversed(places) if place.element_id == element_id), None)
    if found is None:
        here = ", ".join(place.element_id for place in places)
        raise click.ClickException(
            both(f"На {element_id} никто не стоит: {here}", f"Nobody stands at {element_id}: {here}")
        )
    return str(found)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise click.ClickException(both("Значение пишется в JSON", "The value is written as JSON")) from None


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise click.ClickException(both("Укажите часовой пояс: …+03:00", "Name the time zone: …+03:00"))
    return found


def _show_timers(session: Session, instance: ProcessInstance) -> None:
    from sqlalchemy import select

    from engine.models import Job

    waiting = select(Job).where(Job.instance_id == instance.id, Job.state.in_(("waiting", "suspended")))
    for job in session.scalars(waiting.order_by(Job.due_at)):
        click.echo(
            f"{both('таймер', 'timer')} {job.id}: {job.name or job.element_id} {job.due_at.isoformat()} {job.state}"
        )


def _show(after: Standing) -> None:
    click.echo(f"{after.state}, {both('шаг', 'step')} {after.version}")
    for place in after.places:
        click.echo(f"{both('стоит на', 'stands at')} {place.element_id} ({place.name})")
    for name in after.opened:
        click.echo(f"{both('новая задача', 'new task')}: {name}")
    for name, due in after.timers:
        click.echo(f"{both('сработает', 'due')}: {name} {due.isoformat()}")
