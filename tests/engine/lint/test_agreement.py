"""What the check lets through, the parser can execute: random drawings, thousands of shapes over time."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bpmn import xml
from engine.bpmn.lint import check_files
from engine.bpmn.parser import compile_root
from tests.engine.lint.fragments import (
    ESCALATION,
    INSTANCES,
    MESSAGE,
    ON_ESCALATION,
    ON_MESSAGE,
    ON_SIGNAL,
    SIGNAL,
    catch,
    throw,
)
from tests.engine.lint.sketch import boundary, drawing, end, flows, gateway, script, service, task, timer

ON_CONDITION = "<conditionalEventDefinition><condition>x == 1</condition></conditionalEventDefinition>"
ON_LINK = '<linkEventDefinition name="A"/>'
COMPENSATE = "<compensateEventDefinition/>"


def _nodes(name: str) -> list[str]:
    """One node of every kind that can stand in the middle of a process."""
    inner = flows(f"i{name} > t{name} > o{name}")
    repeated = INSTANCES.format("", "3") + "</userTask>"
    return [
        task(id=name),
        task(id=name).replace("userTask", "manualTask"),
        task(id=name).replace("</userTask>", repeated),
        script(id=name),
        service().replace('"call"', f'"{name}"'),
        gateway("exclusive", name, f'default="{name}_first"'),
        gateway("parallel", name),
        gateway("eventBased", name),
        *(catch(name, definition) for definition in (timer("PT1H"), ON_MESSAGE, ON_SIGNAL, ON_CONDITION, ON_LINK)),
        *(throw(name, each) for each in ("", ON_MESSAGE, ON_SIGNAL, ON_ESCALATION, ON_LINK, COMPENSATE)),
        _watched(name),
        _undone(name),
        f'<subProcess id="{name}" name="Часть"><startEvent id="i{name}"/>{task(id="t" + name)}'
        f'<endEvent id="o{name}"/>{inner}</subProcess>',
        f'<callActivity id="{name}" name="Вызов" calledElement="other"/>',
        f'<receiveTask id="{name}" name="Принять" messageRef="m"/>',
        f'<sendTask id="{name}" name="Отправить" messageRef="m"/>',
    ]


def _watched(name: str) -> str:
    """A sub-process with an event sub-process of each kind of start, one of them in the other."""
    inner = f'<startEvent id="i{name}"/>{task(id="t" + name)}<endEvent id="o{name}"/>'
    for place, definition in enumerate((ON_SIGNAL, ON_CONDITION, ON_ESCALATION, "<errorEventDefinition/>")):
        key = f"{name}h{place}"
        body = f'<startEvent id="i{key}">{definition}</startEvent><endEvent id="o{key}"/>{flows(f"i{key} > o{key}")}'
        inner += f'<subProcess id="{key}" name="Часть" triggeredByEvent="true">{body}</subProcess>'
    return f'<subProcess id="{name}" name="Часть">{inner}{flows(f"i{name} > t{name} > o{name}")}</subProcess>'


def _undone(name: str) -> str:
    """An activity with something that undoes it."""
    handler = script(id=f"u{name}").replace("<scriptTask ", '<scriptTask isForCompensation="true" ')
    line = f'<association id="l{name}" sourceRef="c{name}" targetRef="u{name}"/>'
    return task(id=name) + boundary(COMPENSATE, id=f"c{name}", on=name) + handler + line


def random_drawing(seed: int) -> bytes:
    """Up to seven nodes in a row, with random gateways' branches and boundary events."""
    dice = random.Random(seed)  # noqa: S311 – drawings, not secrets
    names = [f"n{place}" for place in range(dice.randint(1, 7))]
    nodes = {name: dice.choice(_nodes(name)) for name in names}
    row = ["start", *names, "end"]
    arrows, body = [], "".join(nodes.values())
    for place, name in enumerate(row[:-1]):
        targets = [row[place + 1]]
        if "Gateway" in nodes.get(name, ""):
            targets += [dice.choice(row[1:]) for _ in range(dice.randint(0, 2))]
        for number, target in enumerate(dict.fromkeys(targets)):
            condition = " [x == 1]" if number and "exclusive" in nodes[name] else ""
            arrows.append(f"{name} > {target}{condition}")
        body = body.replace(f"{name}_first", f"{name}_{targets[0]}")
    definitions = [timer("PT1H"), ON_CONDITION, ON_MESSAGE, ON_SIGNAL, ON_ESCALATION, "<errorEventDefinition/>"]
    for name in (each for each in names if dice.random() < 0.2 and "Gateway" not in nodes[each]):
        body += boundary(dice.choice(definitions), id=f"b{name}", on=name, cancels=dice.random() < 0.5) + end(
            f"e{name}"
        )
        arrows.append(f"b{name} > {dice.choice([f'e{name}'] * 4 + row[1:-1])}")
    return drawing(body, ";".join(arrows), MESSAGE, SIGNAL, ESCALATION)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9))
def test_drawing_without_errors_can_be_compiled(seed: int) -> None:
    content = random_drawing(seed)
    problems = check_files({"a.bpmn": content}, connectors=None, statuses=None, forms=None)

    if not any(problem.severity == "error" for problem in problems):
        compile_root(xml.read(content, "a.bpmn"), "desk")


def test_a_good_part_of_the_random_drawings_has_no_errors() -> None:
    clean = 0
    for seed in range(300):
        problems = check_files({"a.bpmn": random_drawing(seed)}, connectors=None, statuses=None, forms=None)
        clean += not any(problem.severity == "error" for problem in problems)

    assert clean > 100
