"""`bpmdesk sla solve`: answers for good items, errors for broken ones, never a traceback."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from services.sla.solve import command, solve
from tests.services.sla.builders import calendar_data


def _item(**changes: Any) -> dict[str, Any]:
    """A norm of 30 minutes that starts on a Saturday and is looked at on Monday at ten past nine."""
    return {
        "id": "a",
        "calendar": calendar_data(),
        "start": "2026-03-14T12:00:00+03:00",
        "target_min": 30,
        "pauses": [],
        "now": "2026-03-16T06:10:00Z",
        "event": None,
    } | changes


def _run(tmp_path: Path, content: str | bytes) -> tuple[int, Any]:
    path = tmp_path / "items.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    out = io.StringIO()
    code = command(path, out)
    return code, json.loads(out.getvalue())


def test_an_item_is_answered_with_the_offset_of_its_calendar(tmp_path: Path) -> None:
    code, answers = _run(tmp_path, json.dumps([_item()]))

    assert code == 0
    assert answers == [
        {
            "id": "a",
            "due": "2026-03-16T09:30:00+03:00",
            "elapsed_sec": 600,
            "remaining_sec": 1200,
            "state": "running",
        }
    ]


def test_a_due_date_that_cannot_be_known_is_null() -> None:
    answer = solve(_item(pauses=[["2026-03-16T06:05:00Z", None]]))

    assert answer == {"id": "a", "due": None, "elapsed_sec": 300, "remaining_sec": 1500, "state": "paused"}


def test_pauses_event_exceptions_and_yearly_may_be_left_out() -> None:
    item = _item(calendar={"tz": "UTC", "week": {"mon": [["00:00", "24:00"]]}})
    del item["pauses"], item["event"]

    assert solve(item)["due"] == "2026-03-16T00:30:00+00:00"


def test_a_broken_item_does_not_keep_the_others_from_being_solved(tmp_path: Path) -> None:
    items = [_item(), _item(id="b", target_min=-1), None, _item(id="d")]

    code, answers = _run(tmp_path, json.dumps(items))

    assert code == 1
    assert [answer["id"] for answer in answers] == ["a", "b", None, "d"]
    assert [sorted(answer) == ["error", "id"] for answer in answers] == [False, True, True, False]


@pytest.mark.parametrize(
    "changes",
    [
        {"calendar": None},
        {"calendar": {"tz": "Nowhere", "week": {}}},
        {"start": None},
        {"start": "2026-03-14T12:00:00"},
        {"start": "yesterday"},
        {"start": 1_700_000_000},
        {"start": "9999-12-31T23:59:59-12:00"},
        {"start": "0001-01-01T00:00:00+12:00"},
        {"now": ""},
        {"event": "soon"},
        {"target_min": None},
        {"target_min": "30"},
        {"target_min": True},
        {"target_min": -0.5},
        {"target_min": 10**400},
        {"target_min": float("nan")},
        {"target_min": float("inf")},
        {"pauses": {}},
        {"pauses": [["2026-03-16T06:05:00Z"]]},
        {"pauses": [[None, "2026-03-16T06:05:00Z"]]},
        {"pauses": [["2026-03-16T06:05:00Z", "2026-03-16T06:04:59Z"]]},
        {"pauses": [["2026-03-16T06:05:00Z", None]] * 10_001},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_what_cannot_be_understood_is_an_error_in_both_languages(changes: dict[str, Any]) -> None:
    answers = [solve(_item(**changes), language=language) for language in ("en", "ru")]

    assert [sorted(answer) for answer in answers] == [["error", "id"]] * 2
    assert answers[0]["error"] != answers[1]["error"]


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"id": 1}', "[" * 100_000, b"\xff\xfe\x00", "[1" + "0" * 5_000 + "]", '"text"', "null"],
    ids=["empty", "cut", "no list", "deep", "no UTF-8", "huge number", "text", "null"],
)
def test_a_broken_file_is_one_error(tmp_path: Path, content: str | bytes) -> None:
    code, answers = _run(tmp_path, content)

    assert code == 1
    assert len(answers) == 1
    assert answers[0]["error"]


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path, name: str) -> None:
    out = io.StringIO()

    assert command(tmp_path / name, out) == 1
    assert "cannot be read" in json.loads(out.getvalue())[0]["error"]


def test_an_id_of_any_kind_comes_back_as_it_is(tmp_path: Path) -> None:
    ids = [1, "№ 5", None, "\ud800", [1]]

    _, answers = _run(tmp_path, json.dumps([_item(id=one) for one in ids]))

    assert [answer["id"] for answer in answers] == ids


def test_an_empty_list_has_no_answers_and_no_error(tmp_path: Path) -> None:
    assert _run(tmp_path, "[]") == (0, [])
