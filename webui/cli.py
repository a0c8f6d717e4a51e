"""The command `bpmdesk`: every process and every tool of the desk, one by one."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from engine.config import Settings
from engine.errors import DeploymentRefused, EngineError
from webui.opened import opened_desk as _desk
from webui.opened import until_the_end as _until_the_end
from webui.repair_commands import migrate_instances, repair
from webui.replay_command import command as replay
from webui.version_commands import diff, rollback, versions
from webui.wording import both

_Command = TypeVar("_Command", bound=Callable[..., Any])
_EXISTING = click.Path(exists=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def main() -> None:
    """Run one command. Whatever goes wrong is said in a line or two, never as a traceback.

    Standard output belongs to the command's answer, the log goes to standard error.
    """
    try:
        _log_to_standard_error()
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except Exception as error:
        for line in _explain(error):
            click.echo(line, err=True)
        code = 1
    sys.exit(code or 0)


@click.group(help=both("Служба поддержки, у которой вся жизнь обращения – BPMN.", "A desk whose ticket life is BPMN."))
@click.version_option(package_name="bpmdesk")
def cli() -> None:
    """The group of all commands."""


def _command(name: str, russian: str, english: str, **more: Any) -> Callable[[_Command], click.Command]:
    return cli.command(name, help=both(russian, english), **more)


@_command("up", "Запустить всё: веб, работников, планировщик, почтовый ящик.", "Start everything under one supervisor.")
@click.option("--host", help=both("адрес", "address"))
@click.option("--port", type=click.IntRange(1, 65535), help=both("порт; занят – следующий", "port; if taken, the next"))
@click.option("--demo/--no-demo", default=None, help=both("демоданные в пустую базу", "demonstration data"))
def up(host: str | None, port: int | None, demo: bool | None) -> int:
    """Everything under one supervisor."""
    from webui.start import up as start

    given = {"host": host, "port": port, "demo": demo}
    return start(_settings().model_copy(update={name: value for name, value in given.items() if value is not None}))


@_command("web", "Веб-сервер.", "The web server.")
def web() -> None:
    """The web server alone."""
    from webui import processes

    processes.web(_settings())


@_command("worker", "Работник: выполняет сроки и отложенные шаги.", "A worker: does what is due.")
@click.option("--name", default="worker", show_default=True, help=both("имя в списке процессов", "its name"))
def worker(name: str) -> None:
    """One worker."""
    from webui import processes

    processes.worker(_settings(), name)


@_command("ticker", "Планировщик: находит, чему пришёл срок.", "The ticker: finds what is due.")
def ticker() -> None:
    """The sweeper."""
    from webui import processes

    processes.ticker(_settings())


@_command("mailbox", "Встроенный почтовый ящик (SMTP).", "The built-in mailbox (SMTP).")
def mailbox() -> None:
    """The SMTP server for incoming mail."""
    from webui import processes

    processes.mailbox(_settings())


@_command("migrate", "Привести таблицы к этой версии.", "Bring the tables up to this release.")
@click.option(
    "--write", metavar="MESSAGE", help=both("записать миграцию к моделям", "write the migration to the models")
)
def migrate(write: str | None) -> None:
    """Upgrade the database and add what any installation needs; for developers: write the next migration."""
    from engine import migrations
    from engine.db import Database
    from services import models as models
    from services.reference import ensure_reference

    settings = _settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = _until_the_end(Database(settings.database))
    if write:
        click.echo(migrations.write(database, write))
        return
    upgraded = migrations.upgrade(database)
    with database.transaction() as session:
        ensure_reference(session, settings)
    if upgraded:
        click.echo(both("Таблицы обновлены", "The tables are up to date now"))
    else:
        click.echo(both("Таблицы уже этой версии", "The tables were up to date"))


@_command("deploy", "Установить файлы процессов и форм одной поставкой.", "Deploy files as one bundle.")
@click.argument("paths", nargs=-1, required=True, type=_EXISTING)
@click.option("--activate", is_flag=True, help=both("сразу для новых обращений", "at once for new tickets"))
@click.option("--comment", default="", help=both("что изменилось", "what changed"))
@click.option("--author", default="cli", show_default=True)
@click.option("--override", metavar="REASON", help=both("включить вопреки проверке, с причиной", "activate regardless"))
@click.option("--keep-draft", is_flag=True, help=both("с ошибками – черновиком", "with errors, as a draft"))
def deploy(
    paths: Sequence[Path], activate: bool, comment: str, author: str, override: str | None, keep_draft: bool
) -> None:
    """Store a bundle; running instances keep their versions."""
    from engine import repository

    desk = _desk()
    with desk.database.transaction() as session:
        deployment = repository.deploy(
            session,
            _bundle(paths),
            author=author,
            comment=comment,
            activate=activate,
            override_reason=override,
            keep_draft=keep_draft or bool(override),
        )
        click.echo(both(f"Поставка {deployment.id}", f"Deployment {deployment.id}") + f" {deployment.sha256[:12]}")
        for definition in deployment.definitions:
            click.echo(f"  {definition.key} v{definition.version} {definition.state}")


@_command("check", "Проверить файлы процессов.", "Check process files.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--scenarios", is_flag=True, help=both("и прогнать сценарии", "and run the scenarios"))
@click.option("--fix", is_flag=True, help=both("записать безопасные исправления", "write the safe corrections"))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(paths: Sequence[Path], scenarios: bool, fix: bool, style: str) -> int:
    """Lint; 1 when there is an error. With scenarios, without a path: the built-in processes."""
    from engine.bpmn.lint.command import command
    from engine.connectors import catalogue
    from services import connectors as connectors  # registers them

    if scenarios:
        from webui.scenarios import command as run

        return run(paths, style)
    if not paths:
        raise click.UsageError(both("Назовите файлы или папки", "Name files or folders"))
    return command(paths, style, connectors=catalogue(), statuses=_statuses(_settings()), correct=fix)


@_command("try", "Прогнать процесс на выдуманных данных.", "Run a process on made-up data and a clock that jumps.")
@click.argument("file", type=_FILE)
@click.option("--process", metavar="ID", help=both("какой процесс файла", "which process of the file"))
@click.option("--data", metavar="JSON", help=both("переменные и контекст", "variables and context"))
@click.option(
    "--answer", "answers", multiple=True, metavar="ELEMENT=ACTION[:JSON]", help=both("ответ людей", "an answer")
)
@click.option("--send", "sends", multiple=True, metavar="MESSAGE[:JSON]", help=both("сообщение", "a message"))
@click.option("--for", "duration", metavar="PT8H", help=both("сколько времени прожить", "how long to live"))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def try_(
    file: Path,
    process: str | None,
    data: str | None,
    answers: Sequence[str],
    sends: Sequence[str],
    duration: str | None,
    style: str,
) -> int:
    """A throw-away run; nothing of it touches the desk."""
    from engine.simulation import command

    return command(file, process, data, answers, sends, duration, style)


@_command("verify", "Проверить историю и состояние всех экземпляров.", "Verify history and state.")
@click.option("--instance", "instance_id", type=int, metavar="ID", help=both("только этот экземпляр", "this one only"))
@click.option("--quick", is_flag=True, help=both("не повторять шаги истории", "do not make the moves again"))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(instance_id: int | None, quick: bool, style: str) -> int:
    """Check chains, states and counters, and that the history leads to the stored states; 1 when something is wrong."""
    from engine import anchors
    from engine import verify as room

    desk = _desk()
    with desk.database.reading() as session:
        found = room.report(session, instance_id=instance_id, quick=quick)
        newest = anchors.newest(session)
        anchor = None if newest is None else {"n": newest.n, "at": newest.at, "hash": newest.hash}
    if style == "json":
        click.echo(json.dumps({**asdict(found), "anchor": anchor}, ensure_ascii=False, indent=2, default=str))
        return int(bool(found.findings))
    for finding in found.findings:
        click.echo("{rule}: {table} {row_id}: {message}".format_map(asdict(finding)))
    for reason, count in Counter(found.not_rebuildable.values()).items():
        click.echo(both(f"Не повторить экземпляров: {count}", f"Cannot be rebuilt: {count}") + f" – {reason}")
    if anchor is not None:
        signed = "{n} {at:%Y-%m-%d %H:%M}Z {hash}".format_map(anchor)
        click.echo(both("Якорь истории (сохраните вне базы)", "Anchor (keep it elsewhere)") + f": {signed}")
    click.echo(
        both(
            f"Экземпляров: {found.instances}, состояние повторено по истории: {found.rebuilt}",
            f"Instances: {found.instances}, state rebuilt from history: {found.rebuilt}",
        )
    )
    click.echo(both(f"Нарушений: {len(found.findings)}", f"Findings: {len(found.findings)}"))
    return int(bool(found.findings))


@_command("doctor", "Осмотреть установку и сказать, что не так.", "Look at the installation and say what is wrong.")
def doctor() -> int:
    """One line each; 1 when there is a problem."""
    from webui.doctor import examine

    findings = []
    for finding in examine(_settings()):
        findings.append(finding)
        click.echo(str(finding))
    return int(not all(finding.well for finding in findings))


@_command("demo", "Заполнить пустую базу демоданными.", "Fill an empty database with demonstration data.")
def demo() -> None:
    """What `up` does by itself on an empty database."""
    from webui.prepare import prepare as room

    told = room(_settings().model_copy(update={"demo": True}))
    logins = ", ".join(told.logins)
    click.echo(
        both(f"Демопользователи: {logins}; пароль {told.password}", f"Users: {logins}; password {told.password}")
    )


@_command("token", "Выдать токен HTTP API сотруднику.", "Make a token of the HTTP API for a person.")
@click.argument("email")
@click.option("--scope", "scopes", multiple=True, required=True, help=both("право токена", "what it opens"))
@click.option("--name", default="API", show_default=True, help=both("для чего", "what it is for"))
@click.option(
    "--days", type=click.IntRange(0, 3650), default=90, show_default=True, help=both("0 – бессрочно", "0: no end")
)
def token(email: str, scopes: Sequence[str], name: str, days: int) -> None:
    """Print the secret; it is kept as a hash and cannot be shown again."""
    from engine import clock
    from services.access import tokens
    from services.people.queries import by_email

    with _desk().database.transaction() as session:
        agent = by_email(session, email)
        if agent is None:
            raise click.ClickException(both(f"Нет сотрудника {email}", f"There is nobody called {email}"))
        expires = clock.now() + timedelta(days=days) if days else None
        _, secret = tokens.create(session, agent, name=name, scopes=scopes, by="cli", expires_at=expires)
    click.echo(secret)


for _each in (versions, diff, rollback, migrate_instances, repair, replay):
    cli.add_command(_each)


@cli.group("sla", help=both("Сроки обслуживания.", "Service levels."))
def sla() -> None:
    """Service levels."""


@sla.command("solve", help=both("Посчитать сроки из файла JSON.", "Work out the due dates of a JSON file."))
@click.argument("file", type=_FILE)
def solve(file: Path) -> int:
    """The same arithmetic as the desk's clocks."""
    from services.sla.solve import command

    return command(file, sys.stdout)


def _log_to_standard_error() -> None:
    if {"--help", "--version"} & set(sys.argv):
        return
    from webui import logs

    logs.configure(_settings(), "bpmdesk")


def _settings() -> Settings:
    return Settings()


def _statuses(settings: Settings) -> dict[str, str]:
    """Code → category in this desk's directory; where there is no desk yet, those that any desk starts with."""
    from engine.db import Database
    from services.catalog import queries
    from services.reference import STATUSES

    shipped = {code: category for code, _, _, _, category in STATUSES}
    if not settings.database_url and not (settings.data_dir / "bpmdesk.db").exists():
        return shipped
    try:
        with _until_the_end(Database(settings.database)).reading() as session:
            return shipped | queries.status_codes(session)
    except Exception as error:
        click.echo(
            both("Справочник статусов не прочитан: ", "The statuses were not read: ") + _first_line(error), err=True
        )
        return shipped


def _bundle(paths: Sequence[Path]) -> dict[str, bytes]:
    from webui.scenarios import gathered

    bundle = {name: file for name, file in gathered(paths).items() if name.endswith((".bpmn", ".json", ".dmn"))}
    if not bundle:
        raise click.ClickException(
            both("Здесь нет файлов .bpmn и .form.json", "There are no .bpmn or .form.json files")
        )
    return bundle


def _explain(error: Exception) -> list[str]:
    """A failure in words for whoever typed the command."""
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(error, DeploymentRefused):
        return [
            f"{p.file or ''}:{p.line or ''}: {p.severity} {p.rule}: {both(p.message_ru, p.message_en)}"
            for p in error.problems
        ]
    if isinstance(error, ValidationError):
        wrong = (f"BPMDESK_{str(e['loc'][0]).upper()}: {e['msg']} ({e['input']!r})" for e in error.errors())
        return [both("Настройка не подходит:", "A setting does not fit:"), *wrong]
    if isinstance(error, SQLAlchemyError):
        return [both("База данных недоступна: ", "The database is out of reach: ") + _first_line(error)]
    if isinstance(error, EngineError | OSError | UnicodeDecodeError):
        return [_first_line(error)]
    return [both("Внутренняя ошибка: ", "Internal error: ") + f"{type(error).__name__}: {_first_line(error)}"]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


if __name__ == "__main__":
    main()
