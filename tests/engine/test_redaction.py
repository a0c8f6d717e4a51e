"""Nothing that looks like a secret or like personal data gets into an incident, and nothing long."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.redaction import LONGEST, MASK, is_secret, redacted, text

SECRET_NAMES = (
    *(
        "password",
        "smtp_password",
        "userPassword",
        "accessToken",
        "api_key",
        "apiKey",
        "client_secret",
        "Authorization",
    ),
    *("phone", "clientPhone", "mobile", "email", "e_mail", "contact_email", "fio", "lastName", "address", "passport"),
)
PLAIN_NAMES = ("priority", "ticket.priority", "action", "laps", "found", "category", "status", "hotel", "compass")

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=40), inner, max_size=30),
    max_leaves=40,
)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_values_of_telling_names_are_masked_whatever_they_are(name: str) -> None:
    assert is_secret(name)
    assert redacted({name: ["x", 1]}) == {name: MASK}


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_values_of_plain_names_stay(name: str) -> None:
    assert redacted({name: "high"}) == {name: "high"}


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("звоните +7 (916) 123-45-67 вечером", f"звоните {MASK} вечером"),
        ("пишите на anna.k@example.org.", f"пишите на {MASK}"),
        ("89161234567", MASK),
        (79161234567, MASK),
        ("Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", f"Bearer {MASK}"),
        ("2026-03-16T09:00:00+00:00", "2026-03-16T09:00:00+00:00"),
        ("до 2026-03-16, 5 раз", "до 2026-03-16, 5 раз"),
        (42, 42),
        (True, True),
        (None, None),
        (timedelta(minutes=90), "PT5400S"),
        (date(2026, 3, 16), "2026-03-16"),
        (datetime(2026, 3, 16, 9, tzinfo=UTC), "2026-03-16T09:00:00+00:00"),
    ],
)
def test_texts_and_numbers(given_: Any, shown: Any) -> None:
    assert redacted(given_) == shown


def test_long_and_deep_values_are_cut() -> None:
    deep: Any = "end"
    for _ in range(50):
        deep = [deep]

    assert len(redacted("слово " * 100)) == LONGEST
    assert redacted(list(range(30)))[-1] == "…"
    assert len(orjson.dumps(redacted(deep))) < 300


@given(local=st.text("abcdefgh.0123+-", min_size=3, max_size=20), before=st.text(max_size=30))
def test_an_address_never_shows(local: str, before: str) -> None:
    assert f"{local}@example.org" not in text(f"{before} {local}@example.org")
    assert "example.org" not in text(f"{before} {local}@example.org")


@given(digits=st.text("0123456789", min_size=9, max_size=15))
def test_a_telephone_never_shows(digits: str) -> None:
    assert digits not in text(f"тел. +{digits[:1]} ({digits[1:4]}) {digits[4:]}, {digits}")


@given(json)
def test_whatever_comes_out_is_small_plain_json_and_stays_as_it_is(value: Any) -> None:
    once = redacted(value)

    assert redacted(orjson.loads(orjson.dumps(once))) == once
