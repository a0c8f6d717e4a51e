"""Pieces of drawings that the examples of the rules are made of."""

from __future__ import annotations

from tests.engine.lint.sketch import (
    END,
    START,
    boundary,
    chain,
    drawing,
    end,
    file,
    flows,
    gateway,
    process,
    script,
    task,
    timer,
)

PLAIN = chain(task())
OTHER = process('<startEvent id="s" name="Начало"/><endEvent id="e" name="Конец"/>', "s > e", key="b")
BY_EVENTS = process(
    '<startEvent id="s" name="По сообщению"><messageEventDefinition messageRef="m"/></startEvent>'
    '<startEvent id="t" name="Ежедневно"><timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition>'
    '</startEvent><endEvent id="e" name="Конец"/>',
    "s > e; t > e",
    key="b",
)
LOOPED = "<standardLoopCharacteristics {}/>"
INSTANCES = (
    "<multiInstanceLoopCharacteristics {}><loopCardinality>{}</loopCardinality></multiInstanceLoopCharacteristics>"
)
CHOICE = gateway("exclusive", "g", 'default="g_end"')
MESSAGE = '<message id="m" name="client_replied"/>'
SIGNAL = '<signal id="s" name="moved"/>'
ESCALATION = '<escalation id="e" name="late" escalationCode="LATE"/>'
ON_MESSAGE = '<messageEventDefinition messageRef="m"/>'
ON_SIGNAL = '<signalEventDefinition signalRef="s"/>'
ON_ESCALATION = '<escalationEventDefinition escalationRef="e"/>'
BUTTON = '<desk:action id="hand_over" label="Передать"/>'
STATUS = '<desk:status code="accepted"/>'
ASSIGN = '<spiff:serviceTaskOperator id="ticket.assign">{}</spiff:serviceTaskOperator>'
SLA = '<spiff:serviceTaskOperator id="sla.start">{}</spiff:serviceTaskOperator>'
PARAMETER = "<spiff:parameters>{}</spiff:parameters>"
CLOCK = '<spiff:parameter id="clock" value="\'reaction\'"/>'


def choice(kind: str, first: str = "[x == 1]", attributes: str = 'default="g_end"', extra: str = "") -> bytes:
    return drawing(gateway(kind, "g", attributes) + task() + extra, f"start > g; g > work {first}; g > end; work > end")


def catch(id: str, definition: str) -> str:
    return f'<intermediateCatchEvent id="{id}" name="Ждать {id}">{definition}</intermediateCatchEvent>'


def throw(id: str, definition: str) -> str:
    return f'<intermediateThrowEvent id="{id}" name="Сказать {id}">{definition}</intermediateThrowEvent>'


def sub(body: str, arrows: str, *, attributes: str = "", kind: str = "subProcess", inner: str = "") -> str:
    return f'<{kind} id="sub" name="Часть" {attributes}>{inner}{body}{flows(arrows)}</{kind}>'


INNER = '<startEvent id="in"/>' + task() + end("out")
SUB = sub(INNER, "in > work > out")


def edge(definition: str, *, cancels: bool = True, outside: str = "", inner: str = "") -> bytes:
    event = boundary(definition, cancels=cancels, inner=inner)
    return drawing(task() + event + end("late"), "start > work > end; edge > late", outside)


def timed(text: str, kind: str = "timeDuration", *, cancels: bool = True) -> bytes:
    return edge(timer(text, kind), cancels=cancels)


def events(first: str, second: str) -> bytes:
    return drawing(
        gateway("eventBased", "g") + first + second,
        "start > g; g > one > end; g > two > end",
        MESSAGE,
    )


def fork(join: str, split: str = "parallel", middle: str = "") -> bytes:
    default = 'default="f_b"' if split == "exclusive" else ""
    condition = "[x == 1]" if split == "exclusive" else ""
    return drawing(
        gateway(split, "f", default) + task(id="a") + (middle or script(id="b")) + gateway(join, "j"),
        f"start > f; f > a {condition}; f > b; a > j; b > j; j > end",
    )


def calls(key: str, called: str) -> str:
    return process(
        START + f'<callActivity id="call" name="Вызвать" calledElement="{called}"/>' + END,
        "start > call > end",
        key=key,
    )


def bound(binding: str) -> bytes:
    """The process `a` calls `b` with this binding."""
    return file(calls("a", "b").replace("<callActivity", f'<callActivity desk:binding="{binding}"'))


def nested(depth: int) -> str:
    body, arrows = task(), "in > work > out"
    for level in range(depth):
        inner = sub('<startEvent id="in"/>' + body + end("out"), arrows)
        body = inner.replace('id="', f'id="l{level}_').replace('Ref="', f'Ref="l{level}_')
        arrows = f"in > l{level}_sub > out"
    return body.replace('<subProcess id="', '<subProcess id="', 1)


def many(count: int) -> bytes:
    tasks = "".join(script(id=f"s{n}") for n in range(count))
    return drawing(tasks, "start > " + " > ".join(f"s{n}" for n in range(count)) + " > end")


def tangle(size: int) -> bytes:
    """Choices beside each other, then one after another, then as many parallel parts: too many ways to follow each."""
    nodes, path = [gateway("parallel", "f"), gateway("parallel", "j")], "start > f;"
    for n in range(size // 6):
        nodes += [
            gateway("exclusive", f"y{n}", f'default="y{n}_z{n}"'),
            script(id=f"u{n}"),
            gateway("exclusive", f"z{n}"),
        ]
        path += f" f > y{n} > z{n} > j; y{n} > u{n} [x == 1]; u{n} > z{n};"
    path += " f > j" if size < 6 else ""
    path += "; j"
    for n in range(size):
        nodes += [
            gateway("exclusive", f"x{n}", f'default="x{n}_m{n}"'),
            script(id=f"t{n}"),
            gateway("exclusive", f"m{n}"),
        ]
        path += f" > x{n} > m{n}; x{n} > t{n} [x == 1]; t{n} > m{n}; m{n}"
    for n in range(size // 2):
        nodes += [gateway("parallel", f"f{n}"), script(id=f"p{n}"), script(id=f"q{n}"), gateway("parallel", f"j{n}")]
        path += f" > f{n} > p{n} > j{n}; f{n} > q{n} > j{n}; j{n}"
    return drawing("".join(nodes), path + " > end")


def watched(definition: str) -> bytes:
    """A process with a task in an event sub-process that begins so."""
    begin = f'<startEvent id="in" name="Начало" isInterrupting="false">{definition}</startEvent>'
    body = begin + task(id="help") + end("out")
    inner = flows("in > help > out")
    handler = f'<subProcess id="watch" name="Часть" triggeredByEvent="true">{body}{inner}</subProcess>'
    return drawing(task() + handler, "start > work > end", MESSAGE)


def undone(attributes: str = "") -> bytes:
    """A task that an end event has undone."""
    handler = script(id="again").replace("<scriptTask ", '<scriptTask isForCompensation="true" ')
    line = '<association id="line" sourceRef="edge" targetRef="again"/>'
    return drawing(
        task()
        + boundary("<compensateEventDefinition/>")
        + handler
        + line
        + throw("undo", f"<compensateEventDefinition {attributes}/>"),
        "start > work > undo > end",
    )
