"""Many at once: numbers without gaps, even spreading, one winner of one button."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from engine.errors import Stale
from tests.desk import Desk, Operator


def test_parallel_conversations_get_numbers_without_gap_or_double(desk: Desk) -> None:
    clients = [f"Клиент {n}" for n in range(20)]

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda client: desk.client_writes("Вопрос", client=client), clients))

    assert sorted(numbers) == list(range(1, 21))


def test_parallel_classifications_spread_evenly(desk: Desk) -> None:
    numbers = [desk.client_writes("Вопрос", client=f"Клиент {n}") for n in range(8)]
    alina = desk.operator("Алина")

    def classify(number: int) -> None:
        alina.presses("Классифицировать", number, type="Вопрос", service="Онлайн-касса")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(classify, numbers))

    owners = [desk.responsible(number).name for number in numbers]
    assert {owners.count(owner) for owner in set(owners)} == {4}


def test_of_two_people_who_press_at_once_one_wins_and_the_other_learns_it(desk: Desk) -> None:
    number = desk.client_writes("Вопрос")
    people = [desk.operator("Алина"), desk.operator("Рустам")]
    pages = [person.shown("Классифицировать", number) for person in people]

    def press(person: Operator) -> str:
        try:
            person.presses_shown(pages[0], number, type="1", service="2", topic="Тема")
        except Stale as stale:
            return f"late after {stale.by}"
        return f"first {person.ref}"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(press, people))

    winner = said[0].removeprefix("first ")
    assert said[1] == f"late after {winner}"
    assert len(desk.history(number, "assigned")) == 1
