"""The page of a version's scenarios: what they tell, what differed, coverage; running and changing them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import due, repository
from engine.models import ProcessDefinition
from tests.engine import drawings as draw
from tests.webui.admin.conftest import Office, Visitor

ERRAND = draw.drawing(
    draw.start(),
    draw.user("ask", "yes", "no"),
    draw.gateway("which", default="which_end"),
    draw.user("agree", "ok"),
    draw.end(),
    draw.chain("start", "ask", "which", "end"),
    draw.flows('which>agree: action == "yes"', "agree>end"),
    key="story",
    name="Story",
)
PAGE = "/admin/processes/story/versions/1/scenarios"


def told(name: str = "Отказ", *, ended: bool = True, press: str = "no") -> str:
    steps: list[dict[str, Any]] = [{"press": press, "by": "operator"}]
    scenario = {"scenario": name, "process": "story", "given": {"begins": "alone"}, "steps": steps}
    return json.dumps({**scenario, "expect": {"ended": ended}}, ensure_ascii=False)


@pytest.fixture
def version(office: Office) -> Office:
    """A draft with one scenario, which has not run yet."""
    with office.desk.database.transaction() as session:
        repository.deploy(session, {"story.bpmn": ERRAND, "no.json": told().encode()}, author="system")
    return office


def run_queued(office: Office) -> None:
    source = due.sources()["scenarios"]
    with office.desk.database.transaction() as session:
        ids = source.claim(session, "tests", 100)
    source.execute(office.desk.database, ids)


def report(office: Office) -> dict[str, Any]:
    with office.desk.database.reading() as session:
        found = session.scalars(select(ProcessDefinition.scenarios).where(ProcessDefinition.key == "story")).one()
    return found or {}


def test_while_they_run_the_page_says_so_and_renews_itself(version: Office, analyst: Visitor) -> None:
    page = analyst.get(PAGE).text

    assert "Сценарии выполняются" in page
    assert 'http-equiv="refresh"' in page


def test_a_story_is_told_in_words_with_its_coverage(version: Office, analyst: Visitor) -> None:
    run_queued(version)

    page = analyst.get(PAGE).text

    assert "Оператор нажимает «No»" in page
    assert "1 прошёл" in page
    assert "узлы 80 %" in page
    assert 'data-element="agree"' in page
    assert 'http-equiv="refresh"' not in page


def test_the_drawing_counts_visits_and_marks_what_nobody_visits(version: Office, analyst: Visitor) -> None:
    run_queued(version)

    sheet = analyst.get(f"{PAGE}/coverage.json").get_json()

    assert set(sheet["marks"]["warn"]) == {"agree", "which_agree", "agree_end"}
    assert "ask" in sheet["marks"]["past"]
    badges = {badge["element"]: (badge["kind"], badge["text"]) for badge in sheet["badges"]}
    assert badges["ask"] == ("visits", "1×")
    assert badges["which_end"] == ("branch", "1×")
    assert badges["which_agree"] == ("warn", "0")
    assert "which" not in badges


def test_a_failing_story_shows_what_was_expected_at_its_step(version: Office, analyst: Visitor) -> None:
    analyst.post(f"{PAGE}/file", name="no.json", text=told(ended=False))
    run_queued(version)

    page = analyst.get(PAGE).text

    assert "1 не прошёл" in page
    assert "процесс завершён, ожидали иного" in page
    assert "1 сценарий не прошёл" in analyst.get("/admin/processes/story?version=1").text


def test_the_version_page_says_how_its_scenarios_stand(version: Office, analyst: Visitor) -> None:
    run_queued(version)

    page = analyst.get("/admin/processes/story?version=1").text

    assert "Пройдено узлов: 80 %, потоков: 60 %." in page
    assert PAGE in page


def test_running_again_queues_them(version: Office, analyst: Visitor) -> None:
    run_queued(version)

    answer = analyst.post(PAGE)

    assert answer.status_code == 303
    assert report(version) == {"state": "queued"}


def test_a_new_scenario_joins_the_others_and_makes_no_new_version(version: Office, analyst: Visitor) -> None:
    answer = analyst.post(f"{PAGE}/file", name="yes.json", text=told("Согласие", press="yes"), new="yes")
    run_queued(version)

    with version.desk.database.reading() as session:
        versions = session.scalar(select(func.count()).where(ProcessDefinition.key == "story"))
    assert (answer.status_code, versions) == (303, 1)
    assert [row["file"] for row in report(version)["results"]] == ["no.json", "yes.json"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("yes.json", "{", "Это не JSON"),
        ("yes.json", told(press="maybe"), "кнопки «maybe» на схеме нет"),
        ("yes.form.json", told(), "Имя файла"),
        ("../yes.json", told(), "Имя файла"),
        ("no.json", told(), "уже есть"),
    ],
)
def test_a_mistake_is_said_and_what_was_typed_stays(
    version: Office, analyst: Visitor, name: str, text: str, said: str
) -> None:
    answer = analyst.post(f"{PAGE}/file", name=name, text=text, new="yes")

    assert answer.status_code == 422
    assert said in answer.text
    assert "scenario-text" in answer.text
    assert report(version) == {"state": "queued"}


def test_the_text_of_a_scenario_is_shown_to_be_changed(version: Office, analyst: Visitor) -> None:
    page = analyst.get(f"{PAGE}/file?name=no.json").text

    assert "Отказ" in page
    assert analyst.get(f"{PAGE}/file?name=none.json").status_code == 404
    assert "&#34;process&#34;: &#34;story&#34;" in analyst.get(f"{PAGE}/file").text


def test_a_hostile_scenario_is_shown_as_text(version: Office, analyst: Visitor) -> None:
    hostile = "<script>alert(1)</script>"
    analyst.post(f"{PAGE}/file", name="no.json", text=told(hostile))
    run_queued(version)

    assert hostile not in analyst.get(PAGE).text
    assert hostile not in analyst.get(f"{PAGE}/file?name=no.json").text


def test_english_readers_read_english(version: Office, analyst: Visitor) -> None:
    run_queued(version)
    analyst.post("/profile/language", language="en", next=PAGE)

    page = analyst.get(PAGE).text

    assert "An operator presses «No»" in page
    assert "1 passed" in page
    assert "What was visited" in page


def test_operators_have_no_business_here(version: Office, visitor: Callable[[str], Visitor]) -> None:
    operator = visitor("operator")

    assert operator.get(PAGE).status_code == 403
    assert operator.post(f"{PAGE}/file", name="no.json", text=told()).status_code == 403
