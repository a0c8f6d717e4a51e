from __future__ import annotations

import pytest

from services.mail.machines import machine_reason
from services.mail.parsing import ParsedMail

IVAN = "ivan@client.example"


def reason(
    subject: str = "Касса", *, envelope: str = IVAN, sender: str = IVAN, own: bool = False, **headers: str
) -> str | None:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return machine_reason(ParsedMail(headers={"subject": [subject], **named}, sender=("", sender)), envelope, own)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"auto_submitted": "auto-replied"}, "machine_auto"),
        ({"auto_submitted": "auto-generated; owner-email=x"}, "machine_auto"),
        ({"precedence": "bulk"}, "machine_list"),
        ({"precedence": "auto_reply"}, "machine_auto"),
        ({"x_auto_response_suppress": "DR, All"}, "machine_auto"),
        ({"x_autoreply": "yes"}, "machine_auto"),
        ({"list_id": "<news.shop.example>"}, "machine_list"),
        ({"list_unsubscribe": "<https://shop.example/u>"}, "machine_list"),
        ({"return_path": "<>"}, "machine_daemon"),
        ({"x_bpmdesk_loop": "desk.localhost"}, "machine_loop"),
        ({"x_loop": "yes"}, "machine_loop"),
    ],
)
def test_machines_are_known_by_their_headers(headers: dict[str, str], expected: str) -> None:
    assert reason(**headers) == expected


@pytest.mark.parametrize(
    "subject",
    [
        "Автоответ: Касса",
        "Автоматический ответ: Касса",
        "Нахожусь в отпуске до 1 апреля",
        "Вне офиса",
        "Re: Out of Office",
        "Automatic reply: till",
        "Out of the office: till",
    ],
)
def test_absence_is_known_by_its_subject(subject: str) -> None:
    assert reason(subject) == "machine_away"


def test_daemons_and_ourselves_are_known_by_their_addresses() -> None:
    assert reason(envelope="") == "machine_daemon"
    assert reason(sender="MAILER-DAEMON@mx.example".lower()) == "machine_daemon"
    assert reason(own=True) == "machine_own"


@pytest.mark.parametrize(
    "subject",
    [
        "Автоответчик не работает на телефоне",
        "Автоматический ответ не приходит",
        "Не приходит автоответ",
        "Out of office mode is broken",
        "В отпуске у сотрудника неверные дни",
        "Нет на месте кассового узла",
    ],
)
def test_people_who_write_about_machines_are_people(subject: str) -> None:
    assert reason(subject) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"auto_submitted": "no"},
        {"precedence": "normal"},
        {"x_auto_response_suppress": "DR, RN, NRN, OOF"},
        {"return_path": f"<{IVAN}>"},
    ],
)
def test_headers_of_ordinary_mail_are_no_reason(headers: dict[str, str]) -> None:
    assert reason(**headers) is None
