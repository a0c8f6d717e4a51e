"""Scenarios run on the real services: what differs is said with the step, expected and got, in an analyst's words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine import drawings as draw
from tests.services.scenarios.told import differences, drawn, scenario, tell


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({"status": "resolved"}, "status: expected «Resolved», got «Accepted»"),
        ({"tasks": ["Классификация"]}, "open tasks: expected «Классификация», got «Взять в работу»"),
        ({"tasks": []}, "open tasks: expected nothing, got «Взять в работу»"),
        (
            {"actions": ["take", "take"]},
            "buttons: expected «Приступить к выполнению», «Приступить к выполнению», got «Приступить к выполнению»",
        ),
        ({"assignee": "Олег"}, "responsible: expected «Олег», got «Алина Чернова»"),
        ({"assignee": ""}, "responsible: expected nothing, got «Алина Чернова»"),
        (
            {"timers": {"Срок реакции": "PT2H"}},
            "timer «Срок реакции»: expected 16.03.2026 11:00:00 (in 2 h), got 16.03.2026 10:00:01 (in 1 h 1 s)",
        ),
        (
            {"timers": {"Срок реакции": None}},
            "timer «Срок реакции»: expected not armed, got 16.03.2026 10:00:01 (in 1 h 1 s)",
        ),
        (
            {"timers": {"Срок решения": "PT1H"}},
            "timer «Срок решения»: expected 16.03.2026 10:00:00 (in 1 h), got not armed",
        ),
        ({"sla": {"reaction": "stopped"}}, "reaction clock: expected «stopped», got «running»"),
        ({"sla": {"resolution": "running"}}, "resolution clock: expected «running», got «none»"),
        ({"sla": {"reaction": {"breached": True}}}, "reaction clock, breached: expected yes, got no"),
        ({"level": "VIP"}, "service level: expected «VIP», got «Стандарт»"),
        ({"ticket": {"priority": "low"}}, "field priority: expected «low», got «high»"),
        ({"ticket": {"type": "Вопрос"}}, "field type: expected «Вопрос», got «Инцидент»"),
        ({"variables": {"action": "take"}}, "variable action: expected «take», got nothing"),
        ({"incidents": ["assign"]}, "expected an incident at «assign», but there is none"),
        ({"ended": True}, "the process still runs, which was not expected"),
        ({"not_visited": ["Подобрать уровень SLA"]}, "path: «Подобрать уровень SLA» was not expected, but visited"),
        (
            {"notifications": [{"to": "supervisor", "kind": "breach"}]},
            "notification breach for «supervisor» was not sent, but these were: «assigned: Алина Чернова»",
        ),
        ({"notifications": [{"to": "client", "kind": "решено"}]}, "the client was not written «решено», but: nothing"),
    ],
)
def test_a_difference_is_told_in_words_with_what_was_expected_and_what_is(expect: dict[str, Any], said: str) -> None:
    result = tell(scenario({"expect": expect}))

    assert differences(result) == [(1, said)]


def test_what_holds_is_no_difference() -> None:
    result = tell(
        scenario(
            {"expect": {"status": "accepted", "tasks": ["accepted"], "timers": {"Срок реакции": "PT1H"}}},
            {"press": "take", "by": "responsible"},
            expect={"status": "in_progress", "variables": {"action": "take"}, "ended": False},
        )
    )

    assert (result.passed, differences(result)) == (True, [])


def test_a_path_names_the_first_node_that_is_missing_and_what_was_passed_instead() -> None:
    result = tell(scenario(expect={"path": ["Обращение создано", "Классификация"]}))

    step, said = differences(result)[0]
    assert step is None
    assert said.startswith("path: after «Обращение создано» expected «Классификация», but passed: «Обращение создано»")


def test_an_exact_path_names_the_first_place_that_differs() -> None:
    result = tell(scenario(expect={"exact_path": ["Обращение создано", "Подобрать уровень SLA"]}))

    assert differences(result) == [
        (None, "path: at place 2 expected «Подобрать уровень SLA», but got to «Тип и сервис указаны?»")
    ]


def test_a_path_between_two_expectations_begins_after_the_first_of_them() -> None:
    result = tell(
        scenario({"expect": {"path": ["Взять в работу"]}}, {"press": "take"}, {"expect": {"path": ["Взять в работу"]}})
    )

    assert [step for step, _ in differences(result)] == [3]


def test_a_button_that_is_not_there_stops_the_story_and_says_what_there_is() -> None:
    result = tell(scenario({"press": "Выполнено"}, {"press": "take"}, expect={"status": "closed"}))

    assert differences(result) == [
        (1, "the button «Выполнено» is not there now; the process offers this person: «Приступить к выполнению»")
    ]
    assert len(result.told) == 1


def test_a_form_is_checked_as_on_the_card() -> None:
    result = tell(scenario({"press": "Классифицировать", "form": {"type": "", "topic": "x"}}, given={}))

    step, said = differences(result)[0]
    assert step == 1
    assert "type" in said
    assert "service" in said


def test_an_expected_refusal_must_happen_and_name_its_fields() -> None:
    right = scenario({"press": "classify", "form": {"topic": "x"}, "refused": ["service", "type"]}, given={})
    wrong = scenario({"press": "classify", "form": {"topic": "x"}, "refused": ["type"]}, given={})
    accepted = scenario({"press": "take", "refused": True})

    assert differences(tell(right)) == []
    assert differences(tell(wrong)) == [(1, "refused fields: expected «type», got «service», «type»")]
    assert differences(tell(accepted)) == [(1, "the press was accepted, but a refusal was expected")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"client": {"name": "Ольга", "category": "Алмаз"}}, "the category Алмаз"),
        ({"client": {"name": "Ольга", "company": "Рога"}}, "the company Рога"),
        ({"ticket": {"service": "Полёты"}}, "the catalog entry Полёты"),
        ({"line": "Горячая"}, "the line Горячая"),
        ({"presence": {"Никодим": "away"}}, "the person Никодим"),
    ],
)
def test_what_is_given_must_exist(given: dict[str, Any], said: str) -> None:
    result = tell(scenario({"wait": "PT1H"}, given=given))

    assert differences(result) == [(None, f"Expected {said}, but the desk has none of this name")]


def test_whoever_is_away_is_not_made_responsible() -> None:
    told = scenario(expect={"assignee": "Рустам"})
    told["given"]["presence"] = {"Алина": "offline"}

    assert differences(tell(told)) == []


def test_a_message_nobody_waits_for_is_a_difference() -> None:
    assert differences(tell(scenario({"message": "client_replied"}))) == [
        (1, "nobody waited for the message «client_replied»")
    ]


def test_people_answer_and_change_the_card() -> None:
    result = tell(
        scenario(
            {"replies": "Уже смотрим"},
            {"changes": {"service": "Диагностика"}},
            expect={
                "level": "Гарантия",
                "ticket": {"service": "Диагностика"},
                "notifications": [{"to": "client", "kind": "Уже смотрим"}],
            },
        )
    )

    assert differences(result) == []


ALONE = draw.drawing(
    draw.start(),
    draw.user("ask", "yes", "no"),
    draw.gateway("which", default="which_refuse"),
    draw.user("agree", "ok"),
    draw.user("refuse", "ok"),
    draw.catch("paid", draw.event("signal", "paid")),
    draw.end(),
    draw.chain("start", "ask", "which"),
    draw.flows('which>agree: action == "yes" and price > 10', "which>refuse", "refuse>end"),
    draw.chain("agree", "paid", "end"),
)


def alone(*steps: dict[str, Any], expect: dict[str, Any]) -> dict[str, Any]:
    given = {"begins": "alone", "variables": {"price": 11}}
    return scenario(*steps, expect=expect, process="p", given=given)


def test_a_process_without_a_ticket_is_told_by_buttons_and_signals() -> None:
    result = tell(
        alone(
            {"press": "yes"},
            {"expect": {"tasks": ["agree"], "variables": {"price": 11}}},
            {"press": "ok"},
            {"signal": "paid"},
            expect={"path": ["ask", "agree", "paid", "end"], "ended": True, "not_visited": ["refuse"]},
        ),
        drawn(ALONE),
    )

    assert differences(result) == []


def test_visits_are_counted_for_nodes_and_flows() -> None:
    result = tell(alone({"press": "no"}, expect={"tasks": ["refuse"]}), drawn(ALONE))

    visits = result.visits["p"]
    assert (visits.nodes["ask"], visits.nodes["refuse"], visits.nodes["agree"]) == (1, 1, 0)
    assert (visits.flows["which_refuse"], visits.flows["which_agree"], visits.flows["refuse_end"]) == (1, 0, 0)


FAILING = draw.drawing(
    draw.start(),
    draw.user("wait", "go"),
    draw.service("work", "no.such"),
    draw.end(),
    draw.chain("start", "wait", "work", "end"),
)


def test_a_step_that_fails_says_where_and_why() -> None:
    result = tell(scenario({"press": "go"}, process="p", given={"begins": "alone"}), drawn(FAILING))

    step, said = differences(result)[0]
    assert step == 1
    assert "no.such" in said


RESTLESS = draw.drawing(
    draw.start(),
    draw.user("wait", "go", inner=""),
    draw.boundary("tick", "wait", draw.timer("R/PT1M", "timeCycle"), interrupting=False),
    draw.end(),
    draw.end("ticked"),
    draw.chain("start", "wait", "end"),
    draw.flows("tick>ticked"),
)


def test_a_scenario_that_would_compute_for_ever_is_stopped() -> None:
    told = scenario({"wait": "P3650D"}, process="p", given={"begins": "alone"})

    result = tell(told, drawn(RESTLESS), seconds=0.5)

    assert differences(result) == [(1, "Expected the scenario to end within its computing time, but it went on.")]
    assert result.cpu_sec < 2


def test_every_kind_of_step_is_told_in_both_languages() -> None:
    result = tell(
        scenario(
            {"press": "take", "by": "responsible"},
            {"client_writes": "Ну что там?"},
            {"replies": "Смотрим"},
            {"wait": "P1DT2H"},
            {"wait_until": "2026-03-18T12:00:00+03:00"},
            {"expect": {"status": "in_progress", "timers": {"Срок решения": None}}},
        )
    )

    assert [told.said.ru for told in result.told] == [
        "Ответственный нажимает «Приступить к выполнению»",
        "Клиент пишет: «Ну что там?»",
        "Ответственный отвечает клиенту: «Смотрим»",
        "Проходит 1 д 2 ч",
        "Наступает 18.03.2026 12:00 (Москва)",
        "Ожидаем: статус «В работе»; таймер «Срок решения» не взведён",
    ]
    assert result.told[3].said.en == "1 d 2 h pass"
