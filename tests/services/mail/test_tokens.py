from __future__ import annotations

import pytest

from services.mail import tokens
from services.mail.tokens import Thread

KEY = b"a key"
TICKET = Thread("t", 42)


def test_a_reply_address_is_read_back() -> None:
    address = tokens.reply_address(KEY, TICKET, "support@desk.localhost")

    assert address.startswith("support+t42.")
    assert tokens.read_address(KEY, address.upper()) == TICKET


@pytest.mark.parametrize(
    "address",
    [
        "support@desk.localhost",
        "support+t42@desk.localhost",
        "support+t42.0123456789abcdef@desk.localhost",
        "support+t42.@desk.localhost",
        "support+" + "9" * 500 + "@desk.localhost",
        "",
    ],
)
def test_a_forged_reply_address_is_nobodys(address: str) -> None:
    assert tokens.read_address(KEY, address) is None


def test_a_token_of_another_ticket_or_key_does_not_fit() -> None:
    mine = tokens.reply_address(KEY, TICKET, "support@desk.localhost")

    assert tokens.read_address(KEY, mine.replace("t42", "t43")) is None
    assert tokens.read_address(b"another key", mine) is None


def test_the_same_mail_has_the_same_message_id() -> None:
    first = tokens.message_id(KEY, TICKET, "reply:7", "desk.localhost")

    assert first == tokens.message_id(KEY, TICKET, "reply:7", "desk.localhost")
    assert first != tokens.message_id(KEY, TICKET, "reply:8", "desk.localhost")


def test_the_newest_genuine_reference_wins() -> None:
    older = tokens.message_id(KEY, Thread("s", 5), "auto:1", "desk.localhost")
    newer = tokens.message_id(KEY, TICKET, "reply:7", "desk.localhost")
    forged = newer.replace("t42", "t1")

    assert tokens.read_message_ids(KEY, f"<a@b> {older} {newer} {forged} <c@d>") == TICKET
    assert tokens.read_message_ids(KEY, forged) is None


def test_tokens_of_one_use_do_not_serve_another() -> None:
    address = tokens.reply_address(KEY, TICKET, "support@desk.localhost")
    signature = address.partition("@")[0].rpartition(".")[2]

    assert tokens.read_message_ids(KEY, f"<t42.000000000000.{signature}@desk.localhost>") is None
