"""Forms are checked on the server as their form-js schema says, whatever the page sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.clock import FixedClock
from services.forms import Cleaned, FormInvalid, load, validate


def component(kind: str = "textfield", key: str = "field", **more: Any) -> dict[str, Any]:
    return {"type": kind, "key": key, "label": "Поле", **more}


def entered(value: str, *components: dict[str, Any], **more: Any) -> Cleaned:
    form = load({"id": "form", "components": list(components)})
    return validate(form, {"field": value}, lambda catalog, chosen: chosen == "7", **more)


def message(value: str, described: dict[str, Any], **more: Any) -> str:
    with pytest.raises(FormInvalid) as refused:
        entered(value, described, **more)
    return refused.value.errors["field"]


@pytest.mark.parametrize(
    ("value", "described", "said"),
    [
        ("  ", component(validate={"required": True}), "Заполните это поле"),
        ("ab", component(validate={"minLength": 3}), "Не короче 3 знаков"),
        ("abcd", component(validate={"maxLength": 3}), "Не длиннее 3 знаков"),
        ("x" * 501, component(), "Не длиннее 500 знаков"),
        ("12a", component(validate={"pattern": "[0-9]+"}), "Не подходит по образцу"),
        ("почта", component(validate={"validationType": "email"}), "Введите адрес почты"),
        ("много", component("number"), "Введите число"),
        ("nan", component("number"), "Введите число"),
        ("1", component("number", validate={"min": 2}), "Не меньше 2"),
        ("9", component("number", validate={"max": 8.5}), "Не больше 8.5"),
        ("c", component("radio", values=[{"value": "a", "label": "А"}]), "Выберите значение из списка"),
        ("8", component("select", properties={"catalog": "types"}), "Выберите значение из списка"),
        ("завтра", component("datetime"), "Введите дату и время"),
        ("", component("checkbox", validate={"required": True}), "Заполните это поле"),
    ],
)
def test_a_wrong_value_is_refused_with_a_reason(value: str, described: dict[str, Any], said: str) -> None:
    assert message(value, described) == said


def test_all_mistakes_are_named_at_once() -> None:
    form = load({"components": [component(key=k, validate={"required": True}) for k in ("topic", "text")]})

    with pytest.raises(FormInvalid) as refused:
        validate(form, {}, lambda *_: True, language="en")

    assert refused.value.errors == {"topic": "Fill in this field", "text": "Fill in this field"}


def test_bound_values_go_to_records_and_the_rest_to_the_process() -> None:
    cleaned = entered(
        "7",
        component("select", properties={"catalog": "types", "bind": "ticket.type_id"}),
        component("checkbox", key="tell_client"),
        component(key="comment"),
    )

    assert cleaned.bound == {"ticket.type_id": 7}
    assert cleaned.variables == {"tell_client": False, "comment": None}


def test_a_moment_is_local_to_the_person_and_may_have_to_lie_ahead(clock: FixedClock) -> None:
    described = component("datetime", disallowPassedDates=True, properties={"bind": "ticket.wait_until"})

    cleaned = entered("2026-03-16T15:30", described, zone="Europe/Moscow")

    assert cleaned.bound["ticket.wait_until"] == datetime(2026, 3, 16, 12, 30, tzinfo=UTC)
    earlier = (clock.at - timedelta(minutes=1)).isoformat()
    assert message(earlier, described) == "Выберите время в будущем"


def test_a_hidden_field_counts_as_empty_whatever_was_sent() -> None:
    hidden = component(validate={"required": True}, conditional={"hide": '=kind == "plain"'})

    form = load({"components": [component(key="kind"), hidden]})
    cleaned = validate(form, {"kind": "plain", "field": "smuggled"}, lambda *_: True)

    assert cleaned.variables == {"kind": "plain", "field": None}


def test_control_characters_never_get_through() -> None:
    cleaned = entered("при\x00вет\x1b[31m", component())

    assert cleaned.variables == {"field": "привет[31m"}


def test_components_outside_the_subset_are_left_out() -> None:
    form = load({"components": [component("iframe"), component("text", text="Привет"), component()]})

    assert [f.kind for f in form.fields] == ["text", "textfield"]
    assert [f.key for f in form.inputs] == ["field"]
