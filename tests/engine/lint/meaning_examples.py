"""A bad and a good drawing for the rules on tokens, expressions, connectors and the desk's own elements."""

from __future__ import annotations

from tests.engine.lint.fragments import (
    ASSIGN,
    BUTTON,
    CHOICE,
    CLOCK,
    MESSAGE,
    ON_MESSAGE,
    OTHER,
    PARAMETER,
    PLAIN,
    SLA,
    STATUS,
    calls,
    catch,
    choice,
    edge,
    events,
    fork,
    tangle,
    timed,
)
from tests.engine.lint.sketch import (
    END,
    START,
    boundary,
    chain,
    drawing,
    end,
    file,
    gateway,
    process,
    script,
    service,
    task,
    timer,
)

MEANING: dict[str, tuple[bytes, bytes]] = {
    # where tokens go
    "unreachable-node": (chain(task(), also=script() + script(id="b"), arrows="set > b > set"), PLAIN),
    "no-way-to-end": (
        drawing(
            task() + task(id="a") + CHOICE,
            "start > g > end; g > work [x == 1]; work > a > work",
        ),
        drawing(task() + CHOICE, "start > g > end; g > work [x == 1]; work > g"),
    ),
    "wait-without-exit": (
        drawing(catch("hear", ON_MESSAGE), "start > hear > end", MESSAGE),
        events(catch("one", timer("PT1H")), catch("two", ON_MESSAGE)),
    ),
    "endless-loop": (
        drawing(
            CHOICE + script() + script(id="b"),
            "start > g > end; g > set [x == 1]; set > b > set",
        ),
        PLAIN,
    ),
    "automatic-loop": (
        drawing(CHOICE + script(), "start > set > g > end; g > set [x == 1]"),
        drawing(CHOICE + task(), "start > work > g > end; g > work [x == 1]"),
    ),
    "tokens-multiply": (
        drawing(
            gateway("exclusive", "m") + gateway("parallel", "f") + task(id="a") + task(id="b"),
            "start > m > f; f > a > m; f > b > end",
        ),
        fork("parallel"),
    ),
    "join-waits-forever": (fork("parallel", "exclusive"), fork("exclusive", "exclusive")),
    "branches-not-joined": (fork("exclusive"), fork("parallel")),
    "side-branch-returns": (
        drawing(task() + boundary(timer("PT1H"), cancels=False) + script(), "start > work > set > end; edge > set"),
        drawing(
            task() + boundary(timer("PT1H"), cancels=False) + script() + end("late"),
            "start > work > set > end; edge > late",
        ),
    ),
    "too-tangled": (tangle(70), tangle(5)),
    "condition-never-holds": (choice("exclusive", "[1 == 2]"), choice("exclusive")),
    "condition-always-holds": (choice("exclusive", "[1 == 1]"), choice("exclusive")),
    "condition-twice": (
        drawing(
            CHOICE + script() + task(), "start > g > end; g > set [x == 1]; g > work [x == 1]; set > end; work > end"
        ),
        drawing(
            CHOICE + script() + task(), "start > g > end; g > set [x == 1]; g > work [x == 2]; set > end; work > end"
        ),
    ),
    # expressions and times
    "expression": (choice("exclusive", "[__import__('os')]"), choice("exclusive")),
    "expression-missing": (choice("exclusive", "[ ]"), choice("exclusive")),
    "script": (chain(script("import os")), chain(script("x = len('abc')"))),
    "expression-language": (
        chain(script().replace("<scriptTask", '<scriptTask scriptFormat="groovy"')),
        chain(script()),
    ),
    "foreign-expression": (choice("exclusive", "[${x == 1}]"), choice("exclusive")),
    "ignored-extension": (chain(task("<spiff:preScript>x = 1</spiff:preScript>")), PLAIN),
    "data-association": (
        chain(task().replace("</userTask>", '<dataInputAssociation id="d"/></userTask>')),
        PLAIN,
    ),
    "timer-count": (edge("<timerEventDefinition/>"), timed("PT1H")),
    "timer-value": (timed("P99999999Y"), timed('=duration("PT1H")')),
    "timer-cycle-place": (timed("R3/PT10M", "timeCycle"), timed("R3/PT10M", "timeCycle", cancels=False)),
    "endless-cycle": (
        timed("R/PT10M", "timeCycle", cancels=False),
        timed("R3/PT10M", "timeCycle", cancels=False),
    ),
    "timer-calendar-units": (timed("P1M"), timed("P30D")),
    # connectors and calls
    "connector-missing": (chain('<serviceTask id="call" name="Вызов"/>'), chain(service())),
    "connector-unknown": (chain(service('<spiff:serviceTaskOperator id="os.system"/>')), chain(service())),
    "connector-place": (chain(task('<spiff:serviceTaskOperator id="notify.line"/>')), chain(service())),
    "parameter-unknown": (
        chain(service(ASSIGN.format(PARAMETER.format('<spiff:parameter id="who" value="1"/>')))),
        chain(service(ASSIGN.format(PARAMETER.format('<spiff:parameter id="strategy" value="1"/>')))),
    ),
    "parameter-missing": (chain(service(SLA.format(""))), chain(service(SLA.format(PARAMETER.format(CLOCK))))),
    "parameter-twice": (
        chain(service(SLA.format(PARAMETER.format(CLOCK * 2)))),
        chain(service(SLA.format(PARAMETER.format(CLOCK)))),
    ),
    "result-name": (
        chain(service('<spiff:serviceTaskOperator id="notify.line" resultVariable="now"/>')),
        chain(service('<spiff:serviceTaskOperator id="notify.line" resultVariable="who"/>')),
    ),
    "job-place": (chain(task('<desk:job retries="3"/>')), chain(service(inner='<desk:job retries="3" async="true"/>'))),
    "call-missing": (file(calls("desk", "")), file(calls("desk", "b"), OTHER)),
    "call-computed": (
        file(calls("desk", "${key}")),
        file(
            calls("desk", "b"),
            OTHER,
        ),
    ),
    # what the desk adds
    "desk-extension": (chain(task('<desk:action id="x"/>')), chain(task('<desk:action id="x" label="Да"/>'))),
    "desk-extension-place": (PLAIN.replace(b"</process>", b'<desk:status code="new"/></process>'), chain(task(STATUS))),
    "user-task-action": (chain('<userTask id="work" name="Работа"/>'), PLAIN),
    "action-place": (
        chain(script().replace("<script>", f"<extensionElements>{BUTTON}</extensionElements><script>")),
        chain(task(BUTTON)),
    ),
    "action-twice": (chain(task(BUTTON + BUTTON)), chain(task(BUTTON))),
    "hotkey-twice": (
        chain(task('<desk:action id="a" label="А" hotkey="A"/><desk:action id="b" label="Б" hotkey="A"/>')),
        chain(task('<desk:action id="a" label="А" hotkey="A"/><desk:action id="b" label="Б" hotkey="B"/>')),
    ),
    "form-unknown": (
        chain(task('<desk:action id="a" label="А" form="missing"/>')),
        chain(task('<desk:action id="a" label="А" form="classify"/>')),
    ),
    "status-unknown": (chain(task('<desk:status code="melted"/>')), chain(task(STATUS))),
    "status-twice": (chain(task(STATUS + STATUS)), chain(task(STATUS))),
    "sla-timer-paused": (
        chain(
            task('<desk:status code="held" name="Отложено" category="paused"/>'),
            also=boundary(timer('=sla.due("resolution")', "timeDate")) + end("late"),
            arrows="edge > late",
        ),
        chain(
            task('<desk:status code="held" name="Отложено" category="open"/>'),
            also=boundary(timer('=sla.due("resolution")', "timeDate")) + end("late"),
            arrows="edge > late",
        ),
    ),
    "action-unknown": (
        drawing(
            task() + CHOICE + script(),
            'start > work > g > end; g > set [action == "dome"]; set > end',
        ),
        drawing(
            task() + CHOICE + script(),
            'start > work > g > end; g > set [action == "done"]; set > end',
        ),
    ),
    "assignment-place": (
        chain(service(inner='<desk:assignment assignee="=x"/>')),
        chain(task('<desk:assignment assignee="=x"/>')),
    ),
    # the picture
    "no-bpmndi": (file(process(START + task() + END, "start > work > end"), picture=False), PLAIN),
    "no-overlapping-elements": (PLAIN.replace(b'x="200"', b'x="20"'), PLAIN),
}
