"""`bpmdesk try`: what a throw-away run tells, and how it refuses what it cannot run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import simulation
from tests.engine.drawings import (
    boundary,
    button,
    call,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    script,
    service,
    start,
    timer,
    user,
)

PAUSED = drawing(
    start(),
    user("work", "pause", "done", status="in_progress"),
    boundary("breach", "work", timer('=sla.due("resolution")', "timeDate"), interrupting=False),
    service("shout", "notify.line", kind="'breach'"),
    end("e1"),
    gateway("pressed", default="pressed_end"),
    user("waiting", "resume", status="waiting"),
    boundary("wake", "waiting", timer("PT2H")),
    boundary("reply", "waiting", event("message", "replied")),
    end(),
    chain("start", "work", "pressed", "end"),
    chain("breach", "shout", "e1"),
    flows("pressed>waiting: action == 'pause'", "waiting>work", "wake>work", "reply>work"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.bpmn").write_bytes(PAUSED)
    return tmp_path


def tried(capsys: pytest.CaptureFixture[str], path: Path, **options: Any) -> dict[str, Any]:
    assert simulation.command(path, fmt="json", **options) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def events(told: dict[str, Any]) -> list[str]:
    return [f"{entry['element']} {entry['event']}" for entry in told["trace"]]


def test_run_stops_where_only_a_person_is_awaited(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tried(capsys, folder / "p.bpmn")

    assert told["state"] == "waiting"
    assert told["status"] == "in_progress"
    assert told["waiting"] == [{"kind": "user", "element": "work", "name": "Work", "actions": ["pause", "done"]}]
    assert [each for each in events(told) if each.startswith("shout")] == [
        "shout entered",
        "shout called",
        "shout completed",
    ]


def test_deadline_of_the_host_is_four_hours_away(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    early = tried(capsys, folder / "p.bpmn", duration="PT3H59M")
    late = tried(capsys, folder / "p.bpmn", duration="PT4H")

    assert "breach fired" not in events(early)
    assert "breach fired" in events(late)


def test_answers_are_given_in_their_order_and_timers_fire_between(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tried(capsys, folder / "p.bpmn", answers=["work=pause", "work=done"])

    assert told["state"] == "completed"
    assert [each for each in events(told) if each.startswith(("wake", "waiting"))] == [
        "waiting entered",
        "wake armed",
        "wake fired",
        "waiting cancelled",
    ]


def test_message_arrives_once_it_is_awaited(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tried(capsys, folder / "p.bpmn", answers=["work=pause"], sends=['replied:{"thanks": true}'], duration="PT1H")

    assert "reply fired" in events(told)
    assert told["unused"] == []


def test_called_process_is_found_in_the_same_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner = drawing(start(), user("inner", "go"), end(), chain("start", "inner", "end"), key="q")
    (tmp_path / "p.bpmn").write_bytes(drawing(start(), call("call", "q"), end(), chain("start", "call", "end")))
    (tmp_path / "inner.bpmn").write_bytes(inner)
    (tmp_path / "broken.bpmn").write_bytes(b"<not xml")

    told = tried(capsys, tmp_path / "p.bpmn", answers=['inner=go:{"note": "x"}'])

    assert told["state"] == "completed"


def test_failing_node_is_an_incident_of_the_outcome(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = drawing(start(), script("count", "n = missing + 1"), end(), chain("start", "count", "end"))
    (tmp_path / "p.bpmn").write_bytes(broken)

    told = tried(capsys, tmp_path / "p.bpmn")

    assert told["state"] == "incident"
    assert told["incidents"][0]["element"] == "count"
    assert "missing" in told["incidents"][0]["message"]


def test_text_names_nodes_and_what_is_awaited(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulation.command(folder / "p.bpmn", answers=["work=pause"], duration="PT1H") == 0

    told = capsys.readouterr().out
    assert "Состояние: ждёт, статус waiting" in told
    assert "Waiting [waiting] resume" in told


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"process": "nope"}, "nope"),
        ({"data": "{"}, "--data"),
        ({"data": "[1]"}, "--data"),
        ({"answers": ["work"]}, "--answer"),
        ({"answers": ["work=dance"]}, "dance"),
        ({"answers": ["work=done:{"]}, "--answer"),
        ({"duration": "8 hours"}, "8 hours"),
    ],
)
def test_bad_option_is_a_message_and_exit_code_one(
    folder: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any], complaint: str
) -> None:
    assert simulation.command(folder / "p.bpmn", **options) == 1

    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<x/>",
        b"\xff\xfe",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        drawing(user("work", button("a"))),
        drawing(start(), '<bpmn:complexGateway id="g"/>', end(), chain("start", "g", "end")),
    ],
)
def test_bad_file_is_a_message_and_exit_code_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "bad.bpmn").write_bytes(content)

    assert simulation.command(tmp_path / "bad.bpmn") == 1

    assert capsys.readouterr().err.strip()
    assert simulation.command(tmp_path / "missing.bpmn") == 1


def test_a_context_given_in_part_is_read_and_the_rest_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = drawing(
        start(),
        gateway("which", default="which_calm"),
        end("urgent"),
        end("calm"),
        chain("start", "which"),
        flows("which>urgent: ticket.priority == 'high' and ticket.service_id is None", "which>calm"),
    )
    (tmp_path / "p.bpmn").write_bytes(asking)

    told = tried(capsys, tmp_path / "p.bpmn", data={"ticket": {"priority": "high"}})

    assert told["state"] == "completed"
    assert "urgent completed" in events(told)
