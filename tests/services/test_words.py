"""Words: what counts as thanks, what is searched for, what is kept of a text."""

from __future__ import annotations

import pytest

from services.clients.contacts import normalised
from services.lines.thanks import is_thanks
from services.search import normalise, other_layout, words
from services.texts import LONGEST, message_text, one_line


@pytest.mark.parametrize(
    "text", ["Спасибо!", "спасибо большое за помощь", "ок", "Ок, спасибо :)", "Благодарю вас", "Thanks a lot!", "OK"]
)
def test_thanks_and_nothing_else(text: str) -> None:
    assert is_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо, но не работает",
        "Спасибо?",
        "спасибо, касса 2 тоже",
        "Хорошо",
        "",
        "👍",
        "Ок, жду звонка",
        "спасибо " * 40,
        "Спасибо за ответ, когда приедете",
    ],
)
def test_anything_more_than_thanks_is_a_message(text: str) -> None:
    assert not is_thanks(text)


def test_search_text_ignores_case_and_yo() -> None:
    assert normalise("  Счёт\nКАССЫ ") == "счет кассы"
    assert words("№ 12  Ёлка") == ["12", "елка"]


def test_keys_of_the_other_layout() -> None:
    assert other_layout("rfccf") == "касса"
    assert other_layout("ыфьыгтп") == "samsung"


def test_long_text_is_cut_and_says_so() -> None:
    cut = message_text("я" * (LONGEST + 5))

    assert cut.startswith("я" * LONGEST + "\n")
    assert cut.endswith(f"[Сообщение сокращено: показано {LONGEST} знаков из {LONGEST + 5}]")


def test_control_and_direction_characters_are_removed_line_breaks_stay() -> None:
    assert message_text("а\x00б\r\nв\u202eг\tд\ud800") == "аб\nвг\tд"


def test_a_topic_is_the_first_line_that_says_something() -> None:
    assert one_line("\n  \n Касса   молчит \nподробности", 200) == "Касса молчит"
    assert one_line("абвгд", 4) == "абв…"


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("email", " O.Kravtsova@Port.Example ", "o.kravtsova@port.example"),
        ("phone", "8 (921) 555-01-14", "+79215550114"),
        ("phone", "+7 921 555 01 14", "+79215550114"),
        ("chat", " токен ", "токен"),
    ],
)
def test_the_same_address_is_always_the_same_text(kind: str, value: str, kept: str) -> None:
    assert normalised(kind, value) == kept
