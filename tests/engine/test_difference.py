"""The difference of two versions: what an analyst has to know, and nothing that only looks different."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import difference, repository
from engine.bpmn import xml
from engine.bpmn.extensions import processes
from engine.db import Database
from engine.difference import Change, Difference, compare_files, compare_forms
from engine.difference_words import lines
from engine.models import ProcessDefinition
from tests.engine.drawings import (
    boundary,
    button,
    chain,
    drawing,
    end,
    event,
    flows,
    gateway,
    node,
    script,
    service,
    start,
    timer,
    user,
)
from tests.engine.lint.sketch import chain as drawn_chain
from tests.engine.lint.sketch import task

SHIPPED = sorted((Path(__file__).parents[2] / "processes").glob("*.bpmn"))


def line(*middle: str, ids: tuple[str, ...] = ("work",), more: str = "") -> bytes:
    return drawing(start(), *middle, end(), chain("start", *ids, "end"), more)


def told(before: bytes, after: bytes, language: str = "ru") -> list[str]:
    """Every change as one text."""
    found = lines(compare_files(before, after, "p"), language)
    return [f"{each.title} – {each.verdict}" + "".join(f"; {detail}" for detail in each.details) for each in found]


def changes(before: bytes, after: bytes) -> list[tuple[str, str, str]]:
    return [(c.kind, c.what, c.id) for c in compare_files(before, after, "p").changes]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_file_does_not_differ_from_itself(path: Path) -> None:
    content = path.read_bytes()

    for process in processes(xml.read(content, path.name)):
        assert compare_files(content, content, process.get("id", "")) == Difference((), ())


def test_new_node_comes_with_what_it_says_and_with_its_flows() -> None:
    before = line(user("work", "go"))
    after = line(user("work", "go"), user("check", "ok", status="checking"), ids=("work", "check"))

    assert told(before, after) == [
        "Задача «Check» – добавлено; добавлен статус обращения checking; добавлена кнопка «Ok»",
        "Путь «Work → Check» – добавлено",
        "Путь «Check → End» – добавлено",
        "Путь «Work → End» – удалено",
    ]


def test_node_that_went_is_told_with_what_it_said() -> None:
    before = line(service("work", "test.note", text="'hi'"))
    after = drawing(start(), end(), chain("start", "end"))

    assert "Действие системы «Work» – удалено; убрано действие системы test.note; убран параметр text 'hi'" in told(
        before, after
    )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            user("work", "go"),
            user("work", "go", name="Проверить"),
            "Задача «Проверить» – изменено; название: «Work» → «Проверить»",
        ),
        (
            user("work", "go"),
            user("work", button("go", "Go", form="pause")),
            "Кнопка «Go» – изменено; добавлена форма pause",
        ),
        (
            user("work", button("go", form="pause")),
            user("work", button("go")),
            "Кнопка «Go» – изменено; убрана форма pause",
        ),
        (
            user("work", button("go", form="a")),
            user("work", button("go", form="b")),
            "Кнопка «Go» – изменено; форма: a → b",
        ),
        (user("work", "go"), user("work", "go", "stop"), "Кнопка «Stop» – добавлено"),
        (user("work", "go", "stop"), user("work", "go"), "Кнопка «Stop» – удалено"),
        (
            user("work", button("go", roles="admin")),
            user("work", button("go", roles="admin analyst")),
            "Кнопка «Go» – изменено; роли: admin → admin analyst",
        ),
        (
            user("work", "go", status="new"),
            user("work", "go", status="done"),
            "Задача «Work» – изменено; статус обращения: new → done",
        ),
        (
            service("work", "test.note", text="'a'"),
            service("work", "test.note", text="'b'"),
            "Действие системы «Work» – изменено; параметр text: 'a' → 'b'",
        ),
        (
            service("work", "test.note"),
            service("work", "test.answer"),
            "Действие системы «Work» – изменено; действие системы: test.note → test.answer",
        ),
        (
            script("work", "x = 1"),
            script("work", "x = 2"),
            "Сценарий «Work» – изменено; строки сценария: x = 1 → x = 2",
        ),
        (
            node("callActivity", "work", calledElement="q"),
            node("callActivity", "work", calledElement="q", **{"desk:binding": "deployment"}),
            "Вызов процесса «Work» – изменено; добавлена привязка версии deployment",
        ),
        (
            user("work", "go", extension='<desk:assignment group="one"/>'),
            user("work", "go", extension='<desk:assignment group="two"/>'),
            "Задача «Work» – изменено; группа: one → two",
        ),
        (
            user("work", "go"),
            node("serviceTask", "work", extension='<spiffworkflow:serviceTaskOperator id="test.note"/>'),
            "Действие системы «Work» – изменено; вид элемента: задача → действие системы; "
            "добавлено действие системы test.note",
        ),
        (
            node("receiveTask", "work", messageRef="message_one"),
            node("receiveTask", "work", messageRef="message_two"),
            "Приём «Work» – изменено; сообщение или сигнал: one → two",
        ),
        (
            user("work", "go", inner="<bpmn:documentation>a</bpmn:documentation>"),
            user("work", "go", inner="<bpmn:documentation>b</bpmn:documentation>"),
            "Задача «Work» – изменено; описание: «a» → «b»",
        ),
    ],
)
def test_change_is_told_in_words(before: str, after: str, words: str) -> None:
    assert words in told(line(before), line(after))


def edged(text: str, *, interrupting: bool = True) -> bytes:
    edge = boundary("late", "work", timer(text), interrupting=interrupting)
    return drawing(start(), user("work", "go"), edge, end(), chain("start", "work", "end"), flows("late>end"))


def test_timer_and_interruption() -> None:
    assert told(edged("PT1H"), edged("PT2H", interrupting=False)) == [
        "Граничное событие «Late» – изменено; прерывает: да → нет; таймер: PT1H → PT2H"
    ]


def forked(condition: str, default: str = "g_b") -> bytes:
    body = (start(), gateway("g", default=default), user("a", "go"), user("b", "go"), end())
    return drawing(*body, flows("start>g", f"g>a: {condition}", "g>b", "a>end", "b>end"))


def test_condition_and_default_flow() -> None:
    assert told(forked("x == 1"), forked("x == 2")) == ["Путь «G → A» – изменено; условие: x == 1 → x == 2"]
    assert "путь по умолчанию: g_b → g_a" in told(forked("x == 1"), forked("x == 1", "g_a"))[0]


def test_flow_that_was_drawn_anew_between_the_same_nodes_is_the_same() -> None:
    before = line(user("work", "go"))

    assert changes(before, before.replace(b'id="start_work"', b'id="Flow_0x9"')) == []


def test_flow_to_a_node_that_was_renamed_is_the_same_flow() -> None:
    assert changes(line(user("work", "go")), line(user("work", "go", name="Иначе"))) == [("changed", "node", "work")]


def test_flow_that_leads_elsewhere_is_told() -> None:
    before = drawing(start(), user("a", "go"), user("b", "go"), end(), flows("start>a", "a>b", "b>end"))
    after = before.replace(b'sourceRef="a" targetRef="b"', b'sourceRef="a" targetRef="end"')

    assert told(before, after) == ["Путь «A → End» – изменено; куда: «B» → «End»"]


def test_spaces_prefixes_and_order_of_attributes_are_no_difference() -> None:
    before = line(user("work", "go"))
    after = before.replace(b"bpmn:", b"b:").replace(b"xmlns:bpmn", b"xmlns:b").replace(b"><", b">\n  <")

    assert compare_files(before, after, "p") == Difference((), ())


def test_element_that_only_moved_in_the_picture_is_counted_apart() -> None:
    before = drawn_chain(task(), task(id="second"))
    after = before.replace(b'x="200"', b'x="222"')

    found = compare_files(before, after, "desk")

    assert (found.changes, bool(found)) == ((), False)
    assert len(found.moved) == 1


def test_property_without_a_word_is_not_kept_secret() -> None:
    before, after = line(user("work", "go")), line(user("work", "go", implementation="magic"))

    assert [c.id for c in compare_files(before, after, "p").changes] == ["work"]
    assert "не рассказать" in told(before, after)[0]


def test_lanes_and_name_of_the_process() -> None:
    before = line(user("work", "go"))
    lane = '<bpmn:lane id="l1" name="Линия 2"><bpmn:flowNodeRef>work</bpmn:flowNodeRef></bpmn:lane>'
    lane = f'<bpmn:laneSet id="l">{lane}</bpmn:laneSet>'
    after = drawing(lane, start(), user("work", "go"), end(), chain("start", "work", "end"), name="Иначе")

    assert told(before, after) == [
        "Процесс «Иначе» – изменено; название: «Process» → «Иначе»; добавлены дорожки Линия 2",
        "Задача «Work» – изменено; добавлена дорожка «Линия 2»; добавлена группа Линия 2",
    ]


def test_english_says_the_same() -> None:
    assert told(line(user("work", "go")), line(user("work", button("go", "Go", form="pause"))), "en") == [
        "Button “Go” – changed; form added: pause"
    ]


def test_marks_show_what_went_on_the_left_and_what_came_on_the_right() -> None:
    before = line(user("work", "go"), user("gone", "go"), ids=("work", "gone"))
    after = line(user("work", "go", "more"), user("come", "go"), ids=("work", "come"))

    found = compare_files(before, after, "p")

    assert found.marks("before")["removed"] == ["gone", "gone_end", "work_gone"]
    assert found.marks("after")["added"] == ["come", "come_end", "work_come"]
    assert found.marks("before")["changed"] == found.marks("after")["changed"] == ["work"]


def test_signal_name_of_an_event() -> None:
    before = drawing(
        start(), node("intermediateCatchEvent", "work", event("signal", "a")), end(), chain("start", "work", "end")
    )
    after = drawing(
        start(), node("intermediateCatchEvent", "work", event("signal", "b")), end(), chain("start", "work", "end")
    )

    assert told(before, after) == ["Ожидание «Work» – изменено; сообщение или сигнал: a → b"]


# forms and tables


def test_fields_of_a_form() -> None:
    before = {"components": [{"key": "reason", "label": "Причина"}, {"key": "until", "label": "До"}]}
    after = {"components": [{"key": "reason", "label": "Почему"}, {"key": "who", "label": "Кто"}]}

    found = compare_forms("pause", before, after)

    assert found is not None
    [shown] = lines(Difference((found,), ()))
    assert (shown.title, shown.details) == (
        "Форма «pause»",
        ("изменено поле reason", "добавлено поле who", "убрано поле until"),
    )


def test_equal_forms_do_not_differ() -> None:
    assert compare_forms("a", {"components": []}, {"components": []}) is None
    assert compare_forms("a", None, None) is None


def test_versions_are_compared_with_their_forms(database: Database) -> None:
    content = line(user("work", button("go", form="note")))
    for label in ("Раз", "Два"):
        form = json.dumps({"components": [{"key": "a", "label": label}]}).encode()
        with database.transaction() as session:
            repository.store(session, {"p.bpmn": content, "note.form.json": form}, author="agent:1")

    with database.reading() as session:
        old, new = session.scalars(select(ProcessDefinition).order_by(ProcessDefinition.version)).all()
        found = difference.compare(session, old, new)

    assert [(c.kind, c.what, c.name) for c in found.changes] == [("changed", "form", "note")]


def table(cell: str) -> bytes:
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'
        '<decision id="route" name="Route"><decisionTable id="t" hitPolicy="FIRST">'
        '<input id="i"><inputExpression id="e"><text>x</text></inputExpression></input><output id="o" name="route"/>'
        f'<rule id="r"><inputEntry id="c"><text>{cell}</text></inputEntry>'
        '<outputEntry id="q"><text>1</text></outputEntry></rule>'
        "</decisionTable></decision></definitions>"
    ).encode()


def test_versions_are_compared_with_their_tables(database: Database) -> None:
    rule = node(
        "businessRuleTask", "work", extension="<spiffworkflow:calledDecisionId>route</spiffworkflow:calledDecisionId>"
    )
    for cell in ("&gt; 5", "&gt; 7"):
        with database.transaction() as session:
            repository.store(session, {"p.bpmn": line(rule), "t.dmn": table(cell)}, author="agent:1")

    with database.reading() as session:
        old, new = session.scalars(select(ProcessDefinition).order_by(ProcessDefinition.version)).all()
        [shown] = lines(difference.compare(session, old, new))

    assert shown.title == "Таблица решений «route»"
    assert shown.details == ("убрана строка > 5 → 1", "добавлена строка > 7 → 1")


def test_bound_process_that_changed_with_the_bundle_is_told(database: Database) -> None:
    call = node("callActivity", "work", calledElement="q", **{"desk:binding": "deployment"})
    for label in ("One", "Two"):
        called = drawing(start(), user("work", button("go", label)), end(), chain("start", "work", "end"), key="q")
        with database.transaction() as session:
            caller = drawing(start(), call, end(), chain("start", "work", "end"), name=label)
            repository.store(session, {"p.bpmn": caller, "q.bpmn": called}, author="agent:1")

    with database.reading() as session:
        query = select(ProcessDefinition).where(ProcessDefinition.key == "p").order_by(ProcessDefinition.version)
        old, new = session.scalars(query).all()
        found = difference.compare(session, old, new)

    assert Change("changed", "call", "q", "q", facts=(difference.Fact("version", 1, 2),)) in found.changes
