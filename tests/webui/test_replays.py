"""The pages of replays: ordered by an analyst, told in words, ticket by ticket."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from engine.models import ProcessDefinition
from services import bootstrap
from services.replay import operations
from services.replay.models import Replay, ReplayOutcome
from services.tickets.models import Ticket
from tests.webui.conftest import Browser

SignIn = Callable[[str], Browser]


def definition(desk: bootstrap.Desk) -> int:
    with desk.database.reading() as session:
        wanted = select(ProcessDefinition.id).where(ProcessDefinition.key == "ticket_lifecycle")
        return session.scalars(wanted).one()


def closed(desk: bootstrap.Desk, number: int) -> None:
    with desk.database.transaction() as session:
        session.scalars(select(Ticket).where(Ticket.number == number)).one().is_open = False


def test_a_replay_is_ordered_worked_and_shown(
    sign_in: SignIn, desk: bootstrap.Desk, client_writes: Callable[..., int]
) -> None:
    number, analyst = client_writes(), sign_in("analyst")
    closed(desk, number)

    ordered = analyst.post("/admin/replays", {"definition": definition(desk), "last": "100"})
    running = analyst.get(ordered.headers["Location"])
    with desk.database.transaction() as session:
        ids = operations.source().claim(session, "worker", 10)
    operations.source().execute(desk.database, ids)
    page = analyst.get(ordered.headers["Location"])

    assert "0 из 1" in running.text
    assert "Ничего не изменилось бы" in page.text


def test_the_differences_of_a_ticket_are_told_in_words(
    sign_in: SignIn, desk: bootstrap.Desk, client_writes: Callable[..., int]
) -> None:
    number, analyst = client_writes(), sign_in("analyst")
    with desk.database.transaction() as session:
        version = session.get_one(ProcessDefinition, definition(desk))
        session.scalars(select(Ticket)).one().is_open = False
        order = operations.begin(session, version, last=10, by="agent:4")
        row = session.scalars(select(ReplayOutcome)).one()
        row.verdict = "stuck"
        row.differences = {
            "refused": [{"at": "x", "label": "<b>Взять</b>", "offered": ["Начать"], "element": "take"}],
            "waiting": ["Взять в работу"],
            "sla": {"reaction": {"before": {"met": True, "seconds": 60}, "after": None}},
            "path": {"gone": [["ticket_lifecycle", "closed", "Закрыто"]], "new": []},
        }
        operations.cancel(session, order)

    page = analyst.get(f"/admin/replays/1/tickets/{number}").text

    assert "Кнопки «&lt;b&gt;Взять&lt;/b&gt;» не было, были: «Начать»" in page
    assert "Осталось ждать на «Взять в работу»" in page
    assert re.search(r"Норма: реакция.*в срок, 1\sм\b.*часы не шли", page, re.S)
    assert "застряло" in page
    assert "застряли" in analyst.get("/admin/replays/1").text


def test_only_the_studio_may_order(sign_in: SignIn, desk: bootstrap.Desk) -> None:
    assert (
        sign_in("operator").post("/admin/replays", {"definition": definition(desk), "last": "100"}).status_code == 403
    )


def test_an_unknown_version_or_count_is_not_found(sign_in: SignIn, desk: bootstrap.Desk, app: Flask) -> None:
    analyst = sign_in("analyst")

    assert analyst.post("/admin/replays", {"definition": "999", "last": "100"}).status_code == 404
    assert analyst.post("/admin/replays", {"definition": definition(desk), "last": "7"}).status_code == 404
    with desk.database.reading() as session:
        assert session.scalars(select(Replay)).all() == []
